package vm

import (
	"strings"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
)

// Plans is the list of plans by name.
type Plans struct {
	Runs  *Runs
	m     *model.Fleet
	terms terms
	ids   []string
}

// NewPlans makes the list.
func NewPlans(m *model.Fleet) *Plans {
	v := &Plans{m: m, Runs: NewRuns(m)}
	v.Rebuild()
	return v
}

// SetText leaves the plans that have these words in their name, paths or repository.
func (v *Plans) SetText(text string) {
	v.terms = parseTerms(text)
	v.Rebuild()
}

// Rebuild reads the model anew.
func (v *Plans) Rebuild() {
	v.ids = v.ids[:0]
	for _, p := range v.m.Plans() {
		if v.terms.match(strings.ToLower(p.Name), strings.ToLower(strings.Join(p.Backup.Paths, "\n")), strings.ToLower(repositoryOf(v.m, p.RepositoryID))) {
			v.ids = append(v.ids, string(p.ID))
		}
	}
}

// IDs gives the rows.
func (v *Plans) IDs() []string { return v.ids }

// Face tells which face the page shows.
func (v *Plans) Face() Face { return FaceOf(v.m, len(v.m.Plans()), len(v.ids)) }

// PlanStanding tells how the newest backups of a plan's hosts stand. A backup that was cancelled does not count: somebody wanted it so.
type PlanStanding struct {
	Hosts                         int
	Running, Failed, Warned, Good int
	Newest                        time.Time // when the newest of them ended; zero: there is none
}

// Standing gives it.
func (v *Plans) Standing(p *fleet.Plan) PlanStanding {
	s := PlanStanding{Hosts: len(p.Hosts)}
	for _, id := range p.Hosts {
		if j := v.m.Active(id); j != nil && j.PlanID == p.ID {
			s.Running++
		}
		mark, ok := newestOfPlan(v.m, id, p.ID)
		if host := v.m.Host(id); !ok || host != nil && host.RevokedAt != nil {
			continue
		}
		if mark.At.After(s.Newest) {
			s.Newest = mark.At
		}
		switch mark.State {
		case fleet.StateSucceeded:
			s.Good++
		case fleet.StateWarning:
			s.Warned++
		default:
			s.Failed++
		}
	}
	return s
}
