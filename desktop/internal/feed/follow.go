package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// What waits for the UI of one job's log. Full means that the stream is not read on.
const (
	maxLines     = 20_000
	maxLineBytes = 8 << 20
	maxProgress  = 512 // figures; beyond, the newest takes the place of the one before
)

// FollowConfig says which job, and what to do with what comes.
type FollowConfig struct {
	Job   fleet.JobID
	Tail  int64                // begin so many lines before the end, see JobFeed.Older for the rest; 0: at the first line
	Apply func(model.JobBatch) // on the UI goroutine
}

// JobFeed is the stream of one job: the stored lines, then what comes, each line once and in order. It ends with the log, with
// Close, or with its session.
type JobFeed struct {
	cfg     FollowConfig
	session *Session
	pump    *pump
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu      sync.Mutex
	pending model.JobBatch
	bytes   int // of pending.Lines
	waits   bool
	last    int64 // number of the last line that came
	begun   bool  // last holds
	link    model.Connection
	room    chan struct{}
}

// Follow begins to stream a job.
func (s *Session) Follow(cfg FollowConfig) *JobFeed {
	f := &JobFeed{cfg: cfg, session: s, pump: newPump(s.cfg.Post, s.cfg.Interval), stop: func() {}, room: make(chan struct{})}
	ctx, end, ok := s.Calls.begin(context.Background())
	if !ok {
		return f // the session is over: so is this
	}
	ctx, f.stop = context.WithCancel(ctx)
	f.setLink(model.Connection{Link: model.Connecting, Since: s.cfg.Now()})
	f.wg.Go(func() { f.pump.run(ctx, f.take) })
	f.wg.Go(func() { f.follow(ctx) })
	go func() {
		f.wg.Wait()
		end()
	}()
	return f
}

// Close ends the stream and waits until it is gone. Nothing of it is handed over after the call began.
func (f *JobFeed) Close() {
	f.stop()
	f.wg.Wait()
}

// Older reads at most n lines before line before, for someone who scrolls up, and gives them to done on the UI goroutine, unless
// ctx has ended by then.
func (f *JobFeed) Older(ctx context.Context, before int64, n int, done func(first int64, lines []fleet.LogLine, err error)) {
	after := max(before-1-int64(n), 0)
	Call(ctx, f.session.Calls, func(ctx context.Context) ([]fleet.LogLine, error) {
		return readLines(ctx, f.session.cfg.Daemon, f.cfg.Job, after, before-1)
	}, func(lines []fleet.LogLine, err error) { done(after+1, lines, err) })
}

var errEnough = errors.New("enough lines were read")

// readLines reads the lines after one up to another of a stored log.
func readLines(ctx context.Context, d Daemon, job fleet.JobID, after, to int64) ([]fleet.LogLine, error) {
	if to <= after {
		return nil, nil
	}
	var lines []fleet.LogLine
	err := d.LogLines(ctx, job, after, func(seq int64, l fleet.LogLine) error {
		lines = append(lines, l)
		if seq >= to {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return lines, err
}

// follow keeps the stream going until its end, ctx's, or an error that no further try can change.
func (f *JobFeed) follow(ctx context.Context) {
	for {
		f.mu.Lock()
		opt := apiclient.FollowOptions{AfterSeq: f.last}
		if !f.begun {
			opt.Tail = f.cfg.Tail
		}
		f.mu.Unlock()
		err := f.session.cfg.Daemon.Follow(ctx, f.cfg.Job, opt, f.handler(ctx))
		if err == nil || ctx.Err() != nil {
			return
		}
		link, pause := linkOf(err, f.session.cfg.Now())
		f.setLink(link)
		if pause == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func (f *JobFeed) handler(ctx context.Context) apiclient.FollowHandler {
	return apiclient.FollowHandler{
		Snapshot: f.snapshot,
		Lines: func(first int64, lines []fleet.LogLine) {
			f.waitForRoom(ctx)
			f.lines(first, lines)
		},
		Progress: func(p fleet.Progress) { f.put(func(b *model.JobBatch) { addProgress(b, p) }) },
		Started:  func(agentwire.JobStarted) {}, // the row says so too, in the snapshot that follows
		Live:     func() { f.put(func(b *model.JobBatch) { b.Live = true }) },
		Finished: func(j fleet.Job) { f.put(func(b *model.JobBatch) { b.Job = &j }) },
		EOF:      func(api.EOF) { f.put(func(b *model.JobBatch) { b.EOF = true }) },
		Lost: func(err error, retryIn time.Duration) {
			now := f.session.cfg.Now()
			f.setLink(model.Connection{Link: model.Lost, Since: now, Err: err, RetryAt: now.Add(retryIn)})
		},
	}
}

func (f *JobFeed) snapshot(s api.StreamSnapshot) {
	f.alive()
	f.mu.Lock()
	if !f.begun {
		f.begun, f.last = true, max(s.FromSeq-1, 0)
	}
	f.mu.Unlock()
	f.put(func(b *model.JobBatch) {
		b.Job, b.AsOfSeq = &s.Job, s.AsOfSeq
		if len(s.Past) > 0 {
			b.Past = s.Past
		}
		if s.Progress != nil {
			addProgress(b, *s.Progress)
		}
	})
}

func (f *JobFeed) lines(first int64, lines []fleet.LogLine) {
	f.mu.Lock()
	f.begun, f.last = true, first+int64(len(lines))-1
	for i := range lines {
		f.bytes += len(lines[i].Text)
	}
	f.mu.Unlock()
	f.put(func(b *model.JobBatch) {
		if len(b.Lines) == 0 {
			b.First = first
		}
		b.Lines = append(b.Lines, lines...)
	})
}

// addProgress keeps figures in their order, and of too many the newest.
func addProgress(b *model.JobBatch, p fleet.Progress) {
	if n := len(b.Progress); n >= maxProgress {
		b.Progress[n-1] = p
		return
	}
	b.Progress = append(b.Progress, p)
}

func (f *JobFeed) put(fn func(*model.JobBatch)) {
	f.mu.Lock()
	fn(&f.pending)
	f.waits = true
	f.mu.Unlock()
	f.pump.ring()
}

// alive notes a sign of life.
func (f *JobFeed) alive() {
	now := f.session.cfg.Now()
	f.mu.Lock()
	was := f.link.Link
	f.link.AsOf = now
	f.mu.Unlock()
	if was != model.Live {
		f.setLink(model.Connection{Link: model.Live, Since: now, AsOf: now})
	}
}

func (f *JobFeed) setLink(c model.Connection) {
	f.mu.Lock()
	c = following(f.link, c)
	f.link = c
	f.mu.Unlock()
	f.put(func(b *model.JobBatch) { b.Link = &c })
}

// waitForRoom holds the stream up while too much waits.
func (f *JobFeed) waitForRoom(ctx context.Context) {
	for {
		f.mu.Lock()
		full, room := len(f.pending.Lines) >= maxLines || f.bytes >= maxLineBytes, f.room
		f.mu.Unlock()
		if !full {
			return
		}
		select {
		case <-room:
		case <-ctx.Done():
			return
		}
	}
}

// take gives what waits to the pump.
func (f *JobFeed) take() func() {
	f.mu.Lock()
	b, waits := f.pending, f.waits
	f.pending, f.waits, f.bytes = model.JobBatch{}, false, 0
	close(f.room)
	f.room = make(chan struct{})
	f.mu.Unlock()
	if !waits {
		return nil
	}
	return func() { f.cfg.Apply(b) }
}
