package session_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

var candidates = identity.Candidates

// BenchmarkLatency is the time from a line in the spool to the daemon's hands, at some rates.
func BenchmarkLatency(b *testing.B) {
	for _, rate := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d lines a second", rate), func(b *testing.B) { latency(b, time.Second/time.Duration(rate)) })
	}
}

func latency(b *testing.B, every time.Duration) {
	d := newDaemon(b)
	a := newAgent(b, d)
	j := a.jobs.add("j1", 0)
	a.start(b)
	p := d.welcomed(b)
	p.read(b)
	printed := make(chan time.Time, b.N+1)
	var took []time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(took) < b.N {
			_, m := expect[agentwire.LogStream](b, p, agentwire.TypeLogStream)
			now := time.Now()
			for range m.Lines {
				took = append(took, now.Sub(<-printed))
			}
		}
	}()
	b.ResetTimer()
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	for n := 0; n < b.N; {
		<-tick.C
		for range min(max(1, int(time.Millisecond/every)), b.N-n) {
			printed <- time.Now()
			j.print(1)
			n++
		}
	}
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}

// BenchmarkBacklog is how fast a log that waits on the disk goes out.
func BenchmarkBacklog(b *testing.B) {
	d := newDaemon(b)
	a := newAgent(b, d, func(c *session.Config) { c.MinSpacing = time.Nanosecond })
	text := fleet.LogLine{Time: time.Unix(1, 0).UTC(), Stream: fleet.StreamOut, Text: fmt.Sprintf("%0120d", 1)}
	j := a.jobs.add("j1", 0)
	j.lines = slices.Repeat([]fleet.LogLine{text}, b.N)
	j.end(fleet.StateSucceeded)
	b.SetBytes(int64(len(text.Text)))
	b.ResetTimer()
	a.start(b)
	p := d.welcomed(b)
	for {
		if e := p.read(b); e.Type == agentwire.TypeJobFinished {
			return
		}
	}
}
