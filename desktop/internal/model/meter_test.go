package model_test

import (
	"math"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
)

func TestMeter(t *testing.T) {
	var m model.Meter
	if m.Rate() != 0 || m.Peak() != 0 {
		t.Fatal("speed out of nothing")
	}
	at := t0
	add := func(n int, step time.Duration, bytesEach int64, from int64) int64 {
		for range n {
			at = at.Add(step)
			from += bytesEach
			m.Add(at, from)
		}
		return from
	}
	m.Add(at, 0)
	b := add(100, 100*time.Millisecond, 100, 0) // 1,000 B/s
	if r := m.Rate(); math.Abs(r-1000) > 1 {
		t.Fatal(r)
	}
	b = add(20, 100*time.Millisecond, 1000, b) // 10,000 B/s for 2 of 5 s
	if r := m.Rate(); math.Abs(r-4600) > 100 {
		t.Fatal(r)
	}
	b = add(60, 100*time.Millisecond, 0, b) // it stands still
	if r, p := m.Rate(), m.Peak(); r != 0 || math.Abs(p-4600) > 100 {
		t.Fatal(r, p)
	}
	m.Add(at, b+5) // the same moment: no division by nothing
	m.Add(at.Add(time.Second), 10)
	if r := m.Rate(); r != 0 {
		t.Fatal("a count that went back has a speed", r)
	}
	at = at.Add(time.Minute)
	add(10_000, time.Millisecond, 7, 10) // far more often than the window needs
	if r := m.Rate(); math.Abs(r-7000) > 200 {
		t.Fatal(r)
	}
}
