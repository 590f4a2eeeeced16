package control_test

import (
	"fmt"
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

func TestEnrolmentTokensAreListedAndRevoked(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1") // with the first token
	var made []api.EnrolmentToken
	for range 4 {
		h.clock.add(time.Minute)
		made = append(made, must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t))
	}
	again := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{HostID: "web1"}))(t)
	var all []api.Enrolment
	for cursor := ""; ; {
		page := must(h.EnrolmentTokens(h.ctx, cursor, 2))(t)
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			break
		}
		if len(page.Items) != 2 {
			t.Fatalf("a page of %d", len(page.Items))
		}
	}
	if len(all) != 6 || all[0].ID != again.ID || all[0].HostID != host.ID || all[0].UsedAt != nil || all[1].ID != made[3].ID || all[1].HostID != "" ||
		all[5].HostID != host.ID || all[5].UsedAt == nil || !all[1].ExpiresAt.Equal(made[3].ExpiresAt) || all[1].CreatedBy != "ada" {
		t.Fatalf("%+v", all)
	}
	h.ok(h.RevokeEnrolmentToken(h.ctx, h.admin, made[0].ID))
	if a := h.lastAudit(); a.Action != "enrolment_token.revoke" || a.Object != made[0].ID {
		t.Fatalf("audit %+v", a)
	}
	_, err := h.Enrol(h.ctx, made[0].Token, facts("web2"))
	h.refused(err, fault.TokenInvalid)
	h.refused(h.RevokeEnrolmentToken(h.ctx, h.admin, made[0].ID), fault.NotFound)
	h.refused(h.RevokeEnrolmentToken(h.ctx, h.admin, all[5].ID), fault.Conflict)
	second := must(h.Enrol(h.ctx, made[1].Token, facts("web2")))(t)
	if page := must(h.EnrolmentTokens(h.ctx, "", 0))(t); len(page.Items) != 5 || page.Next != "" || page.Items[3].HostID != second.ID {
		t.Fatalf("%+v", page)
	}
	_, err = h.EnrolmentTokens(h.ctx, "' OR 1=1", 0)
	h.refused(err, fault.InvalidInput)
}

func TestRenameHost(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.enrol("web2")
	h.feed.take()
	got := must(h.RenameHost(h.ctx, h.admin, "web1", "front"))(t)
	if got.ID != host.ID || got.Name != "front" || got.Hostname != "web1" || got.Rev <= host.Rev {
		t.Fatalf("%+v", got)
	}
	if rows := h.feed.take(); len(rows) != 1 || rows[0].Host.Name != "front" {
		t.Fatalf("published %+v", rows)
	}
	if a := h.lastAudit(); a.Action != "host.rename" || a.Object != string(host.ID) || a.Detail != "web1 to front" {
		t.Fatalf("audit %+v", a)
	}
	rev := got.Rev
	if got = must(h.RenameHost(h.ctx, h.admin, string(host.ID), "front"))(t); got.Rev != rev {
		t.Fatal("the same name is no change")
	}
	for name, code := range map[string]fault.Code{"web2": fault.Conflict, "": fault.InvalidInput, "a/b": fault.InvalidInput, "-x": fault.InvalidInput,
		strings.Repeat("x", 129): fault.InvalidInput} {
		_, err := h.RenameHost(h.ctx, h.admin, "front", name)
		h.refused(err, code)
	}
	_, err := h.RenameHost(h.ctx, h.admin, "web1", "x")
	h.refused(err, fault.UnknownHost)
	h.connect(host) // its hello brings the hostname, and leaves the name
	if got := h.host("front"); got.Hostname != "web1" {
		t.Fatalf("%+v", got)
	}
}

// snapshotID makes a snapshot's id of a number.
func snapshotID(n int) fleet.SnapshotID { return fleet.SnapshotID(fmt.Sprintf("%064x", n)) }

func TestSnapshotsOfAHostAndAPlan(t *testing.T) {
	h := newHouse(t)
	web, db, repository := h.enrol("web"), h.enrol("db"), h.repository("main")
	plan := h.plan("nightly", repository, web)
	job := must(h.StartJob(h.ctx, h.admin, "web", api.JobRequest{Kind: fleet.KindBackup, Plan: "nightly"}, ""))(t)
	m := h.finished(fleet.StateSucceeded)
	m.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: snapshotID(1)}}
	h.ok(h.JobFinished(h.ctx, web.ID, job.ID, m))
	at := h.clock.Now()
	found := func(n int, hostname string, tags ...string) fleet.Snapshot {
		return fleet.Snapshot{ID: snapshotID(n), Time: at.Add(time.Duration(-n) * time.Minute), Hostname: hostname, Paths: []string{"/"}, Tags: tags,
			HostID: "made up", PlanID: "made up"}
	}
	listing := must(h.StartJob(h.ctx, h.admin, "db", listRequest(), ""))(t)
	h.ok(h.SnapshotsReported(h.ctx, db.ID, listing.ID, agentwire.SnapshotsReport{RepositoryID: repository.ID, Part: 1, Parts: 1, Snapshots: []fleet.Snapshot{
		found(1, "web", "job:"+string(job.ID), "plan:"+string(plan.ID)),
		found(2, "renamed since", "job:"+string(job.ID)), // the job knows host and plan
		found(3, "db"),                  // by hand, before there was an agent
		found(4, "web", "plan:gone"),    // of a plan that is no longer known
		found(5, "late"), found(6, "x"), // of nobody here
	}}))
	ids := func(f control.SnapshotFilter) (out []int) {
		f.Limit = 2
		for {
			page := must(h.Snapshots(h.ctx, f))(t)
			for _, s := range page.Items {
				var n int
				if _, err := fmt.Sscanf(string(s.ID), "%x", &n); err != nil {
					t.Fatal(err)
				}
				out = append(out, n)
			}
			if f.Cursor = page.Next; f.Cursor == "" {
				return out
			}
		}
	}
	late := h.enrol("late")
	for name, c := range map[string]struct {
		f    control.SnapshotFilter
		want []int
	}{
		"host":                {control.SnapshotFilter{HostID: "web"}, []int{1, 2, 4}},
		"host by id":          {control.SnapshotFilter{HostID: db.ID}, []int{3}},
		"enrolled since":      {control.SnapshotFilter{HostID: late.ID}, []int{5}},
		"plan":                {control.SnapshotFilter{PlanID: "nightly"}, []int{1, 2}},
		"plan and host":       {control.SnapshotFilter{PlanID: plan.ID, HostID: db.ID}, nil},
		"host and repository": {control.SnapshotFilter{HostID: "web", RepositoryID: "main"}, []int{1, 2, 4}},
		"host and tag":        {control.SnapshotFilter{HostID: "web", Tag: "plan:gone"}, []int{4}},
		"host and hostname":   {control.SnapshotFilter{HostID: "web", Hostname: "renamed since"}, []int{2}},
		"all":                 {control.SnapshotFilter{}, []int{1, 2, 3, 4, 5, 6}},
	} {
		if got := ids(c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	_, err := h.Snapshots(h.ctx, control.SnapshotFilter{HostID: "nobody"})
	h.refused(err, fault.UnknownHost)
	_, err = h.Snapshots(h.ctx, control.SnapshotFilter{PlanID: "nothing"})
	h.refused(err, fault.UnknownPlan)
	h.ok(h.DeletePlan(h.ctx, h.admin, "nightly"))
	if got := ids(control.SnapshotFilter{PlanID: plan.ID}); len(got) != 2 {
		t.Errorf("of a plan that was deleted: %v", got)
	}
	// A second host of the same hostname: nobody knows whose the snapshot is.
	h.enrol("db")
	h.enrol("x")
	listing = must(h.StartJob(h.ctx, h.admin, "db", listRequest(), ""))(t)
	h.ok(h.SnapshotsReported(h.ctx, db.ID, listing.ID, agentwire.SnapshotsReport{RepositoryID: repository.ID, Part: 1, Parts: 1,
		Snapshots: []fleet.Snapshot{found(3, "db"), found(7, "db")}}))
	if got := ids(control.SnapshotFilter{HostID: db.ID}); !slices.Equal(got, []int{3}) {
		t.Errorf("of two hosts with one hostname: %v", got)
	}
}

func TestARepositoryKnowsItsSnapshotsAndLastJobs(t *testing.T) {
	h := newHouse(t)
	host, v := h.enrol("web1"), h.repository("main")
	h.plan("nightly", v, host)
	config := must(h.HostConfig(h.ctx, host.ID))(t)
	is := func(count int64, backup, check fleet.JobID) fleet.Repository {
		t.Helper()
		got := must(h.Repository(h.ctx, "main"))(t)
		id := func(m *fleet.JobMark) fleet.JobID {
			if m == nil {
				return ""
			}
			return m.JobID
		}
		if got.SnapshotCount != count || id(got.LastBackup) != backup || id(got.LastCheck) != check {
			t.Fatalf("%+v, last backup %+v, last check %+v", got, got.LastBackup, got.LastCheck)
		}
		return got
	}
	is(0, "", "")
	save := func(n int) fleet.Job {
		job := h.backup(host, v)
		m := h.finished(fleet.StateWarning)
		m.Outcome.Reason = fleet.ReasonSourceUnreadable
		m.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: snapshotID(n)}}
		h.feed.take()
		h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
		return h.job(job.ID)
	}
	first := save(1)
	rows := h.feed.take()
	published := rows[len(rows)-1].Repository
	if got := is(1, first.ID, ""); published == nil || published.Rev != got.Rev || published.SnapshotCount != 1 ||
		*got.LastBackup != (fleet.JobMark{JobID: first.ID, HostID: host.ID, State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, At: *first.FinishedAt}) {
		t.Fatalf("%+v, published %+v", got, published)
	}
	h.clock.add(time.Minute)
	second := save(1) // a snapshot that is known is not counted again
	is(1, second.ID, "")
	h.clock.add(time.Minute)
	listing := h.list(host, v, string(snapshotID(1)), string(snapshotID(2)), string(snapshotID(3)))
	if got := is(3, second.ID, ""); got.ListedAt == nil || !got.ListedAt.Equal(h.clock.Now()) {
		t.Fatalf("listed %v", got.ListedAt)
	}
	h.ok(h.JobFinished(h.ctx, host.ID, listing.ID, h.finished(fleet.StateSucceeded)))
	h.ended(host, v, fleet.StateFailed) // saved nothing
	is(3, second.ID, "")
	check := func(state fleet.JobState) fleet.JobID {
		job := must(h.StartJob(h.ctx, h.admin, "web1", api.JobRequest{Kind: fleet.KindCheck, Repository: "main"}, ""))(t)
		h.ok(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(state)))
		return job.ID
	}
	bad := check(fleet.StateFailed)
	is(3, second.ID, bad)
	check(fleet.StateCancelled)
	is(3, second.ID, bad)
	must(h.UpdateRepository(h.ctx, h.admin, "main", api.RepositoryRequest{Name: "main", URL: "/elsewhere"}))(t)
	is(3, second.ID, bad) // what is known outlives what is set
	now := must(h.HostConfig(h.ctx, host.ID))(t)
	if r := now.Repositories[0]; r.SnapshotCount != 0 || r.ListedAt != nil || r.LastBackup != nil || r.LastCheck != nil {
		t.Fatalf("a host is told %+v", r)
	}
	if now.Version <= config.Version {
		t.Fatal("the URL is a new version of what the host is to do")
	}
	save(4)
	if then := must(h.HostConfig(h.ctx, host.ID))(t); then.Version != now.Version {
		t.Fatal("a backup is no new version of what the host is to do")
	}
	h.restart()
	is(4, h.host("web1").LastJobID, bad)
}

func TestNewestAudit(t *testing.T) {
	h := newHouse(t)
	for range 5 {
		must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t)
	}
	rows := must(h.NewestAudit(h.ctx, 0, 2))(t)
	if len(rows) != 2 || rows[0].Seq != 5 || rows[1].Seq != 4 {
		t.Fatalf("%+v", rows)
	}
	if rows = must(h.NewestAudit(h.ctx, 4, 500))(t); len(rows) != 3 || rows[0].Seq != 3 || rows[2].Seq != 1 {
		t.Fatalf("%+v", rows)
	}
	_, err := h.NewestAudit(h.ctx, 0, -1)
	h.refused(err, fault.InvalidInput)
}
