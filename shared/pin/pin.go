// Package pin trusts a daemon by its own CA instead of the system's roots: a pin is the SHA-256 of the CA's public key (the DER
// form of its SubjectPublicKeyInfo), so that it stays true when the CA's certificate is written anew. It is part of the line that
// enrols a host, and what a console shows at the first contact.
//
// Names in certificates are not looked at: whoever holds a server certificate of this CA is the daemon. Certificates of agents
// come from the same CA, but are not good for a server. TLS 1.3 only. No state, no goroutine.
package pin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

const prefix = "sha256:"

// Of gives the pin of a CA: "sha256:" and 64 hexadecimal digits.
func Of(ca *x509.Certificate) string {
	sum := sha256.Sum256(ca.RawSubjectPublicKeyInfo)
	return prefix + hex.EncodeToString(sum[:])
}

// Check tells whether s has the form of a pin: "sha256:" and the hash in hexadecimal, or in base64url without padding.
func Check(s string) error {
	_, err := parse(s)
	return err
}

func parse(s string) ([]byte, error) {
	text, ok := strings.CutPrefix(s, prefix)
	var sum []byte
	var err error
	if len(text) == hex.EncodedLen(sha256.Size) {
		sum, err = hex.DecodeString(text)
	} else {
		sum, err = base64.RawURLEncoding.DecodeString(text)
	}
	if !ok || err != nil || len(sum) != sha256.Size {
		return nil, fault.New(fault.InvalidInput, "The CA pin is not valid: it is %q and 64 hexadecimal digits. Copy it whole from the daemon.", prefix)
	}
	return sum, nil
}

// ClientTLS makes the settings of a client that trusts exactly the daemon whose CA has the pin. cert is the client's own
// certificate, or nil. With a malformed pin every handshake fails with fault.InvalidInput.
func ClientTLS(pin string, cert *tls.Certificate) *tls.Config {
	return clientTLS(pin, cert, time.Now)
}

func clientTLS(pin string, cert *tls.Certificate, now func() time.Time) *tls.Config {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS13,
		Time:               now,
		InsecureSkipVerify: true, // VerifyConnection does it, by the pin; it runs for every connection
		VerifyConnection: func(cs tls.ConnectionState) error {
			return verify(pin, cs.PeerCertificates, now())
		},
	}
	if cert != nil {
		cfg.Certificates = []tls.Certificate{*cert}
	}
	return cfg
}

func verify(pin string, chain []*x509.Certificate, now time.Time) error {
	want, err := parse(pin)
	if err != nil {
		return err
	}
	if len(chain) == 0 {
		return mismatch(nil)
	}
	for _, ca := range chain[1:] {
		sum := sha256.Sum256(ca.RawSubjectPublicKeyInfo)
		if ca.IsCA && subtle.ConstantTimeCompare(sum[:], want) == 1 {
			return signed(chain[0], ca, now)
		}
	}
	return mismatch(nil)
}

// signed tells whether leaf is a server's certificate that ca signed and that is valid now.
func signed(leaf, ca *x509.Certificate, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:       roots,
		CurrentTime: now,
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fault.Wrap(fault.PinMismatch, err, "The daemon's certificate is not valid at this time (%s here). Check the clocks on both sides.", now.UTC().Format(time.RFC3339))
	}
	return mismatch(err)
}

func mismatch(err error) error {
	return fault.Wrap(fault.PinMismatch, err, "The server there is not the daemon that the CA pin belongs to. Check the address and compare the pin with the one the daemon prints.")
}

// Fetch asks a server (host:port, or an https address) for the pin of the CA that signed its certificate, to be shown to a
// person who compares it. It trusts nobody: the answer is no better than the network it came over.
func Fetch(ctx context.Context, addr string) (string, error) {
	target, err := hostPort(addr)
	if err != nil {
		return "", err
	}
	var found string
	d := tls.Dialer{Config: &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // the answer is what is asked for
		VerifyConnection: func(cs tls.ConnectionState) error {
			found, err = present(cs.PeerCertificates)
			return err
		},
	}}
	c, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		if fault.CodeOf(err) != fault.Internal {
			return "", fmt.Errorf("ask %s for its CA: %w", target, err)
		}
		return "", fault.Wrap(fault.Unavailable, err, "%s does not answer. Check the address, and that the daemon runs there.", target)
	}
	if err := c.Close(); err != nil {
		return "", fmt.Errorf("close connection to %s: %w", target, err)
	}
	return found, nil
}

// present gives the pin of the CA in a server's chain that signed its leaf.
func present(chain []*x509.Certificate) (string, error) {
	if len(chain) > 1 {
		for _, ca := range chain[1:] {
			if ca.IsCA && signed(chain[0], ca, time.Now()) == nil {
				return Of(ca), nil
			}
		}
	}
	return "", fault.New(fault.PinMismatch, "The server there does not show a CA of its own, as a Backstay daemon does. Check the address.")
}

func hostPort(addr string) (string, error) {
	target := addr
	if strings.Contains(addr, "://") {
		u, err := url.Parse(addr)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return "", fault.Wrap(fault.InvalidInput, err, "The daemon's address is not valid. Give it as https://host:port.")
		}
		target = u.Host
		if u.Port() == "" {
			target = net.JoinHostPort(u.Hostname(), "443")
		}
	}
	if _, _, err := net.SplitHostPort(target); err != nil {
		return "", fault.Wrap(fault.InvalidInput, err, "The daemon's address is not valid. Give it as https://host:port.")
	}
	return target, nil
}
