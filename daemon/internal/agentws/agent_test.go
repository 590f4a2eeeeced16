package agentws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/wsconn"
)

// dial opens a connection of a member, without hello.
func (w *world) dial(m member) (*wsconn.Conn, error) { return w.dialTo(w.addr, m) }

func (w *world) dialTo(addr string, m member) (*wsconn.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := wsconn.Dial(ctx, "wss://"+addr+agentwire.PathConnect,
		wsconn.DialOptions{TLS: pin.ClientTLS(w.pin, &m.cert), ReadLimit: agentwire.MaxFrame})
	return c, err
}

// line is an open session of a test agent.
type line struct {
	t       testing.TB
	conn    *wsconn.Conn
	welcome agentwire.Welcome
	in      chan agentwire.Envelope // what the daemon sent; closed at the end
	err     error                   // how it ended, once in is closed
}

// connect says hello for a member and reads until the end in the background.
func (w *world) connect(m member, incarnation string, held ...agentwire.HeldJob) *line {
	w.t.Helper()
	c, err := w.dial(m)
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := begin(w.t, c, m, incarnation, held...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.close() })
	return l
}

func begin(t testing.TB, c *wsconn.Conn, m member, incarnation string, held ...agentwire.HeldJob) (*line, error) {
	l := &line{t: t, conn: c, in: make(chan agentwire.Envelope, 1000)}
	hello := agentwire.Hello{AgentID: m.agent, Incarnation: incarnation, Facts: facts("host-" + strings.ToLower(string(m.host))), Clock: time.Now(), Jobs: held}
	if err := l.try(agentwire.TypeHello, "", "", hello); err != nil {
		c.CloseNow()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	frame, err := c.Read(ctx)
	if err == nil {
		var e agentwire.Envelope
		if e, err = agentwire.Decode(frame); err == nil {
			l.welcome, err = agentwire.Payload[agentwire.Welcome](e)
		}
		if err == nil && e.Type != agentwire.TypeWelcome {
			err = fmt.Errorf("got %s", e.Type)
		}
	}
	if err != nil {
		c.CloseNow()
		return nil, err
	}
	go l.read()
	return l, nil
}

func (l *line) read() {
	defer close(l.in)
	for {
		frame, err := l.conn.Read(context.Background())
		if err != nil {
			l.err = err
			return
		}
		e, err := agentwire.Decode(frame)
		if err != nil {
			l.err = err
			return
		}
		l.in <- e
	}
}

// close ends the session and waits for its reader.
func (l *line) close() {
	l.conn.CloseNow()
	for range l.in {
	}
}

func (l *line) try(t agentwire.Type, id string, job fleet.JobID, payload any) error {
	frame, err := agentwire.Encode(t, id, job, payload)
	if err != nil {
		return err
	}
	return l.conn.Write(context.Background(), frame)
}

func (l *line) send(t agentwire.Type, id string, job fleet.JobID, payload any) {
	l.t.Helper()
	if err := l.try(t, id, job, payload); err != nil {
		l.t.Fatal(err)
	}
}

// await gives the next message of a type and drops those before it.
func (l *line) await(want agentwire.Type) agentwire.Envelope {
	l.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-l.in:
			if !ok {
				l.t.Fatalf("the session ended before %s: %v", want, l.err)
			}
			if e.Type == want {
				return e
			}
		case <-limit:
			l.t.Fatalf("no %s came", want)
		}
	}
}

// ended waits for the end of the session and gives the close code.
func (l *line) ended() int {
	l.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case _, ok := <-l.in:
			if !ok {
				return wsconn.CloseStatus(l.err)
			}
		case <-limit:
			l.t.Fatal("the session did not end")
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

// backup queues a backup for a host.
func (w *world) backup(host fleet.HostID) fleet.Job {
	w.t.Helper()
	repos, err := w.Repositories(w.t.Context())
	if err == nil && len(repos) == 0 {
		_, err = w.AddRepository(w.t.Context(), w.admin, api.RepositoryRequest{Name: "main", URL: "rest:https://backup.example:8000/main/"})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	j, err := w.StartJob(w.t.Context(), w.admin, string(host), api.JobRequest{Kind: fleet.KindBackup, Repository: "main", Paths: []string{"/home"}}, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) job(id fleet.JobID) fleet.Job {
	w.t.Helper()
	j, err := w.Job(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// text makes the log line number n.
func text(n int64) fleet.LogLine {
	return fleet.LogLine{Time: time.UnixMicro(1_800_000_000_000_000 + n).UTC(), Stream: fleet.StreamOut, Text: fmt.Sprintf("line %d of the log", n)}
}

func texts(from, to int64) (lines []fleet.LogLine, at fleet.LogPosition) {
	for n := int64(1); n <= to; n++ {
		if l := text(n); n >= from {
			lines = append(lines, l)
			at = at.Add(l)
		} else {
			at = at.Add(l)
		}
	}
	return lines, at
}

// wantLog compares the stored log with lines 1 to n.
func (w *world) wantLog(id fleet.JobID, n int64) {
	w.t.Helper()
	for after := int64(0); after < n; {
		got, err := w.logs.Read(w.t.Context(), id, after, 1000)
		if err != nil || len(got) == 0 {
			w.t.Fatalf("after line %d: %d lines, %v", after, len(got), err)
		}
		for _, l := range got {
			after++
			if want := text(after); l != want {
				w.t.Fatalf("line %d: %+v, want %+v", after, l, want)
			}
		}
	}
	if got, err := w.logs.Read(w.t.Context(), id, n, 10); err != nil || len(got) > 0 {
		w.t.Fatalf("behind the last line: %v %v", got, err)
	}
}

func succeeded(at fleet.LogPosition) agentwire.JobFinished {
	now := time.Now().UTC()
	code := 0
	return agentwire.JobFinished{Outcome: fleet.Outcome{State: fleet.StateSucceeded, ExitCode: &code, StartedAt: now, FinishedAt: now}, Log: at}
}

func wantCode(t testing.TB, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Fatalf("got %q (%v), want %q", got, err, want)
	}
}
