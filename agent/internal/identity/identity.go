// Package identity is who this agent is to its daemon: a private key made on the host that never leaves it, and the certificate
// that the daemon's CA gave for it.
//
// Key and certificate lie in one file (identity.pem, 0600), so that both change together whatever happens in between. A renewed
// identity is tried first on the next connection; the former one stays beside it until the daemon took the new one, and takes its
// place again when the daemon does not. At every point of a crash at least one identity that the daemon knows is on disk.
//
// The package starts no goroutine. Renew, Settle and the readers may be called at the same time; one Renew, Enrol at a time.
package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
)

const (
	currentFile  = "identity.pem"
	previousFile = "identity.previous.pem"
	caFile       = "ca.pem"
)

// Identity is a key with its certificate.
type Identity struct {
	Certificate tls.Certificate
	Leaf        *x509.Certificate
	pem         []byte // the file
}

// Equal tells whether both are the same certificate.
func (i Identity) Equal(o Identity) bool {
	return i.Leaf != nil && o.Leaf != nil && i.Leaf.Equal(o.Leaf)
}

// Expired tells whether the certificate has run out at now.
func (i Identity) Expired(now time.Time) bool { return now.After(i.Leaf.NotAfter) }

// RenewAt is when the certificate should be replaced: after two thirds of its life.
func (i Identity) RenewAt() time.Time {
	life := i.Leaf.NotAfter.Sub(i.Leaf.NotBefore)
	return i.Leaf.NotBefore.Add(life * 2 / 3)
}

// EnrolConfig is what Enrol needs.
type EnrolConfig struct {
	Dir     string // folder of the identity
	Address string // the daemon's
	Pin     string // of the daemon's CA
	Token   string // single use
	Facts   agentwire.Facts
}

// Enrol makes a key, has it certified by the daemon and stores both, in place of any identity that was there. What can be wrong on
// this host is found before the token is spent.
func Enrol(ctx context.Context, c EnrolConfig) (agentwire.EnrolResponse, error) {
	none := agentwire.EnrolResponse{}
	if err := pin.Check(c.Pin); err != nil {
		return none, err
	}
	if err := datafolder.Make(c.Dir); err != nil {
		return none, err
	}
	if err := probe(c.Dir); err != nil {
		return none, err
	}
	key, csr, err := newKey()
	if err != nil {
		return none, err
	}
	client, err := apiclient.New(apiclient.Config{Address: c.Address, Pin: c.Pin})
	if err != nil {
		return none, err
	}
	defer client.Close()
	answer, err := client.Enrol(ctx, agentwire.EnrolRequest{Token: c.Token, CSR: csr, Facts: c.Facts})
	if err != nil {
		return none, err
	}
	if !fleet.ValidID(string(answer.AgentID)) || !fleet.ValidID(string(answer.HostID)) {
		return none, fault.New(fault.Protocol, "The daemon answered without a valid id for this host. Update the older side, then enrol with a new token.")
	}
	both, err := bundle(key, answer.Certificate)
	if err != nil {
		return none, err
	}
	if err := atomicfile.Write(filepath.Join(c.Dir, caFile), []byte(answer.CA), 0o600); err != nil {
		return none, fmt.Errorf("store the daemon's CA: %w", err)
	}
	if err := drop(c.Dir); err != nil { // it belongs to a former enrolment
		return none, err
	}
	return answer, put(c.Dir, currentFile, both)
}

// Renew has a new key certified under the present identity and stores both; the present one is kept as Previous.
func Renew(ctx context.Context, dir, address, pinned string) error {
	present, err := Load(dir)
	if err != nil {
		return err
	}
	key, csr, err := newKey()
	if err != nil {
		return err
	}
	client, err := apiclient.New(apiclient.Config{Address: address, TLS: pin.ClientTLS(pinned, &present.Certificate)})
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Renew(ctx, agentwire.RenewRequest{CSR: csr})
	if err != nil {
		return err
	}
	both, err := bundle(key, answer.Certificate)
	if err != nil {
		return err
	}
	if err := put(dir, previousFile, present.pem); err != nil {
		return err
	}
	return put(dir, currentFile, both)
}

// Load reads the identity of dir. A host that has none gives fault.NotFound, a file that cannot be used fault.InvalidInput.
func Load(dir string) (Identity, error) { return load(filepath.Join(dir, currentFile)) }

// Previous reads the identity before the last renewal; fault.NotFound when there is none or Settle was called.
func Previous(dir string) (Identity, error) { return load(filepath.Join(dir, previousFile)) }

// Candidates gives the identities to try at the daemon, in this order: the present one, then the former one where the daemon may not
// have taken the present one yet. The error is that of Load when there is none at all.
func Candidates(dir string) ([]Identity, error) {
	var all []Identity
	present, err := Load(dir)
	if err == nil {
		all = append(all, present)
	}
	former, ferr := Previous(dir)
	if ferr == nil && (err != nil || !former.Equal(present)) {
		all = append(all, former)
	}
	if len(all) == 0 {
		return nil, err
	}
	return all, nil
}

// Settle is told which identity the daemon took. If it is the present one, the former is dropped. If it is the former one, the
// present one is of no use: the former takes its place, and the renewal is made again in time.
func Settle(dir string, used Identity) error {
	former, err := Previous(dir)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return nil
	case err != nil && fault.CodeOf(err) != fault.InvalidInput:
		return err
	case err == nil && former.Equal(used):
		return takeBack(dir, used)
	}
	if present, err := Load(dir); err != nil || !present.Equal(used) {
		return err // neither: there was an enrolment or a renewal since the connection was made
	}
	return drop(dir)
}

// takeBack makes the former identity, which is the used one, the present one again.
func takeBack(dir string, used Identity) error {
	present, err := Load(dir)
	if err == nil && present.Equal(used) {
		return nil // a renewal is under way and has kept what it will replace
	}
	if err := os.Rename(filepath.Join(dir, previousFile), filepath.Join(dir, currentFile)); err != nil {
		return fmt.Errorf("take the former identity back: %w", err)
	}
	return syncDir(dir)
}

// drop removes the former identity.
func drop(dir string) error {
	err := os.Remove(filepath.Join(dir, previousFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("drop the former identity: %w", err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	if err := atomicfile.SyncDir(dir); err != nil {
		return fmt.Errorf("sync folder of the identity: %w", err)
	}
	return nil
}

func load(path string) (Identity, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Identity{}, fault.Wrap(fault.NotFound, err, "This host is not enrolled. Run `backstay-agent enrol` with the line that `backstayd enrol-token` prints.")
	}
	if err != nil {
		return Identity{}, fmt.Errorf("read identity: %w", err)
	}
	cert, err := tls.X509KeyPair(b, b)
	if err != nil {
		return Identity{}, fault.Wrap(fault.InvalidInput, err, "This agent's identity file %s is damaged. Enrol the host again with a new token.", path)
	}
	return Identity{Certificate: cert, Leaf: cert.Leaf, pem: b}, nil
}

// newKey makes a key (PEM) and a signing request for it. The daemon alone decides what the certificate says.
func newKey() (keyPEM, csrPEM string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", fmt.Errorf("encode key: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "backstay-agent"}}, key)
	if err != nil {
		return "", "", fmt.Errorf("make signing request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})), nil
}

// bundle joins key and certificate after checking that they belong together. Nothing else of the daemon's answer is kept.
func bundle(keyPEM, certPEM string) ([]byte, error) {
	cert, err := tls.X509KeyPair([]byte(certPEM), []byte(keyPEM))
	if err != nil {
		return nil, fault.Wrap(fault.Protocol, err, "The daemon answered with a certificate that is not for this host's key. Update the older side, then try again.")
	}
	both := []byte(keyPEM)
	for _, der := range cert.Certificate {
		both = append(both, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return both, nil
}

// put replaces an identity file.
func put(dir, name string, both []byte) error {
	if err := atomicfile.Write(filepath.Join(dir, name), both, 0o600); err != nil {
		return fmt.Errorf("store identity: %w", err)
	}
	return nil
}

// probeSize is more than all files of an identity take.
const probeSize = 64 << 10

// probe finds out whether the identity will fit into dir.
func probe(dir string) error {
	path := filepath.Join(dir, "probe")
	if err := atomicfile.Write(path, make([]byte, probeSize), 0o600); err != nil {
		return fault.Wrap(fault.StorageDenied, err, "The identity could not be stored in %s. Make room there or mend its permissions; the token is not used up.", dir)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove probe: %w", err)
	}
	return nil
}
