package vm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

func TestHostPage(t *testing.T) {
	w := newWorld(t)
	v := vm.NewHost(w.m, w.d.Scene().Host)
	if v.Face() != vm.Full || v.Row().Name != "db-04.prod-eu" || v.Active() == nil || v.Active().ID != w.d.Scene().Running {
		t.Fatalf("%q %+v", v.Face(), v.Row())
	}
	if n := len(v.Runs()); n != 14 {
		t.Errorf("%d runs before the daemon was asked", n)
	}
	q, ok := v.RunsQuery()
	if _, twice := v.RunsQuery(); !ok || twice || q.Kind != fleet.KindBackup || q.Limit != vm.HostRuns {
		t.Fatal(q)
	}
	v.TookRuns(w.d.Jobs(t.Context(), q))
	runs := v.Runs()
	if len(runs) < 59 || !slices.IsSortedFunc(runs, func(a, b model.Mark) int { return a.At.Compare(b.At) }) || v.RunsRate().Share < 0.8 || !v.RunsRate().Known {
		t.Errorf("%d runs, %+v", len(runs), v.RunsRate())
	}
	sizes := v.Sizes()
	if len(sizes) < 50 || sizes[0].Bytes >= sizes[len(sizes)-1].Bytes {
		t.Errorf("%d sizes", len(sizes))
	}
	d := v.Details()
	if len(d.Plans) != 1 || !d.Plans[0].Secret || d.Plans[0].Newest == nil || d.Plans[0].Repository != "eu-central" || len(d.Secrets) != 1 || !d.Secrets[0].Used || len(d.Issues) != 0 {
		t.Errorf("%+v", d)
	}
	if a := v.Actions(); a != (vm.HostActions{BackUp: true, Browse: true, Restore: true, Secrets: true, Revoke: true, EnrolAnew: true}) {
		t.Errorf("%+v", a)
	}
	c := v.Update(model.Change{Progress: []fleet.JobID{w.d.Scene().Running}})
	if !c.Live || c.Page {
		t.Errorf("%+v", c)
	}
}

func TestHostPageOfATroubledHost(t *testing.T) {
	w := newWorld(t)
	s := w.d.Scene()
	d := vm.NewHost(w.m, s.NoSecret).Details()
	if len(d.Issues) != 2 || d.Issues[0].Issue.Kind != model.IssueNoSecret || len(d.Plans) != 1 || d.Plans[0].Secret || d.Plans[0].Newest != nil {
		t.Errorf("%+v", d)
	}
	if a := vm.NewHost(w.m, s.Revoked).Actions(); a != (vm.HostActions{Browse: true, EnrolAnew: true}) {
		t.Errorf("%+v", a)
	}
	if a := vm.NewHost(w.m, s.Offline).Actions(); a.Secrets || !a.BackUp {
		t.Errorf("%+v", a)
	}
	gone := vm.NewHost(w.m, "nobody")
	if _, ok := gone.RunsQuery(); ok || gone.Face() != vm.Failed || !gone.Gone() || gone.Actions() != (vm.HostActions{}) {
		t.Error(gone.Face())
	}
	w.m.Apply(model.Batch{Identity: &api.Identity{Role: fleet.RoleViewer}})
	if a := vm.NewHost(w.m, s.Host).Actions(); a != (vm.HostActions{Browse: true}) {
		t.Errorf("%+v", a)
	}
}

func (w *world) askSnapshots(v *vm.Snapshots) bool {
	q, ok := v.More()
	if ok {
		page, err := w.d.Snapshots(w.t.Context(), q.Filter)
		v.Took(q, page, err)
	}
	return ok
}

func TestSnapshots(t *testing.T) {
	w := newWorld(t)
	v := vm.NewSnapshots(w.m, vm.SnapshotsFilter{Host: w.d.Scene().Host})
	if v.Face() != vm.Loading || !v.Short() {
		t.Fatal(v.Face())
	}
	for w.askSnapshots(v) {
	}
	n := len(v.IDs())
	first, ok := v.Row(v.IDs()[0])
	if v.Face() != vm.Full || !v.Complete() || n < 200 || !ok || first.HostID != w.d.Scene().Host || first.Plan != "databases" || len(first.Short) != 8 || first.Repository != "eu-central" || len(first.Tags) != 0 {
		t.Fatalf("%d, %+v", n, first)
	}
	v.Select(v.IDs()[3])
	if r := v.SetFilter(vm.SnapshotsFilter{Host: w.d.Scene().Host, Text: first.Short}); r != vm.Rows || !slices.Equal(v.IDs(), []string{first.Key}) || !v.Complete() {
		t.Error(r, v.IDs())
	}
	v.SetFilter(vm.SnapshotsFilter{Host: w.d.Scene().Host, Text: "nothing like it"})
	if v.Face() != vm.NoMatch {
		t.Error(v.Face())
	}
	v.SetFilter(vm.SnapshotsFilter{Plan: w.d.Scene().Plan})
	if q, ok := v.More(); !ok || q.Filter.Tag != "plan:"+string(w.d.Scene().Plan) || q.Filter.Hostname != "" {
		t.Error(q)
	}
}

// A snapshot that a backup saves while the list is open comes on top, without asking.
func TestSnapshotsGrow(t *testing.T) {
	m := signedIn(hostRow("h1", "web"), planRow("p1", "h1"), repoRow("r1", "main"), jobRow(aJob("j", fleet.StateRunning)))
	v := vm.NewSnapshots(m, vm.SnapshotsFilter{Host: "h1"})
	q, _ := v.More()
	v.Took(q, api.Page[fleet.Snapshot]{Items: []fleet.Snapshot{{ID: "0123456789", RepositoryID: "r1", Hostname: "web", Time: t0.AddDate(0, 0, -1)}}}, nil)
	done := aJob("j", fleet.StateSucceeded, func(j *fleet.Job) {
		j.Spec.Backup = &fleet.BackupSpec{Paths: []string{"/etc"}, Tags: []string{"weekly"}}
		j.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: "abcdef0123", TotalBytesProcessed: 5}}
	})
	if r := v.Update(m.Apply(model.Batch{Rows: []api.Row{jobRow(done)}})); r != vm.Rows || len(v.IDs()) != 2 {
		t.Fatal(r, v.IDs())
	}
	r, _ := v.Row(v.IDs()[0])
	if r.Short != "abcdef01" || r.Plan != "plan p1" || r.JobID != "j" || !slices.Equal(r.Tags, []string{"weekly"}) || r.HostID != "h1" || r.Bytes != 5 {
		t.Errorf("%+v", r)
	}
	v.Took(q, api.Page[fleet.Snapshot]{}, nil) // twice the same answer
	if len(v.IDs()) != 2 {
		t.Error("an answer that nobody waits for counts")
	}
}

func TestPlansAndRepositories(t *testing.T) {
	w := newWorld(t)
	plans, repos := vm.NewPlans(w.m), vm.NewRepositories(w.m)
	p, ok := plans.Row(string(w.d.Scene().Plan))
	if !ok || p.Name != "databases" || p.Hosts != 5 || p.Protected != 3 || p.Troubled != 1 || p.Never != 1 || p.NoSecret != 1 || p.Running != 1 || p.Newest == nil || p.Size == 0 || !p.Edit {
		t.Errorf("%+v", p)
	}
	for _, c := range []vm.PlanColumn{vm.PlanByRepository, vm.PlanByHosts, vm.PlanByBackup, vm.PlanBySize, vm.PlanByName} {
		plans.SetSort(c, true)
		if len(plans.IDs()) != 7 {
			t.Error(c)
		}
	}
	plans.SetText("jürgen")
	if r, _ := plans.Row(plans.IDs()[0]); len(plans.IDs()) != 1 || r.Name != "laptops" {
		t.Errorf("%+v", r)
	}
	in := plans.HostsOf(string(w.d.Scene().Plan), false)
	if all := plans.HostsOf(string(w.d.Scene().Plan), true); len(in) != 5 || len(all) != 31 || in[0].Name != "db-01.prod-eu" || !in[0].Secret || in[0].Newest == nil {
		t.Errorf("%d, %d", len(in), len(all))
	}
	r, ok := repos.Row(string(w.d.Scene().Repository))
	if !ok || r.Scheme != fleet.SchemeS3 || len(r.Plans) != 3 || r.Hosts < 10 || r.Missing != 1 || r.Holders != r.Hosts-1 || !r.Used || r.Newest == nil || r.Running < 3 {
		t.Errorf("%+v", r)
	}
	if h := w.m.Host(repos.Opener(r.ID)); h == nil || !h.Online {
		t.Error("nobody can open it")
	}
}

func TestPlanDraft(t *testing.T) {
	m := signedIn(hostRow("h1", "web", func(h *fleet.Host) { h.OS = "linux" }), hostRow("h2", "win", func(h *fleet.Host) { h.OS = "windows" }), planRow("p1", "h1"), repoRow("r1", "main"))
	d := vm.NewPlanDraft(m, "p1")
	if p := d.Check(m); len(p) != 0 || d.Changed(d) {
		t.Fatal(p)
	}
	req := d.Request()
	if req.Name != "plan p1" || !slices.Equal(req.Backup.Paths, []string{"/etc"}) || !slices.Equal(req.Hosts, []fleet.HostID{"h1"}) {
		t.Fatalf("%+v", req)
	}
	fields := func(d vm.PlanDraft) (out []vm.PlanField) {
		for _, p := range d.Check(m) {
			out = append(out, p.Field)
			if p.Err != nil && p.Sentence() == "" {
				t.Errorf("%v says nothing", p)
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(*vm.PlanDraft)
		want   []vm.PlanField
	}{
		"nothing":       {func(d *vm.PlanDraft) { *d = vm.PlanDraft{} }, []vm.PlanField{vm.PlanName, vm.PlanRepository, vm.PlanPaths}},
		"name taken":    {func(d *vm.PlanDraft) { d.ID = "" }, []vm.PlanField{vm.PlanName}},
		"relative path": {func(d *vm.PlanDraft) { d.Paths = "/srv\n\n  etc " }, []vm.PlanField{vm.PlanPaths}},
		"other system":  {func(d *vm.PlanDraft) { d.Hosts = append(d.Hosts, "h2") }, []vm.PlanField{vm.PlanPaths}},
		"tag":           {func(d *vm.PlanDraft) { d.Tags = "a,b" }, []vm.PlanField{vm.PlanTags}},
		"lines":         {func(d *vm.PlanDraft) { d.Paths = " /srv \r\n\t/home/李雷\n" }, nil},
	} {
		d := vm.NewPlanDraft(m, "p1")
		c.change(&d)
		if got := fields(d); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
		if !d.Changed(vm.NewPlanDraft(m, "p1")) && name != "name taken" {
			t.Errorf("%s is no change", name)
		}
	}
	if d := vm.NewPlanDraft(m, ""); d.RepositoryID != "r1" || !d.ExcludeCaches {
		t.Errorf("%+v", d)
	}
}

func TestRepositoryAndSecretDrafts(t *testing.T) {
	m := signedIn(repoRow("r1", "main"), api.Row{Kind: "repository", ID: "s3", Repository: &fleet.Repository{ID: "s3", Name: "s3", URL: "s3:https://s3.example.net/backups"}})
	for url, bad := range map[string]bool{"/srv/x": false, " rest:https://h:8000/x/ ": false, "rclone::evil": true, "http://h": true, "relative": true} {
		d := vm.RepositoryDraft{Name: "new", URL: url}
		if p := d.Check(m); p.Any() != bad || bad && p.Sentence() == "" {
			t.Errorf("%q: %+v", url, p)
		}
	}
	if p := (vm.RepositoryDraft{Name: "main"}).Check(m); !p.NameTaken || !p.URLMissing {
		t.Errorf("%+v", p)
	}
	if d := vm.NewRepositoryDraft(m, "r1"); d.Check(m).Any() || d.Request().URL != "/srv/r1" {
		t.Errorf("%+v", d)
	}
	_, key, err := secret.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	m.Apply(model.Batch{Rows: []api.Row{hostRow("h1", "web", func(h *fleet.Host) { h.SealingKey = key })}})
	s := vm.SecretDraft{Host: "h1", Repository: "s3", Password: secret.New("correct horse")}
	if n := s.Needs(m); !n.S3 || n.REST || fault.CodeOf(s.Check(m)) != fault.InvalidInput {
		t.Errorf("%+v", n)
	}
	s.KeyID, s.Key = "AKIA", secret.New("k")
	sealed, err := s.Seal(m)()
	if err != nil || s.Check(m) != nil || !strings.Contains(sealed, "AGE ENCRYPTED FILE") || strings.Contains(sealed, "correct") {
		t.Errorf("%v %q", err, sealed)
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	v := vm.NewAccess(w.m)
	if !v.May() || v.Users.Face() != vm.Loading || !v.Users.Ask() || v.Users.Ask() {
		t.Fatal("users are not asked for once")
	}
	v.Users.Took(w.d.Users(t.Context()))
	rows := v.UserRows()
	if len(rows) != 5 || rows[0].Name != "mira" || !rows[0].Me || !rows[0].Last || rows[1].Last || v.Users.Face() != vm.Full {
		t.Errorf("%+v", rows)
	}
	v.Users.Again()
	if !v.Users.Ask() {
		t.Error("not asked again")
	}
	v.Users.Took(nil, fault.New(fault.Unavailable, "away"))
	if v.Users.Face() != vm.Full || v.Users.Err() == nil || v.Users.Ask() {
		t.Error("a list that was there is gone")
	}
	v.Tokens.Ask()
	v.Tokens.Took(w.d.Tokens(t.Context()))
	if rows := v.TokenRows(w.d.Now().AddDate(0, 0, 6)); len(rows) != 3 || rows[0].Name != "grafana" || !rows[1].Expired || rows[2].Expired || rows[2].LastUsed.IsZero() {
		t.Errorf("%+v", rows)
	}
}

func TestEnrolmentTokens(t *testing.T) {
	w := newWorld(t)
	v := vm.NewAccess(w.m)
	states := func() (out []vm.EnrolmentState) {
		v.Enrolments.Again()
		if !v.Enrolments.Ask() {
			t.Fatal("not asked for")
		}
		v.Enrolments.Took(w.d.EnrolmentTokens(t.Context()))
		for _, r := range v.EnrolmentRows(w.d.Now()) {
			out = append(out, r.State)
			if (r.State == vm.EnrolmentUsed) != (r.Host != "" && !r.Used.IsZero()) {
				t.Errorf("%+v", r)
			}
		}
		return out
	}
	if got := states(); !slices.Equal(got, []vm.EnrolmentState{vm.EnrolmentOpen, vm.EnrolmentUsed, vm.EnrolmentExpired}) {
		t.Error(got)
	}
	if err := w.d.RevokeEnrolmentToken(t.Context(), v.EnrolmentRows(w.d.Now())[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := states(); !slices.Equal(got, []vm.EnrolmentState{vm.EnrolmentUsed, vm.EnrolmentExpired}) {
		t.Error(got)
	}
}

// The end of the audit log is found, and then all of it, whatever its length, and while it grows.
func TestAuditIsFoundFromItsEnd(t *testing.T) {
	for _, n := range []int{0, 1, 499, 500, 501, 999, 1000, 1001, 12_345, 512_000} {
		log := make([]api.AuditRow, n)
		for i := range log {
			log[i] = api.AuditRow{Seq: int64(i) + 1, Action: "job.create"}
		}
		requests := 0
		answer := func(q vm.AuditQuery) api.Page[api.AuditRow] {
			if requests++; q.Limit < 1 || q.Limit > 500 {
				t.Fatalf("%+v", q)
			}
			from := min(int(q.After), len(log))
			return api.Page[api.AuditRow]{Items: log[from:min(from+q.Limit, len(log))]}
		}
		var a vm.Audit
		for q, ok := a.Next(); ok; q, ok = a.Next() {
			if requests == 3 { // it grows while it is looked for
				log = append(log, api.AuditRow{Seq: int64(len(log)) + 1})
			}
			a.Took(q, answer(q), nil)
		}
		if requests > 24 {
			t.Errorf("%d rows: %d requests", n, requests)
		}
		if len(log) == 0 {
			if a.Face() != vm.Empty || !a.Complete() {
				t.Error(a.Face())
			}
			continue
		}
		if a.Line(0).Seq != int64(len(log)) || a.Face() != vm.Full {
			t.Fatalf("%d rows: the newest is %d", len(log), a.Line(0).Seq)
		}
		for range 3 {
			if q, ok := a.Older(); ok {
				a.Took(q, answer(q), nil)
			}
		}
		log = append(log, api.AuditRow{Seq: int64(len(log)) + 1, Actor: "a\x1bb"})
		a.Again()
		for q, ok := a.Next(); ok; q, ok = a.Next() {
			a.Took(q, answer(q), nil)
		}
		for i := range a.Len() {
			if a.Line(i).Seq != int64(len(log)-i) {
				t.Fatalf("%d rows: line %d is %d", len(log), i, a.Line(i).Seq)
			}
		}
		if a.Len() < min(len(log), 1000) || a.Complete() != (a.Len() == len(log)) || strings.Contains(a.Line(0).Actor, "\x1b") {
			t.Errorf("%d of %d rows", a.Len(), len(log))
		}
	}
}

func TestPalette(t *testing.T) {
	w := newWorld(t)
	p := vm.NewPalette(w.m, []vm.Action{{ID: "add-host", Label: "Add host", Words: "enrol agent token"}, {ID: "dark", Label: "Dark theme"}})
	kinds := map[vm.PaletteKind]int{}
	for _, f := range p.Finds() {
		kinds[f.Kind]++
	}
	if kinds[vm.PaletteJob] != 4 || kinds[vm.PaletteHost] != 6 || kinds[vm.PaletteAction] != 2 || p.Selected() != 0 {
		t.Errorf("%v", kinds)
	}
	for query, want := range map[string]string{
		"db04": "host/" + string(w.d.Scene().Host), "web 2": "web-2.prod-eu", "w10": "web-10.prod-eu", "addh": "action/add-host", "enrol": "action/add-host", "databases": "databases",
		"eu-c": "eu-central", strings.ToLower(string(w.d.Scene().Failed)): "job/" + string(w.d.Scene().Failed), "juerg": "", "jür": "jürgen-macbook", "MOPROD": "monitoring.prod-eu",
	} {
		p.SetQuery(query)
		finds := p.Finds()
		if want == "" {
			if len(finds) != 0 || p.Selected() != -1 {
				t.Errorf("%q finds %+v", query, finds[0])
			}
			continue
		}
		if len(finds) == 0 || finds[0].Title != want && finds[0].Key() != want {
			t.Errorf("%q finds %+v", query, finds[:min(3, len(finds))])
		}
		for _, h := range finds[0].Hits {
			if h >= len([]rune(finds[0].Title)) {
				t.Errorf("%q: hit %d of %q", query, h, finds[0].Title)
			}
		}
	}
	p.SetQuery("prod")
	p.Move(2)
	key := p.Finds()[p.Selected()].Key()
	p.Update(w.m.Apply(model.Batch{Rows: []api.Row{hostRow("new", "prod")}}))
	if p.Finds()[p.Selected()].Key() != key || p.Finds()[0].Title != "prod" {
		t.Error("the selection moved")
	}
	p.Move(-p.Selected() - 1)
	if p.Selected() != len(p.Finds())-1 {
		t.Error("it does not go around")
	}
}
