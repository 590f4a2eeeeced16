package agentws_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/sharedtest"
)

// idleAgents is how many agents BenchmarkIdleAgents connects.
const idleAgents = 1000

const idleEnv = "BACKSTAY_TEST_IDLE_DAEMON"

// TestIdleDaemon is the daemon of BenchmarkIdleAgents, in a process of its own; otherwise it has nothing to do. It answers each
// line of its standard input with its memory in bytes, as the system counts it, and ends with the input.
func TestIdleDaemon(t *testing.T) {
	if os.Getenv(idleEnv) == "" {
		return
	}
	w := newWorld(t, settings{agentws: agentws.Config{Enrolments: unlimited()}})
	var tokens []string
	for range idleAgents {
		tokens = append(tokens, w.token())
	}
	out := json.NewEncoder(os.Stdout)
	start := idleStart{Addr: w.addr, Pin: w.pki.Pin(), Tokens: tokens}
	if err := out.Encode(start); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "free" {
			debug.FreeOSMemory()
		}
		if err := out.Encode(idleState{RSS: rss(t), Sessions: w.dispatch.Sessions(), Goroutines: runtime.NumGoroutine()}); err != nil {
			t.Fatal(err)
		}
	}
}

type idleStart struct {
	Addr, Pin string
	Tokens    []string
}

type idleState struct {
	RSS        int64
	Sessions   int
	Goroutines int
}

// rss reads the process's resident memory; 0 where the system has no /proc.
func rss(t testing.TB) int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// idleProcess is TestIdleDaemon seen from outside.
type idleProcess struct {
	start idleStart
	in    *os.File
	out   *json.Decoder
}

func startIdle(b *testing.B) *idleProcess {
	b.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	p, err := os.StartProcess(os.Args[0], []string{os.Args[0], "-test.run=^TestIdleDaemon$"}, &os.ProcAttr{
		Env: append(os.Environ(), idleEnv+"=1"), Files: []*os.File{inR, outW, os.Stderr}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_, err := p.Wait()
		if err != nil {
			b.Error(err)
		}
		_ = outR.Close() // the process has ended
	})
	b.Cleanup(func() { _ = inW.Close() }) // which ends the process
	_, _ = inR.Close(), outW.Close()      // the process has them
	d := &idleProcess{in: inW, out: json.NewDecoder(outR)}
	if err := d.out.Decode(&d.start); err != nil {
		b.Fatal(err)
	}
	return d
}

func (d *idleProcess) ask(b *testing.B, what string) (s idleState) {
	b.Helper()
	if _, err := fmt.Fprintln(d.in, what); err != nil {
		b.Fatal(err)
	}
	if err := d.out.Decode(&s); err != nil {
		b.Fatal(err)
	}
	return s
}

// atOnce is how many agents connect at the same time, as after a restart of the daemon.
const atOnce = 50

// back is connect for any goroutine.
func (w *world) back(m member) *line {
	c, err := w.dial(m)
	if err == nil {
		var l *line
		if l, err = begin(w.t, c, m, "one"); err == nil {
			err = l.try(agentwire.TypePlanAck, "", "", agentwire.PlanAck{Version: l.welcome.ConfigVersion})
		}
		if err == nil {
			return l
		}
	}
	w.t.Error(err)
	return nil
}

// BenchmarkIdleAgents connects idleAgents agents over TLS to a daemon in another process and reports what each costs it.
func BenchmarkIdleAgents(b *testing.B) {
	for b.Loop() {
		d := startIdle(b)
		w := &world{t: b, addr: d.start.Addr, pin: d.start.Pin}
		members := make([]member, len(d.start.Tokens))
		for i, token := range d.start.Tokens {
			members[i] = w.enrolWith(token, fmt.Sprintf("host-%d", i))
		}
		before := d.ask(b, "free")
		began := time.Now()
		lines := make([]*line, len(members))
		var wg sync.WaitGroup
		for k := range atOnce {
			wg.Go(func() {
				for i := k; i < len(members); i += atOnce {
					if lines[i] = w.back(members[i]); lines[i] == nil {
						return
					}
				}
			})
		}
		wg.Wait()
		if b.Failed() {
			b.FailNow()
		}
		took := time.Since(began)
		for range 3 { // three rounds of heartbeats: what a daemon looks like that has been there for a while
			for _, l := range lines {
				l.send(agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: time.Now()})
			}
		}
		sharedtest.Eventually(b, time.Minute, "all connected", func() bool { return d.ask(b, "look").Sessions == len(lines) })
		after, freed := d.ask(b, "look"), d.ask(b, "free")
		n := float64(len(lines))
		b.ReportMetric(float64(freed.RSS-before.RSS)/n, "B/agent")
		b.ReportMetric(float64(after.RSS)/1e6, "MB-at-once")
		b.ReportMetric(float64(freed.RSS)/1e6, "MB-settled")
		b.ReportMetric((float64(before.RSS)+float64(freed.RSS-before.RSS)/n*10_000)/1e6, "MB-for-10k")
		b.ReportMetric(n/took.Seconds(), "connects/s")
		b.ReportMetric(float64(freed.Goroutines-before.Goroutines)/n, "goroutines/agent")
		for _, l := range lines {
			l.close()
		}
	}
}
