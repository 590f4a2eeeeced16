package apiclient

import (
	"context"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

// WatchOptions of Watch.
type WatchOptions struct {
	GiveUpAfter time.Duration // give up after so long without contact; 0: never
}

// WatchHandler takes what happens; nil members are passed over. All are called from Watch's own goroutine, one at a time.
type WatchHandler struct {
	// List gives the whole state: what was known before and is not in it does not exist any more. It comes first, and again
	// whenever changes were missed.
	List func(rows []api.Row, asOfRev int64)
	// Changes gives changes in the order of their revs, each once.
	Changes func(rows []api.Row)
	// Tick gives the newest progress of running jobs, at most once a second.
	Tick     func(api.WatchTick)
	Lost     func(err error, retryIn time.Duration)
	Regained func()
}

// Watch gives the state of the fleet to h, and every change to it, until ctx ends. It reconnects by itself and resumes where it
// was. Errors are those of Follow.
func (c *Client) Watch(ctx context.Context, opt WatchOptions, h WatchHandler) error {
	return c.keepUp(ctx, route("watch"), opt.GiveUpAfter, &watcher{h: h})
}

// maxListed bounds the rows of a list that is being collected; a fleet has far fewer.
const maxListed = 1_000_000

// watcher is the reading end of the watch.
type watcher struct {
	h       WatchHandler
	rev     int64     // last change known
	given   int64     // how many changes were given, all lists aside: a daemon that only ever lists makes no progress
	epoch   string    // "": nothing listed yet
	listing bool      // pages are coming in
	rows    []api.Row // pages of the list under way
}

func (w *watcher) position() int64 { return w.given }

func (w *watcher) hello() ([]byte, error) {
	w.listing, w.rows = false, nil
	return agentwire.Encode(api.TypeWatch, "", "", api.WatchRequest{AfterRev: w.rev, Epoch: w.epoch})
}

func (w *watcher) frame(b []byte) (done bool, err error) {
	e, err := agentwire.Decode(b)
	if err != nil {
		return false, fmt.Errorf("read watch: %w", err)
	}
	switch e.Type {
	case api.TypeList:
		return false, take(e, w.list)
	case api.TypeChange:
		return false, take(e, w.change)
	case api.TypeTick:
		return false, take(e, call1(w.h.Tick))
	case agentwire.TypeReset:
		w.forget() // the daemon sends the list next, on this connection or on the one after
	}
	return false, nil // a type of a newer daemon that may be ignored
}

// forget makes the next request ask for the whole state.
func (w *watcher) forget() {
	w.rev, w.epoch, w.listing, w.rows = 0, "", false, nil
}

func (w *watcher) list(m api.WatchList) error {
	if !w.listing {
		w.forget()
		w.listing = true
	}
	w.rows = append(w.rows, m.Rows...)
	if len(w.rows) > maxListed {
		w.forget()
		return fault.New(fault.Protocol, "The daemon's list of the fleet does not end. Update the older side.")
	}
	if !m.Done {
		return nil
	}
	rows := w.rows
	w.rev, w.epoch, w.listing, w.rows = m.AsOfRev, m.Epoch, false, nil
	if w.h.List != nil {
		w.h.List(rows, m.AsOfRev)
	}
	return nil
}

// change trims what came before. Revs are dense, so a gap means that a change is missing: list again.
func (w *watcher) change(m api.WatchChange) error {
	if w.listing || w.epoch == "" {
		w.forget()
		return fault.New(fault.Protocol, "The daemon sent changes before the list was whole. Update the older side.")
	}
	fresh := m.Rows[:0:0]
	for _, r := range m.Rows {
		if r.Rev <= w.rev {
			continue
		}
		if r.Rev != w.rev+1 {
			w.give(fresh)
			w.forget()
			return fault.New(fault.Protocol, "Changes are missing in the watch: rev %d came where another was next. The list is read again.", r.Rev)
		}
		w.rev = r.Rev
		fresh = append(fresh, r)
	}
	w.give(fresh)
	return nil
}

func (w *watcher) give(rows []api.Row) {
	w.given += int64(len(rows))
	if len(rows) > 0 && w.h.Changes != nil {
		w.h.Changes(rows)
	}
}

func (w *watcher) lost(err error, retryIn time.Duration) {
	if w.h.Lost != nil {
		w.h.Lost(err, retryIn)
	}
}

func (w *watcher) regained() {
	if w.h.Regained != nil {
		w.h.Regained()
	}
}
