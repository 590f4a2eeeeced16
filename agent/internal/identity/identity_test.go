package identity_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/agent/internal/identity/identitytest"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
)

func (d *daemon) enrolment(dir string) identity.EnrolConfig {
	return identity.EnrolConfig{Dir: dir, Address: d.URL, Pin: d.Pin(), Token: token, Facts: agentwire.Facts{Hostname: "h"}}
}

func enrolled(t *testing.T, d *daemon) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data", "identity")
	if _, err := identity.Enrol(context.Background(), d.enrolment(dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func must(t *testing.T, load func(string) (identity.Identity, error), dir string) identity.Identity {
	t.Helper()
	id, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestEnrolKeepsTheKeyAtHome(t *testing.T) {
	d := newDaemon(t)
	dir := enrolled(t, d)
	id := must(t, identity.Load, dir)
	if id.Leaf.Subject.CommonName != string(agentID) {
		t.Fatalf("certificate of %s", id.Leaf.Subject)
	}
	if got := files(t, dir); got != "ca.pem identity.pem" {
		t.Fatalf("files: %s", got)
	}
	if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Fatalf("folder %v, err %v", info.Mode(), err)
	}
	if ca, err := os.ReadFile(filepath.Join(dir, "ca.pem")); err != nil || string(ca) != d.PEM() {
		t.Fatalf("ca.pem %q, err %v", ca, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, identitytest.Current))
	if err != nil {
		t.Fatal(err)
	}
	key, _ := pem.Decode(raw)
	if key == nil || key.Type != "PRIVATE KEY" {
		t.Fatal("the file does not begin with the key")
	}
	secret := strings.Split(string(pem.EncodeToMemory(key)), "\n")[1]
	if len(d.bodies) != 1 || strings.Contains(d.bodies[0], secret) || strings.Contains(d.bodies[0], "PRIVATE") {
		t.Fatalf("the key was sent, or there was more than one request: %v", d.bodies)
	}
}

func TestEnrolRefusals(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, d *daemon, c *identity.EnrolConfig)
		want   fault.Code
		spent  bool // the daemon was asked
	}{
		{"used token", func(_ *testing.T, _ *daemon, c *identity.EnrolConfig) { c.Token = "bse_other" }, fault.TokenUsed, true},
		{"no pin", func(_ *testing.T, _ *daemon, c *identity.EnrolConfig) { c.Pin = "" }, fault.InvalidInput, false},
		{"pin of another", func(t *testing.T, _ *daemon, c *identity.EnrolConfig) { c.Pin = newDaemon(t).Pin() }, fault.PinMismatch, false},
		{"nobody there", func(_ *testing.T, d *daemon, _ *identity.EnrolConfig) { d.Close() }, fault.Unavailable, false},
		{"folder is a file", func(t *testing.T, _ *daemon, c *identity.EnrolConfig) {
			c.Dir = filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(c.Dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.InvalidInput, false},
		{"folder full", func(t *testing.T, _ *daemon, c *identity.EnrolConfig) {
			if err := os.MkdirAll(filepath.Join(c.Dir, "probe", "x"), 0o700); err != nil { // cannot be replaced by a file
				t.Fatal(err)
			}
		}, fault.StorageDenied, false},
		{"certificate for another key", func(t *testing.T, d *daemon, _ *identity.EnrolConfig) {
			other := enrolled(t, d)
			b, err := os.ReadFile(filepath.Join(other, identitytest.Current))
			if err != nil {
				t.Fatal(err)
			}
			d.setAnswer(func(w http.ResponseWriter, _, _ string) bool {
				reply(w, agentwire.EnrolResponse{AgentID: agentID, HostID: hostID, Certificate: string(b)})
				return true
			})
		}, fault.Protocol, true},
		{"no ids", func(_ *testing.T, d *daemon, _ *identity.EnrolConfig) {
			d.setAnswer(func(w http.ResponseWriter, _, csr string) bool {
				cert, err := d.Sign(csr, agentID, time.Now(), time.Now().Add(time.Hour))
				reply(w, agentwire.EnrolResponse{AgentID: "../x", HostID: hostID, Certificate: cert})
				return err == nil
			})
		}, fault.Protocol, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t)
			c := d.enrolment(filepath.Join(t.TempDir(), "identity"))
			tt.change(t, d, &c)
			before := d.requests()
			_, err := identity.Enrol(context.Background(), c)
			if fault.CodeOf(err) != tt.want {
				t.Fatalf("err %v", err)
			}
			if (d.requests() > before) != tt.spent {
				t.Fatalf("%d requests", d.requests()-before)
			}
			if _, err := identity.Load(c.Dir); fault.CodeOf(err) != fault.NotFound && tt.name != "folder is a file" {
				t.Fatalf("an identity was left: %v", err)
			}
		})
	}
}

func TestEnrolAgainLeavesNothingOfTheFormerEnrolment(t *testing.T) {
	d := newDaemon(t)
	dir := enrolled(t, d)
	if err := identity.Renew(context.Background(), dir, d.URL, d.Pin()); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); got != "ca.pem identity.pem identity.previous.pem" {
		t.Fatalf("after renewal: %s", got)
	}
	if _, err := identity.Enrol(context.Background(), d.enrolment(dir)); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); got != "ca.pem identity.pem" {
		t.Fatalf("after the second enrolment: %s", got)
	}
}

func TestRenewTakesANewKeyAndKeepsTheFormerIdentity(t *testing.T) {
	d := newDaemon(t)
	dir := enrolled(t, d)
	first := must(t, identity.Load, dir)
	if err := identity.Renew(context.Background(), dir, d.URL, d.Pin()); err != nil {
		t.Fatal(err)
	}
	second, former := must(t, identity.Load, dir), must(t, identity.Previous, dir)
	if !former.Equal(first) || second.Equal(first) || bytes.Equal(second.Leaf.RawSubjectPublicKeyInfo, first.Leaf.RawSubjectPublicKeyInfo) {
		t.Fatal("not a new key, or the former identity is not kept")
	}
	if shown := d.shown[1].PeerCertificates; len(shown) != 1 || !shown[0].Equal(first.Leaf) {
		t.Fatal("the renewal was not asked for under the present identity")
	}
	both, err := identity.Candidates(dir)
	if err != nil || len(both) != 2 || !both[0].Equal(second) || !both[1].Equal(first) {
		t.Fatalf("candidates %v, err %v", both, err)
	}
	files(t, dir)
}

func TestRenewRefusals(t *testing.T) {
	d := newDaemon(t)
	dir := enrolled(t, d)
	present := must(t, identity.Load, dir)
	ctx := context.Background()
	if err := identity.Renew(ctx, t.TempDir(), d.URL, d.Pin()); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("without an identity: %v", err)
	}
	if err := identity.Renew(ctx, dir, d.URL, newDaemon(t).Pin()); fault.CodeOf(err) != fault.PinMismatch {
		t.Fatalf("another daemon: %v", err)
	}
	for name, answer := range map[string]func(w http.ResponseWriter, path, csr string) bool{
		"revoked": func(w http.ResponseWriter, _, _ string) bool {
			problem(w, http.StatusForbidden, "host_revoked")
			return true
		},
		"not ours": func(w http.ResponseWriter, _, _ string) bool {
			reply(w, agentwire.RenewResponse{Certificate: d.PEM()})
			return true
		},
		"garbage": func(w http.ResponseWriter, _, _ string) bool {
			reply(w, agentwire.RenewResponse{Certificate: "x"})
			return true
		},
	} {
		d.setAnswer(answer)
		if err := identity.Renew(ctx, dir, d.URL, d.Pin()); err == nil {
			t.Fatalf("%s: renewed", name)
		}
	}
	d.setAnswer(nil)
	if err := os.Mkdir(filepath.Join(dir, identitytest.Previous), 0o700); err != nil { // the former one cannot be kept
		t.Fatal(err)
	}
	if err := identity.Renew(ctx, dir, d.URL, d.Pin()); err == nil {
		t.Fatal("renewed without keeping the former identity")
	}
	if !must(t, identity.Load, dir).Equal(present) {
		t.Fatal("the present identity was touched")
	}
}

// TestSettle: whatever the daemon took stays, at every point where a renewal may have stopped.
func TestSettle(t *testing.T) {
	d := newDaemon(t)
	now := time.Now()
	tests := []struct {
		name              string
		current, previous string // which identity lies there; "" none, "x" damage
		used              string
		want, wantFormer  string
	}{
		{"never renewed", "a", "", "a", "a", ""},
		{"new one taken", "b", "a", "b", "b", ""},
		{"former one taken", "b", "a", "a", "a", ""},
		{"renewal stopped half way", "a", "a", "a", "a", "a"},
		{"former one damaged", "b", "x", "b", "b", ""},
		{"present one damaged", "x", "a", "a", "a", ""},
		{"renewed twice since", "c", "b", "a", "c", "b"},
		{"enrolled anew since", "c", "", "a", "c", ""},
	}
	ids := map[string][]byte{"x": []byte("garbage")}
	for _, name := range []string{"a", "b", "c"} {
		dir := t.TempDir()
		if err := d.Write(dir, identitytest.Current, agentID, now.Add(-time.Hour), now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, identitytest.Current))
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = b
	}
	lay := func(t *testing.T, dir, file, name string) {
		if name == "" {
			return
		}
		if err := os.WriteFile(filepath.Join(dir, file), ids[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lies := func(t *testing.T, dir, file, want string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, file))
		if want == "" && !os.IsNotExist(err) || want != "" && !bytes.Equal(b, ids[want]) {
			t.Errorf("%s is not %q", file, want)
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, other := t.TempDir(), t.TempDir()
			lay(t, dir, identitytest.Current, tt.current)
			lay(t, dir, identitytest.Previous, tt.previous)
			lay(t, other, identitytest.Current, tt.used)
			if err := identity.Settle(dir, must(t, identity.Load, other)); err != nil {
				t.Fatal(err)
			}
			lies(t, dir, identitytest.Current, tt.want)
			lies(t, dir, identitytest.Previous, tt.wantFormer)
		})
	}
}

func TestDamagedFiles(t *testing.T) {
	d := newDaemon(t)
	dir := enrolled(t, d)
	whole, err := os.ReadFile(filepath.Join(dir, identitytest.Current))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty": {}, "torn": whole[:len(whole)/2], "key alone": whole[:bytes.Index(whole, []byte("-----BEGIN CERT"))],
		"certificate alone": whole[bytes.Index(whole, []byte("-----BEGIN CERT")):], "noise": bytes.Repeat([]byte{0}, 1000),
	} {
		if err := os.WriteFile(filepath.Join(dir, identitytest.Current), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := identity.Load(dir); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := identity.Candidates(dir); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: candidates: %v", name, err)
		}
		if err := identity.Renew(context.Background(), dir, d.URL, d.Pin()); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%s: renewal: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, identitytest.Previous), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := identity.Candidates(dir); err != nil || len(all) != 1 {
		t.Fatalf("with a former identity that is whole: %d, err %v", len(all), err)
	}
}

func TestRenewAtAndExpired(t *testing.T) {
	d := newDaemon(t)
	dir := t.TempDir()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := d.Write(dir, identitytest.Current, agentID, from, from.Add(30*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	id := must(t, identity.Load, dir)
	if want := from.Add(20 * 24 * time.Hour); !id.RenewAt().Equal(want) {
		t.Fatalf("to be renewed at %v", id.RenewAt())
	}
	if id.Expired(from.Add(30*24*time.Hour)) || !id.Expired(from.Add(30*24*time.Hour+time.Second)) {
		t.Fatal("runs out at another time")
	}
	// A daemon takes it no more; what is said names the way out.
	err := identity.Renew(context.Background(), dir, d.URL, d.Pin())
	if id.Expired(time.Now()) && fault.CodeOf(err) != fault.Unauthenticated {
		t.Fatalf("renewal with a certificate that ran out: %v", err)
	}
}
