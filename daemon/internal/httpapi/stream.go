package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Pace of a job stream.
const (
	maxSeq        = 1 << 53 // more lines than a log can have
	progressEvery = time.Second
	durableWait   = 20 * time.Millisecond // between looks at a log without a seal that is on its way to the disk
	durableTries  = 250                   // looks before the stream gives up
)

func (s *Server) streamRoutes(h huma.API) {
	s.raw(h, operation{id: "streamJob", method: http.MethodGet, path: "/jobs/{id}/stream", summary: "A job's lines, progress and end as they come",
		detail: "WebSocket. The client sends subscribe; the daemon sends snapshot (the first one with how far the job was in the last five minutes; again when the job's row changes), log.stream, live once caught up, " +
			"job.started, job.progress (at most one a second), and after the job's end job.finished and eof. With an epoch that is no longer the daemon's: reset first, then everything from line 1.",
		responses:  map[string]*huma.Response{"101": {Description: "Switching Protocols"}},
		parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}}, s.streamJob)
}

func (s *Server) streamJob(w http.ResponseWriter, r *http.Request) {
	job, err := s.cfg.Control.Job(r.Context(), fleet.JobID(r.PathValue("id")))
	if err != nil {
		writeProblem(w, s.problemOf(r.Context(), err))
		return
	}
	s.serveSocket(w, r, "job", func(ctx context.Context, sock *socket) error {
		sub, err := firstFrame[api.Subscribe](ctx, sock, api.TypeSubscribe, s.cfg.FirstFrame)
		if err != nil {
			return err
		}
		if sub.AfterSeq < 0 || sub.Tail < 0 || sub.AfterSeq > maxSeq {
			return fault.New(fault.Protocol, "The subscription's numbers are not those of lines.")
		}
		tail := s.cfg.Logs.Tail(job.ID)
		defer tail.Close()
		js := &jobStream{server: s, sock: sock, job: job.ID, tail: tail}
		if err := js.begin(ctx, sub); err != nil {
			return err
		}
		return js.run(ctx)
	})
}

// jobStream is one reader: a cursor over the log, and what it was told of the job so far.
type jobStream struct {
	server *Server
	sock   *socket
	job    fleet.JobID
	tail   *joblog.Tail

	after   int64 // last line sent
	row     fleet.Job
	rev     int64 // of the row that the reader knows
	version int64
	live    bool
	started bool

	progressAt   time.Time // host's time of the progress last sent
	progressSent time.Time // when, by our clock
	tries        int       // looks at a log that is not durable yet
}

// begin sends the snapshot.
func (js *jobStream) begin(ctx context.Context, sub api.Subscribe) error {
	if err := js.refresh(ctx); err != nil {
		return err
	}
	epoch := js.server.cfg.Control.Epoch()
	if sub.Epoch != "" && sub.Epoch != epoch {
		if err := js.sock.send(ctx, agentwire.TypeReset, js.job, nil); err != nil {
			return err
		}
		sub.AfterSeq = 0
	}
	js.after = sub.AfterSeq
	if sub.Tail > 0 {
		js.after = max(0, js.tail.Known()-sub.Tail)
	}
	js.started = js.row.StartedAt != nil
	return js.tellSnapshot(ctx, js.tail.Past())
}

// tellSnapshot sends the job's row and progress as they are, and how far it was before.
func (js *jobStream) tellSnapshot(ctx context.Context, past []fleet.ProgressPoint) error {
	snap := api.StreamSnapshot{Job: js.row, AsOfSeq: js.tail.Known(), FromSeq: js.after + 1, Epoch: js.server.cfg.Control.Epoch(), Past: past}
	if p, ok := js.tail.Progress(); ok && !js.row.State.Ended() {
		snap.Progress = &p // and as job.progress all the same: a client that draws a bar need not look in two places
	}
	js.rev = js.row.Rev
	return js.sock.send(ctx, api.TypeSnapshot, js.job, snap)
}

// refresh reads the job's row. The version is taken before the row: a change in between is seen again, never missed.
func (js *jobStream) refresh(ctx context.Context) error {
	version := js.tail.Version()
	row, err := js.server.cfg.Control.Job(ctx, js.job)
	if err != nil {
		return err
	}
	js.row, js.version = row, version
	return nil
}

// run sends what there is, then waits for the bell, until the job has ended and all its lines are sent.
func (js *jobStream) run(ctx context.Context) error {
	pause := time.NewTimer(time.Hour)
	defer pause.Stop()
	for {
		bell := js.tail.Bell()
		if err := js.tellRow(ctx); err != nil {
			return err
		}
		wait, err := js.tellProgress(ctx)
		if err != nil {
			return err
		}
		more, err := js.sendLines(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		if !js.live {
			js.live = true
			if err := js.sock.send(ctx, api.TypeLive, js.job, nil); err != nil {
				return err
			}
		}
		if js.row.State.Ended() {
			over, err := js.finish(ctx)
			if err != nil || over {
				return err
			}
			wait = durableWait
		}
		pause.Reset(wait)
		select {
		case <-bell:
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tellRow tells what changed of the job, its end aside: that comes after its lines.
func (js *jobStream) tellRow(ctx context.Context) error {
	if js.tail.Version() == js.version {
		return nil
	}
	if err := js.refresh(ctx); err != nil {
		return err
	}
	if !js.started && js.row.StartedAt != nil {
		js.started = true
		if err := js.sock.send(ctx, agentwire.TypeJobStarted, js.job, agentwire.JobStarted{At: *js.row.StartedAt}); err != nil {
			return err
		}
	}
	if js.row.State.Ended() || js.row.Rev == js.rev {
		return nil
	}
	return js.tellSnapshot(ctx, nil)
}

// tellProgress sends the newest progress, but at most one each progressEvery; wait is when to come back for it.
func (js *jobStream) tellProgress(ctx context.Context) (wait time.Duration, err error) {
	const idle = time.Hour
	p, ok := js.tail.Progress()
	if !ok || p.At.Equal(js.progressAt) || js.row.State.Ended() {
		return idle, nil
	}
	now := js.server.clock()
	if since := now.Sub(js.progressSent); since >= 0 && since < progressEvery {
		return progressEvery - since, nil
	}
	js.progressAt, js.progressSent = p.At, now
	return idle, js.sock.send(ctx, agentwire.TypeJobProgress, js.job, p)
}

// sendLines sends one batch of what is there; more tells whether to go on at once.
func (js *jobStream) sendLines(ctx context.Context) (more bool, err error) {
	b, ok := js.tail.Next(js.after)
	if !ok {
		return false, js.tail.Err()
	}
	if err := js.sock.conn.Write(ctx, b.Frame); err != nil {
		return false, err
	}
	js.after, js.tries = b.First+b.Count-1, 0
	return true, nil
}

// finish ends the stream of a job that has ended and whose lines were sent as far as there are any. A sealed log ends where the
// row says. Any other ends where it is on disk, for which it may have to wait a little (over is false).
func (js *jobStream) finish(ctx context.Context) (over bool, err error) {
	eof := api.EOF{LastSeq: js.row.Log.LastSeq, CRC32C: js.row.Log.CRC32C, Sealed: js.row.LogSealed}
	known := js.tail.Known()
	if !eof.Sealed {
		pos, err := js.server.cfg.Logs.Durable(ctx, js.job)
		if err != nil {
			return false, err
		}
		eof.LastSeq, eof.CRC32C = pos.LastSeq, pos.CRC32C
	}
	switch {
	case js.after < known: // an eof that hides lines would be a lie: they come, or the reader comes back
		if js.tries++; js.tries > durableTries {
			return false, fault.New(fault.Unavailable, "Lines of the log cannot be read at the moment. Come back and resume.")
		}
		return false, nil
	case eof.LastSeq < js.after && !eof.Sealed && js.tries < durableTries: // on their way to the disk
		js.tries++
		return false, nil
	case js.after < eof.LastSeq: // retention took the log: what is gone does not come any more
		eof = api.EOF{LastSeq: js.after}
	}
	if err := js.sock.send(ctx, agentwire.TypeJobFinished, js.job, api.StreamFinished{Job: js.row}); err != nil {
		return false, err
	}
	return true, js.sock.send(ctx, api.TypeEOF, js.job, eof)
}
