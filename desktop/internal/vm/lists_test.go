package vm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestFacesOfTheWatch(t *testing.T) {
	m := model.New()
	hosts, jobs, over := vm.NewHosts(m), vm.NewJobs(m, vm.JobsFilter{}), vm.NewOverview(m)
	want := func(when string, f vm.Face) {
		t.Helper()
		for i, got := range []vm.Face{hosts.Face(), over.Face()} {
			if got != f {
				t.Errorf("%s: %d shows %q", when, i, got)
			}
		}
	}
	apply := func(b model.Batch) {
		c := m.Apply(b)
		hosts.Update(c)
		jobs.Update(c)
		over.Update(c)
	}
	want("at first", vm.Loading)
	apply(model.Batch{Connection: &model.Connection{Link: model.Lost, Err: fault.New(fault.Unavailable, "away")}})
	want("away", vm.Failed)
	if jobs.Face() != vm.Failed {
		t.Error(jobs.Face())
	}
	apply(model.Batch{Reset: true, Connection: &model.Connection{Link: model.Live}})
	want("nothing there", vm.Empty)
	if jobs.Face() != vm.Loading { // the past is not read yet
		t.Error(jobs.Face())
	}
	q, ok := jobs.More()
	if !ok || !jobs.Short() == false && q.Filter.Limit == 0 {
		t.Fatal("no query")
	}
	jobs.Took(q, api.Page[fleet.Job]{}, nil)
	if jobs.Face() != vm.Empty {
		t.Error(jobs.Face())
	}
	apply(model.Batch{Rows: []api.Row{hostRow("h1", "web"), planRow("p1", "h1"), repoRow("r1", "main")}})
	want("full", vm.Full)
	if hosts.SetText("nothing like this") != vm.Rows {
		t.Error("the filter changes nothing")
	}
	if hosts.Face() != vm.NoMatch {
		t.Error("the filter leaves something")
	}
	apply(model.Batch{Connection: &model.Connection{Link: model.Lost}})
	if over.Face() != vm.Full {
		t.Error("what is known is not shown any more")
	}
}

func TestHostsFilterAndOrder(t *testing.T) {
	w := newWorld(t)
	v := vm.NewHosts(w.m)
	names := func() string {
		var all []string
		for _, id := range v.IDs() {
			r, ok := v.Row(id)
			if !ok {
				t.Fatal("a row is gone")
			}
			all = append(all, r.Name)
		}
		return strings.Join(all, " ")
	}
	for scope, least := range map[vm.HostScope]int{vm.ScopeAttention: 8, vm.ScopeRunning: 4, vm.ScopeOffline: 2, vm.ScopeRevoked: 1, vm.ScopeAll: 30} {
		if v.SetScope(scope); len(v.IDs()) < least {
			t.Errorf("%s has %d hosts", scope, len(v.IDs()))
		}
	}
	v.SetScope(vm.ScopeAll)
	if got := names(); !strings.Contains(got, "web-1.prod-eu web-2.prod-eu web-10.prod-eu") {
		t.Error(got)
	}
	v.SetText("WEB prod")
	if got := names(); got != "web-1.prod-eu web-2.prod-eu web-10.prod-eu" {
		t.Error(got)
	}
	v.SetText("mail")
	if got := names(); got != "mail-01.office-lyon mail-02.office-lyon" {
		t.Error(got)
	}
	v.SetText("")
	v.SetScope(vm.ScopeRevoked)
	if got := names(); got != "old-web.prod-eu" {
		t.Error(got)
	}
	v.SetScope(vm.ScopeAll)
	for _, c := range []vm.HostColumn{vm.HostByStatus, vm.HostByPlan, vm.HostByBackup, vm.HostBySize, vm.HostBySeen, vm.HostByName} {
		v.SetSort(c, false)
		up := slices.Clone(v.IDs())
		v.SetSort(c, true)
		if len(up) < 30 || slices.Equal(up, v.IDs()) {
			t.Errorf("%s: the other way about is the same", c)
		}
	}
	v.SetSort(vm.HostBySize, true)
	if got := names(); !strings.HasPrefix(got, "archive-nas studio-mac render-02") {
		t.Error(got)
	}
	v.SetSort(vm.HostByStatus, false)
	first, _ := v.Row(v.IDs()[0])
	if first.Status != model.StatusFailed || first.Issue == nil {
		t.Errorf("%+v", first)
	}
	running, _ := v.Row(string(w.d.Scene().Host))
	if running.Job == nil || running.Job.ID != w.d.Scene().Running || !running.Job.Counted || len(running.Marks) != 14 || running.Size == 0 || len(running.Plans) != 1 {
		t.Errorf("%+v", running)
	}
}

// Rows come, go and change places with what is shown of them.
func TestHostsFollowTheirNames(t *testing.T) {
	m := signedIn(hostRow("1", "a"), hostRow("2", "b"), hostRow("3", "c"))
	v := vm.NewHosts(m)
	if r := v.Update(m.Apply(model.Batch{Rows: []api.Row{hostRow("2", "z"), hostRow("4", "aa")}})); r != vm.Rows || !slices.Equal(v.IDs(), []string{"1", "4", "3", "2"}) {
		t.Fatal(r, v.IDs())
	}
	v.SetText("aa")
	if r := v.Update(m.Apply(model.Batch{Rows: []api.Row{hostRow("1", "aaa")}})); r != vm.Rows || len(v.IDs()) != 2 {
		t.Error(r, v.IDs())
	}
	if r := v.Update(m.Apply(model.Batch{Rows: []api.Row{hostRow("1", "aaa")}})); r != vm.Cells {
		t.Error("the same rows are set anew", r)
	}
}

// ask carries a query out at the sample's daemon.
func (w *world) ask(v *vm.Jobs) bool {
	q, ok := v.More()
	if ok {
		page, err := w.d.Jobs(w.t.Context(), q.Filter)
		v.Took(q, page, err)
	}
	return ok
}

// Scrolling through all jobs gives what the daemon has, in its order, without hole or repetition.
func TestJobsThroughTheWholePast(t *testing.T) {
	w := newWorld(t)
	host := w.d.Scene().Host
	for name, c := range map[string]struct {
		f    vm.JobsFilter
		same func(fleet.Job) bool
	}{
		"all":     {vm.JobsFilter{}, func(fleet.Job) bool { return true }},
		"host":    {vm.JobsFilter{Host: host}, func(j fleet.Job) bool { return j.HostID == host }},
		"failed":  {vm.JobsFilter{Scope: vm.JobsFailed}, func(j fleet.Job) bool { return lifeFailed(j.State) }},
		"restore": {vm.JobsFilter{Kind: fleet.KindRestore}, func(j fleet.Job) bool { return j.Kind == fleet.KindRestore }},
		"plan":    {vm.JobsFilter{Plan: w.d.Scene().Plan}, func(j fleet.Job) bool { return j.PlanID == w.d.Scene().Plan }},
		"text":    {vm.JobsFilter{Text: "Mail-0"}, func(j fleet.Job) bool { return strings.HasPrefix(w.m.Host(j.HostID).Name, "mail-0") }},
		"both":    {vm.JobsFilter{Text: "mira", Scope: vm.JobsCancelled}, func(j fleet.Job) bool { return j.CreatedBy == "mira" && j.State == fleet.StateCancelled }},
	} {
		t.Run(name, func(t *testing.T) {
			page, err := w.d.Jobs(t.Context(), apiclient.JobFilter{Limit: 10_000})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, j := range page.Items {
				if j.State.Ended() && c.same(j) {
					want = append(want, string(j.ID))
				}
			}
			v := vm.NewJobs(w.m, c.f)
			for n := 0; w.ask(v); n++ {
				if n > 50 {
					t.Fatal("it does not end")
				}
			}
			if !v.Complete() || !slices.Equal(v.Past(), want) || len(want) == 0 {
				t.Fatalf("%d rows, want %d", len(v.Past()), len(want))
			}
			for _, id := range []string{v.Past()[0], v.Past()[len(want)-1]} {
				if r, ok := v.Row(id); !ok || r.Host == "" || string(r.ID) != id {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func lifeFailed(s fleet.JobState) bool {
	return s == fleet.StateFailed || s == fleet.StateInterrupt || s == fleet.StateLost
}

func TestOpenJobsStandOnTop(t *testing.T) {
	w := newWorld(t)
	v := vm.NewJobs(w.m, vm.JobsFilter{Scope: vm.JobsOpen})
	var states []fleet.JobState
	for _, id := range v.IDs() {
		r, _ := v.Row(id)
		states = append(states, r.State)
		if r.Line == nil {
			t.Errorf("%s has no live line", r.ID)
		}
	}
	want := []fleet.JobState{fleet.StateRunning, fleet.StateRunning, fleet.StateRunning, fleet.StateRunning, fleet.StateUnknown, fleet.StateAccepted, fleet.StateQueued}
	if !slices.Equal(states, want) || len(v.Past()) != 0 || v.Face() != vm.Full || v.Short() {
		t.Error(states)
	}
	if _, ok := v.More(); ok {
		t.Error("the past is asked for")
	}
}

// An answer to what was asked before the filter changed is passed over; an error stays until a person retries.
func TestJobsQueries(t *testing.T) {
	m := signedIn(hostRow("h1", "web"))
	v := vm.NewJobs(m, vm.JobsFilter{})
	old, ok := v.More()
	if _, twice := v.More(); !ok || twice {
		t.Fatal("asked twice")
	}
	v.SetFilter(vm.JobsFilter{Kind: fleet.KindCheck, Text: strings.Repeat("ü", 400)})
	if r := v.Took(old, api.Page[fleet.Job]{Items: []fleet.Job{*aJob("j", fleet.StateFailed)}}, nil); r != vm.Nothing || len(v.IDs()) != 0 {
		t.Error("an old answer counts")
	}
	q, ok := v.More()
	if !ok || q.Filter.Kind != fleet.KindCheck || len(q.Filter.Text) > 256 {
		t.Fatal(q)
	}
	v.Took(q, api.Page[fleet.Job]{}, fault.New(fault.Unavailable, "away"))
	if _, ok := v.More(); ok || v.Err() == nil || v.Face() != vm.Failed || v.Loading() {
		t.Error("an error is not shown")
	}
	v.Retry()
	if q, ok = v.More(); !ok {
		t.Fatal("no second try")
	}
	v.Took(q, api.Page[fleet.Job]{Next: "x"}, nil) // a page may be empty and name a next one
	if v.Face() != vm.Loading || !v.Short() {
		t.Error(v.Face())
	}
	if q, _ = v.More(); q.Filter.Cursor != "x" {
		t.Error(q)
	}
	v.Took(q, api.Page[fleet.Job]{}, nil)
	if v.Face() != vm.NoMatch || !v.Complete() {
		t.Error(v.Face())
	}
}

// A job of a page that the watch then tells of is shown as the watch has it, once.
func TestTheWatchKnowsBetter(t *testing.T) {
	m := signedIn(hostRow("h1", "web"))
	v := vm.NewJobs(m, vm.JobsFilter{})
	q, _ := v.More()
	v.Took(q, api.Page[fleet.Job]{Items: []fleet.Job{*aJob("j", fleet.StateLost)}}, nil)
	v.Update(m.Apply(model.Batch{Rows: []api.Row{jobRow(aJob("j", fleet.StateSucceeded))}}))
	if r, _ := v.Row("j"); !slices.Equal(v.IDs(), []string{"j"}) || r.State != fleet.StateSucceeded {
		t.Error(v.IDs(), r.State)
	}
}

func TestOverview(t *testing.T) {
	w := newWorld(t)
	v := vm.NewOverview(w.m)
	now := w.d.Now()
	if f, _ := v.DaysFace(); f != vm.Loading || !v.Due(now) || v.Due(now) {
		t.Fatal("the days are not asked for once")
	}
	v.Took(api.Overview{}, fault.New(fault.Unavailable, "away"))
	if f, err := v.DaysFace(); f != vm.Failed || err == nil || v.Due(now.Add(time.Second)) || !v.Due(now.Add(31*time.Second)) {
		t.Fatal("an error is asked after wrongly")
	}
	v.Took(w.d.Overview(t.Context(), vm.OverviewDays))
	bars, sum := v.Bars()
	if len(bars) != vm.OverviewDays || sum.Succeeded < 500 || sum.Failed < 5 || sum.Warning < 5 || bars[0].Day.After(bars[1].Day) || !bars[29].Day.Equal(now.Truncate(24*time.Hour)) {
		t.Errorf("%d bars, %+v", len(bars), sum)
	}
	for range 400 {
		v.Tick()
	}
	c := v.Cards()
	if !c.Last24h.Known || c.Last24h.Share < 0.7 || c.Last24h.Share > 1 || len(c.Load) != 300 || c.Speed <= 0 || len(c.RateByDay) != 30 || c.Totals.Protected < 20 || c.Added24h == 0 {
		t.Errorf("%+v", c)
	}
	rows, all := v.Attention(4)
	if len(rows) != 4 || all < 8 || rows[0].Issue.Severity != model.Serious || rows[0].Host == "" {
		t.Errorf("%d, %+v", all, rows)
	}
	every, _ := v.Attention(0)
	seen := map[model.IssueKind]vm.AttentionRow{}
	for _, r := range every {
		seen[r.Issue.Kind] = r
	}
	for _, k := range []model.IssueKind{model.IssueFailed, model.IssueInterrupted, model.IssueLost, model.IssueNoRestic, model.IssueNoSecret, model.IssueUnknown, model.IssueWarning, model.IssueOffline, model.IssueNever} {
		if _, ok := seen[k]; !ok && k != model.IssueNever {
			t.Errorf("no host with %s", k)
		}
	}
	if r := seen[model.IssueFailed]; r.Message == "" || r.Issue.Reason == "" {
		t.Errorf("%+v", r)
	}
	if r := seen[model.IssueNoSecret]; r.Repository != "eu-central" || r.Plan != "databases" || r.More != 1 {
		t.Errorf("%+v", r)
	}
	if r := vm.Revoked(w.m); len(r) != 1 || r[0].Revoked.IsZero() {
		t.Errorf("%+v", r)
	}
	// a backup that ends is worth asking again, but not each of a hundred
	if _, err := w.d.CancelJob(t.Context(), w.d.Scene().Queued); err != nil {
		t.Fatal(err)
	}
	if v.Due(now.Add(time.Minute)) {
		t.Error("asked without need")
	}
	v.Update(w.step())
	if !v.Due(now.Add(time.Minute)) {
		t.Error("not asked after a backup ended")
	}
}

func TestManyHostsInOneLine(t *testing.T) {
	var rows []api.Row
	for i := range 50 {
		rows = append(rows, hostRow(fmt.Sprint(i), fmt.Sprintf("h%d", i)))
	}
	m := signedIn(rows...)
	v := vm.NewHosts(m)
	v.SetSort(vm.HostByBackup, true) // none was ever backed up: the order by name stays
	if v.IDs()[2] != "2" || v.IDs()[10] != "10" {
		t.Error(v.IDs())
	}
}
