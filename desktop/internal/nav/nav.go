// Package nav holds the console's navigation as values: which page is open and what it shows (Route), and the way back
// (History). It knows no page and no window.
package nav

// Name of a page.
type Name string

// The pages.
const (
	Connect      Name = "connect"
	Overview     Name = "overview"
	Hosts        Name = "hosts"
	Host         Name = "host"
	Jobs         Name = "jobs"
	Job          Name = "job"
	Snapshots    Name = "snapshots"
	Plans        Name = "plans"
	Repositories Name = "repositories"
	Access       Name = "access"
	Settings     Name = "settings"
)

// Names lists every page.
var names = [...]Name{Connect, Overview, Hosts, Host, Jobs, Job, Snapshots, Plans, Repositories, Access, Settings}

// Route says which page is open and what it shows. It is a value: comparable, and kept in preferences as text.
type Route struct {
	Page Name   `json:"page"`
	ID   string `json:"id,omitempty"`  // of the object, where the page shows one; also what a list is filtered by
	Tab  string `json:"tab,omitempty"` // of a page that has some
}

// Valid tells whether r names a page that there is, and an object where it needs one.
func (r Route) Valid() bool {
	if (r.Page == Host || r.Page == Job) && r.ID == "" {
		return false
	}
	for _, n := range names {
		if n == r.Page {
			return true
		}
	}
	return false
}

// Section is the page of the sidebar that r belongs to.
func (r Route) Section() Name {
	switch r.Page {
	case Host:
		return Hosts
	case Job:
		return Jobs
	}
	return r.Page
}

// maxBack bounds the way back; the oldest step is forgotten.
const maxBack = 50

// step is a page that was left, with what it wanted kept: scroll position, filter, selection.
type step struct {
	route Route
	state any
}

// History is the way back. The zero value is empty.
type History struct{ steps []step }

// Push remembers a page that is left.
func (h *History) Push(r Route, state any) {
	h.steps = append(h.steps, step{r, state})
	if len(h.steps) > maxBack {
		h.steps = append(h.steps[:0:0], h.steps[len(h.steps)-maxBack:]...)
	}
}

// Pop gives the page before, and what it kept; false when there is none.
func (h *History) Pop() (r Route, state any, ok bool) {
	if len(h.steps) == 0 {
		return Route{}, nil, false
	}
	last := h.steps[len(h.steps)-1]
	h.steps = h.steps[:len(h.steps)-1]
	return last.route, last.state, true
}

// Len is the number of steps back.
func (h *History) Len() int { return len(h.steps) }

// Clear forgets the way back, as when another daemon is chosen.
func (h *History) Clear() { h.steps = nil }
