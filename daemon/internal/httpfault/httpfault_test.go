package httpfault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstay/backstay/daemon/internal/httpfault"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

func TestAnswers(t *testing.T) {
	secret := errors.New("open /var/lib/backstayd/state.db: no")
	for name, c := range map[string]struct {
		err    error
		status int
		code   fault.Code
		detail string // "": the reference alone
		ref    bool
	}{
		"a fault":              {fault.Wrap(fault.HostRevoked, secret, "Enrol it anew."), http.StatusForbidden, fault.HostRevoked, "Enrol it anew.", false},
		"a fault deep inside":  {fmt.Errorf("renew: %w", fault.New(fault.UnknownJob, "Look at the list.")), http.StatusNotFound, fault.UnknownJob, "Look at the list.", false},
		"the daemon's trouble": {fault.Wrap(fault.StorageFull, secret, "Free space."), http.StatusInsufficientStorage, fault.StorageFull, "Free space.", true},
		"no fault":             {secret, http.StatusInternalServerError, fault.Internal, "", true},
		"a fault of no status": {fault.New(fault.StorageCorrupt, "Put it back from a copy."), http.StatusInternalServerError, fault.StorageCorrupt, "Put it back from a copy.", true},
	} {
		w := httptest.NewRecorder()
		httpfault.Write(w, httpfault.Of(c.err))
		var p api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w.Code != c.status || p.Status != c.status || p.Code != c.code || p.Title != http.StatusText(c.status) || (p.Ref != "") != c.ref ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %+v", name, w.Code, p)
		}
		if c.detail != "" && p.Detail != c.detail || c.detail == "" && !strings.Contains(p.Detail, p.Ref) || strings.Contains(w.Body.String(), "state.db") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
	if p := httpfault.New(499, fault.Unavailable, "x"); p.Title == "" {
		t.Errorf("%+v", p)
	}
}
