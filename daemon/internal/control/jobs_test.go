package control_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const fullID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestStartJobOfAPlan(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	plan := h.plan("nightly", repository, host)
	h.feed.take()

	job, err := h.StartJob(h.ctx, h.admin, "web1", api.JobRequest{Kind: fleet.KindBackup, Plan: "nightly", Tags: []string{"now"}, Verbose: true}, "")
	h.ok(err)
	if job.State != fleet.StateQueued || job.HostID != host.ID || job.PlanID != plan.ID || job.RepositoryID != repository.ID || job.CreatedBy != "ada" {
		t.Fatalf("job %+v", job)
	}
	spec := job.Spec
	if spec.JobID != job.ID || spec.Repository.URL != repository.URL || !slices.Equal(spec.Backup.Paths, []string{"/home"}) ||
		!slices.Equal(spec.Backup.Tags, []string{"daily", "now"}) || !spec.Backup.Verbose {
		t.Fatalf("spec %+v %+v", spec, spec.Backup)
	}
	if !slices.Equal(h.dispatch.offered, []fleet.JobID{job.ID}) {
		t.Fatalf("offered %v", h.dispatch.offered)
	}
	rows := h.feed.take()
	if len(rows) != 1 || rows[0].Job == nil || rows[0].Job.ID != job.ID || rows[0].Rev != job.Rev || rows[0].Job.Rev != job.Rev {
		t.Fatalf("published %+v", rows)
	}
	if a := h.lastAudit(); a.Action != "job.create" || a.Actor != "ada" || a.Object != string(job.ID) {
		t.Fatalf("audit %+v", a)
	}
	if got := h.job(job.ID); got.Spec.Backup.Tags[1] != "now" || got.Rev != job.Rev {
		t.Fatalf("stored %+v", got)
	}
	// The plan itself is as it was.
	if again := must(h.Plan(h.ctx, "nightly"))(t); len(again.Backup.Tags) != 1 || again.Backup.Verbose {
		t.Fatalf("the plan changed: %+v", again.Backup)
	}
}

func TestStartJobOfEachKind(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.repository("main")
	for _, req := range []api.JobRequest{
		{Kind: fleet.KindInit}, {Kind: fleet.KindSnapshots}, {Kind: fleet.KindUnlock}, {Kind: fleet.KindCheck},
		{Kind: fleet.KindCheck, ReadData: "1/7"}, {Kind: fleet.KindBackup, Paths: []string{"/etc"}, Excludes: []string{"*.tmp"}},
		{Kind: fleet.KindRestore, Snapshot: fullID, Includes: []string{"/etc"}, Folder: "back"},
	} {
		req.Repository = "main"
		job, err := h.StartJob(h.ctx, h.admin, string(host.ID), req, "")
		h.ok(err)
		if err := job.Spec.Validate(); err != nil || job.Kind != req.Kind {
			t.Fatalf("%s: spec %+v: %v", req.Kind, job.Spec, err)
		}
	}
}

func TestStartJobRefusesWhatCannotBeMeant(t *testing.T) {
	h := newHouse(t)
	host, other := h.enrol("web1"), h.enrol("web2")
	repository := h.repository("main")
	h.plan("nightly", repository, host)
	gone := h.enrol("gone")
	h.ok(h.RevokeHost(h.ctx, h.admin, gone.ID))
	before := len(must(h.Audit(h.ctx, 0, 500))(t))
	h.feed.take()

	backup := api.JobRequest{Kind: fleet.KindBackup, Repository: "main", Paths: []string{"/home"}}
	with := func(change func(*api.JobRequest)) api.JobRequest {
		r := backup
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		host string
		req  api.JobRequest
		code fault.Code
	}{
		"unknown host":        {"nobody", backup, fault.UnknownHost},
		"empty host":          {"", backup, fault.UnknownHost},
		"hostile host":        {"\x1b[31m../..", backup, fault.UnknownHost},
		"revoked host":        {"gone", backup, fault.HostRevoked},
		"unknown plan":        {"web1", api.JobRequest{Kind: fleet.KindBackup, Plan: "weekly"}, fault.UnknownPlan},
		"unknown repository":  {"web1", with(func(r *api.JobRequest) { r.Repository = "other" }), fault.UnknownRepository},
		"plan of others":      {string(other.ID), api.JobRequest{Kind: fleet.KindBackup, Plan: "nightly"}, fault.InvalidInput},
		"plan and repository": {"web1", with(func(r *api.JobRequest) { r.Plan = "nightly" }), fault.InvalidInput},
		"plan and paths":      {"web1", api.JobRequest{Kind: fleet.KindBackup, Plan: "nightly", Paths: []string{"/etc"}}, fault.InvalidInput},
		"neither":             {"web1", api.JobRequest{Kind: fleet.KindBackup, Paths: []string{"/etc"}}, fault.InvalidInput},
		"no kind":             {"web1", with(func(r *api.JobRequest) { r.Kind = "" }), fault.InvalidInput},
		"unknown kind":        {"web1", with(func(r *api.JobRequest) { r.Kind = "prune" }), fault.InvalidInput},
		"no path":             {"web1", with(func(r *api.JobRequest) { r.Paths = nil }), fault.InvalidPath},
		"empty path":          {"web1", with(func(r *api.JobRequest) { r.Paths = []string{""} }), fault.InvalidPath},
		"relative path":       {"web1", with(func(r *api.JobRequest) { r.Paths = []string{"home"} }), fault.InvalidPath},
		"a path of Windows":   {"web1", with(func(r *api.JobRequest) { r.Paths = []string{`C:\Users`} }), fault.InvalidPath},
		"tag with a comma":    {"web1", with(func(r *api.JobRequest) { r.Tags = []string{"a,b"} }), fault.InvalidInput},
		"snapshot to save":    {"web1", with(func(r *api.JobRequest) { r.Snapshot = fullID }), fault.InvalidInput},
		"paths to check":      {"web1", with(func(r *api.JobRequest) { r.Kind = fleet.KindCheck }), fault.InvalidInput},
		"share to save":       {"web1", with(func(r *api.JobRequest) { r.ReadData = "all" }), fault.InvalidInput},
		"bad share":           {"web1", api.JobRequest{Kind: fleet.KindCheck, Repository: "main", ReadData: "8/7"}, fault.InvalidInput},
		"no snapshot":         {"web1", api.JobRequest{Kind: fleet.KindRestore, Repository: "main"}, fault.UnknownSnapshot},
		"an option":           {"web1", api.JobRequest{Kind: fleet.KindRestore, Repository: "main", Snapshot: "--target=/"}, fault.UnknownSnapshot},
		"latest":              {"web1", api.JobRequest{Kind: fleet.KindRestore, Repository: "main", Snapshot: "latest"}, fault.UnknownSnapshot},
		"snapshot of nowhere": {"web1", api.JobRequest{Kind: fleet.KindRestore, Snapshot: fullID}, fault.UnknownSnapshot},
		"folder outside":      {"web1", api.JobRequest{Kind: fleet.KindRestore, Repository: "main", Snapshot: fullID, Folder: "../x"}, fault.InvalidPath},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			_, err := h.StartJob(h.ctx, h.admin, c.host, c.req, "")
			h.refused(err, c.code)
		})
	}
	h.t = t
	_, err := h.StartJob(h.ctx, h.admin, "web1", backup, strings.Repeat("k", 256))
	h.refused(err, fault.InvalidInput)
	if rows := h.feed.take(); len(rows) != 0 || len(h.dispatch.offered) != 0 || len(must(h.Audit(h.ctx, 0, 500))(t)) != before {
		t.Fatalf("a refused job left traces: %v %v", rows, h.dispatch.offered)
	}
}

func TestRestoreCompletesKnownSnapshots(t *testing.T) {
	h := newHouse(t)
	host, main, second := h.enrol("web1"), h.repository("main"), h.repository("second")
	a, b := "aaaaaaaa1"+fullID[9:], "aaaaaaaa2"+fullID[9:]
	h.list(host, main, a, b)
	h.list(host, second, "bbbbbbbb"+fullID[8:])

	restore := func(repository, snapshot string) (fleet.Job, error) {
		return h.StartJob(h.ctx, h.admin, "web1", api.JobRequest{Kind: fleet.KindRestore, Repository: repository, Snapshot: snapshot}, "")
	}
	job := must(restore("main", "aaaaaaaa1"))(t)
	if string(job.Spec.Restore.SnapshotID) != a {
		t.Fatalf("restores %s", job.Spec.Restore.SnapshotID)
	}
	_, err := restore("main", "aaaaaaaa")
	h.refused(err, fault.InvalidInput)
	// Not known here, perhaps newer than the last listing: restic decides.
	if job := must(restore("main", "cccccccc"))(t); job.Spec.Restore.SnapshotID != "cccccccc" {
		t.Fatalf("restores %s", job.Spec.Restore.SnapshotID)
	}
	// Without a repository the snapshot tells which.
	if job := must(restore("", "bbbbbbbb"))(t); job.RepositoryID != second.ID {
		t.Fatalf("restores from %s", job.RepositoryID)
	}
	_, err = restore("", "aaaaaaaa")
	h.refused(err, fault.InvalidInput)
}

// list lets the host report the snapshots of a repository.
func (h *house) list(host fleet.Host, repository fleet.Repository, ids ...string) fleet.Job {
	h.t.Helper()
	job := must(h.StartJob(h.ctx, h.admin, string(host.ID), api.JobRequest{Kind: fleet.KindSnapshots, Repository: repository.Name}, ""))(h.t)
	var found []fleet.Snapshot
	for i, id := range ids {
		found = append(found, fleet.Snapshot{ID: fleet.SnapshotID(id), Time: h.clock.Now().Add(time.Duration(i) * time.Hour), Hostname: host.Hostname, Paths: []string{"/home"}})
	}
	h.ok(h.SnapshotsReported(h.ctx, host.ID, job.ID, agentwire.SnapshotsReport{RepositoryID: repository.ID, Part: 1, Parts: 1, Snapshots: found}))
	return job
}

func TestIdempotencyKey(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.repository("main")
	req := api.JobRequest{Kind: fleet.KindCheck, Repository: "main"}
	start := func(actor string, req api.JobRequest, key string) (fleet.Job, error) {
		return h.StartJob(h.ctx, control.Actor{Name: actor, Role: fleet.RoleOperator}, "web1", req, key)
	}
	first := must(start("ada", req, "k1"))(t)
	h.clock.add(23 * time.Hour)
	again := must(h.StartJob(h.ctx, control.Actor{Name: "ada"}, string(host.ID), req, "k1"))(t) // by id this time
	if again.ID != first.ID {
		t.Fatalf("a repeated request made another job")
	}
	if len(h.dispatch.offered) != 1 {
		t.Fatalf("offered %v", h.dispatch.offered)
	}
	_, err := start("ada", api.JobRequest{Kind: fleet.KindUnlock, Repository: "main"}, "k1")
	h.refused(err, fault.Conflict)
	if other := must(start("bob", req, "k1"))(t); other.ID == first.ID {
		t.Fatal("keys of two people are not the same key")
	}
	if other := must(start("ada", req, "k2"))(t); other.ID == first.ID {
		t.Fatal("another key makes another job")
	}
	h.clock.add(2 * time.Hour)
	if later := must(start("ada", req, "k1"))(t); later.ID == first.ID {
		t.Fatal("a key is good for 24 hours")
	}
	// The first job is answered as it is now.
	cancelled := must(start("ada", req, "k3"))(t)
	must(h.CancelJob(h.ctx, h.admin, cancelled.ID))(t)
	if now := must(start("ada", req, "k3"))(t); now.State != fleet.StateCancelled {
		t.Fatalf("state %s", now.State)
	}
}

func TestCancelInEachState(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")

	queued := h.backup(host, repository)
	got := must(h.CancelJob(h.ctx, h.admin, queued.ID))(t)
	if got.State != fleet.StateCancelled || got.Outcome == nil || got.Outcome.Reason != fleet.ReasonCancelled || !got.LogSealed || !got.CancelRequested {
		t.Fatalf("a queued job: %+v", got)
	}
	if raw := string(must(json.Marshal(got))(t)); got.StartedAt != nil || got.FinishedAt == nil || strings.Contains(raw, `"started_at"`) {
		t.Fatalf("it never began: %s", raw)
	}
	if len(h.dispatch.cancelled) != 0 || !h.logs.wasRung(queued.ID) {
		t.Fatal("nobody but the readers of the job is to be told")
	}
	h.refused(h.JobDispatched(h.ctx, queued.ID), fault.JobEnded)

	for _, state := range []fleet.JobState{fleet.StateDispatched, fleet.StateAccepted, fleet.StateRunning} {
		job := h.backup(host, repository)
		h.takeTo(job, state)
		got := must(h.CancelJob(h.ctx, h.admin, job.ID))(t)
		if got.State != state || !got.CancelRequested {
			t.Fatalf("%s: %+v", state, got)
		}
		if !slices.Contains(h.dispatch.cancelled, job.ID) {
			t.Fatalf("%s: the agent was not told", state)
		}
		rev := got.Rev
		if got = must(h.CancelJob(h.ctx, h.admin, job.ID))(t); got.Rev != rev {
			t.Fatal("cancelling twice changes nothing")
		}
		if pending := must(h.PendingJobs(h.ctx, host.ID))(t); !slices.ContainsFunc(pending, func(j fleet.Job) bool { return j.ID == job.ID && j.CancelRequested }) {
			t.Fatalf("%s: not pending", state)
		}
		h.ok(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(fleet.StateCancelled)))
		h.is(job.ID, fleet.StateCancelled)
		_, err := h.CancelJob(h.ctx, h.admin, job.ID)
		h.refused(err, fault.JobEnded)
	}
	_, err := h.CancelJob(h.ctx, h.admin, "nothing")
	h.refused(err, fault.UnknownJob)
}

func TestACancelledJobThatWasSentIsNotSentAgain(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateDispatched)
	must(h.CancelJob(h.ctx, h.admin, job.ID))(t)
	h.refused(h.JobDispatched(h.ctx, job.ID), fault.Conflict)
	// The agent comes back and does not have it: it ends here.
	_, offer := h.connect(host)
	h.is(job.ID, fleet.StateCancelled)
	if len(offer) != 0 {
		t.Fatalf("offered %v", offer)
	}
}

func TestJobShowsHowFarItsLogIs(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	pos := fleet.LogPosition{LastSeq: 7, Bytes: 100, CRC32C: 4_000_000_000}
	h.logs.set(job.ID, pos)
	if got := h.job(job.ID); got.Log != pos || got.LogSealed {
		t.Fatalf("log %+v", got.Log)
	}
	page := must(h.Jobs(h.ctx, control.JobFilter{}))(t)
	if page.Items[0].Log != pos {
		t.Fatalf("log %+v in the list", page.Items[0].Log)
	}
	m := h.finished(fleet.StateSucceeded)
	m.Log = pos
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	h.logs.set(job.ID, fleet.LogPosition{})
	if got := h.job(job.ID); got.Log != pos || !got.LogSealed {
		t.Fatalf("log %+v sealed %v", got.Log, got.LogSealed)
	}
}

func TestJobsByFilter(t *testing.T) {
	h := newHouse(t)
	web, db := h.enrol("web1"), h.enrol("db1")
	main, second := h.repository("main"), h.repository("second")
	h.plan("nightly", main, web, db)
	a := h.backup(web, main)
	b := h.backup(db, second)
	c := must(h.StartJob(h.ctx, h.admin, "db1", api.JobRequest{Kind: fleet.KindBackup, Plan: "nightly"}, ""))(t)
	must(h.CancelJob(h.ctx, h.admin, a.ID))(t)

	for name, v := range map[string]struct {
		filter control.JobFilter
		want   []fleet.JobID
	}{
		"all":               {control.JobFilter{}, []fleet.JobID{c.ID, b.ID, a.ID}},
		"host by name":      {control.JobFilter{HostID: "db1"}, []fleet.JobID{c.ID, b.ID}},
		"host by id":        {control.JobFilter{HostID: web.ID}, []fleet.JobID{a.ID}},
		"plan":              {control.JobFilter{PlanID: "nightly"}, []fleet.JobID{c.ID}},
		"repository":        {control.JobFilter{RepositoryID: "second"}, []fleet.JobID{b.ID}},
		"state":             {control.JobFilter{States: []fleet.JobState{fleet.StateQueued}}, []fleet.JobID{c.ID, b.ID}},
		"two states":        {control.JobFilter{States: []fleet.JobState{fleet.StateQueued, fleet.StateCancelled}}, []fleet.JobID{c.ID, b.ID, a.ID}},
		"kind":              {control.JobFilter{Kind: fleet.KindBackup}, []fleet.JobID{c.ID, b.ID, a.ID}},
		"kind and state":    {control.JobFilter{Kind: fleet.KindBackup, States: []fleet.JobState{fleet.StateCancelled}}, []fleet.JobID{a.ID}},
		"host and plan":     {control.JobFilter{HostID: "db1", PlanID: "nightly"}, []fleet.JobID{c.ID}},
		"nothing of a kind": {control.JobFilter{Kind: fleet.KindCheck}, nil},
		"text: host":        {control.JobFilter{Text: "WEB"}, []fleet.JobID{a.ID}},
		"text: plan":        {control.JobFilter{Text: "night"}, []fleet.JobID{c.ID}},
		"text: id":          {control.JobFilter{Text: string(b.ID)}, []fleet.JobID{b.ID}},
		"text: wildcard":    {control.JobFilter{Text: "%"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			page := must(h.Jobs(h.ctx, v.filter))(t)
			var got []fleet.JobID
			for _, j := range page.Items {
				got = append(got, j.ID)
			}
			if !slices.Equal(got, v.want) || page.Next != "" {
				t.Fatalf("got %v next %q, want %v", got, page.Next, v.want)
			}
		})
	}
	// Page by page.
	var got []fleet.JobID
	cursor := ""
	for range 3 {
		page := must(h.Jobs(h.ctx, control.JobFilter{Limit: 1, Cursor: cursor}))(t)
		got, cursor = append(got, page.Items[0].ID), page.Next
	}
	if !slices.Equal(got, []fleet.JobID{c.ID, b.ID, a.ID}) || cursor != "" {
		t.Fatalf("pages %v, next %q", got, cursor)
	}
	// A plan and a repository that are gone are still found by id.
	h.ok(h.DeletePlan(h.ctx, h.admin, "nightly"))
	if page := must(h.Jobs(h.ctx, control.JobFilter{PlanID: c.PlanID}))(t); len(page.Items) != 1 {
		t.Fatalf("jobs of a deleted plan: %v", page.Items)
	}
}

func TestJobsRefusesBadFilters(t *testing.T) {
	h := newHouse(t)
	for name, v := range map[string]struct {
		filter control.JobFilter
		code   fault.Code
	}{
		"host":           {control.JobFilter{HostID: "x"}, fault.UnknownHost},
		"plan":           {control.JobFilter{PlanID: "x"}, fault.UnknownPlan},
		"repository":     {control.JobFilter{RepositoryID: "x"}, fault.UnknownRepository},
		"state":          {control.JobFilter{States: []fleet.JobState{"done"}}, fault.InvalidInput},
		"states doubled": {control.JobFilter{States: []fleet.JobState{"failed", "failed"}}, fault.InvalidInput},
		"kind":           {control.JobFilter{Kind: "prune"}, fault.InvalidInput},
		"cursor":         {control.JobFilter{Cursor: "x"}, fault.InvalidInput},
		"negative":       {control.JobFilter{Cursor: "-5"}, fault.InvalidInput},
		"limit":          {control.JobFilter{Limit: -1}, fault.InvalidInput},
		"text":           {control.JobFilter{Text: strings.Repeat("x", 300)}, fault.InvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			_, err := h.Jobs(h.ctx, v.filter)
			h.refused(err, v.code)
		})
	}
	h.t = t
	_, err := h.Job(h.ctx, "nothing")
	h.refused(err, fault.UnknownJob)
}
