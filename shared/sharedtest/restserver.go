package sharedtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// RestServer is a real rest-server with TLS and a password on loopback.
type RestServer struct {
	URL      string // "rest:https://127.0.0.1:port/", without credentials
	CACert   string // PEM
	User     string
	Password string
	Dir      string // its data folder

	bin, addr, work string
	options         []string
	mu              sync.Mutex
	cmd             *exec.Cmd
	output          bytes.Buffer
}

// StartRestServer runs a rest-server until the test ends. options are further flags such as "--append-only".
func StartRestServer(t testing.TB, options ...string) *RestServer {
	t.Helper()
	work := t.TempDir()
	s := &RestServer{User: "backstay", Password: "rest-" + rand.Text(), Dir: filepath.Join(work, "data"), work: work,
		bin: RestServerBinary(t), addr: freeAddress(t), options: options}
	s.URL = "rest:https://" + s.addr + "/"
	hash, err := bcrypt.GenerateFromPassword([]byte(s.Password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "htpasswd"), []byte(s.User+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.CACert = writeCertificate(t, work)
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Start runs the server (again) on the same address and data, and waits until it takes connections.
func (s *RestServer) Start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	args := append([]string{"--listen", s.addr, "--path", s.Dir, "--tls", "--tls-cert", filepath.Join(s.work, "cert.pem"),
		"--tls-key", filepath.Join(s.work, "key.pem"), "--htpasswd-file", filepath.Join(s.work, "htpasswd")}, s.options...)
	s.cmd = exec.Command(s.bin, args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err := Await(20*time.Second, func() bool {
		c, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // only asks whether it listens
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	if err != nil {
		t.Fatalf("rest-server does not listen: %v\n%s", err, s.output.String())
	}
}

// Process is the running server's process, for SIGSTOP and the like; nil when stopped.
func (s *RestServer) Process() *os.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	return s.cmd.Process
}

// Stop kills the server and waits for it.
func (s *RestServer) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err == nil {
		_ = s.cmd.Wait() // killed: its error says only that
	}
	s.cmd = nil
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func writeCertificate(t testing.TB, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rest-server test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, data := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(fmt.Errorf("write %s: %w", name, err))
		}
	}
	return string(cert)
}
