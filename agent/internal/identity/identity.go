// Package identity is who this agent is to its daemon: a private key made on the host that never leaves it, and the certificate
// that the daemon's CA gave for it.
//
// Key and certificate lie in one file (identity.pem, 0600), so that both change together whatever happens in between. A renewed
// identity is tried first on the next connection; the former one stays beside it until the daemon took the new one.
// The package starts no goroutine.
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
}

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

// Enrol makes a key, has it certified by the daemon and stores both.
func Enrol(ctx context.Context, c EnrolConfig) (agentwire.EnrolResponse, error) {
	if err := datafolder.Make(c.Dir); err != nil {
		return agentwire.EnrolResponse{}, err
	}
	key, csr, err := newKey()
	if err != nil {
		return agentwire.EnrolResponse{}, err
	}
	client, err := apiclient.New(apiclient.Config{Address: c.Address, Pin: c.Pin})
	if err != nil {
		return agentwire.EnrolResponse{}, err
	}
	defer client.Close()
	answer, err := client.Enrol(ctx, agentwire.EnrolRequest{Token: c.Token, CSR: csr, Facts: c.Facts})
	if err != nil {
		return agentwire.EnrolResponse{}, err
	}
	if err := store(c.Dir, key, answer.Certificate); err != nil {
		return agentwire.EnrolResponse{}, err
	}
	if err := atomicfile.Write(filepath.Join(c.Dir, caFile), []byte(answer.CA), 0o600); err != nil {
		return agentwire.EnrolResponse{}, fmt.Errorf("store the daemon's CA: %w", err)
	}
	return answer, nil
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
	old, err := os.ReadFile(filepath.Join(dir, currentFile))
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, previousFile), old, 0o600); err != nil {
		return fmt.Errorf("keep the former identity: %w", err)
	}
	return store(dir, key, answer.Certificate)
}

// Load reads the identity of dir. A host that has none gives fault.NotFound.
func Load(dir string) (Identity, error) { return load(filepath.Join(dir, currentFile)) }

// Previous reads the identity before the last renewal; fault.NotFound when there is none or Settle was called.
func Previous(dir string) (Identity, error) { return load(filepath.Join(dir, previousFile)) }

// Settle drops the former identity: the daemon has taken the present one.
func Settle(dir string) error {
	err := os.Remove(filepath.Join(dir, previousFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop the former identity: %w", err)
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
	return Identity{Certificate: cert, Leaf: cert.Leaf}, nil
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

// store writes key and certificate after checking that they belong together.
func store(dir, keyPEM, certPEM string) error {
	both := []byte(keyPEM + certPEM)
	if _, err := tls.X509KeyPair(both, both); err != nil {
		return fault.Wrap(fault.Protocol, err, "The daemon answered with a certificate that is not for this host's key. Update the older side, then try again.")
	}
	if err := atomicfile.Write(filepath.Join(dir, currentFile), both, 0o600); err != nil {
		return fmt.Errorf("store identity: %w", err)
	}
	return nil
}
