package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// S10: every route is walked without a token, with a bad one, with each role below, and with the role itself.
func TestEveryRouteIsDeniedByDefault(t *testing.T) {
	h := newHouse(t)
	roles := []fleet.Role{fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin}
	for pattern, row := range httpapi.Rows() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", "web1", "{repository}", "offsite").Replace(path)
		bare := h.ask(method, path, "", "")
		bad := h.ask(method, path, "", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer bst_made-up") })
		if row.Open {
			if bare.status == http.StatusUnauthorized || bad.status == http.StatusUnauthorized {
				t.Errorf("%s is open and wants a token", pattern)
			}
			continue
		}
		for _, a := range []answer{bare, bad} {
			if p := a.problem(t); a.status != http.StatusUnauthorized || p.Code != fault.Unauthenticated || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s without a good token: %d %s", pattern, a.status, a.body)
			}
		}
		for _, role := range roles {
			if role == fleet.RoleAdmin && (method == http.MethodDelete && strings.HasSuffix(path, "/hosts/web1")) {
				continue // it would really revoke the host
			}
			a := h.ask(method, path, role, "")
			refused := a.status == http.StatusForbidden && a.problem(t).Code == fault.Forbidden
			if want := !role.Allows(row.Role); refused != want || a.status == http.StatusUnauthorized {
				t.Errorf("%s as %s: %d %s", pattern, role, a.status, a.body)
			}
		}
	}
}

func TestOpenRoutesAreTheseFour(t *testing.T) {
	want := map[string]bool{"POST /api/v1/session": true, "GET /healthz": true, "GET /readyz": true, "GET /openapi.json": true}
	for pattern, row := range httpapi.Rows() {
		if row.Open != want[pattern] {
			t.Errorf("%s: open is %v", pattern, row.Open)
		}
	}
}

func TestRouteWithoutRowCannotBeAdded(t *testing.T) {
	h := newHouse(t)
	defer func() {
		if recover() == nil {
			t.Error("a route without a row was added")
		}
	}()
	httpapi.RegisterUnlisted(h.api)
}

func TestBearerForms(t *testing.T) {
	h := newHouse(t)
	good := h.tokens[fleet.RoleViewer].Secret
	for _, c := range []struct {
		name   string
		values []string
		want   int
	}{
		{"as it should be", []string{"Bearer " + good}, 200},
		{"any case", []string{"bearer " + good}, 200},
		{"basic", []string{"Basic " + good}, 401},
		{"bare", []string{good}, 401},
		{"empty", []string{"Bearer "}, 401},
		{"two", []string{"Bearer " + good, "Bearer " + good}, 401},
		{"endless", []string{"Bearer " + strings.Repeat("x", 8000)}, 401},
	} {
		a := h.ask("GET", "/api/v1/hosts", "", "", func(r *http.Request) { r.Header["Authorization"] = c.values })
		if a.status != c.want {
			t.Errorf("%s: %d, want %d", c.name, a.status, c.want)
		}
	}
	if a := h.ask("GET", "/api/v1/hosts?access_token="+good, "", ""); a.status != 401 {
		t.Errorf("a token in the query: %d", a.status)
	}
	if a := h.ask("GET", "/api/v1/hosts", "", "", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "token", Value: good}) }); a.status != 401 {
		t.Errorf("a token in a cookie: %d", a.status)
	}
}

func TestHostAllowList(t *testing.T) {
	h := newHouse(t)
	for host, want := range map[string]int{
		"daemon.test": 200, "DAEMON.test:7443": 200, "daemon.test.": 200, "localhost:7443": 200, "127.0.0.1:7443": 200, "[::1]:7443": 200, "192.0.2.7": 200,
		"evil.example": 403, "evil.example:7443": 403, "daemon.test.evil.example": 403, "localhost.evil.example:7443": 403,
	} {
		a := h.ask("GET", "/healthz", "", "", func(r *http.Request) { r.Host = host })
		if a.status != want {
			t.Errorf("Host %s: %d, want %d", host, a.status, want)
		}
		if want == 403 && a.problem(t).Code != fault.Forbidden {
			t.Errorf("Host %s: %s", host, a.body)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/healthz", "/api/v1/hosts", "/nowhere"} {
		a := h.ask("GET", path, fleet.RoleViewer, "")
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if a.header.Get("Set-Cookie") != "" || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, a.header)
		}
	}
}
