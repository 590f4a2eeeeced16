package agentws_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/wsconn"
)

func unlimited() auth.LimiterConfig {
	return auth.LimiterConfig{Every: time.Microsecond, Burst: 1_000_000, MaxKeys: 1000}
}

func TestATokenIsGoodOnce(t *testing.T) {
	w := newWorld(t, settings{})
	_, csr := newKey(t)
	token := w.token()
	ask := func(token, csr string, f agentwire.Facts) fault.Code {
		var out agentwire.EnrolResponse
		p := w.post(agentwire.PathEnrol, nil, agentwire.EnrolRequest{Token: token, CSR: csr, Facts: f}, &out)
		if p.Code != "" && (p.Status < 400 || p.Detail == "") {
			t.Errorf("%+v", p)
		}
		return p.Code
	}
	steps := []struct {
		name  string
		token string
		csr   string
		facts agentwire.Facts
		want  fault.Code
	}{
		{"bad CSR leaves the token whole", token, "nonsense", facts("alpha"), fault.InvalidInput},
		{"bad facts leave the token whole", token, csr, agentwire.Facts{}, fault.Protocol},
		{"good", token, csr, facts("alpha"), ""},
		{"used", token, csr, facts("alpha"), fault.TokenUsed},
		{"unknown", "bse_nonsense", csr, facts("alpha"), fault.TokenInvalid},
		{"empty", "", csr, facts("alpha"), fault.TokenInvalid},
	}
	for _, s := range steps {
		if got := ask(s.token, s.csr, s.facts); got != s.want {
			t.Errorf("%s: %q, want %q", s.name, got, s.want)
		}
	}
	short, err := w.CreateEnrolmentToken(t.Context(), w.admin, api.EnrolmentTokenRequest{ValidForMS: 1})
	if err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, 5*time.Second, "end of the token", func() bool { return time.Now().After(short.ExpiresAt) })
	if got := ask(short.Token, csr, facts("alpha")); got != fault.TokenExpired {
		t.Errorf("expired: %q", got)
	}
}

func TestHugeAndBrokenBodies(t *testing.T) {
	w := newWorld(t, settings{})
	endless := io.LimitReader(zeroes{}, 1<<30)
	tr := &http.Transport{TLSClientConfig: pin.ClientTLS(w.pki.Pin(), nil), DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Post("https://"+w.addr+agentwire.PathEnrol, "application/json", endless)
	if err == nil { // else the daemon hung up in mid-body, which is as clear
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", resp.StatusCode)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if p := w.postRaw(agentwire.PathEnrol, nil, strings.NewReader("{"), nil); p.Code != fault.InvalidInput {
		t.Errorf("%+v", p)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestRenewedUnderThePresentCertificate(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	key, csr := newKey(t)
	var answer agentwire.RenewResponse
	if p := w.post(agentwire.PathRenew, &m.cert, agentwire.RenewRequest{CSR: csr}, &answer); p.Status != 0 {
		t.Fatalf("%+v", p)
	}
	renewed := m
	renewed.cert = pair(t, answer.Certificate, key)
	leaf, err := x509.ParseCertificate(renewed.cert.Certificate[0])
	if err != nil || leaf.Subject.CommonName != string(m.agent) {
		t.Fatalf("%v %v", leaf.Subject, err)
	}
	w.connect(renewed, "one")
	w.connect(m, "one").close() // the former one is good until its end: a lost answer locks nobody out
	if p := w.post(agentwire.PathRenew, nil, agentwire.RenewRequest{CSR: csr}, nil); p.Code != fault.Unauthenticated {
		t.Errorf("without a certificate: %+v", p)
	}
	if p := w.post(agentwire.PathRenew, &m.cert, agentwire.RenewRequest{CSR: "x"}, nil); p.Code != fault.InvalidInput {
		t.Errorf("bad CSR: %+v", p)
	}
}

func TestWhoMayNotConnect(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	dial := func(cfg *tls.Config, header http.Header) error {
		c, _, err := wsconn.Dial(t.Context(), "wss://"+w.addr+agentwire.PathConnect, wsconn.DialOptions{TLS: cfg, Header: header})
		if err == nil {
			c.CloseNow()
		}
		return err
	}
	wantCode(t, dial(pin.ClientTLS(w.pki.Pin(), nil), nil), fault.Unauthenticated)
	wantCode(t, dial(pin.ClientTLS(w.pki.Pin(), &m.cert), http.Header{"Origin": {"https://" + w.addr}}), fault.Forbidden)
	wantCode(t, dial(pin.ClientTLS("sha256:"+strings.Repeat("0", 64), &m.cert), nil), fault.PinMismatch)

	stranger := newWorld(t, settings{}).enrol("alpha") // of another CA
	cfg := pin.ClientTLS(w.pki.Pin(), nil)
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger.cert, nil }
	wantCode(t, dial(cfg, nil), fault.Unauthenticated)

	// Of this CA, but not an agent that the daemon knows.
	key, csr := newKey(t)
	r, err := pki.ParseRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	text, err := w.pki.IssueAgent(r, "01NOBODY")
	if err != nil {
		t.Fatal(err)
	}
	nobody := pair(t, text, key)
	wantCode(t, dial(pin.ClientTLS(w.pki.Pin(), &nobody), nil), fault.HostRevoked)

	resp, err := get(w, agentwire.PathConnect, &m.cert)
	if err != nil || resp != http.StatusUpgradeRequired {
		t.Errorf("no WebSocket: %d %v", resp, err)
	}
}

func get(w *world, path string, cert *tls.Certificate) (int, error) {
	tr := &http.Transport{TLSClientConfig: pin.ClientTLS(w.pki.Pin(), cert), DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+w.addr+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, errors.Join(resp.Body.Close())
}

func TestHandshakesAndEnrolmentsAreLimited(t *testing.T) {
	tight := auth.LimiterConfig{Every: time.Hour, Burst: 2, MaxKeys: 10}
	w := newWorld(t, settings{agentws: agentws.Config{Handshakes: tight, Enrolments: tight}})
	m := w.enrol("alpha")
	for range 2 {
		c, err := w.dial(m)
		if err != nil {
			t.Fatal(err)
		}
		c.CloseNow()
	}
	_, err := w.dial(m)
	wantCode(t, err, fault.RateLimited)
	other := w.enrol("beta") // its own allowance for handshakes, the last one for enrolment
	w.connect(other, "one")
	if p := w.post(agentwire.PathEnrol, nil, agentwire.EnrolRequest{}, nil); p.Code != fault.RateLimited || p.Status != http.StatusTooManyRequests {
		t.Errorf("%+v", p)
	}
}
