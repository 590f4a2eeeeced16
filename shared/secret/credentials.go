package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fault"
)

// Credentials are what opens a repository: its password and, for the backend that needs it, a key.
type Credentials struct {
	Password Secret           `json:"password"`
	REST     *RESTCredentials `json:"rest,omitempty"`
	S3       *S3Credentials   `json:"s3,omitempty"`
}

// RESTCredentials sign in to a REST server.
type RESTCredentials struct {
	User     string `json:"user"`
	Password Secret `json:"password"`
}

// S3Credentials sign requests to S3 storage; SessionToken is for temporary keys only.
type S3Credentials struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey Secret `json:"secret_access_key"`
	SessionToken    Secret `json:"session_token"`
}

// maxField bounds one credential in bytes; session tokens of cloud providers are the longest.
const maxField = 4096

// Validate tells whether restic can be given c. restic reads the password from a file and trims it, and the AWS credentials
// from lines of a file, so white space around a credential and control characters in it would arrive changed.
func (c Credentials) Validate() error {
	if c.Password.IsZero() {
		return fault.New(fault.InvalidInput, "The repository password is empty. Give the password that opens the repository.")
	}
	if err := validField("repository password", c.Password.Reveal()); err != nil {
		return err
	}
	if c.REST != nil {
		if c.REST.User == "" || strings.ContainsRune(c.REST.User, ':') {
			return fault.New(fault.InvalidInput, "The REST server's user name is empty or has a colon in it. Give the name without its password.")
		}
		if err := validFields("REST user name", c.REST.User, "REST password", c.REST.Password.Reveal()); err != nil {
			return err
		}
	}
	if c.S3 != nil {
		if c.S3.AccessKeyID == "" || c.S3.SecretAccessKey.IsZero() {
			return fault.New(fault.InvalidInput, "The S3 credentials are incomplete. Give both the access key id and the secret access key.")
		}
		return validFields("S3 access key id", c.S3.AccessKeyID, "S3 secret access key", c.S3.SecretAccessKey.Reveal(),
			"S3 session token", c.S3.SessionToken.Reveal())
	}
	return nil
}

func validFields(namesAndTexts ...string) error {
	for i := 0; i+1 < len(namesAndTexts); i += 2 {
		if err := validField(namesAndTexts[i], namesAndTexts[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func validField(name, text string) error {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case len(text) > maxField:
		return fault.New(fault.InvalidInput, "The %s is longer than %d bytes. Use a shorter one.", name, maxField)
	case !utf8.ValidString(text):
		return fault.New(fault.InvalidInput, "The %s is not valid UTF-8. Type it anew.", name)
	case strings.ContainsFunc(text, control):
		return fault.New(fault.InvalidInput, "The %s has a line break or another control character in it. Remove it.", name)
	case strings.TrimSpace(text) != text:
		return fault.New(fault.InvalidInput, "The %s begins or ends with white space, which restic would cut off. Remove it.", name)
	}
	return nil
}

// plain is Credentials with everything readable: the content of sealed texts and of keyring items, nowhere else.
type plain struct {
	Password string     `json:"password"`
	REST     *plainREST `json:"rest,omitempty"`
	S3       *plainS3   `json:"s3,omitempty"`
}

type plainREST struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

type plainS3 struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SessionToken    string `json:"session_token,omitempty"`
}

func (c Credentials) plain() plain {
	p := plain{Password: c.Password.Reveal()}
	if c.REST != nil {
		p.REST = &plainREST{User: c.REST.User, Password: c.REST.Password.Reveal()}
	}
	if c.S3 != nil {
		p.S3 = &plainS3{AccessKeyID: c.S3.AccessKeyID, SecretAccessKey: c.S3.SecretAccessKey.Reveal(), SessionToken: c.S3.SessionToken.Reveal()}
	}
	return p
}

func (p plain) credentials() Credentials {
	c := Credentials{Password: New(p.Password)}
	if p.REST != nil {
		c.REST = &RESTCredentials{User: p.REST.User, Password: New(p.REST.Password)}
	}
	if p.S3 != nil {
		c.S3 = &S3Credentials{AccessKeyID: p.S3.AccessKeyID, SecretAccessKey: New(p.S3.SecretAccessKey), SessionToken: New(p.S3.SessionToken)}
	}
	return c
}

// EncodeCredentials gives c as one readable text for a secret store.
func EncodeCredentials(c Credentials) (Secret, error) {
	b, err := json.Marshal(c.plain())
	if err != nil {
		return Secret{}, fmt.Errorf("encode credentials: %w", err)
	}
	return New(string(b)), nil
}

// DecodeCredentials reads what EncodeCredentials gave. Its errors quote nothing of the text.
func DecodeCredentials(text Secret) (Credentials, error) {
	var p plain
	if err := decodeStrict([]byte(text.Reveal()), &p); err != nil {
		return Credentials{}, err
	}
	return p.credentials(), nil
}

// errNotCredentials takes the place of the JSON decoder's own errors, which quote what they could not read.
var errNotCredentials = errors.New("not encoded credentials of this version")

func decodeStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil || d.More() {
		return errNotCredentials
	}
	return nil
}
