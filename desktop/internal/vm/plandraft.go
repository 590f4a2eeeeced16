package vm

import (
	"slices"
	"strings"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// PlanDraft is a plan while a person writes it. Lines are one path, pattern or tag each; white space around them does not count, and
// empty ones are left out.
type PlanDraft struct {
	ID            fleet.PlanID // "": a new one
	Name          string
	RepositoryID  fleet.RepositoryID
	Hosts         []fleet.HostID
	Paths         string // lines
	Excludes      string
	Tags          string
	ExcludeCaches bool
	OneFileSystem bool
	Verbose       bool
}

// NewPlanDraft gives an empty draft, or with a plan's id that plan.
func NewPlanDraft(m *model.Fleet, id fleet.PlanID) PlanDraft {
	p := m.Plan(id)
	if p == nil {
		d := PlanDraft{ExcludeCaches: true}
		if all := m.Repositories(); len(all) == 1 {
			d.RepositoryID = all[0].ID
		}
		return d
	}
	b := p.Backup
	return PlanDraft{ID: p.ID, Name: p.Name, RepositoryID: p.RepositoryID, Hosts: slices.Clone(p.Hosts), Paths: strings.Join(b.Paths, "\n"), Excludes: strings.Join(b.Excludes, "\n"),
		Tags: strings.Join(b.Tags, "\n"), ExcludeCaches: b.ExcludeCaches, OneFileSystem: b.OneFileSystem, Verbose: b.Verbose}
}

// PlanField is a field of a draft.
type PlanField string

// The fields.
const (
	PlanName       PlanField = "name"
	PlanRepository PlanField = "repository"
	PlanHosts      PlanField = "hosts"
	PlanPaths      PlanField = "paths"
	PlanExcludes   PlanField = "excludes"
	PlanTags       PlanField = "tags"
)

// PlanProblem is what is wrong with a field. Missing fields have no Err; the sentence of the others is the fault's own.
type PlanProblem struct {
	Field   PlanField
	Missing bool
	Taken   bool // another plan has this name
	Err     error
}

// Check gives what is wrong with the draft, in the order of the fields; nothing when it can be sent.
func (d PlanDraft) Check(m *model.Fleet) []PlanProblem {
	var out []PlanProblem
	name := strings.TrimSpace(d.Name)
	switch {
	case name == "":
		out = append(out, PlanProblem{Field: PlanName, Missing: true})
	case slices.ContainsFunc(m.Plans(), func(p *fleet.Plan) bool { return p.Name == name && p.ID != d.ID }):
		out = append(out, PlanProblem{Field: PlanName, Taken: true})
	}
	if m.Repository(d.RepositoryID) == nil {
		out = append(out, PlanProblem{Field: PlanRepository, Missing: true})
	}
	spec := d.spec()
	if len(spec.Paths) == 0 {
		return append(out, PlanProblem{Field: PlanPaths, Missing: true})
	}
	systems := []string{""}
	for _, id := range d.Hosts {
		if h := m.Host(id); h != nil && !slices.Contains(systems, h.OS) {
			systems = append(systems, h.OS)
		}
	}
	for _, f := range []struct {
		field PlanField
		spec  fleet.BackupSpec
	}{
		{PlanPaths, fleet.BackupSpec{Paths: spec.Paths}},
		{PlanExcludes, fleet.BackupSpec{Paths: []string{"/"}, Excludes: spec.Excludes}},
		{PlanTags, fleet.BackupSpec{Paths: []string{"/"}, Tags: spec.Tags}},
	} {
		for _, goos := range systems {
			if f.field != PlanPaths && goos != "" {
				continue
			}
			if err := f.spec.Validate(goos); err != nil {
				out = append(out, PlanProblem{Field: f.field, Err: err})
				break
			}
		}
	}
	return out
}

// Sentence is the fault's own sentence for a problem, "" when it has none.
func (p PlanProblem) Sentence() string {
	text, _ := fault.Message(p.Err)
	return field(text)
}

func (d PlanDraft) spec() fleet.BackupSpec {
	return fleet.BackupSpec{Paths: lines(d.Paths), Excludes: lines(d.Excludes), Tags: lines(d.Tags), ExcludeCaches: d.ExcludeCaches, OneFileSystem: d.OneFileSystem, Verbose: d.Verbose}
}

// lines cuts what was typed into lines.
func lines(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// Request is what to send, with Daemon.AddPlan or, for one that has an ID, UpdatePlan.
func (d PlanDraft) Request() api.PlanRequest {
	return api.PlanRequest{Name: strings.TrimSpace(d.Name), RepositoryID: d.RepositoryID, Hosts: append([]fleet.HostID{}, d.Hosts...), Backup: d.spec()}
}

// Changed tells whether the draft differs from another one, so that leaving it would lose something.
func (d PlanDraft) Changed(from PlanDraft) bool {
	a, b := d, from
	a.Hosts, b.Hosts = nil, nil
	return !slices.Equal(d.Hosts, from.Hosts) || a.Name != b.Name || a.RepositoryID != b.RepositoryID || a.Paths != b.Paths || a.Excludes != b.Excludes || a.Tags != b.Tags ||
		a.ExcludeCaches != b.ExcludeCaches || a.OneFileSystem != b.OneFileSystem || a.Verbose != b.Verbose
}
