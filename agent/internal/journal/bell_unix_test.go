//go:build !windows

package journal_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
)

func heard(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("not heard: %s", what)
	}
}

// listener hears a bell; lines gets a token when lines are rung.
type listener struct {
	*journal.Bell
	lines chan struct{}
}

func (l listener) Lines() <-chan struct{} { return l.lines }

func listen(t *testing.T, path string) listener {
	t.Helper()
	lines := make(chan struct{}, 1)
	b, err := journal.Listen(path, func() {
		select {
		case lines <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener{b, lines}
}

func ringer(t *testing.T, path string) *journal.Ringer {
	t.Helper()
	r, err := journal.OpenRinger(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBellIsHeardWhoeverCameFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bell")
	r := ringer(t, path)
	r.Ring(journal.Lines) // nobody hears it, nobody waits
	b := listen(t, path)
	heard(t, b.Lines(), "rung before listening")
	r.Ring(journal.State)
	heard(t, b.State(), "state")
	select {
	case <-b.Lines():
		t.Fatal("lines were rung by nobody")
	default:
	}
	// The ringer dies, another comes.
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = ringer(t, path)
	defer r.Close()
	r.Ring(journal.Lines)
	heard(t, b.Lines(), "the next ringer")
	// The listener dies, another comes.
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	r.Ring(journal.Lines)
	b = listen(t, path)
	r.Ring(journal.Lines)
	heard(t, b.Lines(), "the next listener")
}

func TestRingingNeverBlocksAndIsCoalesced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bell")
	r := ringer(t, path)
	defer r.Close()
	for range 1 << 18 { // four times what a pipe holds
		r.Ring(journal.Lines)
	}
	b := listen(t, path)
	heard(t, b.Lines(), "a full pipe")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal("second close:", err)
	}
	if n := len(b.Lines()); n > 1 {
		t.Fatalf("%d tokens", n)
	}
}
