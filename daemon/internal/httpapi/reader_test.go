package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

const patience = time.Minute

// reader is a raw client of a socket: it sees every frame.
type reader struct {
	*wsconn.Conn
	t   testing.TB
	ctx context.Context
}

func (h *house) dial(role fleet.Role, path string) (*reader, error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	h.t.Cleanup(cancel)
	return h.dialWith(ctx, h.tokens[role].Secret, path)
}

func (h *house) dialWith(ctx context.Context, bearer, path string) (*reader, error) {
	h.t.Helper()
	header := http.Header{}
	if bearer != "" {
		header.Set("Authorization", "Bearer "+bearer)
	}
	conn, _, err := wsconn.Dial(ctx, h.srv.URL+api.Base+path, wsconn.DialOptions{TLS: h.tls(), Header: header, ReadLimit: 8 << 20})
	if err != nil {
		return nil, err
	}
	h.t.Cleanup(conn.CloseNow)
	return &reader{conn, h.t, ctx}, nil
}

// subscribe opens a job stream.
func (h *house) subscribe(job fleet.JobID, sub api.Subscribe) *reader {
	h.t.Helper()
	r, err := h.dial(fleet.RoleViewer, "/jobs/"+string(job)+"/stream")
	h.must(err)
	r.send(api.TypeSubscribe, sub)
	return r
}

func (r *reader) send(t agentwire.Type, payload any) {
	r.t.Helper()
	frame, err := agentwire.Encode(t, "", "", payload)
	if err == nil {
		err = r.Write(r.ctx, frame)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) next() agentwire.Envelope {
	r.t.Helper()
	frame, err := r.Read(r.ctx)
	if err != nil {
		r.t.Fatalf("read: %v", err)
	}
	e, err := agentwire.Decode(frame)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// until reads frames up to one of type want and gives them all, that one last.
func (r *reader) until(want agentwire.Type) []agentwire.Envelope {
	r.t.Helper()
	var all []agentwire.Envelope
	for {
		all = append(all, r.next())
		if all[len(all)-1].Type == want {
			return all
		}
	}
}

// closeCode reads to the end of the connection.
func (r *reader) closeCode() int {
	for {
		if _, err := r.Read(r.ctx); err != nil {
			return wsconn.CloseStatus(err)
		}
	}
}

func payload[T any](t testing.TB, e agentwire.Envelope) T {
	t.Helper()
	v, err := agentwire.Payload[T](e)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// logOf puts the lines of frames together and checks that they are from, from+1, …
func logOf(t testing.TB, frames []agentwire.Envelope, from int64) (last int64) {
	t.Helper()
	last = from - 1
	for _, e := range frames {
		if e.Type != agentwire.TypeLogStream {
			continue
		}
		m := payload[agentwire.LogStream](t, e)
		if m.FirstSeq != last+1 || len(m.Lines) == 0 {
			t.Fatalf("%d lines from %d came where %d was next", len(m.Lines), m.FirstSeq, last+1)
		}
		for _, l := range m.Lines {
			if last++; l != line(last) {
				t.Fatalf("line %d is %+v", last, l)
			}
		}
	}
	return last
}

func types(frames []agentwire.Envelope) (out []agentwire.Type) {
	for _, e := range frames {
		if len(out) == 0 || out[len(out)-1] != e.Type {
			out = append(out, e.Type)
		}
	}
	return out
}

// fat writes n lines of 4 KiB: more than the buffers of a connection hold.
func (h *house) fat(job fleet.Job, n int64) (pos fleet.LogPosition) {
	h.t.Helper()
	text := strings.Repeat("x", 4<<10)
	for pos.LastSeq < n {
		first, lines := pos.LastSeq+1, []fleet.LogLine{}
		for range 25 {
			l := fleet.LogLine{Time: time.Unix(1_800_000_000, 0).UTC(), Stream: fleet.StreamOut, Text: text}
			lines, pos = append(lines, l), pos.Add(l)
		}
		_, err := h.logs.Append(job.ID, first, lines, func(int64) {})
		h.must(err)
	}
	return pos
}

// take reads to the eof and gives the position that the lines make up, after those before.
func (r *reader) take(pos fleet.LogPosition) fleet.LogPosition {
	r.t.Helper()
	for {
		e := r.next()
		switch e.Type {
		case agentwire.TypeLogStream:
			m := payload[agentwire.LogStream](r.t, e)
			if m.FirstSeq != pos.LastSeq+1 {
				r.t.Fatalf("line %d came after %d", m.FirstSeq, pos.LastSeq)
			}
			for _, l := range m.Lines {
				pos = pos.Add(l)
			}
		case api.TypeEOF:
			return pos
		}
	}
}
