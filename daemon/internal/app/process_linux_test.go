package app_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/sharedtest"
)

// program is backstayd in a process of its own.
type program struct {
	b    *testing.B
	cmd  *exec.Cmd
	addr string
}

// freePort gives an address of the loopback that nobody listens on.
func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	return l.Addr().String()
}

// launch starts backstayd on a data folder and does not wait until it serves. What it logs goes to a file, as that of a service does.
func launch(b *testing.B, data, addr string) *program {
	b.Helper()
	said, err := os.OpenFile(filepath.Join(b.TempDir(), "backstayd.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	p := &program{b: b, addr: addr, cmd: exec.Command(sharedtest.Build(b, "daemon/cmd/backstayd"), "serve", "--data", data, "--listen", addr)}
	p.cmd.Stderr = said
	err = p.cmd.Start()
	if cerr := said.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if p.cmd.ProcessState == nil { // a benchmark that failed
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

// awaitReady waits until the daemon says that it is ready.
func (p *program) awaitReady(ca string) {
	p.b.Helper()
	tr := &http.Transport{TLSClientConfig: pin.ClientTLS(ca, nil)}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr, Timeout: 10 * time.Second}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if resp, err := client.Get("https://" + p.addr + "/readyz"); err == nil {
			if err := resp.Body.Close(); err != nil {
				p.b.Fatal(err)
			}
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			p.b.Fatal("the daemon is not ready within a minute")
		}
	}
}

// stop asks the daemon to end and tells how long that took.
func (p *program) stop() time.Duration {
	p.b.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.b.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.b.Fatal(err)
	}
	return time.Since(began)
}

// cpu is the processor time that the daemon has taken.
func (p *program) cpu() time.Duration {
	p.b.Helper()
	raw, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		p.b.Fatal(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')'):]))
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	return time.Duration(p.number(fields[12])+p.number(fields[13])) * tick
}

// memory is the daemon's resident memory now, and the most that it ever was, in bytes.
func (p *program) memory() (now, most float64) {
	p.b.Helper()
	raw, err := os.ReadFile(p.proc("status"))
	if err != nil {
		p.b.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		switch fields := strings.Fields(line); fields[0] {
		case "VmRSS:":
			now = float64(p.number(fields[1])) * 1024
		case "VmHWM:":
			most = float64(p.number(fields[1])) * 1024
		}
	}
	return now, most
}

func (p *program) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name)
}

func (p *program) number(text string) int64 {
	p.b.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.b.Fatal(err)
	}
	return n
}
