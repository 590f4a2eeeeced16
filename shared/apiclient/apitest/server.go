package apitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Token is the bearer token that the server takes besides those of SignIn.
const Token = "bst_apitest"

// Password signs any user in.
const Password = "correct horse battery"

// Server is the daemon. Its exported lists may be filled before the first request.
type Server struct {
	Hosts        []fleet.Host
	Repositories []fleet.Repository
	Plans        []fleet.Plan
	Snapshots    []fleet.Snapshot
	Users        []api.User
	Tokens       []api.Token
	Enrolments   []api.Enrolment // newest first
	Audit        []api.AuditRow
	Overview     api.Overview
	Epoch        string

	// OnJob is called, in a goroutine that Close waits for, with each job that a request started.
	OnJob func(s *Server, job fleet.Job)
	// OnRequest may answer a request in the server's place; it then returns true.
	OnRequest func(w http.ResponseWriter, r *http.Request) bool
	Chaos     Chaos

	http *httptest.Server
	ca   *x509.Certificate
	wg   sync.WaitGroup

	mu       sync.Mutex
	sessions map[string]bool
	keys     map[string]fleet.JobID // Idempotency-Key
	jobs     map[fleet.JobID]*job
	order    []fleet.JobID
	secrets  map[string]string // host/repository → sealed text
	rows     []api.Row         // every change, rev i+1 at index i
	bell     chan struct{}     // closed at the next change of anything
	closed   chan struct{}
}

type job struct {
	fleet.Job
	lines    []fleet.LogLine
	pos      fleet.LogPosition
	progress *fleet.Progress
	started  bool
}

// New starts a server on loopback.
func New() (*Server, error) {
	s := &Server{Epoch: "epoch-1", sessions: map[string]bool{Token: true}, keys: map[string]fleet.JobID{}, jobs: map[fleet.JobID]*job{},
		secrets: map[string]string{}, bell: make(chan struct{}), closed: make(chan struct{})}
	cert, ca, err := certificates()
	if err != nil {
		return nil, err
	}
	s.ca = ca
	s.http = httptest.NewUnstartedServer(s.handler())
	s.http.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	s.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // broken handshakes are what tests are for
	s.http.StartTLS()
	return s, nil
}

// Close ends every connection and waits for all goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closed:
		s.mu.Unlock()
		return
	default:
	}
	close(s.closed)
	s.mu.Unlock()
	s.http.CloseClientConnections()
	s.http.Close()
	s.wg.Wait()
}

// Address is https://127.0.0.1:port.
func (s *Server) Address() string { return s.http.URL }

// CA is the certificate that the server's own is signed with.
func (s *Server) CA() *x509.Certificate { return s.ca }

// ClientTLS trusts the server.
func (s *Server) ClientTLS() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.ca)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
}

func certificates() (tls.Certificate, *x509.Certificate, error) {
	fail := func(err error) (tls.Certificate, *x509.Certificate, error) {
		return tls.Certificate{}, nil, fmt.Errorf("make certificates: %w", err)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	caTemplate := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "apitest CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, caTemplate, caTemplate, &caKey.PublicKey, caKey)
	if err != nil {
		return fail(err)
	}
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		return fail(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "apitest"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	if err != nil {
		return fail(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, caDER}, PrivateKey: key}, ca, nil
}

// ringLocked wakes every stream.
func (s *Server) ringLocked() {
	close(s.bell)
	s.bell = make(chan struct{})
}

// changedLocked adds a row to the watch.
func (s *Server) changedLocked(r api.Row) {
	r.Rev = int64(len(s.rows)) + 1
	s.rows = append(s.rows, r)
	s.ringLocked()
}

// Change adds a change to the watch and gives its rev.
func (s *Server) Change(r api.Row) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changedLocked(r)
	return int64(len(s.rows))
}

// Sealed gives the sealed credentials that were last put for a repository on a host.
func (s *Server) Sealed(host fleet.HostID, repository fleet.RepositoryID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[string(host)+"/"+string(repository)]
}

// SetEpoch makes the server one whose store was restored from a copy.
func (s *Server) SetEpoch(epoch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Epoch = epoch
}

func (s *Server) epoch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Epoch
}

// Handler is what the server answers with.
func (s *Server) Handler() http.Handler { return s.http.Config.Handler }
