package shim

import (
	"strings"
	"sync"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	progressEvery = time.Second
	tickEvery     = 250 * time.Millisecond
	// maxDecoded bounds a line that the decoder is shown; the list of a snapshots job is one line. Of a longer one it sees nothing,
	// the log has it all.
	maxDecoded = 64 << 20
)

// recorder is the goroutine that owns the spool, the decoder and the progress.
type recorder struct {
	folder  journal.Folder
	log     *spool.Writer
	bell    *journal.Ringer
	decoder *restic.Decoder
	now     func() time.Time

	blocks chan block  // unbuffered: full means that restic's pipe fills, which holds a megabyte
	calls  chan func() // unbuffered: the caller waits its turn
	quit   chan struct{}
	wait   sync.WaitGroup

	long     [2]*longLine
	progress progressFile
	retries  retryWatch
	ticked   time.Time
}

// longLine is a line of restic that did not fit into one block or one log line.
type longLine struct {
	text strings.Builder
	cut  bool // longer than maxDecoded
}

func startRecorder(f journal.Folder, log *spool.Writer, bell *journal.Ringer, d *restic.Decoder, t Timing) *recorder {
	r := &recorder{folder: f, log: log, bell: bell, decoder: d, now: time.Now, blocks: make(chan block), calls: make(chan func()),
		quit: make(chan struct{}), retries: newRetryWatch(t)}
	r.wait.Go(r.run)
	return r
}

func (r *recorder) run() {
	tick := time.NewTimer(tickEvery)
	defer tick.Stop()
	for {
		if due := r.due(); due.IsZero() {
			tick.Stop()
		} else {
			tick.Reset(max(due.Sub(r.now()), 0))
		}
		select {
		case b := <-r.blocks:
			r.take(b)
			b.done <- struct{}{}
		case f := <-r.calls:
			f()
		case <-tick.C:
			r.tick()
		case <-r.quit:
			return
		}
	}
}

// due is when something is to be done though nothing comes; zero: never. Every wake-up takes from restic.
func (r *recorder) due() time.Time {
	switch {
	case r.log.Err() != nil || !r.retries.since.IsZero():
		return r.ticked.Add(tickEvery)
	case r.progress.pending: // restic's next figures come a little earlier, and are newer
		return r.progress.written.Add(progressEvery + tickEvery)
	}
	return time.Time{}
}

// stop ends the goroutine. What it owns is the caller's from then on.
func (r *recorder) stop() {
	close(r.quit)
	r.wait.Wait()
}

// do runs f in the recorder's goroutine and waits for it.
func (r *recorder) do(f func()) {
	done := make(chan struct{})
	r.calls <- func() { f(); close(done) }
	<-done
}

// take records a block: one write to the spool, one ring.
func (r *recorder) take(b block) {
	now := r.now()
	before := r.log.Position().LastSeq
	for text := b.text; text != ""; {
		line, rest, ended := strings.Cut(text, "\n")
		r.line(now, b.stream, line, ended || b.last)
		text = rest
	}
	if b.last && r.long[streamIndex(b.stream)] != nil {
		r.line(now, b.stream, "", true)
	}
	r.log.Flush(now)
	if r.log.Position().LastSeq != before {
		r.bell.Ring(journal.Lines)
	}
}

func streamIndex(s fleet.LogStream) int {
	if s == fleet.StreamErr {
		return 1
	}
	return 0
}

// line records one line of restic, or a part of one that is not ended yet.
func (r *recorder) line(now time.Time, s fleet.LogStream, text string, ended bool) {
	long := r.long[streamIndex(s)]
	if long == nil && ended && len(text) <= fleet.MaxLineText {
		if r.decode(now, s, text) {
			r.log.Add(fleet.LogLine{Time: now, Stream: s, Text: text})
		}
		return
	}
	if long == nil {
		long = &longLine{}
		r.long[streamIndex(s)] = long
	}
	if long.text.Len()+len(text) > maxDecoded {
		long.cut = true
	} else {
		long.text.WriteString(text)
	}
	for len(text) > fleet.MaxLineText {
		r.log.Add(fleet.LogLine{Time: now, Stream: s, Text: text[:fleet.MaxLineText], Cont: true})
		text = text[fleet.MaxLineText:]
	}
	r.log.Add(fleet.LogLine{Time: now, Stream: s, Text: text, Cont: !ended})
	if ended {
		r.endLong(now, s)
	}
}

// endLong shows the decoder a long line that is whole now.
func (r *recorder) endLong(now time.Time, s fleet.LogStream) {
	long := r.long[streamIndex(s)]
	if long != nil && !long.cut {
		r.decode(now, s, long.text.String()) // it is in the log already, whatever the decoder thinks of it
	}
	r.long[streamIndex(s)] = nil
}

// decode shows a line to the decoder and tells whether it belongs into the log.
func (r *recorder) decode(now time.Time, s fleet.LogStream, text string) bool {
	e := r.decoder.Line(s, text)
	r.retries.see(now, s, e)
	if e.Progress != nil {
		r.setProgress(now, *e.Progress)
	}
	return e.Keep
}

// note writes the agent's own words into the log.
func (r *recorder) note(text string) {
	r.do(func() {
		now := r.now()
		for text != "" {
			piece := text[:min(len(text), fleet.MaxLineText)]
			text = text[len(piece):]
			r.log.Add(fleet.LogLine{Time: now, Stream: fleet.StreamNote, Text: piece, Cont: text != ""})
		}
		r.log.Flush(now)
		r.bell.Ring(journal.Lines)
	})
}

func (r *recorder) tick() {
	now := r.now()
	r.ticked = now
	r.log.Flush(now) // only a full disk leaves something to do here
	if r.retries.retrying(now) {
		r.setPhase(now, fleet.PhaseRetrying)
	}
	r.writeProgress(now, false)
}
