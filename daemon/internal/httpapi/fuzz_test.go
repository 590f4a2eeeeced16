package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Whatever a first frame holds, it is a subscription or a fault for the peer.
func FuzzSubscribe(f *testing.F) {
	for _, sub := range []api.Subscribe{{}, {AfterSeq: 7}, {Tail: 10, Epoch: "e"}} {
		frame, err := agentwire.Encode(api.TypeSubscribe, "", "", sub)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Add([]byte(`{"v":1,"type":"subscribe","payload":{"after_seq":1e99}}`))
	f.Add([]byte(`{"v":1,"type":"subscribe","payload":null}`))
	f.Add([]byte("\xff{}"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if _, err := httpapi.DecodeSubscribe(frame); err != nil && fault.CodeOf(err) == fault.Internal {
			t.Errorf("%q: %v is not for a peer", frame, err)
		}
	})
}

// Whatever a query holds, the answer is the page that was asked for or a problem of the client's.
func FuzzLogQuery(f *testing.F) {
	h := newHouse(f)
	job := h.start()
	h.run(job)
	h.write(job, 1, 40)
	f.Add("after_seq=3&format=ndjson", "")
	f.Add("after_seq=-1", "application/x-ndjson")
	f.Add("after_seq=9223372036854775808", "text/plain;q=0.1, */*")
	f.Add("after_seq=9223372036854775807&format=text", ",;,")
	f.Add("format=", "\x00")
	f.Fuzz(func(t *testing.T, query, accept string) {
		w := h.query("/api/v1/jobs/"+string(job.ID)+"/log", query, accept)
		switch w.Code {
		case http.StatusOK:
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/x-ndjson") {
				checkNumbered(t, w.Body.String())
			}
		case http.StatusUnprocessableEntity, http.StatusBadRequest:
		default:
			t.Errorf("?%s: %d %s", query, w.Code, w.Body)
		}
	})
}

// Whatever a cursor or filter holds, the answer is a page or a problem of the client's.
func FuzzJobsQuery(f *testing.F) {
	h := newHouse(f)
	h.start()
	for _, q := range []string{"cursor=x&limit=1", "state=running&state=failed", "state=running,failed", "limit=0", "host=web1&text=%25", "cursor=%00&kind=backup"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w := h.query("/api/v1/jobs", query, "")
		var page api.Page[fleet.Job]
		switch {
		case w.Code == http.StatusOK && json.Unmarshal(w.Body.Bytes(), &page) == nil && page.Items != nil:
		case w.Code >= 400 && w.Code < 500 && w.Header().Get("Content-Type") == "application/problem+json":
		default:
			t.Errorf("?%s: %d %s", query, w.Code, w.Body)
		}
	})
}

// query asks without a socket, so that any query gets through.
func (h *house) query(path, query, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "daemon.test"
	r.URL.RawQuery = query
	r.Header.Set("Authorization", "Bearer "+h.tokens[fleet.RoleViewer].Secret)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	return w
}

func checkNumbered(t *testing.T, text string) {
	t.Helper()
	last := int64(0)
	for l := range strings.Lines(text) {
		var n struct {
			Seq int64 `json:"seq"`
		}
		var got fleet.LogLine
		if json.Unmarshal([]byte(l), &n) != nil || json.Unmarshal([]byte(l), &got) != nil || last != 0 && n.Seq != last+1 || got != line(n.Seq) {
			t.Fatalf("line %q after %d", l, last)
		}
		last = n.Seq
	}
}
