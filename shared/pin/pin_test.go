package pin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func certificate(t *testing.T, tmpl *x509.Certificate, by *authority) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.SerialNumber = big.NewInt(1)
	tmpl.BasicConstraintsValid = true
	parent, signer := tmpl, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key: key, cert: cert}
}

func TestVerify(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	ca := certificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, IsCA: true, NotBefore: now.Add(-100 * day), NotAfter: now.Add(100 * day)}, nil)
	leaf := func(use x509.ExtKeyUsage, from, to time.Duration) *x509.Certificate {
		return certificate(t, &x509.Certificate{NotBefore: now.Add(from), NotAfter: now.Add(to), ExtKeyUsage: []x509.ExtKeyUsage{use}}, &ca).cert
	}
	good := leaf(x509.ExtKeyUsageServerAuth, -day, day)
	sum := sha256.Sum256(ca.cert.RawSubjectPublicKeyInfo)
	tests := []struct {
		name  string
		pin   string
		chain []*x509.Certificate
		want  fault.Code
	}{
		{"good", Of(ca.cert), []*x509.Certificate{good, ca.cert}, ""},
		{"pin in base64url", "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:]), []*x509.Certificate{good, ca.cert}, ""},
		{"CA not first of the rest", Of(ca.cert), []*x509.Certificate{good, good, ca.cert}, ""},
		{"no chain", Of(ca.cert), nil, fault.PinMismatch},
		{"no CA shown", Of(ca.cert), []*x509.Certificate{good}, fault.PinMismatch},
		{"pin of the leaf", Of(good), []*x509.Certificate{good, good}, fault.PinMismatch},
		{"an agent's", Of(ca.cert), []*x509.Certificate{leaf(x509.ExtKeyUsageClientAuth, -day, day), ca.cert}, fault.PinMismatch},
		{"expired", Of(ca.cert), []*x509.Certificate{leaf(x509.ExtKeyUsageServerAuth, -2*day, -day), ca.cert}, fault.PinMismatch},
		{"not yet valid", Of(ca.cert), []*x509.Certificate{leaf(x509.ExtKeyUsageServerAuth, day, 2*day), ca.cert}, fault.PinMismatch},
		{"malformed pin", "sha256:abc", []*x509.Certificate{good, ca.cert}, fault.InvalidInput},
		{"empty pin", "", []*x509.Certificate{good, ca.cert}, fault.InvalidInput},
		{"no prefix", Of(ca.cert)[len(prefix):], []*x509.Certificate{good, ca.cert}, fault.InvalidInput},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := verify(tt.pin, tt.chain, now); fault.CodeOf(err) != tt.want {
				t.Fatalf("%v", err)
			}
		})
	}
	if err := Check(Of(ca.cert)); err != nil {
		t.Error(err)
	}
}
