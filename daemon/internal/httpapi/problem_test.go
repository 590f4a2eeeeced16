package httpapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestProblems(t *testing.T) {
	h := newHouse(t)
	const planted = "hunter2-planted-secret"
	long := strings.Repeat("n", 200)
	for _, c := range []struct {
		name, method, path string
		body               string
		status             int
		code               fault.Code
		says               string
	}{
		{"no such path", "GET", "/api/v1/nothing", "", 404, fault.NotFound, "/openapi.json"},
		{"wrong method", "PATCH", "/api/v1/hosts", "", 405, fault.InvalidInput, "GET"},
		{"unknown host", "GET", "/api/v1/hosts/nobody", "", 404, fault.UnknownHost, "nobody"},
		{"unknown job", "GET", "/api/v1/jobs/nothing", "", 404, fault.UnknownJob, ""},
		{"unknown job's log", "GET", "/api/v1/jobs/nothing/log", "", 404, fault.UnknownJob, ""},
		{"unknown job's stream", "GET", "/api/v1/jobs/nothing/stream", "", 404, fault.UnknownJob, ""},
		{"stream without upgrade", "GET", "/api/v1/watch", "", 426, fault.Protocol, "WebSocket"},
		{"no body", "POST", "/api/v1/plans", "", 400, fault.InvalidInput, "required"},
		{"not JSON", "POST", "/api/v1/users", `{"name":"eve","password":"` + planted, 400, fault.InvalidInput, "body"},
		{"wrong type", "POST", "/api/v1/users", `{"name":["` + planted + `"],"password":"` + planted + `","role":"viewer"}`, 422, fault.InvalidInput, "body.name"},
		{"no JSON object", "POST", "/api/v1/users", `"` + planted + `"`, 422, fault.InvalidInput, "body"},
		{"short password", "POST", "/api/v1/users", `{"name":"eve","password":"hunter2-p","role":"viewer"}`, 422, fault.InvalidInput, "body.password"},
		{"unknown field", "POST", "/api/v1/users", `{"name":"eve","password":"` + planted + `","role":"viewer","argv":["x"]}`, 422, fault.InvalidInput, "argv"},
		{"unknown role", "POST", "/api/v1/users", `{"name":"eve","password":"` + planted + `","role":"root"}`, 422, fault.InvalidInput, "role"},
		{"long name", "POST", "/api/v1/users", `{"name":"` + long + `","password":"` + planted + `","role":"viewer"}`, 422, fault.InvalidInput, "body.name"},
		{"unknown query", "GET", "/api/v1/jobs?argv=1", "", 422, fault.InvalidInput, "argv"},
		{"negative limit", "GET", "/api/v1/jobs?limit=-1", "", 422, fault.InvalidInput, "limit"},
		{"limit in words", "GET", "/api/v1/jobs?limit=many", "", 422, fault.InvalidInput, "limit"},
		{"bad state", "GET", "/api/v1/jobs?state=asleep", "", 422, fault.InvalidInput, ""},
		{"bad cursor", "GET", "/api/v1/jobs?cursor=%00%01", "", 422, fault.InvalidInput, ""},
		{"bad format", "GET", "/api/v1/jobs/x/log?format=xml", "", 422, fault.InvalidInput, "format"},
		{"negative after", "GET", "/api/v1/jobs/x/log?after_seq=-1", "", 422, fault.InvalidInput, "after_seq"},
		{"relative path", "POST", "/api/v1/hosts/web1/jobs", `{"kind":"backup","repository":"offsite","paths":["etc"]}`, 422, fault.InvalidPath, ""},
		{"URL outside the grammar", "POST", "/api/v1/repositories", `{"name":"x","url":"rclone::x,bearer_token_command=touch /tmp/x"}`, 422, fault.InvalidRepositoryURL, ""},
		{"taken name", "POST", "/api/v1/repositories", `{"name":"offsite","url":"/srv/other"}`, 409, fault.Conflict, "offsite"},
	} {
		a := h.ask(c.method, c.path, fleet.RoleAdmin, c.body)
		p := a.problem(t)
		if a.status != c.status || p.Code != c.code || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %d %s, want %d %s with %q", c.name, a.status, a.body, c.status, c.code, c.says)
		}
		if strings.Contains(a.body, "hunter2") {
			t.Errorf("%s: the answer quotes the request: %s", c.name, a.body)
		}
	}
	if a := h.ask("PATCH", "/api/v1/hosts", fleet.RoleAdmin, ""); !strings.Contains(a.header.Get("Allow"), "GET") {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	if a := h.ask("POST", "/api/v1/users", fleet.RoleAdmin, "a=b", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }); a.status != 415 {
		t.Errorf("a form: %d %s", a.status, a.body)
	}
	if strings.Contains(h.log.String(), "hunter2") {
		t.Error("the log quotes a request")
	}
}

// broken answers with errors that nobody may see.
type broken struct{ *control.Service }

func (broken) Hosts(context.Context) ([]fleet.Host, error) {
	return nil, errors.New("open /var/lib/backstayd/state.db: no such file")
}

func (broken) Host(context.Context, string) (fleet.Host, error) { panic("a mistake in a handler") }

func (broken) Plans(context.Context) ([]fleet.Plan, error) {
	return nil, fault.Wrap(fault.StorageFull, errors.New("write state.db: ENOSPC"), "The daemon's disk is full. Make room.")
}

func (broken) Ready(context.Context) error { return errors.New("no such table") }

func TestInternalErrorsShowOnlyAReference(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.Control = broken{c.Control.(*control.Service)} })
	for _, path := range []string{"/api/v1/hosts", "/api/v1/hosts/web1"} {
		a := h.ask("GET", path, fleet.RoleViewer, "")
		p := a.problem(t)
		if a.status != 500 || p.Code != fault.Internal || p.Ref == "" || strings.Contains(a.body, "state.db") || strings.Contains(a.body, "mistake") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if !strings.Contains(h.log.String(), "ref="+p.Ref) {
			t.Errorf("%s: the log has no reference %s", path, p.Ref)
		}
	}
	if text := h.log.String(); !strings.Contains(text, "state.db") || !strings.Contains(text, "a mistake in a handler") || !strings.Contains(text, `route="GET /api/v1/hosts`) {
		t.Errorf("the log does not say what happened:\n%s", text)
	}
	a := h.ask("GET", "/api/v1/plans", fleet.RoleViewer, "")
	if p := a.problem(t); a.status != 507 || p.Code != fault.StorageFull || p.Ref == "" || strings.Contains(a.body, "ENOSPC") {
		t.Errorf("full disk: %d %s", a.status, a.body)
	}
	if a := h.ask("GET", "/readyz", "", ""); a.status != 503 || a.problem(t).Code != fault.Unavailable {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
}

// full is a daemon whose disk is full, though the store can be read.
type full struct{ *control.Service }

func (full) Ready(context.Context) error {
	return fault.Wrap(fault.StorageFull, errors.New("write room: ENOSPC"), "The daemon's disk is full. Make room.")
}

func TestNotReadyOnAFullDisk(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.Control = full{c.Control.(*control.Service)} })
	a := h.ask("GET", "/readyz", "", "")
	if p := a.problem(t); a.status != 503 || p.Code != fault.StorageFull || !strings.Contains(p.Detail, "disk is full") || strings.Contains(a.body, "ENOSPC") {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
	if a := h.ask("GET", "/healthz", "", ""); a.status != 200 {
		t.Errorf("healthz: %d %s", a.status, a.body)
	}
}

func TestHugeBodyIsRefusedWithoutReadingIt(t *testing.T) {
	h := newHouse(t)
	const gigabyte = 1 << 30
	for path, role := range map[string]fleet.Role{"/api/v1/repositories": fleet.RoleAdmin, "/api/v1/session": ""} {
		head := "POST " + path + " HTTP/1.1\r\nHost: daemon.test\r\nContent-Type: application/json\r\n"
		if role != "" {
			head += "Authorization: Bearer " + h.tokens[role].Secret + "\r\n"
		}
		for name, request := range map[string]string{
			"announced": head + fmt.Sprintf("Content-Length: %d\r\n\r\n", gigabyte), // the answer comes before a byte of it
			"chunked":   head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", gigabyte, strings.Repeat(" ", 1<<20+1)),
		} {
			a := h.speak(request)
			if a.status != 413 || a.problem(t).Code != fault.TooLarge || a.header.Get("Connection") != "close" {
				t.Errorf("%s to %s: %d %v %s", name, path, a.status, a.header, a.body)
			}
		}
	}
}

// speak writes a request as it is and reads the answer.
func (h *house) speak(request string) answer {
	h.t.Helper()
	conn, err := tls.Dial("tcp", h.srv.Listener.Addr().String(), h.tls())
	h.must(err)
	defer conn.Close()
	h.must(conn.SetDeadline(time.Now().Add(20 * time.Second)))
	_, err = io.WriteString(conn, request)
	h.must(err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	h.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	h.must(err)
	if resp.Close {
		resp.Header.Set("Connection", "close") // ReadResponse takes it out
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

func TestBodyUpToTheLimitIsTaken(t *testing.T) {
	h := newHouse(t)
	body := `{"name":"padded","url":"/srv/padded"` + strings.Repeat(" ", 1<<20-40) + `}`
	if a := h.ask("POST", "/api/v1/repositories", fleet.RoleOperator, body); a.status != 201 {
		t.Errorf("%d bytes: %d %s", len(body), a.status, a.body)
	}
}

// slow takes its time and then tells whether its context lived on.
type slow struct {
	*control.Service
	takes time.Duration
}

func (s slow) TestRepository(ctx context.Context, _ control.Actor, _ string, _ fleet.HostID) (api.TestResult, error) {
	select {
	case <-ctx.Done():
		return api.TestResult{Message: "cut off"}, nil
	case <-time.After(s.takes):
		return api.TestResult{OK: true, Message: "opened"}, nil
	}
}

// The deadline for the body must not outlive the body: while a handler runs it would cancel the handler's context.
func TestDeadlineOfTheBodyEndsWithTheBody(t *testing.T) {
	const bodyTime = 50 * time.Millisecond
	h := newHouse(t, func(c *httpapi.Config) {
		c.Control, c.BodyTime = slow{c.Control.(*control.Service), 5 * bodyTime}, bodyTime
	})
	a := h.ask("POST", "/api/v1/repositories/offsite/test", fleet.RoleOperator, `{"host_id":"web1"}`)
	if a.status != 200 || !strings.Contains(a.body, "opened") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBodyThatDoesNotArriveIsGivenUp(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.BodyTime = 50 * time.Millisecond })
	r, w := io.Pipe()
	defer w.Close()
	req, err := http.NewRequestWithContext(h.ctx, http.MethodPost, h.srv.URL+"/api/v1/repositories", r)
	h.must(err)
	req.Header.Set("Authorization", "Bearer "+h.tokens[fleet.RoleOperator].Secret)
	go func() { _, _ = w.Write([]byte("{")) }() // and nothing more
	if a := h.send(req); a.status != 408 || a.problem(t).Code != fault.Timeout {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// deaf is a client that takes nothing.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestClientThatDoesNotReadIsNoError(t *testing.T) {
	h := newHouse(t)
	defer func() {
		if err, is := recover().(error); !is || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("the handler ended with %v", err)
		}
		if text := h.log.String(); strings.Contains(text, "request failed") {
			t.Errorf("the log blames the daemon:\n%s", text)
		}
	}()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/hosts", nil)
	r.Host = "daemon.test"
	r.Header.Set("Authorization", "Bearer "+h.tokens[fleet.RoleViewer].Secret)
	h.api.ServeHTTP(deaf{httptest.NewRecorder()}, r)
}
