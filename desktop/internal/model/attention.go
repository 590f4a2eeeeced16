package model

import (
	"cmp"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Severity says how much something needs a person.
type Severity int

// The severities, in the order they are shown.
const (
	Serious Severity = iota // no backup can be relied on
	Doubtful
	Notable
)

// IssueKind says what is wrong with a host.
type IssueKind string

// The issues.
const (
	IssueFailed      IssueKind = "failed"      // the newest backup failed; Reason says why
	IssueInterrupted IssueKind = "interrupted" // the host went down while it ran
	IssueLost        IssueKind = "lost"        // the agent came back without it
	IssueCloned      IssueKind = "cloned"      // two machines use its identity
	IssueNoRestic    IssueKind = "no-restic"   // no usable restic on the host
	IssueNoSecret    IssueKind = "no-secret"   // the host holds no password for a plan's repository
	IssueUnknown     IssueKind = "unknown"     // contact was lost while it ran
	IssueWarning     IssueKind = "warning"     // files could not be read
	IssueOffline     IssueKind = "offline"     // no agent is connected
	IssueNever       IssueKind = "never"       // it has a plan and was never backed up
)

var severities = map[IssueKind]Severity{
	IssueFailed: Serious, IssueInterrupted: Serious, IssueLost: Serious, IssueCloned: Serious, IssueNoRestic: Serious, IssueNoSecret: Serious,
	IssueUnknown: Doubtful, IssueWarning: Doubtful, IssueOffline: Doubtful, IssueNever: Notable,
}

// Issue is one thing that is wrong with a host.
type Issue struct {
	Kind         IssueKind
	Severity     Severity
	Since        time.Time          // zero: not known
	JobID        fleet.JobID        // the backup, for those that are about one
	PlanID       fleet.PlanID       // the plan, where there is one
	RepositoryID fleet.RepositoryID // IssueNoSecret
	Reason       fleet.Reason       // of the backup's outcome
}

// Attention is a host that needs a person, with all that is wrong with it, the worst first. There is at least one issue.
type Attention struct {
	HostID fleet.HostID
	Issues []Issue
}

// Worst is the first issue.
func (a Attention) Worst() Issue { return a.Issues[0] }

// issuesOf gives what is wrong with a host. A revoked one is shown apart.
func issuesOf(h *host) []Issue {
	if h.row.RevokedAt != nil {
		return nil
	}
	var out []Issue
	note := func(i Issue) {
		i.Severity = severities[i.Kind]
		out = append(out, i)
	}
	for _, m := range newestByPlan(h) {
		if kind, bad := issueOf(m.State); bad {
			note(Issue{Kind: kind, Since: m.At, JobID: m.JobID, PlanID: m.PlanID, Reason: m.Reason})
		}
	}
	if _, backedUp := decisive(h.marks); !backedUp && len(h.plans) > 0 {
		note(Issue{Kind: IssueNever, Since: h.row.EnrolledAt, PlanID: h.plans[0].ID})
	}
	if h.row.ClonedAt != nil {
		note(Issue{Kind: IssueCloned, Since: *h.row.ClonedAt})
	}
	if h.row.ResticVersion == "" {
		note(Issue{Kind: IssueNoRestic, Since: h.row.EnrolledAt})
	}
	for i, p := range h.plans {
		told := slices.ContainsFunc(h.plans[:i], func(q *fleet.Plan) bool { return q.RepositoryID == p.RepositoryID })
		if !told && !slices.Contains(h.row.Secrets, p.RepositoryID) {
			note(Issue{Kind: IssueNoSecret, PlanID: p.ID, RepositoryID: p.RepositoryID})
		}
	}
	if !h.row.Online && h.row.LastSeenAt != nil {
		note(Issue{Kind: IssueOffline, Since: *h.row.LastSeenAt})
	}
	slices.SortStableFunc(out, func(a, b Issue) int { return cmp.Compare(a.Severity, b.Severity) })
	return out
}

// newestByPlan gives the newest backup of all and of each plan that the host still has, so that a plan that fails is not hidden by
// another one that went well.
func newestByPlan(h *host) []Mark {
	var out []Mark
	for _, m := range slices.Backward(h.marks) {
		if m.State == fleet.StateCancelled || slices.ContainsFunc(out, func(o Mark) bool { return o.PlanID == m.PlanID }) {
			continue
		}
		if len(out) == 0 || hasPlan(h, m.PlanID) {
			out = append(out, m)
		}
	}
	return out
}

func issueOf(s fleet.JobState) (IssueKind, bool) {
	switch s {
	case fleet.StateFailed:
		return IssueFailed, true
	case fleet.StateInterrupt:
		return IssueInterrupted, true
	case fleet.StateLost:
		return IssueLost, true
	case fleet.StateUnknown:
		return IssueUnknown, true
	case fleet.StateWarning:
		return IssueWarning, true
	}
	return "", false
}

// Issues gives what is wrong with a host, the worst first.
func (f *Fleet) Issues(id fleet.HostID) []Issue {
	if h := f.hosts[id]; h != nil && h.row != nil {
		return h.issues
	}
	return nil
}

// Attention gives the hosts that need a person: the worst first, then what happened last.
func (f *Fleet) Attention() []Attention {
	return f.attention.get(func(all []Attention) []Attention {
		for _, row := range f.Hosts() {
			if issues := f.hosts[row.ID].issues; len(issues) > 0 {
				all = append(all, Attention{row.ID, issues})
			}
		}
		slices.SortStableFunc(all, func(a, b Attention) int {
			if c := cmp.Compare(a.Worst().Severity, b.Worst().Severity); c != 0 {
				return c
			}
			return b.Worst().Since.Compare(a.Worst().Since)
		})
		return all
	})
}

// Totals counts the fleet. Revoked hosts are counted apart only.
type Totals struct {
	Hosts     int // revoked ones left out
	Online    int
	Protected int
	Attention int // hosts that need a person
	Revoked   int
	Running   int   // jobs that run, or wait on their host for the repository
	Queued    int   // jobs that wait for their host
	Unknown   int   // jobs whose contact is lost
	Size      int64 // of the newest backups
}

// Totals counts.
func (f *Fleet) Totals() Totals {
	if f.totals != nil {
		return *f.totals
	}
	var t Totals
	for _, h := range f.hosts {
		switch {
		case h.row == nil:
			continue
		case h.row.RevokedAt != nil:
			t.Revoked++
			continue
		}
		t.Hosts++
		t.Size += h.size
		t.Online += count(h.row.Online)
		t.Protected += count(h.protected())
		t.Attention += count(len(h.issues) > 0)
	}
	for j := range f.OpenJobs() {
		t.Running += count(j.State == fleet.StateRunning || j.State == fleet.StateAccepted)
		t.Queued += count(j.State == fleet.StateQueued || j.State == fleet.StateDispatched)
		t.Unknown += count(j.State == fleet.StateUnknown)
	}
	f.totals = &t
	return t
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
