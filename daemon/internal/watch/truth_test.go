package watch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// fataler is a test or a rapid check.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// logs is a log that is always empty and on disk.
type logs struct{}

func (logs) Append(fleet.JobID, int64, []fleet.LogLine, func(int64)) (int64, error) { return 1, nil }
func (logs) Durable(context.Context, fleet.JobID) (fleet.LogPosition, error) {
	return fleet.LogPosition{}, nil
}
func (logs) Seal(context.Context, fleet.JobID, fleet.LogPosition) (bool, error) { return true, nil }
func (logs) SetProgress(fleet.JobID, fleet.Progress)                            {}
func (logs) Notify(fleet.JobID)                                                 {}

// late holds what is published back, and lets it through in any order.
type late struct {
	feed    *watch.Feed
	waiting [][]api.Row
}

func (l *late) Publish(rows ...api.Row) { l.waiting = append(l.waiting, rows) }

func (l *late) release(i int) {
	rows := l.waiting[i]
	l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
	l.feed.Publish(rows...)
}

// console is a client of the watch: it lists, follows, and lists again when it is told to.
type console struct {
	service *control.Service
	feed    *watch.Feed
	cursor  *watch.Cursor
	rows    map[string]api.Row
	lists   int
}

func (c *console) list(t fataler) {
	t.Helper()
	rows, rev, err := c.service.WatchRows(context.Background())
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	c.rows = make(map[string]api.Row)
	for _, r := range rows {
		c.rows[r.Kind+" "+r.ID] = r
	}
	c.lists++
	if c.cursor, err = c.feed.Subscribe(rev); errors.Is(err, watch.ErrTooOld) {
		c.cursor = nil // changes overtook the list: list again
	}
}

// follow reads at most limit changes and tells whether it could.
func (c *console) follow(t fataler, limit int) bool {
	t.Helper()
	if c.cursor == nil {
		c.list(t)
		return true
	}
	rows, err := c.cursor.Next(limit)
	if errors.Is(err, watch.ErrTooOld) {
		c.list(t)
		return true
	}
	if err != nil {
		t.Fatalf("next: %v", err)
	}
	for _, r := range rows {
		key := r.Kind + " " + r.ID
		if had, ok := c.rows[key]; ok && had.Rev >= r.Rev {
			t.Fatalf("%s went from rev %d back to %d", key, had.Rev, r.Rev)
		}
		if r.Deleted {
			delete(c.rows, key)
		} else {
			c.rows[key] = r
		}
	}
	return len(rows) > 0
}

// shows fails unless the console shows what the store holds.
func (c *console) shows(t fataler, service *control.Service) {
	t.Helper()
	rows, _, err := service.WatchRows(context.Background())
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	if len(rows) != len(c.rows) {
		t.Fatalf("shows %d rows, the store has %d", len(c.rows), len(rows))
	}
	for _, r := range rows {
		want, _ := json.Marshal(r)
		got, _ := json.Marshal(c.rows[r.Kind+" "+r.ID])
		if string(got) != string(want) {
			t.Fatalf("shows  %s\nstored %s", got, want)
		}
	}
}

// world is a daemon whose operators and agents act at random.
type world struct {
	*control.Service
	pick  func(n int) int
	admin control.Actor
	clock time.Time
	n     int
}

func newWorld(t testing.TB, path string, feed control.Feed, pick func(int) int) (*world, *sqlite.Store) {
	t.Helper()
	w := &world{pick: pick, admin: control.Actor{Name: "ada", Role: fleet.RoleAdmin}, clock: time.Unix(1_700_000_000, 0)}
	store, err := sqlite.OpenStore(context.Background(), path, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = control.New(control.Config{Store: store, Logs: logs{}, Feed: feed, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return w, store
}

// act does one thing, possible or not: what is refused must leave no trace.
func (w *world) act() error {
	ctx := context.Background()
	hosts, err := w.Hosts(ctx)
	if err != nil {
		return err
	}
	if len(hosts) == 0 || len(hosts) < 4 && w.pick(8) == 0 {
		return w.enrol(ctx)
	}
	h := hosts[w.pick(len(hosts))]
	w.n++
	name := fmt.Sprint("x", w.pick(4))
	switch w.pick(8) {
	case 0:
		_, err = w.AddRepository(ctx, w.admin, api.RepositoryRequest{Name: name, URL: "/srv/" + name})
	case 1:
		_, err = w.UpdateRepository(ctx, w.admin, name, api.RepositoryRequest{Name: name, URL: fmt.Sprint("/srv/", w.n)})
	case 2:
		err = w.DeleteRepository(ctx, w.admin, name)
	case 3:
		_, err = w.AddPlan(ctx, w.admin, api.PlanRequest{Name: name, RepositoryID: fleet.RepositoryID(name), Hosts: []fleet.HostID{h.ID},
			Backup: fleet.BackupSpec{Paths: []string{"/home"}}})
	case 4:
		err = w.DeletePlan(ctx, w.admin, name)
	case 5:
		err = w.hello(ctx, h)
	case 6:
		_, err = w.StartJob(ctx, w.admin, string(h.ID), api.JobRequest{Kind: fleet.KindBackup, Repository: name, Paths: []string{"/etc"}}, "")
	default:
		err = w.move(ctx)
	}
	if fault.CodeOf(err) == fault.Internal {
		return err
	}
	return nil
}

func (w *world) enrol(ctx context.Context) error {
	token, err := w.CreateEnrolmentToken(ctx, w.admin, api.EnrolmentTokenRequest{})
	if err == nil {
		_, err = w.Enrol(ctx, token.Token, facts())
	}
	return err
}

func facts() agentwire.Facts {
	return agentwire.Facts{Hostname: "web", OS: "linux", SealingKey: "age1x", SecretStore: fleet.SecretsKeyring}
}

func (w *world) hello(ctx context.Context, h fleet.Host) error {
	if w.pick(3) == 0 {
		return w.AgentGone(ctx, h.ID)
	}
	_, _, _, err := w.AgentHello(ctx, h.AgentID, agentwire.Hello{AgentID: h.AgentID, Facts: facts()}, w.clock)
	return err
}

// move takes some job one step on.
func (w *world) move(ctx context.Context) error {
	page, err := w.Jobs(ctx, control.JobFilter{})
	if err != nil || len(page.Items) == 0 {
		return err
	}
	j := page.Items[w.pick(len(page.Items))]
	switch w.pick(5) {
	case 0:
		return w.JobDispatched(ctx, j.ID)
	case 1:
		return w.JobAccepted(ctx, j.HostID, j.ID, fleet.StateAccepted)
	case 2:
		return w.JobStarted(ctx, j.HostID, j.ID, agentwire.JobStarted{At: w.clock})
	case 3:
		_, err := w.CancelJob(ctx, w.admin, j.ID)
		return err
	}
	return w.JobFinished(ctx, j.HostID, j.ID, agentwire.JobFinished{Outcome: fleet.Outcome{State: fleet.StateSucceeded, StartedAt: w.clock, FinishedAt: w.clock}})
}

// G15: list + watch = the truth, however commits are published and whenever consoles list and read.
func TestListAndWatchAreTheTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "pick") }
		feed := &late{feed: watch.New(watch.Config{Capacity: rapid.SampledFrom([]int{3, 20, 1000}).Draw(rt, "ring"), GapLimit: time.Hour})}
		w, store := newWorld(t, filepath.Join(t.TempDir(), "state.db"), feed, pick)
		defer store.Close()
		consoles := make([]*console, 3)
		for i := range consoles {
			consoles[i] = &console{service: w.Service, feed: feed.feed}
		}
		for range rapid.IntRange(1, 50).Draw(rt, "steps") {
			switch c := consoles[pick(len(consoles))]; pick(6) {
			case 0:
				c.follow(rt, 1+pick(5))
			case 1:
				c.list(rt)
			case 2:
				if len(feed.waiting) > 0 {
					feed.release(pick(len(feed.waiting)))
				}
			default:
				if err := w.act(); err != nil {
					rt.Fatalf("act: %v", err)
				}
			}
		}
		for len(feed.waiting) > 0 {
			feed.release(pick(len(feed.waiting)))
		}
		for _, c := range consoles {
			for c.follow(rt, 7) {
			}
			c.shows(rt, w.Service)
		}
	})
}

// The same with operators and agents that really act at once, and consoles that wait for the bell.
func TestListAndWatchAreTheTruthUnderLoad(t *testing.T) {
	feed := watch.New(watch.Config{Capacity: 200})
	base, store := newWorld(t, filepath.Join(t.TempDir(), "state.db"), feed, rand.New(rand.NewPCG(9, 9)).IntN)
	defer store.Close()
	for range 40 {
		if err := base.act(); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var actors, watchers sync.WaitGroup
	consoles := make([]*console, 3)
	for i := range consoles {
		consoles[i] = &console{service: base.Service, feed: feed}
		watchers.Go(func() {
			for c := consoles[i]; ; {
				if c.cursor == nil {
					c.list(t)
					continue
				}
				bell := c.cursor.Bell()
				if c.follow(t, 50) {
					continue
				}
				select {
				case <-bell:
				case <-stop:
					for c.follow(t, 50) {
					}
					return
				}
			}
		})
	}
	for i := range 4 {
		actors.Go(func() {
			w := *base
			w.pick = rand.New(rand.NewPCG(uint64(i), 1)).IntN
			for range 80 {
				if err := w.act(); err != nil {
					t.Errorf("act: %v", err)
					return
				}
			}
		})
	}
	actors.Wait()
	close(stop)
	watchers.Wait()
	for _, c := range consoles {
		c.shows(t, base.Service)
	}
}
