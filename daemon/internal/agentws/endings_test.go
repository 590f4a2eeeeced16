package agentws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/wsconn"
)

func TestHostComesAndGoes(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	online := func() bool {
		h, err := w.Host(t.Context(), string(m.host))
		if err != nil {
			t.Error(err)
		}
		return h.Online
	}
	l := w.connect(m, "one")
	if !online() || w.dispatch.Sessions() != 1 {
		t.Fatal("not online")
	}
	l.send(agentwire.TypeInventory, "", "", agentwire.Inventory{Facts: func() agentwire.Facts { f := facts("renamed"); f.ResticVersion = "0.20.0"; return f }()})
	sharedtest.Eventually(t, 10*time.Second, "facts", func() bool {
		h, err := w.Host(t.Context(), string(m.host))
		return err == nil && h.ResticVersion == "0.20.0"
	})
	newer := w.connect(m, "one")
	if code := l.ended(); code != agentwire.CloseReplaced {
		t.Fatalf("older session ended with %d", code)
	}
	if !online() {
		t.Fatal("the older session's end took the host offline")
	}
	newer.close()
	sharedtest.Eventually(t, 10*time.Second, "offline", func() bool { return !online() })
}

func TestASilentAgentIsLetGo(t *testing.T) {
	w := newWorld(t, settings{dispatch: dispatch.Config{Resend: 30 * time.Millisecond, Silence: 300 * time.Millisecond}})
	m := w.enrol("alpha")
	l := w.connect(m, "one")
	for range 5 { // a heartbeat each 100 ms keeps it
		l.send(agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: time.Now()})
		select {
		case <-time.After(100 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	if !w.dispatch.Online(m.host) {
		t.Fatal("closed in spite of heartbeats")
	}
	if code := l.ended(); code != agentwire.CloseSilent {
		t.Fatalf("ended with %d", code)
	}
}

func TestRevokedWithinASecond(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	l := w.connect(m, "one")
	start := time.Now()
	if err := w.RevokeHost(t.Context(), w.admin, m.host); err != nil {
		t.Fatal(err)
	}
	if code := l.ended(); code != agentwire.CloseRevoked {
		t.Fatalf("ended with %d", code)
	}
	if d := time.Since(start); d > time.Second {
		t.Fatalf("took %v", d)
	}
	_, err := w.dial(m)
	wantCode(t, err, fault.HostRevoked)
	_, csr := newKey(t)
	if p := w.post(agentwire.PathRenew, &m.cert, agentwire.RenewRequest{CSR: csr}, nil); p.Code != fault.HostRevoked {
		t.Fatalf("%+v", p)
	}
}

// TestRevokedWhileItDoesNotRead: an agent that neither reads nor answers is off all the same.
func TestRevokedWhileItDoesNotRead(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	c, err := w.dial(m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	frame, err := agentwire.Encode(agentwire.TypeHello, "", "", agentwire.Hello{AgentID: m.agent, Incarnation: "one", Facts: facts("alpha")})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), frame); err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, 10*time.Second, "online", func() bool { h, err := w.Host(t.Context(), string(m.host)); return err == nil && h.Online })
	if err := w.RevokeHost(t.Context(), w.admin, m.host); err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, 2*time.Second, "goodbye", func() bool { return w.said.has("agent disconnected") })
}

func TestAClonedIdentityIsNoticed(t *testing.T) {
	w := newWorld(t, settings{dispatch: dispatch.Config{Quarantine: time.Hour}})
	m := w.enrol("alpha")
	var last *line
	for range 4 {
		w.connect(m, "one")
		last = w.connect(m, "two") // the first time this looks like a restart
	}
	sharedtest.Eventually(t, 5*time.Second, "log", func() bool { return w.said.has("two agents use one identity") })
	w.connect(m, "one")
	if code := last.ended(); code != agentwire.CloseReplaced {
		t.Fatalf("ended with %d", code)
	}
	c, err := w.dial(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := begin(t, c, m, "two"); wsconn.CloseStatus(err) != agentwire.CloseCloned {
		t.Fatalf("%v", err)
	}
	if w.dispatch.Online(m.host) {
		t.Fatal("still there")
	}
}

func TestBadOpenings(t *testing.T) {
	w := newWorld(t, settings{agentws: agentws.Config{HelloTimeout: 200 * time.Millisecond}})
	m, other := w.enrol("alpha"), w.enrol("beta")
	hello := func(h agentwire.Hello) []byte {
		b, err := agentwire.Encode(agentwire.TypeHello, "", "", h)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := agentwire.Hello{AgentID: m.agent, Incarnation: "one", Facts: facts("alpha")}
	with := func(change func(*agentwire.Hello)) []byte { h := good; change(&h); return hello(h) }
	tests := []struct {
		name  string
		frame []byte
		want  int
	}{
		{"nothing", nil, agentwire.CloseSilent},
		{"no JSON", []byte("hello"), agentwire.CloseProtocol},
		{"another version", []byte(`{"v":2,"type":"hello"}`), agentwire.CloseProtocol},
		{"not hello", []byte(`{"v":1,"type":"heartbeat","payload":{}}`), agentwire.CloseProtocol},
		{"another agent's id", with(func(h *agentwire.Hello) { h.AgentID = other.agent }), agentwire.CloseProtocol},
		{"no incarnation", with(func(h *agentwire.Hello) { h.Incarnation = "" }), agentwire.CloseProtocol},
		{"bad facts", with(func(h *agentwire.Hello) { h.Facts.SealingKey = "x" }), agentwire.CloseProtocol},
		{"bad job", with(func(h *agentwire.Hello) { h.Jobs = []agentwire.HeldJob{{JobID: "../x"}} }), agentwire.CloseProtocol},
		{"too long", with(func(h *agentwire.Hello) {
			h.Capabilities = []string{strings.Repeat("x", agentwire.MaxFrameBeforeHello)}
		}), wsconn.CloseFrameTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := w.dial(m)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if tt.frame != nil {
				if err := c.Write(t.Context(), tt.frame); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.Read(t.Context()); err == nil || wsconn.CloseStatus(err) != tt.want {
				t.Fatalf("%v", err)
			}
		})
	}
	w.connect(m, "one") // nothing of it hurt the others
}

func TestBadFramesEndTheSession(t *testing.T) {
	w := newWorld(t, settings{agentws: agentws.Config{Window: 1000}})
	m := w.enrol("alpha")
	j := w.backup(m.host)
	tests := []struct {
		name  string
		frame string
		want  int
	}{
		{"no JSON", "x", agentwire.CloseProtocol},
		{"second hello", `{"v":1,"type":"hello","payload":{}}`, agentwire.CloseProtocol},
		{"bad job id", `{"v":1,"type":"log.stream","job_id":"../../x","payload":{}}`, agentwire.CloseProtocol},
		{"malformed payload", `{"v":1,"type":"heartbeat","payload":[]}`, agentwire.CloseProtocol},
		{"line zero", `{"v":1,"type":"log.stream","job_id":"` + string(j.ID) + `","payload":{"first_seq":0,"lines":[{"t":"2026-01-01T00:00:00Z","s":"out","m":"x"}]}}`, agentwire.CloseProtocol},
		{"too long", `{"v":1,"type":"heartbeat","payload":"` + strings.Repeat("x", agentwire.MaxFrame) + `"}`, wsconn.CloseFrameTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := w.connect(m, "one")
			if err := l.conn.Write(t.Context(), []byte(tt.frame)); err != nil {
				t.Fatal(err)
			}
			if code := l.ended(); code != tt.want {
				t.Fatalf("ended with %d: %v", code, l.err)
			}
		})
	}
	t.Run("unknown type", func(t *testing.T) {
		l := w.connect(m, "one")
		l.send("of.tomorrow", "", "", struct{}{})
		l.send(agentwire.TypeCommandAck, "", j.ID, agentwire.CommandAck{State: fleet.StateAccepted})
		sharedtest.Eventually(t, 10*time.Second, "accepted", func() bool { return w.job(j.ID).State == fleet.StateAccepted })
	})
}

func TestShutdownTellsAgentsToComeBack(t *testing.T) {
	w := newWorld(t, settings{})
	a, b := w.enrol("alpha"), w.enrol("beta")
	one, two := w.connect(a, "one"), w.connect(b, "one")
	w.handler.Close()
	if c1, c2 := one.ended(), two.ended(); c1 != agentwire.CloseShutdown || c2 != agentwire.CloseShutdown {
		t.Fatalf("%d %d", c1, c2)
	}
	c, err := w.dial(a)
	if err != nil {
		return // refused outright is as good
	}
	defer c.CloseNow()
	if _, err := begin(t, c, a, "one"); err == nil {
		t.Fatal("a session began after the end")
	}
}
