package vm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
)

// PlanColumn is what plans can be ordered by.
type PlanColumn string

// The columns.
const (
	PlanByName       PlanColumn = "name"
	PlanByRepository PlanColumn = "repository"
	PlanByHosts      PlanColumn = "hosts"
	PlanByBackup     PlanColumn = "backup"
	PlanBySize       PlanColumn = "size"
)

// Plans is the table of plans.
type Plans struct {
	table
	m      *model.Fleet
	text   string
	terms  terms
	column PlanColumn
	desc   bool
}

// NewPlans makes the table, by name.
func NewPlans(m *model.Fleet) *Plans {
	v := &Plans{m: m, column: PlanByName}
	v.rebuild()
	return v
}

// PlanRow is what is shown of a plan.
type PlanRow struct {
	ID              string
	Name            string
	RepositoryID    fleet.RepositoryID
	Repository      string // "": it is gone
	Paths           []string
	Excludes        []string
	Tags            []string
	ExcludeCaches   bool
	OneFileSystem   bool
	Verbose         bool
	Hosts           int // revoked ones left out
	Protected       int // of them: the newest backup by this plan saved a snapshot
	Troubled        int // of them: the newest backup by this plan did not, or lacks files
	Never           int // of them: none is known
	NoSecret        int // of them: they hold no password of the repository
	Running         int
	Newest          *model.Mark // the newest backup by this plan of any host
	NewestHost      string
	Size            int64 // of the newest backups of its hosts
	MayBackUp, Edit bool
}

// Face tells which face the page shows.
func (v *Plans) Face() Face { return faceOf(v.m, v.total, len(v.ids)) }

// Text and Sort give what is set.
func (v *Plans) Text() string { return v.text }

// Sort is the order.
func (v *Plans) Sort() (PlanColumn, bool) { return v.column, v.desc }

// SetText filters by words in the name, paths, repository and hosts of a plan.
func (v *Plans) SetText(text string) Refresh {
	v.text, v.terms = text, parseTerms(text)
	return v.rebuild()
}

// SetSort orders by a column.
func (v *Plans) SetSort(c PlanColumn, desc bool) Refresh {
	v.column, v.desc = c, desc
	return v.rebuild()
}

// Selected is the selected row, "" when there is none.
func (v *Plans) Selected() string {
	if v.m.Plan(fleet.PlanID(v.selected)) == nil {
		v.selected = ""
	}
	return v.selected
}

// Update takes a change of the model.
func (v *Plans) Update(c model.Change) Refresh {
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

func (v *Plans) rebuild() Refresh {
	var plans []*fleet.Plan
	for _, p := range v.m.Plans() {
		if v.matches(p) {
			plans = append(plans, p)
		}
	}
	rows := map[fleet.PlanID]PlanRow{}
	if v.column != PlanByName && v.column != PlanByRepository {
		for _, p := range plans {
			rows[p.ID] = planRow(v.m, p)
		}
	}
	slices.SortStableFunc(plans, func(a, b *fleet.Plan) int { return ordered(v.compare(a, b, rows), v.desc) })
	ids := make([]string, 0, len(plans))
	for _, p := range plans {
		ids = append(ids, string(p.ID))
	}
	return v.set(ids, len(v.m.Plans()))
}

func (v *Plans) compare(a, b *fleet.Plan, rows map[fleet.PlanID]PlanRow) int {
	x, y := rows[a.ID], rows[b.ID]
	switch v.column {
	case PlanByRepository:
		return model.CompareNames(repositoryOf(v.m, a.RepositoryID), repositoryOf(v.m, b.RepositoryID))
	case PlanByHosts:
		return cmp.Compare(x.Hosts, y.Hosts)
	case PlanBySize:
		return cmp.Compare(x.Size, y.Size)
	case PlanByBackup:
		return cmp.Compare(markInstant(x.Newest), markInstant(y.Newest))
	}
	return model.CompareNames(a.Name, b.Name)
}

func markInstant(m *model.Mark) int64 {
	if m == nil {
		return 0
	}
	return instant(m.At)
}

func (v *Plans) matches(p *fleet.Plan) bool {
	if len(v.terms) == 0 {
		return true
	}
	text := []string{strings.ToLower(p.Name), strings.ToLower(repositoryOf(v.m, p.RepositoryID))}
	for _, path := range p.Backup.Paths {
		text = append(text, strings.ToLower(path))
	}
	for _, id := range p.Hosts {
		if h := v.m.Host(id); h != nil {
			text = append(text, strings.ToLower(h.Name))
		}
	}
	return v.terms.match(text...)
}

// Row gives what to show of a plan, and false when it is gone.
func (v *Plans) Row(id string) (PlanRow, bool) {
	p := v.m.Plan(fleet.PlanID(id))
	if p == nil {
		return PlanRow{}, false
	}
	return planRow(v.m, p), true
}

func planRow(m *model.Fleet, p *fleet.Plan) PlanRow {
	b := p.Backup
	r := PlanRow{ID: string(p.ID), Name: field(p.Name), RepositoryID: p.RepositoryID, Repository: repositoryOf(m, p.RepositoryID), Paths: fields(b.Paths), Excludes: fields(b.Excludes), Tags: fields(b.Tags),
		ExcludeCaches: b.ExcludeCaches, OneFileSystem: b.OneFileSystem, Verbose: b.Verbose, MayBackUp: m.May(fleet.RoleOperator), Edit: m.May(fleet.RoleOperator)}
	for _, id := range p.Hosts {
		h := m.Host(id)
		if h == nil || h.RevokedAt != nil {
			continue
		}
		r.Hosts++
		if j := m.Active(id); j != nil && j.PlanID == p.ID {
			r.Running++
		}
		if !slices.Contains(h.Secrets, p.RepositoryID) {
			r.NoSecret++
		}
		mark, ok := newestOfPlan(m, id, p.ID)
		switch {
		case !ok:
			r.Never++
			continue
		case mark.State == fleet.StateSucceeded:
			r.Protected++
		case mark.State == fleet.StateWarning:
			r.Protected++
			r.Troubled++
		default:
			r.Troubled++
		}
		r.Size += mark.Bytes
		if r.Newest == nil || mark.At.After(r.Newest.At) {
			r.Newest, r.NewestHost = &mark, field(h.Name)
		}
	}
	r.MayBackUp = r.MayBackUp && r.Hosts > 0
	return r
}

// PlanHost is a host of a plan, or one that it could have.
type PlanHost struct {
	ID      fleet.HostID
	Name    string
	OS      string
	Online  bool
	In      bool // the plan has it
	Secret  bool // it holds the password of the plan's repository
	Revoked bool
	Newest  *model.Mark // by this plan; nil: none is known
}

// HostsOf gives the hosts of a plan, by name; with all also those that it does not have, revoked ones left out.
func (v *Plans) HostsOf(id string, all bool) []PlanHost {
	p := v.m.Plan(fleet.PlanID(id))
	var out []PlanHost
	for _, h := range v.m.Hosts() {
		in := p != nil && slices.Contains(p.Hosts, h.ID)
		if !in && (!all || h.RevokedAt != nil) {
			continue
		}
		row := PlanHost{ID: h.ID, Name: field(h.Name), OS: field(h.OS), Online: h.Online, In: in, Revoked: h.RevokedAt != nil, Secret: p != nil && slices.Contains(h.Secrets, p.RepositoryID)}
		if in {
			if mark, ok := newestOfPlan(v.m, h.ID, p.ID); ok {
				row.Newest = &mark
			}
		}
		out = append(out, row)
	}
	return out
}
