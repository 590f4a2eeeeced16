package session_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/agent/internal/identity/identitytest"
	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fault"
)

func TestAWrongPinIsSaid(t *testing.T) {
	d, other := newDaemon(t), newDaemon(t)
	a := newAgent(t, d, func(c *session.Config) { c.Pin = other.Pin() })
	a.start(t)
	a.fails(t, fault.PinMismatch)
	a.fails(t, fault.PinMismatch)
}

func TestWithoutAnIdentity(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	path := filepath.Join(a.cfg.IdentityDir, identitytest.Current)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte("damage"))
	a.start(t)
	a.fails(t, fault.InvalidInput)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	await(t, "not enrolled", func() bool { return fault.CodeOf(a.state(t)) == fault.NotFound })
	write(whole)
	d.welcomed(t)
}

func TestRefusalsAreSaid(t *testing.T) {
	for status, want := range map[int]fault.Code{http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.Forbidden,
		http.StatusTooManyRequests: fault.RateLimited, http.StatusBadGateway: fault.Unavailable} {
		d := newDaemon(t)
		d.setRefuse(func(*http.Request) int { return status })
		a := newAgent(t, d).start(t)
		a.fails(t, want)
		d.setRefuse(nil)
		d.welcomed(t) // it goes on trying
	}
}

func TestACertificateThatRanOutIsSaid(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	if err := d.Write(a.cfg.IdentityDir, identitytest.Current, agentID, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	a.start(t)
	if says := a.fails(t, fault.Unauthenticated); !strings.Contains(says, "ran out") || !strings.Contains(says, "Enrol") {
		t.Fatalf("%s", says)
	}
}

// renewed lays a renewed identity over the present one and gives both.
func renewed(t *testing.T, d *daemon, dir string, from, to time.Duration) (present, former identity.Identity) {
	t.Helper()
	former, err := identity.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, identitytest.Current), filepath.Join(dir, identitytest.Previous)); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(dir, identitytest.Current, agentID, time.Now().Add(from), time.Now().Add(to)); err != nil {
		t.Fatal(err)
	}
	if present, err = identity.Load(dir); err != nil {
		t.Fatal(err)
	}
	return present, former
}

func TestARenewedIdentityIsTriedFirstAndThenSettled(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	present, _ := renewed(t, d, a.cfg.IdentityDir, -time.Hour, time.Hour)
	a.start(t)
	p := d.next(t)
	if p.serial != present.Leaf.SerialNumber.String() {
		t.Fatal("the former identity was shown")
	}
	if _, err := identity.Previous(a.cfg.IdentityDir); err != nil {
		t.Fatalf("dropped before the welcome: %v", err)
	}
	p.send(t, agentwire.TypeWelcome, "", "", agentwire.Welcome{})
	await(t, "the former identity is dropped", func() bool {
		_, err := identity.Previous(a.cfg.IdentityDir)
		return fault.CodeOf(err) == fault.NotFound
	})
}

// TestARenewedIdentityThatIsRefused: the former one does, and takes its place again, so that the next renewal is made under it.
func TestARenewedIdentityThatIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		status int           // of the daemon's answer to the renewed identity
		to     time.Duration // when that runs out: refused by TLS when over
	}{"401": {http.StatusUnauthorized, time.Hour}, "403": {http.StatusForbidden, time.Hour}, "by TLS": {0, -time.Minute}} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t)
			a := newAgent(t, d)
			dir := a.cfg.IdentityDir
			present, former := renewed(t, d, dir, -time.Hour, tt.to)
			d.setRefuse(func(r *http.Request) int {
				if certs := r.TLS.PeerCertificates; len(certs) > 0 && certs[0].Equal(present.Leaf) {
					return tt.status
				}
				return 0
			})
			a.start(t)
			p := d.welcomed(t)
			if p.serial != former.Leaf.SerialNumber.String() {
				t.Fatal("not the former identity")
			}
			await(t, "the former identity is the present one again", func() bool {
				now, err := identity.Load(dir)
				return err == nil && now.Equal(former)
			})
			if _, err := identity.Previous(dir); fault.CodeOf(err) != fault.NotFound {
				t.Fatalf("the refused one is kept: %v", err)
			}
			p.conn.CloseNow()
			if p = d.welcomed(t); p.serial != former.Leaf.SerialNumber.String() {
				t.Fatal("another identity after the next break")
			}
		})
	}
}

func TestADaemonThatIsAwayIsNoRefusal(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	present, _ := renewed(t, d, a.cfg.IdentityDir, -time.Hour, time.Hour)
	d.setRefuse(func(r *http.Request) int {
		if !r.TLS.PeerCertificates[0].Equal(present.Leaf) {
			t.Error("the former identity was tried")
		}
		return http.StatusServiceUnavailable
	})
	a.start(t)
	a.fails(t, fault.Unavailable)
	a.fails(t, fault.Unavailable)
	d.setRefuse(nil)
	if p := d.welcomed(t); p.serial != present.Leaf.SerialNumber.String() {
		t.Fatal("the former identity was shown")
	}
}

func TestGoodbyesOfTheDaemonAreSaid(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d).start(t)
	for _, tt := range []struct {
		code int
		want fault.Code
		says string
	}{
		{agentwire.CloseRevoked, fault.HostRevoked, "Enrol it again"}, {agentwire.CloseCloned, fault.Conflict, "Two agents"},
		{agentwire.CloseReplaced, fault.Unavailable, "newer session"}, {agentwire.CloseShutdown, fault.Unavailable, "daemon stops"},
		{agentwire.CloseBusy, fault.Unavailable, "keep up"}, {agentwire.CloseProtocol, fault.Protocol, "Update"}, {1000, fault.Unavailable, "was lost"},
	} {
		p := d.welcomed(t)
		_ = p.conn.Close(tt.code, "bye")
		if says := a.fails(t, tt.want); !strings.Contains(says, tt.says) {
			t.Errorf("%d: %s", tt.code, says)
		}
	}
}

// TestPausesGrow for a daemon that is not there, and for one that does not want the agent; whoever was in comes back soon.
func TestPausesGrow(t *testing.T) {
	d := newDaemon(t)
	logged := &logs{}
	newAgent(t, d, func(c *session.Config) {
		c.Backoff = backoff.Backoff{Min: 2 * time.Millisecond, Max: 20 * time.Millisecond, Factor: 1.5}
		c.Log = logged.logger()
	}).start(t)
	longest := func(n int, once func()) (most time.Duration) {
		for range n {
			once()
			most = max(most, logged.next(t))
		}
		return most
	}
	lost := func() { d.welcomed(t).conn.CloseNow() }
	busy := func() { _ = d.welcomed(t).conn.Close(agentwire.CloseBusy, "") }
	if got := longest(40, lost); got > 7*time.Millisecond { // 2 ms * 1.5^3
		t.Errorf("after a break: up to %v", got)
	}
	if got := longest(60, busy); got < 10*time.Millisecond {
		t.Errorf("a busy daemon: up to %v", got)
	}
	if got := longest(30, lost); got > 7*time.Millisecond {
		t.Errorf("after a break again: up to %v", got)
	}
	p := d.welcomed(t)
	d.setRefuse(func(*http.Request) int { return http.StatusForbidden })
	p.conn.CloseNow()
	if got := longest(60, func() {}); got < 10*time.Millisecond {
		t.Errorf("a daemon that refuses: up to %v", got)
	}
}

// TestFactsDoNotDelayHello: the daemon waits for hello only so long, so they are gathered before the connection is made.
func TestFactsDoNotDelayHello(t *testing.T) {
	d := newDaemon(t)
	gate, asked := make(chan struct{}), make(chan struct{}, 10)
	newAgent(t, d, func(c *session.Config) { c.Facts = factsAfter(c.Facts, asked, gate) }).start(t)
	<-asked
	select {
	case <-d.peers:
		t.Fatal("hello without facts")
	case <-time.After(50 * time.Millisecond):
	}
	d.mu.Lock()
	connected := len(d.open)
	d.mu.Unlock()
	if connected != 0 {
		t.Fatal("connected before the facts were there")
	}
	close(gate)
	d.welcomed(t)
}

func TestManySecretsFollowHello(t *testing.T) {
	d := newDaemon(t)
	many := manySecrets(3000)
	a := newAgent(t, d, func(c *session.Config) { c.Facts = factsWith(many) })
	a.jobs.add("j1", 0)
	a.start(t)
	p := d.welcomed(t)
	if len(p.hello.Facts.Secrets) != 0 || p.hello.Facts.Hostname != "h" || len(p.hello.Jobs) != 1 {
		t.Fatalf("hello with %d secrets and %d jobs", len(p.hello.Facts.Secrets), len(p.hello.Jobs))
	}
	for {
		e := p.read(t)
		if e.Type != agentwire.TypeInventory {
			continue
		}
		m, err := agentwire.Payload[agentwire.Inventory](e)
		if err != nil || len(m.Facts.Secrets) != 3000 || !bytes.Contains(e.Payload, []byte(many[2999])) {
			t.Fatalf("inventory with %d secrets, err %v", len(m.Facts.Secrets), err)
		}
		return
	}
}
