package apiclient

import (
	"context"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// FollowOptions says where a stream begins. The zero value follows from the first line, for ever.
type FollowOptions struct {
	AfterSeq    int64         // begin after this line
	Tail        int64         // begin this many lines before the end; AfterSeq does not count then
	GiveUpAfter time.Duration // give up after so long without contact; 0: never
}

// FollowHandler takes what happens; nil members are passed over. All are called from Follow's own goroutine, one at a time.
type FollowHandler struct {
	// Snapshot is the state of the job: first on each connection, and again when the job's row changed.
	Snapshot func(api.StreamSnapshot)
	// Lines gives lines of the log, the first of them with number first. The slice is the handler's.
	Lines    func(first int64, lines []fleet.LogLine)
	Progress func(fleet.Progress)
	Started  func(agentwire.JobStarted)
	// Live says that all lines known so far have come, also after each new connection.
	Live func()
	// Finished gives the job with its outcome, once for each outcome; after it come the last lines, if any, and EOF.
	Finished func(fleet.Job)
	EOF      func(api.EOF)
	// Lost says that the connection broke, or could not be made, and when the next try is; Regained that one stands again.
	Lost     func(err error, retryIn time.Duration)
	Regained func()
}

// Follow streams a job to h until the end of its log, and returns nil then. It reconnects by itself. Errors: ctx's; what no
// further try can change (Unauthenticated, UnknownJob, PinMismatch, …); Unavailable after GiveUpAfter; Protocol when what comes
// is not the log that the daemon has.
func (c *Client) Follow(ctx context.Context, job fleet.JobID, opt FollowOptions, h FollowHandler) error {
	return c.keepUp(ctx, route("jobs", string(job), "stream"), opt.GiveUpAfter, newFollower(job, opt, h))
}

// follower is the reading end of a job stream.
type follower struct {
	job     fleet.JobID
	h       FollowHandler
	tail    int64 // > 0: the place to begin is not known yet
	epoch   string
	pos     fleet.LogPosition // last line given; bytes and checksum hold when whole
	whole   bool              // the log is followed from its first line
	decoder fleet.LineDecoder
	ended   int64 // rev of the job that Finished was called with
}

func newFollower(job fleet.JobID, opt FollowOptions, h FollowHandler) *follower {
	f := &follower{job: job, h: h, tail: max(opt.Tail, 0)}
	if f.tail == 0 {
		f.pos.LastSeq = max(opt.AfterSeq, 0)
	}
	f.whole = f.tail == 0 && f.pos.LastSeq == 0
	return f
}

func (f *follower) position() int64 { return f.pos.LastSeq }

func (f *follower) hello() ([]byte, error) {
	s := api.Subscribe{AfterSeq: f.pos.LastSeq, Tail: f.tail, Epoch: f.epoch}
	return agentwire.Encode(api.TypeSubscribe, "", f.job, s)
}

func (f *follower) frame(b []byte) (done bool, err error) {
	if job, m, ok := agentwire.DecodeLogStreamWith(&f.decoder, b); ok { // nearly every frame, and many a second
		if job != f.job {
			return false, otherJob()
		}
		return false, f.lines(m, f.decoder.After)
	}
	e, err := agentwire.Decode(b)
	if err != nil {
		return false, fmt.Errorf("read job stream: %w", err)
	}
	if e.JobID != "" && e.JobID != f.job {
		return false, otherJob()
	}
	switch e.Type {
	case api.TypeSnapshot:
		return false, take(e, f.snapshot)
	case agentwire.TypeLogStream:
		return false, take(e, f.anyLines)
	case agentwire.TypeJobProgress:
		return false, take(e, call1(f.h.Progress))
	case agentwire.TypeJobStarted:
		return false, take(e, call1(f.h.Started))
	case api.TypeLive:
		if f.h.Live != nil {
			f.h.Live()
		}
	case agentwire.TypeJobFinished:
		return false, take(e, f.finished)
	case api.TypeEOF:
		err := take(e, f.eof)
		return err == nil, err
	case agentwire.TypeReset:
		// The daemon's store was restored from a copy, and the log comes anew from its beginning. Numbers of lines are the
		// host's own, so what was given before is trimmed as ever.
		f.epoch = ""
	}
	return false, nil // a type of a newer daemon that may be ignored
}

func otherJob() error {
	return fault.New(fault.Protocol, "The daemon sent what belongs to another job. Update the older side.")
}

// take decodes e's payload and gives it to f.
func take[T any](e agentwire.Envelope, f func(T) error) error {
	v, err := agentwire.Payload[T](e)
	if err != nil {
		return err
	}
	return f(v)
}

// call1 makes a handler that may be nil into one that cannot fail.
func call1[T any](f func(T)) func(T) error {
	return func(v T) error {
		if f != nil {
			f(v)
		}
		return nil
	}
}

func (f *follower) snapshot(s api.StreamSnapshot) error {
	if f.tail > 0 {
		f.tail, f.pos.LastSeq = 0, max(s.FromSeq-1, 0)
		f.whole = f.pos.LastSeq == 0
	}
	f.epoch = s.Epoch
	if f.h.Snapshot != nil {
		f.h.Snapshot(s)
	}
	return nil
}

// anyLines takes lines that another daemon wrote in another way.
func (f *follower) anyLines(m agentwire.LogStream) error {
	return f.lines(m, func(p fleet.LogPosition, known int) fleet.LogPosition {
		for _, l := range m.Lines[known:] {
			p = p.Add(l)
		}
		return p
	})
}

// lines trims what came before and takes a hole for a broken connection: the next one begins after the last line given. after gives
// the position after the lines that are not known.
func (f *follower) lines(m agentwire.LogStream, after func(p fleet.LogPosition, known int) fleet.LogPosition) error {
	if f.tail > 0 || m.FirstSeq < 1 || m.FirstSeq > f.pos.LastSeq+1 {
		return fault.New(fault.Protocol, "Lines of the log are missing in the stream: %d came where %d was next. Run the command again.", m.FirstSeq, f.pos.LastSeq+1)
	}
	known := f.pos.LastSeq + 1 - m.FirstSeq
	if known >= int64(len(m.Lines)) {
		return nil
	}
	first := f.pos.LastSeq + 1
	if f.whole {
		f.pos = after(f.pos, int(known))
	} else {
		f.pos.LastSeq = m.FirstSeq + int64(len(m.Lines)) - 1
	}
	if f.h.Lines != nil {
		f.h.Lines(first, m.Lines[known:])
	}
	return nil
}

func (f *follower) finished(m api.StreamFinished) error {
	if m.Job.Rev != 0 && m.Job.Rev == f.ended {
		return nil // told on the connection before
	}
	f.ended = m.Job.Rev
	if f.h.Finished != nil {
		f.h.Finished(m.Job)
	}
	return nil
}

func (f *follower) eof(e api.EOF) error {
	if e.LastSeq > f.pos.LastSeq {
		return fault.New(fault.Protocol, "The stream ended at line %d of %d. Run the command again.", f.pos.LastSeq, e.LastSeq)
	}
	if f.whole && e.Sealed && e.LastSeq == f.pos.LastSeq && e.CRC32C != f.pos.CRC32C {
		return fault.Wrap(fault.Protocol, errHopeless, "The log that arrived is not the one that the daemon stored. Run the command again.")
	}
	if f.h.EOF != nil {
		f.h.EOF(e)
	}
	return nil
}

func (f *follower) lost(err error, retryIn time.Duration) {
	if f.h.Lost != nil {
		f.h.Lost(err, retryIn)
	}
}

func (f *follower) regained() {
	if f.h.Regained != nil {
		f.h.Regained()
	}
}
