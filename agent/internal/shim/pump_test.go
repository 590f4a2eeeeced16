package shim

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

func TestPaceIsPatientOnlyWhenLinesComeThick(t *testing.T) {
	for _, c := range []struct {
		rate     int // lines a second
		from, to time.Duration
	}{{1, 0, 0}, {100, 0, 0}, {300, 0, 0}, {1000, time.Millisecond, 3 * time.Millisecond}, {3000, 36 * time.Millisecond, 41 * time.Millisecond}, {10_000, 39 * time.Millisecond, 41 * time.Millisecond}} {
		p := newPace(1 << 20)
		now := time.Unix(0, 0)
		var rest time.Duration
		left := 0.0
		for range 2000 {
			step := max(rest, time.Second/time.Duration(c.rate))
			now = now.Add(step)
			left += step.Seconds() * float64(c.rate)
			lines := int(left)
			left -= float64(lines)
			rest = p.next(now, lines, lines*200)
		}
		if rest < c.from || rest > c.to {
			t.Errorf("%d lines/s: a pause of %v, want %v to %v", c.rate, rest, c.from, c.to)
		}
		if rest := p.next(now.Add(time.Millisecond), 1300, 300<<10); rest != 0 {
			t.Errorf("a flood is held up for %v", rest)
		}
	}
	p := newPace(1 << 20)
	now := time.Unix(0, 0)
	for range 100 { // thick, then a lone line
		now = now.Add(time.Millisecond)
		p.next(now, 10, 2000)
	}
	if rest := p.next(now.Add(time.Minute), 1, 200); rest > longest+slack {
		t.Errorf("a lone line waits %v", rest)
	}
}

// TestPumpGivesEveryByteOnce feeds a pipe in pieces of every kind; blocks end at newlines unless a line is too long.
func TestPumpGivesEveryByteOnce(t *testing.T) {
	text := "one\ntwo\n\n" + strings.Repeat("x", pumpBuffer+100) + "\nthree\n" + strings.Repeat("y", 2*pumpBuffer) + "\nlast, not ended"
	for _, piece := range []int{1 << 10, 7777, 1 << 20} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer w.Close()
			for rest := text; rest != ""; {
				n := min(piece, len(rest))
				if _, err := w.WriteString(rest[:n]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
		}()
		blocks := make(chan block)
		go func() { pump(r, fleet.StreamOut, newPace(64<<10), blocks); close(blocks) }()
		var got strings.Builder
		ended := false
		for b := range blocks {
			if ended {
				t.Fatal("a block after the last")
			}
			if !b.last && !strings.HasSuffix(b.text, "\n") && len(b.text) < pumpBuffer {
				t.Fatalf("a block of %d bytes ends within a line", len(b.text))
			}
			got.WriteString(b.text)
			ended = b.last
			b.done <- struct{}{}
		}
		r.Close()
		if !ended || got.String() != text {
			t.Fatalf("pieces of %d: %d bytes of %d, ended %v", piece, got.Len(), len(text), ended)
		}
	}
}
