package shell

import (
	"context"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/pages"
	"github.com/backstay/backstay/desktop/internal/prefs"
)

// Navigate leaves the open page for another one. The one that is open already stays.
func (s *Shell) Navigate(r nav.Route) {
	if s.page != nil && r == s.route || !r.Valid() {
		return
	}
	if s.session == nil && r.Page != nav.Connect {
		return // nobody is signed in
	}
	if s.page != nil && s.route.Page != nav.Connect {
		s.history.Push(s.route, s.page.State())
	}
	s.open(r, nil)
}

// Back returns to the page before, as it was left; from a detail that was opened first, to its list.
func (s *Shell) Back() {
	r, state, ok := s.history.Pop()
	if !ok {
		if section := s.route.Section(); section != s.route.Page {
			s.open(nav.Route{Page: section}, nil)
		}
		return
	}
	s.open(r, state)
}

// open shows a page in the place of the one that is open.
func (s *Shell) open(r nav.Route, state any) {
	s.dropPage()
	ctx, leave := context.WithCancel(context.Background())
	s.leave, s.route = leave, r
	s.page = pages.New(ctx, s.deps, r, state)
	if r.Page != nav.Connect {
		s.prefs.Change(func(d *prefs.Data) { d.Page = r })
	}
	s.cfg.Window.Canvas().Unfocus()
	s.frame.pageChanged()
	if p, ok := s.page.(pages.Shown); ok {
		p.Shown()
	}
	s.page.Tick(s.cfg.Now())
}

// dropPage ends the open page. The room stays empty until another one is opened.
func (s *Shell) dropPage() {
	if s.page == nil {
		return
	}
	s.leave()
	s.page.Leave()
	s.page, s.leave = nil, func() {}
}

func (s *Shell) stateOfPage() any {
	if s.page == nil {
		return nil
	}
	return s.page.State()
}
