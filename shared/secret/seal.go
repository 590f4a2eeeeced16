package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// MaxSealed is the length in bytes that no sealed text exceeds.
const MaxSealed = 32 << 10

const (
	sealVersion = 1
	padTo       = 512
	maxSealable = 20 << 10 // leaves room for age's header, padding and armour below MaxSealed
)

// sealed is the readable content of a sealed text. Host and repository lie inside the encryption, so that nobody on the way can
// give a host the credentials of another repository under a wrong name.
type sealed struct {
	V            int                `json:"v"`
	HostID       fleet.HostID       `json:"host_id"`
	RepositoryID fleet.RepositoryID `json:"repository_id"`
	Credentials  plain              `json:"credentials"`
}

// NewIdentity makes an agent's key pair: identity stays on the host, recipient is told to whoever seals for it.
func NewIdentity() (identity Secret, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Secret{}, "", fmt.Errorf("make sealing key: %w", err)
	}
	return New(id.String()), id.Recipient().String(), nil
}

// Recipient gives the public half of an identity.
func Recipient(identity Secret) (string, error) {
	id, err := parseIdentity(identity.Reveal())
	if err != nil {
		return "", err
	}
	return id.Recipient().String(), nil
}

// Seal encrypts c for one repository of one host to the host's sealing key.
func Seal(recipient string, host fleet.HostID, repo fleet.RepositoryID, c Credentials) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	to, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return "", fault.Wrap(fault.InvalidInput, err, "The host's sealing key is not valid. Update the agent on that host and let it connect again.")
	}
	b, err := json.Marshal(sealed{V: sealVersion, HostID: host, RepositoryID: repo, Credentials: c.plain()})
	if err != nil {
		return "", fmt.Errorf("encode credentials: %w", err)
	}
	if len(b) > maxSealable {
		return "", fault.New(fault.TooLarge, "The credentials are too long to be sealed. Use shorter ones.")
	}
	b = append(b, bytes.Repeat([]byte(" "), (padTo-len(b)%padTo)%padTo)...)
	return encrypt(b, to)
}

// Open decrypts what Seal gave, with the identity that belongs to the recipient, and refuses what was sealed for another host
// or repository.
func Open(identity string, host fleet.HostID, repo fleet.RepositoryID, text string) (Credentials, error) {
	id, err := parseIdentity(identity)
	if err != nil {
		return Credentials{}, err
	}
	if len(text) > MaxSealed {
		return Credentials{}, fault.New(fault.TooLarge, "The sealed credentials are longer than %d bytes. Seal shorter ones.", MaxSealed)
	}
	b, err := decrypt(text, id, MaxSealed)
	if err != nil {
		return Credentials{}, fault.Wrap(fault.InvalidInput, err, "The credentials were not sealed to this host's present key. Read the host again and store them once more.")
	}
	var s sealed
	if err := decodeStrict(b, &s); err != nil {
		return Credentials{}, fault.Wrap(fault.InvalidInput, err, "The sealed credentials have a form that this agent does not know. Update the older side.")
	}
	if s.V != sealVersion || s.HostID != host || s.RepositoryID != repo {
		return Credentials{}, fault.New(fault.InvalidInput, "The credentials were sealed for another host or repository. Store them once more for this one.")
	}
	c := s.Credentials.credentials()
	if err := c.Validate(); err != nil {
		return Credentials{}, err
	}
	return c, nil
}

func parseIdentity(text string) (*age.X25519Identity, error) {
	id, err := age.ParseX25519Identity(strings.TrimSpace(text))
	if err != nil {
		// age's error may quote the key, so it is not kept.
		return nil, fault.New(fault.SecretStore, "This host's sealing key is damaged. Enrol the host again and store its repository passwords once more.")
	}
	return id, nil
}

// MaxText is the length in bytes of the longest text that SealText takes.
const MaxText = 8 << 20

// SealText encrypts any text to recipient: for files that an agent keeps for itself.
func SealText(recipient string, text Secret) (string, error) {
	to, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return "", fmt.Errorf("parse recipient: %w", err)
	}
	if len(text.Reveal()) > MaxText {
		return "", fault.New(fault.TooLarge, "The secrets are longer than %d bytes together. Remove those of repositories that are no longer used.", MaxText)
	}
	return encrypt([]byte(text.Reveal()), to)
}

// OpenText decrypts what SealText gave.
func OpenText(identity Secret, sealed string) (Secret, error) {
	id, err := parseIdentity(identity.Reveal())
	if err != nil {
		return Secret{}, err
	}
	b, err := decrypt(sealed, id, MaxText)
	if err != nil {
		return Secret{}, err
	}
	return New(string(b)), nil
}

func encrypt(b []byte, to age.Recipient) (string, error) {
	var out strings.Builder
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, to)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if err := a.Close(); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return out.String(), nil
}

func decrypt(text string, id age.Identity, limit int64) ([]byte, error) {
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(text)), id)
	if err != nil {
		return nil, fmt.Errorf("open sealed text: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, fmt.Errorf("open sealed text: %w", err)
	}
	return b, nil
}
