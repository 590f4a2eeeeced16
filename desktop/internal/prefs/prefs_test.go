package prefs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatWasChosenIsThereAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	first, err := Load(dir)
	if err != nil || !first.RememberLogin {
		t.Fatalf("%+v, err %v", first, err)
	}
	saver := NewSaver(dir, func(err error) { t.Error(err) })
	p := New(first, saver.Save)
	p.PutProfile(Profile{Address: "https://a:7443", Pin: "p1", Name: "a", User: "mira"})
	p.PutProfile(Profile{Address: "https://b:7443", Name: "b"})
	p.PutProfile(Profile{Address: "https://a:7443", Pin: "p2", Name: "a", User: "mira"})
	p.SetSort("hosts", Sort{Column: "size", Down: true})
	for w := range 1000 {
		p.Change(func(d *Data) { d.Width = float32(w); d.Theme = "dark"; d.Page = nav.Route{Page: nav.Jobs} })
	}
	saver.Close()
	saver.Close()
	d, err := Load(dir)
	if err != nil || !d.equal(p.Get()) || d.Width != 999 || len(d.Profiles) != 2 || d.Profiles[0].Pin != "p2" || d.Current != "https://a:7443" {
		t.Fatalf("%+v, err %v", d, err)
	}
	q := New(d, nil)
	q.DropProfile("https://a:7443")
	if _, ok := q.Profile("https://a:7443"); ok || q.Get().Current != "" {
		t.Error("the profile is still there")
	}
	if q.SortOf("hosts", Sort{}).Column != "size" || q.SortOf("jobs", Sort{Column: "x"}).Column != "x" {
		t.Error("sorts are wrong")
	}
	info, err := os.Stat(filepath.Join(dir, fileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, err %v", info.Mode(), err)
	}
}

func TestNothingIsSavedWhenNothingChanged(t *testing.T) {
	saves := 0
	p := New(Data{Theme: "dark"}, func(Data) { saves++ })
	p.Change(func(d *Data) { d.Theme = "dark" })
	got := p.Get()
	got.Profiles = append(got.Profiles, Profile{})
	if saves != 0 || len(p.Get().Profiles) != 0 {
		t.Error("saved, or shared")
	}
	p.SetSort("a", Sort{Column: "x"})
	p.SetSort("a", Sort{Column: "x"})
	if saves != 1 {
		t.Errorf("%d saves", saves)
	}
}

func TestABrokenFileIsAnErrorAndStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := os.WriteFile(path, []byte("{not json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); fault.CodeOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), path) {
		t.Errorf("err %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "{not json" {
		t.Errorf("%q, err %v", b, err)
	}
}

func TestAFolderThatCannotBeWrittenIsReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var got error
	s := NewSaver(filepath.Join(file, "below"), func(err error) { got = err })
	s.Save(Data{})
	s.Close()
	if fault.CodeOf(got) != fault.InvalidInput {
		t.Errorf("err %v", got)
	}
}

type ring struct {
	items map[string]secret.Secret
	err   error
}

func (r *ring) Set(_ context.Context, service, user string, v secret.Secret) error {
	r.items[service+"/"+user] = v
	return r.err
}

func (r *ring) Get(_ context.Context, service, user string) (secret.Secret, error) {
	v, ok := r.items[service+"/"+user]
	if !ok && r.err == nil {
		return v, keyring.ErrNotFound
	}
	return v, r.err
}

func (r *ring) Delete(_ context.Context, service, user string) error {
	if _, ok := r.items[service+"/"+user]; !ok {
		return keyring.ErrNotFound
	}
	delete(r.items, service+"/"+user)
	return nil
}

func TestVault(t *testing.T) {
	r := &ring{items: map[string]secret.Secret{}}
	calls := 0
	v := NewVault(r, func() { calls++ })
	p := Profile{Address: "https://a:7443", User: "mira"}
	ctx := t.Context()
	if s, err := v.Token(ctx, p); err != nil || !s.IsZero() {
		t.Fatalf("%v, err %v", s, err)
	}
	if err := errors.Join(v.KeepToken(ctx, p, secret.New("t")), v.KeepPassword(ctx, p, "offsite", secret.New("pw"))); err != nil {
		t.Fatal(err)
	}
	token, err1 := v.Token(ctx, p)
	password, err2 := v.Password(ctx, p, "offsite")
	other, err3 := v.Password(ctx, Profile{Address: "https://b:7443"}, "offsite")
	if err := errors.Join(err1, err2, err3); err != nil || token.Reveal() != "t" || password.Reveal() != "pw" || !other.IsZero() {
		t.Fatalf("%v", err)
	}
	if err := errors.Join(v.DropToken(ctx, p), v.DropToken(ctx, p)); err != nil {
		t.Fatal(err)
	}
	r.err = fault.New(fault.SecretStore, "use --secrets=sealed-file")
	if err := v.KeepToken(ctx, p, secret.New("t")); fault.CodeOf(err) != fault.SecretStore || strings.HasPrefix(err.Error(), "use --secrets") {
		t.Errorf("err %v", err)
	}
	if calls != 9 {
		t.Errorf("the guard was called %d times", calls)
	}
}
