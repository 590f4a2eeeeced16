package logview

import (
	"context"
	"sync"

	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// SearchState tells how a search stands.
type SearchState struct {
	Text    string
	Running bool
	Hits    int64 // lines found so far that the level shows
	Current int64 // which of them is looked at, from 1; 0 none yet
}

// search looks for a text in all lines, in a goroutine for those that are there and at once for those that come.
type search struct {
	hits    *logstore.Hits // nil when nothing is searched
	current logstore.ID
	has     bool // current is a hit
	busy    bool
	cancel  context.CancelFunc
	running sync.WaitGroup
	told    SearchState
}

func (s *search) query() *logstore.Query {
	if s.hits == nil {
		return nil
	}
	return s.hits.Query()
}

// at tells whether the hit that is looked at is in line id.
func (s *search) at(id logstore.ID) bool { return s.has && s.current == id }

func (s *search) stop() {
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
	s.busy = false
}

// Search looks for text, in any case; an empty text ends the search. The first hit at or below the top of the view is shown.
func (v *View) Search(text string) {
	if text == v.search.query().Text() || v.closed {
		return
	}
	v.search.stop()
	v.search.hits, v.search.has = nil, false
	if text != "" {
		v.search.start(v, logstore.NewQuery(text))
	}
	v.search.tell(v)
	v.refresh()
}

// again searches anew after all lines were dropped.
func (s *search) again(v *View) {
	q := s.query()
	s.stop()
	s.has = false
	if !q.Empty() {
		s.hits = logstore.NewHits(v.store, q)
	}
	s.tell(v)
}

func (s *search) start(v *View, q *logstore.Query) {
	ctx, cancel := context.WithCancel(context.Background())
	hits, lines := logstore.NewHits(v.store, q), v.store.Snapshot(v.win.Top.ID)
	s.hits, s.cancel, s.busy = hits, cancel, true
	s.running.Go(func() {
		for more := true; more; {
			var found []logstore.Found
			found, more = lines.Search(ctx, q)
			last, seen := !more, make(chan struct{})
			if ctx.Err() != nil {
				return
			}
			v.cfg.Post(func() {
				defer close(seen)
				if v.search.hits == hits {
					v.search.found(v, found, last)
				}
			})
			select {
			case <-seen:
			case <-ctx.Done():
				return
			}
		}
	})
}

// found takes what the goroutine found.
func (s *search) found(v *View, found []logstore.Found, last bool) {
	s.hits.Add(found)
	if last {
		s.stop()
	}
	if !s.has {
		if id, ok := s.hits.Next(v.win.Top.ID - 1); ok {
			v.showHit(id)
		} else if id, ok := s.hits.Next(v.store.First() - 1); ok && last {
			v.showHit(id)
		}
	}
	s.tell(v)
	v.changed()
}

// added is told of new lines from … end-1.
func (s *search) added(v *View, from, end logstore.ID) {
	for id := range v.index {
		if id < v.store.First() || id >= v.store.End() {
			delete(v.index, id)
		}
	}
	if s.hits == nil {
		return
	}
	s.hits.Search(from, end)
	s.hits.Trim()
	s.has = s.has && s.hits.Has(s.current)
	s.tell(v)
}

// changed is told that the level is another.
func (s *search) changed(v *View) {
	s.has = s.has && v.store.Shows(s.current)
	s.tell(v)
}

// SearchState tells how the search stands.
func (v *View) SearchState() SearchState { return v.search.state(v) }

func (s *search) state(v *View) SearchState {
	st := SearchState{Running: s.busy}
	if s.hits != nil {
		st.Text, st.Hits = s.query().Text(), s.hits.Count()
		if s.has {
			st.Current = s.hits.Rank(s.current) + 1
		}
	}
	return st
}

func (s *search) tell(v *View) {
	if st := s.state(v); st != s.told {
		s.told = st
		if v.cfg.OnSearch != nil {
			v.cfg.OnSearch(st)
		}
	}
}

// NextHit shows the next hit, from the last on to the first again.
func (v *View) NextHit() {
	if v.search.hits == nil {
		return
	}
	from := v.win.Top.ID - 1
	if v.search.has {
		from = v.search.current
	}
	id, ok := v.search.hits.Next(from)
	if !ok {
		id, ok = v.search.hits.Next(v.store.First() - 1)
	}
	v.goTo(id, ok)
}

// PrevHit shows the hit before, from the first on to the last again.
func (v *View) PrevHit() {
	if v.search.hits == nil {
		return
	}
	from := v.win.Top.ID
	if v.search.has {
		from = v.search.current
	}
	id, ok := v.search.hits.Prev(from)
	if !ok {
		id, ok = v.search.hits.Prev(v.store.End())
	}
	v.goTo(id, ok)
}

func (v *View) goTo(id logstore.ID, ok bool) {
	if !ok {
		return
	}
	v.showHit(id)
	v.search.tell(v)
	v.refresh()
}

// showHit moves the view so that the hit in line id shows.
func (v *View) showHit(id logstore.ID) {
	v.search.current, v.search.has = id, true
	if v.atlas == nil {
		return
	}
	l := v.store.At(id)
	col := 0
	if start, _ := v.search.query().Find(l.Text, 0); start > 0 {
		col = start
		if !l.ASCII {
			cells := logstore.CellsOf(l.Text)
			for c, ok := cells.Next(); ok && c.Off <= start; c, ok = cells.Next() {
				col = c.Col
			}
		}
	}
	p := logstore.Pos{ID: id}
	if wrap := v.store.Wrap(); wrap > 0 {
		p.Row = int64(col / wrap)
	} else if x := col * v.atlas.cellW; x < v.shift || x > v.shift+(v.geo.textEnd-v.geo.textX)*3/4 {
		v.shift = min(max(x-(v.geo.textEnd-v.geo.textX)/3, 0), v.maxShift())
	}
	v.win.Reveal(v.store, p)
	v.setFollow(false)
}
