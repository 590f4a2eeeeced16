package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// watching opens a watch.
func (h *house) watching(req api.WatchRequest) *reader {
	h.t.Helper()
	r, err := h.dial(fleet.RoleViewer, "/watch")
	h.must(err)
	r.send(api.TypeWatch, req)
	return r
}

// listed reads the list: what comes before its last page, and all its rows.
func (r *reader) listed() (before []agentwire.Type, rows []api.Row, last api.WatchList) {
	r.t.Helper()
	for {
		e := r.next()
		before = append(before, e.Type)
		if e.Type != api.TypeList {
			continue
		}
		last = payload[api.WatchList](r.t, e)
		rows = append(rows, last.Rows...)
		if last.Done {
			return before, rows, last
		}
	}
}

func TestWatchListsThenFollows(t *testing.T) {
	h := newHouse(t)
	r := h.watching(api.WatchRequest{})
	_, rows, last := r.listed()
	kinds := map[string]int{}
	for _, row := range rows {
		kinds[row.Kind]++
	}
	if kinds["host"] != 1 || kinds["repository"] != 1 || last.Epoch != h.Epoch() || last.AsOfRev == 0 {
		t.Fatalf("%v %+v", kinds, last)
	}
	job := h.start()
	change := r.until(api.TypeChange)
	got := payload[api.WatchChange](t, change[len(change)-1]).Rows
	if len(got) == 0 || got[0].Rev != last.AsOfRev+1 {
		t.Errorf("%+v", got)
	}
	h.run(job)
	h.logs.SetProgress(job.ID, fleet.Progress{Percent: .5, At: time.Now()})
	for {
		e := r.until(api.TypeTick)
		if p, ok := payload[api.WatchTick](t, e[len(e)-1]).Progress[job.ID]; ok {
			if p.Percent != .5 {
				t.Errorf("%+v", p)
			}
			break
		}
	}
	again := r.until(api.TypeTick)
	if p := payload[api.WatchTick](t, again[len(again)-1]).Progress; len(p) != 0 {
		t.Errorf("progress that did not change came again: %v", p)
	}
}

func TestWatchResumes(t *testing.T) {
	h := newHouse(t)
	first := h.watching(api.WatchRequest{})
	_, _, list := first.listed()
	first.CloseNow()
	job := h.start()
	h.run(job) // missed
	h.logs.SetProgress(job.ID, fleet.Progress{Percent: .5, At: time.Now()})
	r := h.watching(api.WatchRequest{AfterRev: list.AsOfRev, Epoch: list.Epoch})
	rev := list.AsOfRev
	for rev < list.AsOfRev+4 {
		e := r.next()
		switch e.Type {
		case api.TypeChange:
			for _, row := range payload[api.WatchChange](t, e).Rows {
				if rev++; row.Rev != rev {
					t.Fatalf("rev %d where %d was next", row.Rev, rev)
				}
			}
		case api.TypeTick:
		default:
			t.Fatalf("a resumed watch got %s", e.Type)
		}
	}
	for {
		e := r.until(api.TypeTick)
		if _, ok := payload[api.WatchTick](t, e[len(e)-1]).Progress[job.ID]; ok {
			break
		}
	}
}

func TestWatchResetsWhereItCannotResume(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) {
		c.Feed = watch.New(watch.Config{Capacity: 2})
		c.Control = refed{c.Control.(*control.Service), c.Feed}
	})
	for name, req := range map[string]api.WatchRequest{
		"another epoch": {AfterRev: 1, Epoch: "of-yesterday"},
		"the future":    {AfterRev: 1_000_000, Epoch: h.Epoch()},
	} {
		before, rows, _ := h.watching(req).listed()
		if before[0] != agentwire.TypeReset || before[1] != api.TypeList || len(rows) < 2 {
			t.Errorf("%s: %v", name, before)
		}
	}
}

// refed keeps another feed filled.
type refed struct {
	*control.Service
	feed *watch.Feed
}

func (r refed) WatchRows(ctx context.Context) ([]api.Row, int64, error) {
	rows, rev, err := r.Service.WatchRows(ctx)
	for at := r.feed.Rev() + 1; at <= rev; at++ {
		r.feed.Publish(api.Row{Kind: "plan", ID: "p", Rev: at, Deleted: true})
	}
	return rows, rev, err
}

// A list longer than a frame comes in pages that stay well below a client's limit.
func TestLongListComesInPages(t *testing.T) {
	h := newHouse(t)
	for i := range 400 {
		_, err := h.AddRepository(h.ctx, h.admin, api.RepositoryRequest{Name: fmt.Sprintf("r%03d", i), URL: "/srv/" + fmt.Sprintf("%0500d", i)})
		h.must(err)
	}
	r := h.watching(api.WatchRequest{})
	pages, rows := 0, 0
	for {
		e := r.next()
		if e.Type != api.TypeList {
			t.Fatalf("%s in the list", e.Type)
		}
		if len(e.Payload) > 256<<10 {
			t.Errorf("a page of %d bytes", len(e.Payload))
		}
		l := payload[api.WatchList](t, e)
		pages, rows = pages+1, rows+len(l.Rows)
		if l.Done {
			break
		}
	}
	if pages < 2 || rows != 402 {
		t.Errorf("%d rows in %d pages", rows, pages)
	}
}

// G15: list and changes make up the truth, through cuts and random changes.
func TestWatchIsTheTruth(t *testing.T) {
	h := newHouse(t)
	const steps = 150
	var mu sync.Mutex
	state := map[string]api.Row{}
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	goal := make(chan int64, 1)
	var reached sync.Once
	arrived := make(chan struct{})
	var want int64 = -1
	apply := func(rows []api.Row, rev int64, whole bool) {
		mu.Lock()
		defer mu.Unlock()
		if whole {
			clear(state)
		}
		for _, r := range rows {
			rev = max(rev, r.Rev)
			if r.Deleted {
				delete(state, r.Kind+"/"+r.ID)
			} else {
				state[r.Kind+"/"+r.ID] = r
			}
		}
		select {
		case want = <-goal:
		default:
		}
		if want >= 0 && rev >= want {
			reached.Do(func() { close(arrived) })
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = h.client(fleet.RoleViewer).Watch(ctx, apiclient.WatchOptions{}, apiclient.WatchHandler{
			List:    func(rows []api.Row, rev int64) { apply(rows, rev, true) },
			Changes: func(rows []api.Row) { apply(rows, 0, false) },
		})
	})
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range steps {
		h.change(rnd, i)
		if rnd.IntN(20) == 0 {
			h.wire.cut()
		}
	}
	rows, rev, err := h.WatchRows(h.ctx)
	h.must(err)
	goal <- rev
	_, err = h.AddRepository(h.ctx, h.admin, api.RepositoryRequest{Name: "last", URL: "/srv/last"}) // so that something comes after the goal
	h.must(err)
	select {
	case <-arrived:
	case <-ctx.Done():
		t.Fatal("the watch does not reach the present")
	}
	cancel()
	wg.Wait()
	for _, r := range rows {
		got, want := encoded(t, state[r.Kind+"/"+r.ID]), encoded(t, r)
		if got != want {
			t.Errorf("%s %s is\n%s, want\n%s", r.Kind, r.ID, got, want)
		}
	}
	if len(state) > len(rows)+1 {
		t.Errorf("%d objects, want %d", len(state), len(rows))
	}
}

func encoded(t *testing.T, r api.Row) string {
	t.Helper()
	r.Rev = 0 // of a list's row it is the object's, of a change the change's
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// change makes one random change.
func (h *house) change(rnd *rand.Rand, i int) {
	h.t.Helper()
	name := fmt.Sprintf("r%d", rnd.IntN(10))
	req := api.RepositoryRequest{Name: name, URL: fmt.Sprintf("/srv/%d", i)}
	switch rnd.IntN(5) {
	case 0, 1:
		_, _ = h.AddRepository(h.ctx, h.admin, req) // or it is there already
	case 2:
		_, _ = h.UpdateRepository(h.ctx, h.admin, name, req)
	case 3:
		_ = h.DeleteRepository(h.ctx, h.admin, name)
	case 4:
		job := h.start()
		if rnd.IntN(2) == 0 {
			_, err := h.CancelJob(h.ctx, h.admin, job.ID)
			h.must(err)
		} else {
			h.run(job)
		}
	}
}
