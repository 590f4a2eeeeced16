package model_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func hostRow(id, name string, change ...func(*fleet.Host)) api.Row {
	seen := t0
	h := &fleet.Host{ID: fleet.HostID(id), Name: name, Online: true, ResticVersion: "0.19.1", Secrets: []fleet.RepositoryID{"r1"}, EnrolledAt: t0.AddDate(0, -1, 0), LastSeenAt: &seen}
	for _, f := range change {
		f(h)
	}
	return api.Row{Kind: "host", ID: id, Host: h}
}

func planRow(id string, hosts ...fleet.HostID) api.Row {
	return api.Row{Kind: "plan", ID: id, Plan: &fleet.Plan{ID: fleet.PlanID(id), Name: id, RepositoryID: "r1", Hosts: hosts}}
}

// jobRow makes a backup that was created at minute n.
func jobRow(id, host string, n int, state fleet.JobState, change ...func(*fleet.Job)) api.Row {
	at := t0.Add(time.Duration(n) * time.Minute)
	j := &fleet.Job{ID: fleet.JobID(id), HostID: fleet.HostID(host), Kind: fleet.KindBackup, PlanID: "p1", RepositoryID: "r1", State: state, CreatedAt: at, UpdatedAt: at}
	if state.Ended() {
		end := at.Add(time.Minute)
		j.StartedAt, j.FinishedAt = &at, &end
		j.Outcome = &fleet.Outcome{State: state, StartedAt: at, FinishedAt: end}
		if state == fleet.StateSucceeded || state == fleet.StateWarning {
			j.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: "abc", TotalBytesProcessed: 1000}}
		}
	}
	for _, f := range change {
		f(j)
	}
	return api.Row{Kind: "job", ID: id, Job: j}
}

func list(rows ...api.Row) model.Batch    { return model.Batch{Reset: true, Rows: rows} }
func changed(rows ...api.Row) model.Batch { return model.Batch{Rows: rows} }

func TestStatusAndAttention(t *testing.T) {
	revoked := t0
	for name, c := range map[string]struct {
		rows   []api.Row
		status model.Status
		issues []model.IssueKind
		safe   bool
	}{
		"protected":           {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded)}, model.StatusProtected, nil, true},
		"warning":             {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateWarning)}, model.StatusWarning, []model.IssueKind{model.IssueWarning}, true},
		"failed":              {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded), jobRow("2", "h", 2, fleet.StateFailed)}, model.StatusFailed, []model.IssueKind{model.IssueFailed}, false},
		"mended":              {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("2", "h", 2, fleet.StateSucceeded), jobRow("1", "h", 1, fleet.StateFailed)}, model.StatusProtected, nil, true},
		"interrupted":         {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateInterrupt)}, model.StatusFailed, []model.IssueKind{model.IssueInterrupted}, false},
		"lost":                {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateLost)}, model.StatusFailed, []model.IssueKind{model.IssueLost}, false},
		"unknown":             {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateUnknown)}, model.StatusUnknown, []model.IssueKind{model.IssueUnknown}, false},
		"cancelled says none": {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded), jobRow("2", "h", 2, fleet.StateCancelled)}, model.StatusProtected, nil, true},
		"running over failed": {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateFailed), jobRow("2", "h", 2, fleet.StateRunning)}, model.StatusRunning, []model.IssueKind{model.IssueFailed}, false},
		"queued is not run":   {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded), jobRow("2", "h", 2, fleet.StateQueued)}, model.StatusProtected, nil, true},
		"a check says none": {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded), jobRow("2", "h", 2, fleet.StateFailed, func(j *fleet.Job) { j.Kind = fleet.KindCheck })},
			model.StatusProtected, nil, true},
		"never":     {[]api.Row{hostRow("h", "h"), planRow("p1", "h")}, model.StatusWaiting, []model.IssueKind{model.IssueNever}, false},
		"unplanned": {[]api.Row{hostRow("h", "h")}, model.StatusUnplanned, nil, false},
		"offline":   {[]api.Row{hostRow("h", "h", func(h *fleet.Host) { h.Online = false }), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded)}, model.StatusProtected, []model.IssueKind{model.IssueOffline}, true},
		"no restic": {[]api.Row{hostRow("h", "h", func(h *fleet.Host) { h.ResticVersion = "" }), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateWarning)}, model.StatusWarning, []model.IssueKind{model.IssueNoRestic, model.IssueWarning}, true},
		"cloned":    {[]api.Row{hostRow("h", "h", func(h *fleet.Host) { h.ClonedAt = &revoked }), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateSucceeded)}, model.StatusProtected, []model.IssueKind{model.IssueCloned}, true},
		"no secret": {[]api.Row{hostRow("h", "h", func(h *fleet.Host) { h.Secrets = nil }), planRow("p1", "h"), planRow("p2", "h")}, model.StatusWaiting, []model.IssueKind{model.IssueNoSecret, model.IssueNever}, false},
		"revoked":   {[]api.Row{hostRow("h", "h", func(h *fleet.Host) { h.RevokedAt = &revoked; h.Online = false }), planRow("p1", "h"), jobRow("1", "h", 1, fleet.StateFailed)}, model.StatusRevoked, nil, false},
		"one plan hides no other": {[]api.Row{hostRow("h", "h"), planRow("p1", "h"), planRow("p2", "h"), jobRow("1", "h", 1, fleet.StateFailed), jobRow("2", "h", 2, fleet.StateSucceeded, func(j *fleet.Job) { j.PlanID = "p2" })},
			model.StatusProtected, []model.IssueKind{model.IssueFailed}, true},
		"a plan of the past": {[]api.Row{hostRow("h", "h"), planRow("p2", "h"), jobRow("1", "h", 1, fleet.StateFailed), jobRow("2", "h", 2, fleet.StateSucceeded, func(j *fleet.Job) { j.PlanID = "p2" })}, model.StatusProtected, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, backwards := range []bool{false, true} {
				rows := slices.Clone(c.rows)
				if backwards {
					slices.Reverse(rows)
				}
				m := model.New()
				m.Apply(list())
				for _, r := range rows { // one by one: what is derived must not depend on the order of arrival
					m.Apply(changed(r))
				}
				var kinds []model.IssueKind
				for _, i := range m.Issues("h") {
					kinds = append(kinds, i.Kind)
				}
				if m.Status("h") != c.status || !slices.Equal(kinds, c.issues) || m.Protected("h") != c.safe {
					t.Errorf("backwards %v: status %q, issues %q, protected %v", backwards, m.Status("h"), kinds, m.Protected("h"))
				}
				if got := len(m.Attention()) == 1; got != (len(c.issues) > 0) {
					t.Errorf("attention: %v", m.Attention())
				}
			}
		})
	}
}

func TestEndedTellsWhatWasSeenOpen(t *testing.T) {
	m := model.New()
	m.Apply(list(hostRow("h", "h"), jobRow("1", "h", 1, fleet.StateRunning), jobRow("2", "h", 2, fleet.StateFailed)))
	if c := m.Apply(changed(jobRow("1", "h", 1, fleet.StateRunning))); len(c.Ended) != 0 {
		t.Fatal(c)
	}
	if c := m.Apply(list(hostRow("h", "h"), jobRow("1", "h", 1, fleet.StateSucceeded), jobRow("2", "h", 2, fleet.StateFailed), jobRow("3", "h", 3, fleet.StateFailed))); !slices.Equal(c.Ended, []fleet.JobID{"1"}) || !c.All {
		t.Fatal(c)
	}
}

func TestProgress(t *testing.T) {
	m := model.New()
	m.Apply(list(jobRow("1", "h", 1, fleet.StateRunning)))
	for i := range 10 {
		p := fleet.Progress{At: t0.Add(time.Duration(i) * time.Second), BytesDone: int64(i) * 1000}
		if c := m.Apply(model.Batch{Progress: map[fleet.JobID]fleet.Progress{"1": p, "unknown": p}}); !slices.Equal(c.Progress, []fleet.JobID{"1"}) {
			t.Fatal(c)
		}
	}
	if p, ok := m.Progress("1"); !ok || p.BytesDone != 9000 || m.Speed("1") != 1000 {
		t.Fatal(p, ok, m.Speed("1"))
	}
	m.Apply(changed(jobRow("1", "h", 1, fleet.StateSucceeded)))
	if _, ok := m.Progress("1"); ok || m.Speed("1") != 0 {
		t.Fatal("an ended job has progress")
	}
}

// However many jobs end, what is kept is bounded, and what the daemon notes of a host stays.
func TestJobsAreBounded(t *testing.T) {
	m := model.New()
	m.Apply(list(hostRow("h", "h"), hostRow("old", "old", func(h *fleet.Host) {
		h.NoteBackup(fleet.BackupMark{JobID: "first", State: fleet.StateWarning, At: t0, Bytes: 77})
	}), jobRow("first", "old", 0, fleet.StateWarning), jobRow("open", "h", 1, fleet.StateRunning)))
	for i := range model.MaxEnded * 2 {
		m.Apply(changed(jobRow(fmt.Sprintf("j%06d", i), "h", 2+i, fleet.StateSucceeded)))
	}
	n := 0
	for range m.Jobs() {
		n++
	}
	if n > model.MaxEnded*11/10+2 || m.Job("first") != nil || m.Job("open") == nil || m.Size("old") != 77 || len(m.Marks("old")) != 1 {
		t.Fatalf("%d jobs kept", n)
	}
	if m.Job("j000000") != nil {
		t.Fatal("the oldest stayed")
	}
}

func TestNamesAreOrderedAsPeopleReadThem(t *testing.T) {
	names := []string{"web-10", "Web-2", "web-2", "db", "web-02", "Ärger", "a1b2", "a1b10", "日本", ""}
	slices.SortFunc(names, model.CompareNames)
	want := []string{"", "a1b2", "a1b10", "db", "Web-2", "web-02", "web-2", "web-10", "Ärger", "日本"}
	if !slices.Equal(names, want) {
		t.Fatalf("%q", names)
	}
}

func TestRenamedHostsMove(t *testing.T) {
	m := model.New()
	m.Apply(list(hostRow("1", "a"), hostRow("2", "b")))
	m.Hosts()
	m.Apply(changed(hostRow("1", "c")))
	if h := m.Hosts(); len(h) != 2 || h[0].Name != "b" || h[1].Name != "c" {
		t.Fatal(h)
	}
	c := m.Apply(changed(api.Row{Kind: "host", ID: "2", Deleted: true}))
	if h := m.Hosts(); len(h) != 1 || !slices.Equal(c.Hosts, []fleet.HostID{"2"}) || m.Host("2") != nil || m.Status("2") != "" {
		t.Fatal(h, c)
	}
}
