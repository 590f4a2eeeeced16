package vm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
)

// PaletteKind says what a find of the palette is.
type PaletteKind string

// The kinds.
const (
	PaletteAction     PaletteKind = "action"
	PaletteHost       PaletteKind = "host"
	PalettePlan       PaletteKind = "plan"
	PaletteRepository PaletteKind = "repository"
	PaletteJob        PaletteKind = "job"
)

// PaletteFind is one thing that was found.
type PaletteFind struct {
	Kind   PaletteKind
	ID     string
	Title  string // a host's, plan's, repository's or action's name; of a job the name of its host
	Hits   []int  // which runes of Title match
	Detail string // of a repository its URL, of a plan its repository
	Job    *JobHeader
	Status model.Status // of a host
}

// Key names a find.
func (f PaletteFind) Key() string { return string(f.Kind) + "/" + f.ID }

// Action is something a person can do from anywhere; label and words are the page's.
type Action struct {
	ID    string
	Label string
	Words string // further words to find it by
}

// Bounds of the palette: what is shown, and how many jobs are looked at.
const (
	paletteFinds = 40
	paletteJobs  = 2000
	paletteEach  = 12 // of one kind, while something is looked for
)

// Palette searches hosts, jobs, plans, repositories and actions. Without a query it gives what is likely wanted: what runs, what needs
// attention, and the actions.
type Palette struct {
	m        *model.Fleet
	actions  []Action
	query    string
	finds    []PaletteFind
	selected string
}

// NewPalette makes a palette with these actions.
func NewPalette(m *model.Fleet, actions []Action) *Palette {
	p := &Palette{m: m, actions: actions}
	p.SetQuery("")
	return p
}

// Query is what is looked for.
func (p *Palette) Query() string { return p.query }

// SetQuery looks for something and selects the best find.
func (p *Palette) SetQuery(text string) {
	p.query = text
	p.search()
	p.selected = ""
}

// Update takes a change of the model; the selected find stays selected.
func (p *Palette) Update(c model.Change) Refresh {
	if !c.Rows() {
		return Nothing
	}
	p.search()
	return Rows
}

// Finds gives what was found, the best first.
func (p *Palette) Finds() []PaletteFind { return p.finds }

// Selected is the place of the selected find, -1 when nothing was found.
func (p *Palette) Selected() int {
	if len(p.finds) == 0 {
		return -1
	}
	return max(slices.IndexFunc(p.finds, func(f PaletteFind) bool { return f.Key() == p.selected }), 0)
}

// Move selects the find n places further on, around the end.
func (p *Palette) Move(n int) {
	if all := len(p.finds); all > 0 {
		p.selected = p.finds[((p.Selected()+n)%all+all)%all].Key()
	}
}

// scored is a find with what it is worth.
type scored struct {
	PaletteFind
	score int
}

func (p *Palette) search() {
	q := letters(p.query)
	if len(q) == 0 {
		p.finds = p.likely()
		return
	}
	var all []scored
	for _, group := range [][]scored{p.findActions(q), p.findHosts(q), p.findPlans(q), p.findRepositories(q), p.findJobs(q)} {
		slices.SortStableFunc(group, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
		all = append(all, group[:min(paletteEach, len(group))]...)
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	p.finds = p.finds[:0:0]
	for _, s := range all[:min(paletteFinds, len(all))] {
		p.finds = append(p.finds, s.PaletteFind)
	}
}

// likely is what is given without a query.
func (p *Palette) likely() []PaletteFind {
	var out []PaletteFind
	for j := range p.m.OpenJobs() {
		if j.State == fleet.StateRunning && len(out) < 6 {
			out = append(out, p.job(j))
		}
	}
	for i, a := range p.m.Attention() {
		if i == 6 {
			break
		}
		if h := p.m.Host(a.HostID); h != nil {
			out = append(out, PaletteFind{Kind: PaletteHost, ID: string(h.ID), Title: field(h.Name), Status: p.m.Status(h.ID)})
		}
	}
	for _, a := range p.actions {
		out = append(out, PaletteFind{Kind: PaletteAction, ID: a.ID, Title: a.Label})
	}
	return out
}

func (p *Palette) findActions(q []rune) []scored {
	var out []scored
	for _, a := range p.actions {
		score, hits, ok := fuzzy(q, a.Label)
		if !ok {
			if score, _, ok = fuzzy(q, a.Words); !ok {
				continue
			}
			score /= 2
		}
		out = append(out, scored{PaletteFind{Kind: PaletteAction, ID: a.ID, Title: a.Label, Hits: hits}, score + 2})
	}
	return out
}

func (p *Palette) findHosts(q []rune) []scored {
	var out []scored
	for _, h := range p.m.Hosts() {
		name := field(h.Name)
		score, hits, ok := fuzzy(q, name)
		if !ok && h.Hostname != h.Name {
			score, _, ok = fuzzy(q, h.Hostname)
		}
		if ok {
			out = append(out, scored{PaletteFind{Kind: PaletteHost, ID: string(h.ID), Title: name, Hits: hits, Status: p.m.Status(h.ID)}, score + 3})
		}
	}
	return out
}

func (p *Palette) findPlans(q []rune) []scored {
	var out []scored
	for _, v := range p.m.Plans() {
		name := field(v.Name)
		if score, hits, ok := fuzzy(q, name); ok {
			out = append(out, scored{PaletteFind{Kind: PalettePlan, ID: string(v.ID), Title: name, Hits: hits, Detail: repositoryOf(p.m, v.RepositoryID)}, score + 1})
		}
	}
	return out
}

func (p *Palette) findRepositories(q []rune) []scored {
	var out []scored
	for _, r := range p.m.Repositories() {
		name := field(r.Name)
		score, hits, ok := fuzzy(q, name)
		if !ok {
			if !strings.Contains(strings.ToLower(r.URL), strings.ToLower(strings.TrimSpace(p.query))) {
				continue
			}
			score = len(q)
		}
		out = append(out, scored{PaletteFind{Kind: PaletteRepository, ID: string(r.ID), Title: name, Hits: hits, Detail: field(r.URL)}, score + 1})
	}
	return out
}

// findJobs finds jobs by their id, and running ones by their host.
func (p *Palette) findJobs(q []rune) []scored {
	var out []scored
	id := strings.ToUpper(strings.TrimSpace(p.query))
	looked := 0
	for j := range p.m.Jobs() {
		if looked++; looked > paletteJobs {
			break
		}
		if len(id) >= 4 && strings.Contains(strings.ToUpper(string(j.ID)), id) {
			out = append(out, scored{p.job(j), 1000})
			continue
		}
		if j.State.Ended() {
			continue
		}
		f := p.job(j)
		if score, hits, ok := fuzzy(q, f.Title); ok {
			f.Hits = hits
			out = append(out, scored{f, score})
		}
	}
	return out
}

func (p *Palette) job(j *fleet.Job) PaletteFind {
	h := jobHeader(p.m, j)
	return PaletteFind{Kind: PaletteJob, ID: string(j.ID), Title: h.Host, Job: &h}
}
