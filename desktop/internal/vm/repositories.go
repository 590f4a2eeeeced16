package vm

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Repositories is the table of repositories, by name.
type Repositories struct {
	table
	m     *model.Fleet
	text  string
	terms terms
}

// NewRepositories makes the table.
func NewRepositories(m *model.Fleet) *Repositories {
	v := &Repositories{m: m}
	v.rebuild()
	return v
}

// RepositoryRow is what is shown of a repository.
type RepositoryRow struct {
	ID      string
	Name    string
	URL     string
	Scheme  fleet.RepositoryScheme // "": the URL is none that restic may use
	Created time.Time
	CACert  bool // it has a CA of its own
	Options []RepositoryOption
	Plans   []string    // names
	Hosts   int         // that back up to it, revoked ones left out
	Holders int         // that hold its password
	Missing int         // that back up to it and hold no password
	Size    int64       // read by the newest backups into it
	Newest  *model.Mark // the newest backup into it that is known
	Running int         // jobs
	Check   *JobRow     // the newest ended check that is known
	Used    bool        // plans need it: it cannot be removed
	Edit    bool        // the person may change it
}

// RepositoryOption is one of restic's -o options.
type RepositoryOption struct{ Name, Value string }

// Face tells which face the page shows.
func (v *Repositories) Face() Face { return faceOf(v.m, v.total, len(v.ids)) }

// Text is the text filter.
func (v *Repositories) Text() string { return v.text }

// SetText filters by words in the name, URL and plans.
func (v *Repositories) SetText(text string) Refresh {
	v.text, v.terms = text, parseTerms(text)
	return v.rebuild()
}

// Selected is the selected row, "" when there is none.
func (v *Repositories) Selected() string {
	if v.m.Repository(fleet.RepositoryID(v.selected)) == nil {
		v.selected = ""
	}
	return v.selected
}

// Update takes a change of the model.
func (v *Repositories) Update(c model.Change) Refresh {
	switch {
	case c.Rows():
		return max(v.rebuild(), Cells)
	case c.Identity:
		return Cells
	case c.Connection && !v.m.Listed():
		return Rows
	}
	return Nothing
}

func (v *Repositories) rebuild() Refresh {
	var ids []string
	for _, r := range v.m.Repositories() {
		text := []string{strings.ToLower(r.Name), strings.ToLower(r.URL)}
		for _, p := range v.m.PlansInto(r.ID) {
			text = append(text, strings.ToLower(p.Name))
		}
		if v.terms.match(text...) {
			ids = append(ids, string(r.ID))
		}
	}
	return v.set(ids, len(v.m.Repositories()))
}

// Row gives what to show of a repository, and false when it is gone.
func (v *Repositories) Row(id string) (RepositoryRow, bool) {
	repo := v.m.Repository(fleet.RepositoryID(id))
	if repo == nil {
		return RepositoryRow{}, false
	}
	r := RepositoryRow{ID: id, Name: field(repo.Name), URL: field(repo.URL), Created: repo.CreatedAt, CACert: repo.CACert != "", Edit: v.m.May(fleet.RoleOperator)}
	if u, err := fleet.ParseRepositoryURL(repo.URL); err == nil {
		r.Scheme = u.Scheme
	}
	for _, name := range slices.Sorted(maps.Keys(repo.Options)) {
		r.Options = append(r.Options, RepositoryOption{field(name), field(repo.Options[name])})
	}
	for _, p := range v.m.PlansInto(repo.ID) {
		row := planRow(v.m, p)
		r.Plans = append(r.Plans, row.Name)
		r.Size += row.Size
		if row.Newest != nil && (r.Newest == nil || row.Newest.At.After(r.Newest.At)) {
			r.Newest = row.Newest
		}
	}
	r.Used = len(r.Plans) > 0
	for _, h := range v.HostsOf(id) {
		r.Hosts += number(len(h.Plans) > 0)
		r.Holders += number(h.Secret)
		r.Missing += number(len(h.Plans) > 0 && !h.Secret)
	}
	for j := range v.m.OpenJobs() {
		r.Running += number(j.RepositoryID == repo.ID && j.State == fleet.StateRunning)
	}
	for j := range v.m.Jobs() {
		if j.RepositoryID == repo.ID && j.Kind == fleet.KindCheck && j.State.Ended() {
			row := jobRow(v.m, j)
			r.Check = &row
			break
		}
	}
	return r, true
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// RepositoryHost is a host that has to do with a repository.
type RepositoryHost struct {
	ID     fleet.HostID
	Name   string
	Online bool
	Secret bool     // it holds the password
	Plans  []string // by which it backs up to the repository
}

// HostsOf gives the hosts that back up to a repository or hold its password, by name; revoked ones left out.
func (v *Repositories) HostsOf(id string) []RepositoryHost {
	repo := fleet.RepositoryID(id)
	var out []RepositoryHost
	for _, h := range v.m.Hosts() {
		if h.RevokedAt != nil {
			continue
		}
		row := RepositoryHost{ID: h.ID, Name: field(h.Name), Online: h.Online, Secret: slices.Contains(h.Secrets, repo)}
		for _, p := range v.m.PlansOf(h.ID) {
			if p.RepositoryID == repo {
				row.Plans = append(row.Plans, field(p.Name))
			}
		}
		if row.Secret || len(row.Plans) > 0 {
			out = append(out, row)
		}
	}
	return out
}

// Opener gives a host that can be asked to open a repository: one that is online and holds its password; "" when there is none.
func (v *Repositories) Opener(id string) fleet.HostID {
	for _, h := range v.HostsOf(id) {
		if h.Online && h.Secret {
			return h.ID
		}
	}
	return ""
}

// CheckQuery asks for the newest check of a repository, where the model does not know one.
func (v *Repositories) CheckQuery(id string) apiclient.JobFilter {
	return apiclient.JobFilter{Repository: id, Kind: fleet.KindCheck, Limit: 1}
}

// RepositoryDraft is a repository while a person writes it.
type RepositoryDraft struct {
	ID      fleet.RepositoryID // "": a new one
	Name    string
	URL     string
	CACert  string
	Options map[string]string
}

// NewRepositoryDraft gives an empty draft, or with an id that repository.
func NewRepositoryDraft(m *model.Fleet, id fleet.RepositoryID) RepositoryDraft {
	if r := m.Repository(id); r != nil {
		return RepositoryDraft{ID: r.ID, Name: r.Name, URL: r.URL, CACert: r.CACert, Options: maps.Clone(r.Options)}
	}
	return RepositoryDraft{}
}

// RepositoryProblem is what is wrong with a draft.
type RepositoryProblem struct {
	NameMissing bool
	NameTaken   bool
	URLMissing  bool
	Err         error // with the URL, the CA or an option
}

// Any tells whether something is wrong.
func (p RepositoryProblem) Any() bool {
	return p.NameMissing || p.NameTaken || p.URLMissing || p.Err != nil
}

// Sentence is the fault's own sentence, "" when it has none.
func (p RepositoryProblem) Sentence() string {
	text, _ := fault.Message(p.Err)
	return field(text)
}

// Check gives what is wrong with the draft.
func (d RepositoryDraft) Check(m *model.Fleet) RepositoryProblem {
	name := strings.TrimSpace(d.Name)
	p := RepositoryProblem{NameMissing: name == "", URLMissing: strings.TrimSpace(d.URL) == ""}
	p.NameTaken = slices.ContainsFunc(m.Repositories(), func(r *fleet.Repository) bool { return r.Name == name && r.ID != d.ID })
	if !p.URLMissing {
		id := cmp.Or(d.ID, "draft")
		p.Err = fleet.RepositorySpec{ID: id, URL: strings.TrimSpace(d.URL), CACert: d.CACert, Options: d.Options}.Validate()
	}
	return p
}

// Request is what to send, with Daemon.AddRepository or, for one that has an ID, UpdateRepository.
func (d RepositoryDraft) Request() api.RepositoryRequest {
	return api.RepositoryRequest{Name: strings.TrimSpace(d.Name), URL: strings.TrimSpace(d.URL), CACert: d.CACert, Options: d.Options}
}
