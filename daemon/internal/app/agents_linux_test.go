package app_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/wsconn"
)

// pastJobs is how many jobs that are over each agent still holds, as it does for three days.
const pastJobs = 3

// manyAgents is how many agents BenchmarkManyAgents connects, unless $BACKSTAY_BENCH_AGENTS says otherwise.
const manyAgents = 10_000

// idleTime is how long the agents do nothing but send their heartbeats, before the daemon is looked at.
const idleTime = time.Minute

// standIn is one agent as the daemon sees it: it comes back with an agent's pauses whenever the connection ends.
type standIn struct {
	addr, pin string
	agent     fleet.AgentID
	facts     agentwire.Facts
	cert      tls.Certificate
	held      []agentwire.HeldJob
	welcomes  atomic.Int64                // connections that got as far
	conn      atomic.Pointer[wsconn.Conn] // nil while there is none
}

func (a *standIn) run(ctx context.Context) {
	pauses := backoff.Backoff{Min: 250 * time.Millisecond, Max: 30 * time.Second} // as an agent has them
	for attempt := 0; ctx.Err() == nil; attempt++ {
		before := a.welcomes.Load()
		a.session(ctx)
		if a.welcomes.Load() > before {
			attempt = 0
		}
		pause := time.NewTimer(pauses.Next(attempt, mathrand.Float64))
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
	}
}

// session is one connection, until it ends.
func (a *standIn) session(ctx context.Context) {
	dialling, cancel := context.WithTimeout(ctx, 30*time.Second) // as an agent
	defer cancel()
	c, _, err := wsconn.Dial(dialling, "wss://"+a.addr+agentwire.PathConnect, wsconn.DialOptions{TLS: pin.ClientTLS(a.pin, &a.cert), ReadLimit: agentwire.MaxFrame})
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, c.CloseNow)
	defer stop()
	defer c.CloseNow()
	if send(c, agentwire.TypeHello, agentwire.Hello{AgentID: a.agent, Incarnation: "one", Facts: a.facts, Clock: time.Now(), Jobs: a.held}) != nil {
		return
	}
	for {
		frame, err := c.Read(context.Background())
		if err != nil {
			a.conn.Store(nil)
			return
		}
		e, err := agentwire.Decode(frame)
		if err != nil || e.Type != agentwire.TypeWelcome {
			continue
		}
		m, err := agentwire.Payload[agentwire.Welcome](e)
		if err != nil || send(c, agentwire.TypePlanAck, agentwire.PlanAck{Version: m.ConfigVersion}) != nil {
			return
		}
		a.conn.Store(c)
		a.welcomes.Add(1)
	}
}

func send(c *wsconn.Conn, t agentwire.Type, payload any) error {
	frame, err := agentwire.Encode(t, "", "", payload)
	if err != nil {
		return err
	}
	return c.Write(context.Background(), frame)
}

// crowd is many stand-ins.
type crowd struct {
	agents []*standIn
	stop   context.CancelFunc
	wg     sync.WaitGroup
}

// start has all connect, and those that are connected send their heartbeats, spread as those of a fleet are.
func (c *crowd) start(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	c.stop = cancel
	for _, a := range c.agents {
		c.wg.Go(func() { a.run(ctx) })
	}
	c.wg.Go(func() {
		const slots = 100
		tick := time.NewTicker(15 * time.Second / slots)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			for k := i % slots; k < len(c.agents); k += slots {
				if conn := c.agents[k].conn.Load(); conn != nil {
					_ = send(conn, agentwire.TypeHeartbeat, agentwire.Heartbeat{Clock: time.Now()}) // the agent notices by itself when it fails
				}
			}
		}
	})
}

// end has all leave and waits for them.
func (c *crowd) end() {
	c.stop()
	c.wg.Wait()
}

// await waits until every agent was welcomed n times and tells how long that took.
func (c *crowd) await(b *testing.B, n int64) time.Duration {
	b.Helper()
	began, left := time.Now(), 0
	for time.Since(began) < 5*time.Minute {
		left = 0
		for _, a := range c.agents {
			if a.welcomes.Load() < n || a.conn.Load() == nil {
				left++
			}
		}
		if left == 0 {
			return time.Since(began)
		}
		time.Sleep(20 * time.Millisecond) // the daemon has its hands full
	}
	b.Fatalf("%d agents are not back", left)
	return 0
}

// enrolled makes the data folder of a daemon with n agents: what their enrolment leaves behind, without its requests. They share a key.
func enrolled(b *testing.B, data, addr string, n int) *crowd {
	b.Helper()
	cfg := config.Default(data)
	cfg.Listen = addr
	if err := cfg.Validate(); err != nil {
		b.Fatal(err)
	}
	ca, err := pki.Open(pki.Config{Dir: filepath.Join(data, "pki"), Names: cfg.CertificateNames()})
	if err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.OpenStore(b.Context(), filepath.Join(data, "state.db"), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	key, request := newKey(b)
	c := &crowd{}
	_, err = store.Update(b.Context(), func(w control.Writer) error {
		for i := range n {
			a := &standIn{addr: addr, pin: ca.Pin(), agent: fleet.AgentID(fmt.Sprintf("01J0000000000000000AGEN%05d", i)), facts: agentwire.Facts{
				Hostname: fmt.Sprint("host-", i), OS: "linux", Arch: "amd64", AgentVersion: "1.0.0", ResticVersion: "0.19.1", SealingKey: "age1example", SecretStore: fleet.SecretsKeyring}}
			text, err := ca.IssueAgent(request, a.agent)
			if err != nil {
				return err
			}
			block, _ := pem.Decode([]byte(text))
			a.cert = tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
			if err := a.enrol(b.Context(), w, fleet.HostID(fmt.Sprintf("01J0000000000000000HST%05d", i))); err != nil {
				return err
			}
			c.agents = append(c.agents, a)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	return c
}

// enrol writes the agent's host, with jobs that are over.
func (a *standIn) enrol(ctx context.Context, w control.Writer, host fleet.HostID) error {
	at := time.Now().Add(-time.Hour)
	h := fleet.Host{ID: host, AgentID: a.agent, Name: a.facts.Hostname, EnrolledAt: at}
	if err := w.PutHost(ctx, &h); err != nil {
		return err
	}
	if err := w.PutAgent(ctx, a.agent, host, at); err != nil {
		return err
	}
	for k := range pastJobs {
		j := control.JobRecord{Accepted: true, Job: fleet.Job{ID: fleet.JobID(fmt.Sprint(host, k)), HostID: host, Kind: fleet.KindCheck, State: fleet.StateSucceeded,
			LogSealed: true, CreatedBy: "ada", CreatedAt: at, UpdatedAt: at, StartedAt: &at, FinishedAt: &at, Spec: fleet.JobSpec{Kind: fleet.KindCheck}}}
		if err := w.PutJob(ctx, &j); err != nil {
			return err
		}
		a.held = append(a.held, agentwire.HeldJob{JobID: j.ID, State: j.State, Acked: true})
	}
	return nil
}

func newKey(b *testing.B) (*ecdsa.PrivateKey, pki.Request) {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		b.Fatal(err)
	}
	request, err := pki.ParseRequest(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw})))
	if err != nil {
		b.Fatal(err)
	}
	return key, request
}

// BenchmarkManyAgents connects agents over TLS to backstayd, has it restart, and reports how long it takes until all are back, with all
// agents on the daemon's own cores; what each costs the daemon in CPU; and the daemon's memory at the most and after a minute of
// heartbeats. Musts: s-back ≤ 60, MB-idle ≤ 450.
func BenchmarkManyAgents(b *testing.B) {
	n := manyAgents
	if text := os.Getenv("BACKSTAY_BENCH_AGENTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		connectMany(b, n)
	}
}

func connectMany(b *testing.B, n int) {
	data, addr := filepath.Join(b.TempDir(), "data"), freePort(b)
	c := enrolled(b, data, addr, n)
	d := launch(b, data, addr)
	c.start(b)
	defer c.end()
	first := c.await(b, 1)
	stopped := d.stop()
	d = launch(b, data, addr)
	back := c.await(b, 2)
	b.Logf("first %v, stop %v, back %v", first, stopped, back)
	returned, agents := d.cpu(), float64(n)
	_, most := d.memory()
	time.Sleep(idleTime)
	idle, _ := d.memory()
	beaten := d.cpu() - returned
	d.stop()

	b.ReportMetric(agents, "agents")
	b.ReportMetric(first.Seconds(), "s-first")
	b.ReportMetric(stopped.Seconds(), "s-stop")
	b.ReportMetric(back.Seconds(), "s-back")
	b.ReportMetric(returned.Seconds()*1000/agents, "daemon-ms/agent")
	b.ReportMetric(beaten.Seconds()/idleTime.Seconds()*100, "%-of-a-core-idle")
	b.ReportMetric(most/1e6, "MB-most")
	b.ReportMetric(idle/1e6, "MB-idle")
	b.ReportMetric(0, "ns/op")
}
