package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

type watchControl interface {
	WatchRows(ctx context.Context) (rows []api.Row, asOfRev int64, err error)
}

// Pace and pieces of the watch.
const (
	tickEvery   = time.Second
	watchFrame  = 128 << 10 // a frame is sent when its rows reach so many bytes
	watchRows   = 500       // changes taken from the feed at a time
	listRetries = 5         // lists in a row that were too old when they were read
)

func (s *Server) watchRoutes(h huma.API) {
	s.raw(h, operation{id: "watch", method: http.MethodGet, path: "/watch", summary: "The state of the fleet and its changes as they come",
		detail: "WebSocket. The client sends watch; the daemon sends list pages (unless the cursor resumes), then change frames in the order of their revs, " +
			"and each second a tick with the progress of running jobs. A cursor that is too old: reset, then list pages.",
		responses: map[string]*huma.Response{"101": {Description: "Switching Protocols"}}}, s.serveWatch)
}

func (s *Server) serveWatch(w http.ResponseWriter, r *http.Request) {
	s.serveSocket(w, r, "watch", func(ctx context.Context, sock *socket) error {
		req, err := firstFrame[api.WatchRequest](ctx, sock, api.TypeWatch, s.cfg.FirstFrame)
		if err != nil {
			return err
		}
		v := &view{server: s, sock: sock, running: map[fleet.JobID]time.Time{}}
		if err := v.begin(ctx, req); err != nil {
			return err
		}
		return v.run(ctx)
	})
}

// view is one reader of the watch: a cursor over the changes, and which jobs' progress it is told.
type view struct {
	server  *Server
	sock    *socket
	cursor  *watch.Cursor
	running map[fleet.JobID]time.Time // host's time of the progress last sent
}

// begin resumes where the reader was, or lists.
func (v *view) begin(ctx context.Context, req api.WatchRequest) error {
	if req.AfterRev < 0 {
		return fault.New(fault.Protocol, "The watch's rev must not be negative.")
	}
	if req.Epoch == "" {
		return v.list(ctx)
	}
	if req.Epoch == v.server.cfg.Control.Epoch() && req.AfterRev > 0 {
		cursor, err := v.server.cfg.Feed.Resume(req.AfterRev)
		if err == nil {
			rows, _, err := v.server.cfg.Control.WatchRows(ctx) // which jobs run: the reader knows, we do not
			if err != nil {
				return err
			}
			v.cursor = cursor
			v.note(rows)
			return nil
		}
		if !errors.Is(err, watch.ErrTooOld) {
			return fmt.Errorf("resume watch: %w", err)
		}
	}
	return v.relist(ctx)
}

// relist tells the reader to forget everything, and lists.
func (v *view) relist(ctx context.Context) error {
	if err := v.sock.send(ctx, agentwire.TypeReset, "", nil); err != nil {
		return err
	}
	return v.list(ctx)
}

// list sends the whole state; the cursor goes on where it was read.
func (v *view) list(ctx context.Context) error {
	for range listRetries {
		rows, rev, err := v.server.cfg.Control.WatchRows(ctx)
		if err != nil {
			return err
		}
		cursor, err := v.server.cfg.Feed.Subscribe(rev)
		if errors.Is(err, watch.ErrTooOld) {
			continue // more changes came meanwhile than the feed keeps
		}
		if err != nil {
			return fmt.Errorf("subscribe to changes: %w", err)
		}
		v.cursor = cursor
		clear(v.running)
		v.note(rows)
		return v.sendList(ctx, rows, rev)
	}
	return fault.New(fault.Unavailable, "The fleet changes faster than it can be listed. Try again in a moment.")
}

// watchList is api.WatchList with rows that are JSON already, so that pages can be cut by size.
type watchList struct {
	Rows    []json.RawMessage `json:"rows"`
	AsOfRev int64             `json:"as_of_rev"`
	Epoch   string            `json:"epoch"`
	Done    bool              `json:"done"`
}

type watchChange struct {
	Rows []json.RawMessage `json:"rows"`
}

func (v *view) sendList(ctx context.Context, rows []api.Row, rev int64) error {
	epoch := v.server.cfg.Control.Epoch()
	return pieces(rows, func(part []json.RawMessage, last bool) error {
		return v.sock.send(ctx, api.TypeList, "", watchList{Rows: part, AsOfRev: rev, Epoch: epoch, Done: last})
	})
}

// pieces encodes rows and calls send with as many as make a frame, at least once.
func pieces(rows []api.Row, send func(part []json.RawMessage, last bool) error) error {
	part, size := []json.RawMessage{}, 0
	for _, r := range rows {
		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode %s %s: %w", r.Kind, r.ID, err)
		}
		if size > 0 && size+len(b) > watchFrame {
			if err := send(part, false); err != nil {
				return err
			}
			part, size = []json.RawMessage{}, 0
		}
		part, size = append(part, b), size+len(b)
	}
	return send(part, true)
}

// run sends changes and ticks until the socket ends.
func (v *view) run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		bell := v.cursor.Bell()
		rows, err := v.cursor.Next(watchRows)
		switch {
		case errors.Is(err, watch.ErrTooOld):
			if err := v.relist(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("read changes: %w", err)
		case len(rows) > 0:
			v.note(rows)
			if err := v.sendChanges(ctx, rows); err != nil {
				return err
			}
		}
		if err := v.wait(ctx, bell, tick.C, len(rows) > 0); err != nil {
			return err
		}
	}
}

// wait returns at the next change or tick, which it sends; with more to send it only looks whether a tick is due.
func (v *view) wait(ctx context.Context, bell <-chan struct{}, tick <-chan time.Time, more bool) error {
	if more {
		select {
		case <-tick:
			return v.tick(ctx)
		default:
			return ctx.Err()
		}
	}
	select {
	case <-bell:
		return nil
	case <-tick:
		return v.tick(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v *view) sendChanges(ctx context.Context, rows []api.Row) error {
	return pieces(rows, func(part []json.RawMessage, _ bool) error {
		return v.sock.send(ctx, api.TypeChange, "", watchChange{Rows: part})
	})
}

// note keeps track of the jobs that may have progress.
func (v *view) note(rows []api.Row) {
	for _, r := range rows {
		if r.Job == nil {
			continue
		}
		if r.Job.State != fleet.StateAccepted && r.Job.State != fleet.StateRunning {
			delete(v.running, r.Job.ID)
		} else if _, known := v.running[r.Job.ID]; !known {
			v.running[r.Job.ID] = time.Time{}
		}
	}
}

// tick sends the progress that is new since the tick before; without any it is a sign of life.
func (v *view) tick(ctx context.Context) error {
	t := api.WatchTick{At: v.server.clock().UTC()}
	for id, sent := range v.running {
		tail := v.server.cfg.Logs.Tail(id)
		p, ok := tail.Progress()
		tail.Close()
		if !ok || p.At.Equal(sent) {
			continue
		}
		if t.Progress == nil {
			t.Progress = map[fleet.JobID]fleet.Progress{}
		}
		t.Progress[id], v.running[id] = p, p.At
	}
	return v.sock.send(ctx, api.TypeTick, "", t)
}
