//go:build linux

package install_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// place is a folder of packages behind an HTTP server, and a host on which dpkg and the agent write down how they were called.
type place struct {
	t               *testing.T
	dir, bin, calls string
	url             string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), bin: t.TempDir()}
	p.calls = filepath.Join(p.bin, "calls")
	server := httptest.NewServer(http.FileServer(http.Dir(p.dir)))
	t.Cleanup(server.Close)
	p.url = server.URL
	for name, body := range map[string]string{
		"id":    "echo 0",
		"uname": "echo x86_64",
		"dpkg":  `echo "dpkg $(basename "$2") $(cat "$2")" >>` + p.calls,
		"backstay-agent": `read -r token
echo "agent $* token=$token" >>` + p.calls,
	} {
		if err := os.WriteFile(filepath.Join(p.bin, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"backstay-agent_1.9.0-1_amd64.deb", "backstay-agent_1.10.0-1_amd64.deb", "backstay-agent_1.11.0-1_arm64.deb", "backstay-daemon_2.0.0-1_amd64.deb"} {
		p.put(name, "contents of "+name)
	}
	p.sum()
	return p
}

func (p *place) put(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// sum writes SHA256SUMS anew.
func (p *place) sum() {
	p.t.Helper()
	packages, err := filepath.Glob(filepath.Join(p.dir, "*.deb"))
	if err != nil {
		p.t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range packages {
		text, err := os.ReadFile(f)
		if err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(text), filepath.Base(f))
	}
	p.put("SHA256SUMS", b.String())
}

func (p *place) sums() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "SHA256SUMS"))
	if err != nil {
		p.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// run runs the script and gives what it said, whether it succeeded, and how dpkg and the agent were called.
func (p *place) run(args ...string) (said string, ok bool, calls string) {
	p.t.Helper()
	cmd := exec.Command("sh", append([]string{"install-agent.sh", "--from", p.url}, args...)...)
	cmd.Env = []string{"PATH=" + p.bin + ":" + os.Getenv("PATH"), "BACKSTAY_TOKEN=the-token", "TMPDIR=" + p.t.TempDir()}
	out, err := cmd.CombinedOutput()
	text, _ := os.ReadFile(p.calls) // not there when nothing was called
	return string(out), err == nil, string(text)
}

func TestTheNewestPackageIsInstalledAndTheHostEnrolled(t *testing.T) {
	p := newPlace(t)
	said, ok, calls := p.run("--sums", p.sums(), "--server", "https://daemon.example:7443", "--pin", "the-pin")
	want := "dpkg backstay-agent_1.10.0-1_amd64.deb contents of backstay-agent_1.10.0-1_amd64.deb\n" +
		"agent enrol --server https://daemon.example:7443 --pin the-pin --token-stdin token=the-token\n"
	if !ok || calls != want {
		t.Fatalf("ok %v, said %s\ncalled %q\nwanted %q", ok, said, calls, want)
	}
}

func TestTheVersionThatWasAskedFor(t *testing.T) {
	p := newPlace(t)
	if said, ok, calls := p.run("--sums", p.sums(), "--version", "1.9.0"); !ok || !strings.HasPrefix(calls, "dpkg backstay-agent_1.9.0-1_amd64.deb ") || strings.Contains(calls, "enrol") {
		t.Fatalf("ok %v, said %s\ncalled %q", ok, said, calls)
	}
}

func TestWhatIsNotAsPublishedIsNotInstalled(t *testing.T) {
	key, other, file := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "other"), filepath.Join(t.TempDir(), "public")
	openssl := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	for _, k := range []string{key, other} {
		openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", k)
	}
	openssl("ec", "-in", key, "-pubout", "-out", file)
	sign := func(p *place, by string) {
		openssl("dgst", "-sha256", "-sign", by, "-out", filepath.Join(p.dir, "SHA256SUMS.sig"), filepath.Join(p.dir, "SHA256SUMS"))
	}
	for name, c := range map[string]struct {
		change func(p *place) []string // gives the arguments
		want   string                  // "" is success
	}{
		"http alone":         {func(*place) []string { return nil }, "is not https"},
		"another SHA256SUMS": {func(p *place) []string { return []string{"--sums", strings.Repeat("0", 64)} }, "not the one that --sums names"},
		"a changed package": {func(p *place) []string {
			p.put("backstay-agent_1.10.0-1_amd64.deb", "evil")
			return []string{"--sums", p.sums()}
		}, "not what SHA256SUMS says"},
		"no such version":   {func(p *place) []string { return []string{"--sums", p.sums(), "--version", "3.0.0"} }, "has no package for this host"},
		"signed":            {func(p *place) []string { sign(p, key); return []string{"--public-key", file} }, ""},
		"signed by another": {func(p *place) []string { sign(p, other); return []string{"--public-key", file} }, "not signed by the key"},
		"changed when signed": {func(p *place) []string {
			sign(p, key)
			p.put("backstay-agent_9.9.9-1_amd64.deb", "evil")
			p.sum()
			return []string{"--public-key", file}
		}, "not signed by the key"},
		"not signed": {func(*place) []string { return []string{"--public-key", file} }, "cannot be fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			said, ok, calls := p.run(c.change(p)...)
			if c.want == "" && (!ok || calls == "") {
				t.Fatalf("it did not install: %s", said)
			}
			if c.want != "" && (ok || calls != "" || !strings.Contains(said, c.want)) {
				t.Fatalf("ok %v, called %q, said %s", ok, calls, said)
			}
		})
	}
}
