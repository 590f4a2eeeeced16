package pki_test

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
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, cfg pki.Config) *pki.PKI {
	t.Helper()
	p, err := pki.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// agentKey makes a key and a request that asks for far more than it may get.
func agentKey(t *testing.T) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:     pkix.Name{CommonName: "another-agent", Organization: []string{"admins"}},
		DNSNames:    []string{"daemon.example"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw}))
}

func issue(t *testing.T, p *pki.PKI, id string) *tls.Certificate {
	t.Helper()
	key, csr := agentKey(t)
	r, err := pki.ParseRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.IssueAgent(r, fleet.AgentID(id))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(text))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key, Leaf: leaf}
}

// handshake connects a client with cfg to a server with srv and gives what the server saw, and what either side said.
func handshake(t *testing.T, srv, cfg *tls.Config) (seen tls.ConnectionState, clientErr, serverErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			serverErr = err
			return
		}
		s := tls.Server(c, srv)
		if serverErr = s.Handshake(); serverErr == nil {
			seen = s.ConnectionState()
			_, serverErr = s.Write([]byte("hi"))
		}
		serverErr = errors.Join(serverErr, s.Close())
	}()
	d := tls.Dialer{Config: cfg}
	c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 2))
		_ = c.Close() // what matters was said
	}
	<-done
	if cerr := l.Close(); cerr != nil {
		t.Error(cerr)
	}
	return seen, err, serverErr
}

func TestAgentAndDaemonKnowEachOther(t *testing.T) {
	p := open(t, pki.Config{Dir: t.TempDir()})
	cert := issue(t, p, "agent-1")
	seen, cerr, serr := handshake(t, p.TLS(), pin.ClientTLS(p.Pin(), cert))
	if cerr != nil || serr != nil {
		t.Fatal(cerr, serr)
	}
	if id, err := pki.AgentOf(&seen); err != nil || id != "agent-1" {
		t.Fatalf("agent %q, %v", id, err)
	}
	seen, cerr, serr = handshake(t, p.TLS(), pin.ClientTLS(p.Pin(), nil))
	if cerr != nil || serr != nil {
		t.Fatal(cerr, serr)
	}
	if _, err := pki.AgentOf(&seen); fault.CodeOf(err) != fault.Unauthenticated {
		t.Fatalf("without a certificate: %v", err)
	}
	if _, err := pki.AgentOf(nil); fault.CodeOf(err) != fault.Unauthenticated {
		t.Fatalf("without TLS: %v", err)
	}
}

func TestCertificateHoldsNothingOfTheRequestButTheKey(t *testing.T) {
	p := open(t, pki.Config{Dir: t.TempDir()})
	leaf := issue(t, p, "agent-1").Leaf
	if leaf.Subject.String() != "CN=agent-1" || len(leaf.DNSNames)+len(leaf.IPAddresses) > 0 || leaf.IsCA ||
		!slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) {
		t.Fatalf("%+v", leaf)
	}
	left := time.Until(leaf.NotAfter)
	if left > pki.AgentLife || left < pki.AgentLife-time.Minute {
		t.Fatalf("life %v", left)
	}
}

func TestAnAgentIsNoDaemon(t *testing.T) {
	p := open(t, pki.Config{Dir: t.TempDir()})
	agent := issue(t, p, "agent-1")
	ca, _ := pem.Decode([]byte(p.CA()))
	agent.Certificate = append(agent.Certificate, ca.Bytes)
	_, err, _ := handshake(t, &tls.Config{Certificates: []tls.Certificate{*agent}}, pin.ClientTLS(p.Pin(), nil))
	if fault.CodeOf(err) != fault.PinMismatch {
		t.Fatalf("%v", err)
	}
}

func TestADaemonIsNoAgentAndStrangersAreOut(t *testing.T) {
	p, other := open(t, pki.Config{Dir: t.TempDir()}), open(t, pki.Config{Dir: t.TempDir()})
	own, err := p.TLS().GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, cert := range map[string]*tls.Certificate{"server's": own, "stranger's": issue(t, other, "agent-1")} {
		cfg := pin.ClientTLS(p.Pin(), nil)
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
		if _, cerr, serr := handshake(t, p.TLS(), cfg); cerr == nil || serr == nil {
			t.Errorf("%s certificate was taken", name)
		}
	}
}

func TestWrongPin(t *testing.T) {
	p, other := open(t, pki.Config{Dir: t.TempDir()}), open(t, pki.Config{Dir: t.TempDir()})
	_, err, _ := handshake(t, p.TLS(), pin.ClientTLS(other.Pin(), nil))
	if fault.CodeOf(err) != fault.PinMismatch {
		t.Fatalf("%v", err)
	}
	// The true CA's certificate shown by somebody who does not have its key.
	fake, _ := other.TLS().GetCertificate(nil)
	ca, _ := pem.Decode([]byte(p.CA()))
	shown := tls.Certificate{Certificate: [][]byte{fake.Certificate[0], ca.Bytes}, PrivateKey: fake.PrivateKey}
	_, err, _ = handshake(t, &tls.Config{Certificates: []tls.Certificate{shown}}, pin.ClientTLS(p.Pin(), nil))
	if fault.CodeOf(err) != fault.PinMismatch {
		t.Fatalf("borrowed CA: %v", err)
	}
}

func TestOnlyTLS13(t *testing.T) {
	p := open(t, pki.Config{Dir: t.TempDir()})
	old := pin.ClientTLS(p.Pin(), nil)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if _, cerr, _ := handshake(t, p.TLS(), old); cerr == nil {
		t.Fatal("TLS 1.2 was taken")
	}
}

func TestFetchFindsThePin(t *testing.T) {
	p := open(t, pki.Config{Dir: t.TempDir()})
	l, err := tls.Listen("tcp", "127.0.0.1:0", p.TLS())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1)) // runs the handshake and waits for the client's end
			_ = c.Close()
		}
	}()
	for _, addr := range []string{l.Addr().String(), "https://" + l.Addr().String() + "/"} {
		if got, err := pin.Fetch(t.Context(), addr); err != nil || got != p.Pin() {
			t.Errorf("%s: %q, %v", addr, got, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	if _, err := pin.Fetch(t.Context(), l.Addr().String()); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("nobody there: %v", err)
	}
	for _, addr := range []string{"", "host", "http://host:1", "https://"} {
		if _, err := pin.Fetch(context.Background(), addr); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestTheAuthorityStays(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	cfg := pki.Config{Dir: dir, Names: []string{"Backup.Example.", "192.0.2.1", "bad name"}, Clock: func() time.Time { return now }}
	p := open(t, cfg)
	first, _ := p.TLS().GetCertificate(nil)
	for _, want := range []string{"backup.example", "localhost"} {
		if err := first.Leaf.VerifyHostname(want); err != nil {
			t.Error(err)
		}
	}
	if err := first.Leaf.VerifyHostname("192.0.2.1"); err != nil {
		t.Error(err)
	}

	again := open(t, cfg)
	same, _ := again.TLS().GetCertificate(nil)
	if again.Pin() != p.Pin() || !slices.Equal(same.Certificate[0], first.Certificate[0]) {
		t.Fatal("a restart changed the certificates")
	}

	cfg.Names = append(cfg.Names, "second.example")
	renamed := open(t, cfg)
	third, _ := renamed.TLS().GetCertificate(nil)
	if renamed.Pin() != p.Pin() || third.Leaf.VerifyHostname("second.example") != nil {
		t.Fatal("a new name is not in the certificate")
	}

	now = now.Add(61 * 24 * time.Hour)
	fourth, _ := renamed.TLS().GetCertificate(nil)
	if slices.Equal(fourth.Certificate[0], third.Certificate[0]) {
		t.Fatal("not renewed near its end")
	}
	if left := fourth.Leaf.NotAfter.Sub(now); left < 80*24*time.Hour {
		t.Fatalf("renewed for %v", left)
	}
}

func TestDamagedFolders(t *testing.T) {
	tests := []struct {
		name    string
		spoil   func(t *testing.T, dir string)
		want    fault.Code
		samePin bool
	}{
		{"CA key missing", remove("ca.key"), fault.StorageCorrupt, false},
		{"CA key damaged", write("ca.key", "nonsense"), fault.StorageCorrupt, false},
		{"CA certificate damaged", write("ca.pem", "nonsense"), fault.StorageCorrupt, false},
		{"CA certificate missing", remove("ca.pem"), "", true},
		{"server key missing", remove("server.key"), "", true},
		{"server certificate damaged", write("server.pem", "nonsense"), "", true},
		{"server pair torn", tear, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			p := open(t, pki.Config{Dir: dir})
			tt.spoil(t, dir)
			again, err := pki.Open(pki.Config{Dir: dir})
			if fault.CodeOf(err) != tt.want {
				t.Fatalf("%v", err)
			}
			if tt.samePin {
				if again.Pin() != p.Pin() {
					t.Fatal("the pin changed")
				}
				if _, cerr, serr := handshake(t, again.TLS(), pin.ClientTLS(p.Pin(), nil)); cerr != nil || serr != nil {
					t.Fatal(cerr, serr)
				}
			}
		})
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func write(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tear leaves a server key of another life beside the certificate.
func tear(t *testing.T, dir string) {
	other := t.TempDir()
	open(t, pki.Config{Dir: other})
	key, err := os.ReadFile(filepath.Join(other, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	write("server.key", string(key))(t, dir)
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	open(t, pki.Config{Dir: dir})
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%v %v", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	_, good := agentKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(good))
	block.Bytes[len(block.Bytes)-1] ^= 1
	tests := map[string]struct {
		csr  string
		want fault.Code
	}{
		"empty":         {"", fault.InvalidInput},
		"two blocks":    {good + good, fault.InvalidInput},
		"no request":    {strings.ReplaceAll(good, "CERTIFICATE REQUEST", "CERTIFICATE"), fault.InvalidInput},
		"huge":          {strings.Repeat("x", 17<<10), fault.TooLarge},
		"another curve": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw})), fault.InvalidInput},
		"bad signature": {string(pem.EncodeToMemory(block)), fault.InvalidInput},
	}
	for name, tt := range tests {
		if _, err := pki.ParseRequest(tt.csr); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := open(t, pki.Config{Dir: t.TempDir()})
	if _, err := p.IssueAgent(pki.Request{}, "a"); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("empty request: %v", err)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n")
	f.Fuzz(func(t *testing.T, csr string) {
		if _, err := pki.ParseRequest(csr); err != nil && fault.CodeOf(err) == fault.Internal {
			t.Fatal(err)
		}
	})
}
