package apiclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"Example.org:7443": "https://example.org:7443", "https://h:1/": "https://h:1", " h ": "https://h", "[::1]:8": "https://[::1]:8",
		"http://h:1": "", "": "", "https://": "", "https://u:p@h": "", "https://h/x": "", "https://h?x=1": "", "ftp://h": "", "https://h:x": "",
	} {
		got, err := apiclient.ParseAddress(in)
		if got != want || (err == nil) != (want != "") || err != nil && fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestPin(t *testing.T) {
	s := newServer(t)
	found, err := apiclient.FetchPin(t.Context(), s.Address())
	if err != nil || found != pin.Of(s.CA()) {
		t.Fatalf("fetched %q, err %v", found, err)
	}
	byPin := func(p string) error {
		c, err := apiclient.New(apiclient.Config{Address: s.Address(), Pin: p, Token: apitest.Token})
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Hosts(t.Context())
		return err
	}
	if err := byPin(found); err != nil {
		t.Fatal(err)
	}
	if err := byPin("sha256:" + strings.Repeat("0", 64)); fault.CodeOf(err) != fault.PinMismatch {
		t.Errorf("wrong pin: %v", err)
	}
	if err := byPin("nonsense"); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("no pin: %v", err)
	}
}

func TestSession(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s, func(cfg *apiclient.Config) { cfg.Token = "" })
	if _, err := c.Identity(t.Context()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Fatalf("without a token: %v", err)
	}
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignIn(t.Context(), api.SessionRequest{User: "a", Password: "wrong"}); fault.CodeOf(err) != fault.Unauthenticated {
		t.Fatalf("wrong password: %v", err)
	}
	session, err := c.SignIn(t.Context(), api.SessionRequest{User: "a", Password: apitest.Password})
	if err != nil {
		t.Fatal(err)
	}
	signedIn := c.WithToken(session.Token)
	if me, err := signedIn.Identity(t.Context()); err != nil || me.User != "admin" {
		t.Fatalf("%+v, %v", me, err)
	}
	if err := signedIn.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := signedIn.Identity(t.Context()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Fatalf("after sign-out: %v", err)
	}
}

// failing answers the first n requests of a method with a status.
func failing(s *apitest.Server, method string, n, status int) *atomic.Int32 {
	var asked atomic.Int32
	s.OnRequest = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || int(asked.Add(1)) > n {
			return false
		}
		w.WriteHeader(status)
		return true
	}
	return &asked
}

func TestRetries(t *testing.T) {
	s := newServer(t)
	s.Hosts = []fleet.Host{{ID: "h1", Name: "web"}}
	c := newClient(t, s)
	asked := failing(s, http.MethodGet, 2, http.StatusServiceUnavailable)
	if hosts, err := c.Hosts(t.Context()); err != nil || len(hosts) != 1 || asked.Load() != 3 {
		t.Errorf("GET: %v after %d tries, err %v", hosts, asked.Load(), err)
	}
	asked = failing(s, http.MethodGet, 9, http.StatusServiceUnavailable)
	if _, err := c.Hosts(t.Context()); fault.CodeOf(err) != fault.Unavailable || asked.Load() != 3 {
		t.Errorf("GET for good: %d tries, err %v", asked.Load(), err)
	}
	asked = failing(s, http.MethodGet, 9, http.StatusInternalServerError)
	if _, err := c.Hosts(t.Context()); err == nil || asked.Load() != 1 {
		t.Errorf("GET with 500: %d tries, err %v", asked.Load(), err)
	}
	asked = failing(s, http.MethodPost, 1, http.StatusServiceUnavailable)
	if _, err := c.AddRepository(t.Context(), api.RepositoryRequest{Name: "n"}); fault.CodeOf(err) != fault.Unavailable || asked.Load() != 1 {
		t.Errorf("POST: %d tries, err %v", asked.Load(), err)
	}
}

// An answer that was lost on the way must not start a second job.
func TestStartJobOnce(t *testing.T) {
	s := newServer(t)
	s.Hosts = []fleet.Host{{ID: "h1", Name: "web"}}
	lost := 0
	inner := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || lost == 2 {
			return false
		}
		lost++
		hook := s.OnRequest
		s.OnRequest = nil
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
		s.OnRequest = hook
		panic(http.ErrAbortHandler)
	}
	s.OnRequest = inner
	job, err := newClient(t, s).StartJob(t.Context(), "web", api.JobRequest{Kind: fleet.KindCheck}, "")
	if err != nil || job.Kind != fleet.KindCheck || s.Jobs() != 1 || lost != 2 {
		t.Fatalf("%d jobs, %d answers lost, err %v", s.Jobs(), lost, err)
	}
}

func TestErrors(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	answer := func(status int, contentType, body string) {
		s.OnRequest = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "https://example.org/")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	for _, tc := range []struct {
		status int
		body   string
		code   fault.Code
		text   string
	}{
		{404, `{"code":"unknown_host","detail":"No such host. Look.","status":404}`, fault.UnknownHost, "No such host. Look."},
		{500, `{"code":"internal","detail":"Internal error.","ref":"R1"}`, fault.Internal, "reference R1"},
		{401, `<html>`, fault.Unauthenticated, "Sign in"},
		{403, ``, fault.Forbidden, ""},
		{413, ``, fault.TooLarge, ""},
		{429, ``, fault.RateLimited, ""},
		{502, `<html>`, fault.Unavailable, ""},
		{302, ``, fault.Protocol, ""},
		{200, `<html>`, fault.Protocol, ""},
		{200, `{"rev":"x"}`, fault.Protocol, ""},
	} {
		answer(tc.status, "application/json", tc.body)
		_, err := c.Host(t.Context(), "x")
		text, ok := fault.Message(err)
		if fault.CodeOf(err) != tc.code || !ok || !strings.Contains(text, tc.text) {
			t.Errorf("%d %s: %v", tc.status, tc.body, err)
		}
	}
	if _, err := c.Host(t.Context(), ".."); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("dots: %v", err)
	}
	if _, err := c.Job(t.Context(), ""); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("no id: %v", err)
	}
}

func TestDeadlines(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	defer close(release)
	s.OnRequest = func(http.ResponseWriter, *http.Request) bool { <-release; return true }
	c := newClient(t, s, func(cfg *apiclient.Config) { cfg.Timeout = 20 * time.Millisecond })
	if _, err := c.Hosts(t.Context()); fault.CodeOf(err) != fault.Timeout {
		t.Errorf("silent daemon: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Hosts(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	s := newServer(t)
	c := newClient(t, s)
	s.Close()
	if err := c.Ready(t.Context()); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("nobody there: %v", err)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	c = newClient(t, s, func(cfg *apiclient.Config) { cfg.Address = "https://" + plain.Listener.Addr().String() })
	if err := c.Ready(t.Context()); fault.CodeOf(err) != fault.Protocol {
		t.Errorf("no TLS there: %v", err)
	}
}

func TestListsAndPages(t *testing.T) {
	s := newServer(t)
	for _, id := range []fleet.JobID{"a", "b", "c"} {
		s.AddJob(fleet.Job{ID: id, State: fleet.StateQueued})
	}
	c := newClient(t, s)
	page, err := c.Jobs(t.Context(), apiclient.JobFilter{Limit: 2, States: []fleet.JobState{fleet.StateQueued, fleet.StateRunning}})
	if err != nil || len(page.Items) != 2 || page.Items[0].ID != "c" || page.Next == "" {
		t.Fatalf("%+v, %v", page, err)
	}
	page, err = c.Jobs(t.Context(), apiclient.JobFilter{Limit: 2, Cursor: page.Next})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "a" || page.Next != "" {
		t.Fatalf("%+v, %v", page, err)
	}
}

func TestLog(t *testing.T) {
	s := newServer(t)
	endedJob(s, 200)
	c := newClient(t, s)
	var text bytes.Buffer
	if err := c.LogText(t.Context(), jobID, 198, &text); err != nil || text.String() != line(199).Text+"\n"+line(200).Text+"\n" {
		t.Errorf("text %q, err %v", text.String(), err)
	}
	if err := c.LogText(t.Context(), "nope", 0, io.Discard); fault.CodeOf(err) != fault.UnknownJob {
		t.Errorf("unknown job: %v", err)
	}
	s.Chaos.Seed(3)
	s.Chaos.Cut = 0.05
	got := &seen{}
	err := c.LogLines(t.Context(), jobID, 0, func(seq int64, l fleet.LogLine) error {
		got.check(seq, []fleet.LogLine{l})
		return nil
	})
	if err != nil || got.wrong != nil || got.last() != 200 {
		t.Errorf("last line %d, err %v, %v", got.last(), err, got.wrong)
	}
	enough := errors.New("enough")
	if err := c.LogLines(t.Context(), jobID, 0, func(int64, fleet.LogLine) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("stopped: %v", err)
	}
}
