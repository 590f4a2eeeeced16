package keyring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gokeyring "github.com/zalando/go-keyring"
	"go.uber.org/goleak"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// The two ignored goroutines are the D-Bus library's: it keeps one connection to the session bus for the life of the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/godbus/dbus/v5.newConn.func1"),
		goleak.IgnoreAnyFunction("github.com/godbus/dbus/v5.(*Conn).inWorker"))
}

// memory is a keyring in memory. err is returned by every call; hang, while not nil, is waited for first; lies makes Set
// succeed without storing.
type memory struct {
	mu    sync.Mutex
	items map[string]string
	err   error
	hang  chan struct{}
	lies  bool
	panic bool
	calls int
}

func (m *memory) enter() error {
	m.mu.Lock()
	m.calls++
	hang, err, p := m.hang, m.err, m.panic
	m.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if p {
		panic("nil signal")
	}
	return err
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

func (m *memory) Set(service, user, value string) error {
	if err := m.enter(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items == nil {
		m.items = map[string]string{}
	}
	if !m.lies {
		m.items[service+"/"+user] = value
	}
	return nil
}

func (m *memory) Get(service, user string) (string, error) {
	if err := m.enter(); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.items[service+"/"+user]
	if !ok {
		return "", gokeyring.ErrNotFound
	}
	return v, nil
}

func (m *memory) Delete(service, user string) error {
	if _, err := m.Get(service, user); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.items, service+"/"+user)
	return nil
}

func TestRoundTrip(t *testing.T) {
	ctx, k := t.Context(), newKeyring(&memory{}, Limit)
	if err := k.Available(ctx); err != nil {
		t.Fatal(err)
	}
	if err := k.Set(ctx, "s", "u", secret.New("value")); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Get(ctx, "s", "u"); err != nil || got.Reveal() != "value" {
		t.Fatalf("got %q, %v", got.Reveal(), err)
	}
	if err := k.Delete(ctx, "s", "u"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(ctx, "s", "u"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("after delete: %v", err)
	}
}

func TestNoOtherErrorIsNotFound(t *testing.T) {
	const planted = "hunter2-planted"
	cases := map[string]struct {
		backend *memory
		want    fault.Code
	}{
		"any error":         {&memory{err: errors.New("The name is not activatable")}, fault.SecretStore},
		"text of not found": {&memory{err: errors.New(gokeyring.ErrNotFound.Error())}, fault.SecretStore},
		"panic":             {&memory{panic: true}, fault.SecretStore},
		"nothing stored":    {&memory{lies: true}, fault.SecretStore},
		"too big":           {&memory{err: gokeyring.ErrSetDataTooBig}, fault.TooLarge},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			k := newKeyring(c.backend, Limit)
			for what, err := range map[string]error{
				"set":       k.Set(t.Context(), "s", "u", secret.New(planted)),
				"available": k.Available(t.Context()),
			} {
				if fault.CodeOf(err) != c.want || errors.Is(err, ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
				if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), planted) {
					t.Errorf("%s shows the value: %v", what, err)
				}
			}
			if c.backend.lies {
				return
			}
			if _, err := k.Get(t.Context(), "s", "u"); fault.CodeOf(err) != c.want || errors.Is(err, ErrNotFound) {
				t.Errorf("get: %v", err)
			}
			if err := k.Delete(t.Context(), "s", "u"); fault.CodeOf(err) != c.want || errors.Is(err, ErrNotFound) {
				t.Errorf("delete: %v", err)
			}
		})
	}
}

func TestSizeIsChecked(t *testing.T) {
	k := newKeyring(&memory{}, Limit)
	for _, n := range []int{0, MaxItem + 1} {
		if err := k.Set(t.Context(), "s", "u", secret.New(strings.Repeat("x", n))); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// Calls end at the limit while the keyring waits for a person, they do not pile up in it, and it serves again afterwards.
func TestSilentKeyringIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{hang: make(chan struct{})}
		k := newKeyring(m, Limit)
		for range 3 {
			begin := time.Now()
			_, err := k.Get(t.Context(), "s", "u")
			if fault.CodeOf(err) != fault.SecretStore || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("silent keyring: %v", err)
			}
			if d := time.Since(begin); d != Limit {
				t.Fatalf("took %v", d)
			}
		}
		if n := m.count(); n != 1 {
			t.Fatalf("%d calls reached the keyring", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := k.Get(ctx, "s", "u"); !errors.Is(err, context.Canceled) || fault.CodeOf(err) == fault.SecretStore {
			t.Fatalf("cancelled: %v", err)
		}
		m.mu.Lock()
		hang := m.hang
		m.hang = nil
		m.mu.Unlock()
		close(hang)
		synctest.Wait()
		if err := k.Set(t.Context(), "s", "u", secret.New("v")); err != nil {
			t.Fatalf("after the keyring answered: %v", err)
		}
	})
}
