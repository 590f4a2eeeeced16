package sample

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// Flood is a crowd with one backup whose log has many lines already and grows fast for as long as somebody follows it. It
// follows the real clock. The lines are not kept: one follower, from the first line on.
type Flood struct {
	*Daemon
	Flooded fleet.JobID   // the job
	Filled  chan struct{} // closed when so many lines were given as it has at first

	lines, rate int
	full        sync.Once
}

const (
	floodTexts = 20_000
	floodEvery = 20 * time.Millisecond // as the real daemon writes to its socket
)

// NewFlood makes the job on a host of a small crowd: lines that there are, and rate lines a second that come.
func NewFlood(now time.Time, lines, rate int) *Flood {
	d := Crowd(now, 30, 300)
	for _, h := range d.hosts {
		if h.OS == "linux" {
			j := d.openOn(h)
			d.jobChangedLocked(j)
			return &Flood{Daemon: d, Flooded: j.ID, Filled: make(chan struct{}), lines: lines, rate: rate}
		}
	}
	panic("sample: no host of the crowd is a linux machine")
}

// Follow gives the lines of the flood; of other jobs what they have.
func (f *Flood) Follow(ctx context.Context, id fleet.JobID, opt apiclient.FollowOptions, h apiclient.FollowHandler) error {
	if id != f.Flooded {
		return f.Daemon.Follow(ctx, id, opt, h)
	}
	row, err := f.Daemon.Job(ctx, id)
	if err != nil {
		return err
	}
	texts := make([]fleet.LogLine, floodTexts)
	rnd := rand.New(rand.NewPCG(11, 4))
	for i := range texts {
		texts[i] = verboseLine(rnd, i%len(machines), i, f.now)
	}
	h.Snapshot(api.StreamSnapshot{Job: row, FromSeq: 1, Epoch: "sample"})
	given := 0
	give := func(n int) {
		for end := given + n; given < end && ctx.Err() == nil; {
			from := given % floodTexts
			batch := append([]fleet.LogLine(nil), texts[from:min(from+min(batchLines, end-given), floodTexts)]...)
			now := time.Now()
			for i := range batch {
				batch[i].Time = now
			}
			h.Lines(int64(given)+1, batch)
			given += len(batch)
		}
	}
	give(f.lines)
	if ctx.Err() == nil {
		h.Live()
		f.full.Do(func() { close(f.Filled) })
	}
	return f.flow(ctx, h, give)
}

// flow gives what the log grows by, and the figures each second, until ctx ends.
func (f *Flood) flow(ctx context.Context, h apiclient.FollowHandler, give func(int)) error {
	began, sent, told := time.Now(), 0, time.Duration(0)
	t := time.NewTicker(floodEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return fmt.Errorf("follow %s: %w", Address, ctx.Err())
		}
		passed := time.Since(began)
		due := int(passed.Seconds() * float64(f.rate))
		give(due - sent)
		sent = due
		if passed-told >= time.Second {
			told = passed
			done := int64(passed.Seconds() * 900 * mebibyte)
			h.Progress(fleet.Progress{Phase: fleet.PhaseReading, At: time.Now(), BytesDone: done, BytesTotal: 4000 * gibibyte, FilesDone: int64(sent), FilesTotal: 100_000_000})
		}
	}
}
