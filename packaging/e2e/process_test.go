//go:build !windows

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/sharedtest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := sharedtest.RemoveBuilds(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// process is one of our programs, started by the test.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu  sync.Mutex
	out bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// output is all that the program printed so far.
func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// start runs a program until it is stopped; a test that fails prints its last output.
func start(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: filepath.Base(cmd.Path), cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p, p
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			out := p.output()
			if len(out) > 6000 {
				out = "…" + out[len(out)-6000:]
			}
			t.Logf("--- %s (pid %d) printed:\n%s", p.name, cmd.Process.Pid, out)
		}
	})
	return p
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// suspend halts the program until resume.
func (p *process) suspend() { p.send(syscall.SIGSTOP) }
func (p *process) resume()  { p.send(syscall.SIGCONT) }

func (p *process) send(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("%v to %s: %v", sig, p.name, err)
	}
}

// signal sends sig and waits until the program is gone.
func (p *process) signal(sig syscall.Signal) {
	if !p.running() {
		return
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Logf("signal %s: %v", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Errorf("%s (pid %d) did not stop within 30 s of %v", p.name, p.cmd.Process.Pid, sig)
		_ = p.cmd.Process.Kill() // the error above is what counts
		<-p.done
	}
}

func (p *process) stop() { p.signal(syscall.SIGTERM) }
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// result is a finished command line.
type result struct {
	code   int
	stdout string
	stderr string
}

// command runs a program to its end with stdin.
func command(t testing.TB, stdin string, env []string, bin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v did not end within 3 minutes\n%s%s", filepath.Base(bin), args, out.String(), errOut.String())
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s %v: %v", filepath.Base(bin), args, err)
	}
	return result{code: cmd.ProcessState.ExitCode(), stdout: out.String(), stderr: errOut.String()}
}

// must runs a program that has to succeed, and gives its standard output.
func must(t testing.TB, stdin string, env []string, bin string, args ...string) string {
	t.Helper()
	r := command(t, stdin, env, bin, args...)
	if r.code != 0 {
		t.Fatalf("%s %s: exit %d\n%s\n%s", filepath.Base(bin), strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// lastPort is the last port that freeAddress tried.
var lastPort atomic.Int32

// freeAddress gives a port that nothing listens at and that no connection gets as its own end, from below those that the system gives
// away: a daemon that is started again must find it free, whatever other tests do meanwhile.
func freeAddress(t testing.TB) string {
	t.Helper()
	const first, last = 20_000, 32_000
	lastPort.CompareAndSwap(0, int32(first+os.Getpid()%(last-first)))
	for range last - first {
		address := fmt.Sprintf("127.0.0.1:%d", first+lastPort.Add(1)%(last-first))
		if l, err := net.Listen("tcp", address); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
