package httpapi_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/daemon/internal/metrics"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("error %v has code %q, want %q", err, fault.CodeOf(err), code)
	}
}

// Everything goes through the shared client: what it sends and expects is what the daemon takes and gives.
func TestSignInAndOut(t *testing.T) {
	h := newHouse(t)
	_, err := h.CreateUser(h.ctx, h.admin, api.UserRequest{Name: "ada", Password: "correct horse", Role: fleet.RoleOperator})
	h.must(err)
	c := h.client("")
	h.must(c.Ready(h.ctx))
	session, err := c.SignIn(h.ctx, api.SessionRequest{User: "ada", Password: "correct horse"})
	h.must(err)
	me := c.WithToken(session.Token)
	id, err := me.Identity(h.ctx)
	h.must(err)
	if id.User != "ada" || id.Role != fleet.RoleOperator || id.ExpiresAt == nil || id.Daemon.Epoch != h.Epoch() || id.Daemon.Version != "1.2.3" || id.Daemon.CAPin != "sha256:pin" {
		t.Errorf("identity %+v", id)
	}
	h.must(me.SignOut(h.ctx))
	_, err = me.Identity(h.ctx)
	wantCode(t, err, fault.Unauthenticated)
	unknown := h.ask("POST", "/api/v1/session", "", `{"user":"bob","password":"correct horse"}`)
	wrong := h.ask("POST", "/api/v1/session", "", `{"user":"ada","password":"wrong horse"}`)
	if unknown.status != 401 || unknown.body != wrong.body {
		t.Errorf("unknown user: %d %s, wrong password: %s", unknown.status, unknown.body, wrong.body)
	}
}

func TestSignInIsLimited(t *testing.T) {
	h := newHouse(t)
	var last answer
	for range 40 {
		if last = h.ask("POST", "/api/v1/session", "", `{"user":"ada","password":"guess"}`); last.status != 401 {
			break
		}
	}
	if last.status != 429 || last.problem(t).Code != fault.RateLimited || last.header.Get("Retry-After") == "" {
		t.Errorf("the flood ends with %d %s", last.status, last.body)
	}
	if a := h.ask("GET", "/api/v1/hosts", fleet.RoleViewer, ""); a.status != 200 {
		t.Errorf("others are limited as well: %d", a.status)
	}
}

func TestRepositoriesAndPlans(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleOperator)
	repo, err := c.AddRepository(h.ctx, api.RepositoryRequest{Name: "near", URL: "rest:https://backup.example:8000/near/"})
	h.must(err)
	repo, err = c.UpdateRepository(h.ctx, "near", api.RepositoryRequest{Name: "nearer", URL: repo.URL})
	h.must(err)
	got, err := c.Repository(h.ctx, string(repo.ID))
	h.must(err)
	all, err := c.Repositories(h.ctx)
	h.must(err)
	if got.Name != "nearer" || len(all) != 2 {
		t.Errorf("%+v of %d", got, len(all))
	}
	plan, err := c.AddPlan(h.ctx, api.PlanRequest{Name: "etc", RepositoryID: "nearer", Hosts: []fleet.HostID{"web1"}, Backup: fleet.BackupSpec{Paths: []string{"/etc"}}})
	h.must(err)
	plan, err = c.UpdatePlan(h.ctx, "etc", api.PlanRequest{Name: "etc2", RepositoryID: plan.RepositoryID, Hosts: plan.Hosts, Backup: plan.Backup})
	h.must(err)
	if p, err := c.Plan(h.ctx, "etc2"); err != nil || p.ID != plan.ID || p.Hosts[0] != h.host.ID {
		t.Errorf("%+v %v", p, err)
	}
	splay := int64(0)
	_, err = c.UpdatePlan(h.ctx, "etc2", api.PlanRequest{Name: "etc2", RepositoryID: plan.RepositoryID, Hosts: plan.Hosts, Backup: plan.Backup,
		Schedule: &api.ScheduleRequest{Cron: "30 2 * * *", TimeZone: "Europe/Berlin", SplayMS: &splay}})
	h.must(err)
	next, err := c.NextRuns(h.ctx, "etc2", "web1", 0)
	h.must(err)
	if len(next.Runs) != 5 || !next.Runs[0].At.Equal(next.Runs[0].Slot) {
		t.Errorf("%+v", next)
	}
	plan, err = c.PausePlan(h.ctx, "etc2")
	h.must(err)
	if none, err := c.NextRuns(h.ctx, "etc2", "", 3); err != nil || len(none.Runs) != 0 || !plan.Schedule.Paused {
		t.Errorf("paused: %+v, %v", none, err)
	}
	plan, err = c.ResumePlan(h.ctx, "etc2")
	h.must(err)
	if three, err := c.NextRuns(h.ctx, "etc2", "", 3); err != nil || len(three.Runs) != 3 || plan.Schedule.Paused {
		t.Errorf("resumed: %+v, %v", three, err)
	}
	_, err = c.UpdatePlan(h.ctx, "etc2", api.PlanRequest{Name: "etc2", RepositoryID: plan.RepositoryID, Hosts: plan.Hosts, Backup: plan.Backup,
		Schedule: &api.ScheduleRequest{Cron: "half past two"}})
	wantCode(t, err, fault.InvalidInput)
	wantCode(t, c.DeleteRepository(h.ctx, "nearer"), fault.Conflict)
	h.must(c.DeletePlan(h.ctx, "etc2"))
	h.must(c.DeleteRepository(h.ctx, "nearer"))
	plans, err := c.Plans(h.ctx)
	h.must(err)
	if len(plans) != 0 {
		t.Errorf("%d plans are left", len(plans))
	}
	result, err := c.TestRepository(h.ctx, "offsite", "web1")
	h.must(err)
	if !result.OK {
		t.Errorf("%+v", result)
	}
}

func TestHostsSecretsAndRevoking(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleAdmin)
	hosts, err := c.Hosts(h.ctx)
	h.must(err)
	if len(hosts) != 1 || hosts[0].ID != h.host.ID {
		t.Fatalf("%+v", hosts)
	}
	const sealed = "-----BEGIN AGE ENCRYPTED FILE-----\nc2VhbGVk\n-----END AGE ENCRYPTED FILE-----\n"
	h.must(c.PutSecret(h.ctx, "web1", "offsite", sealed))
	h.must(c.DeleteSecret(h.ctx, "web1", "offsite"))
	if n := len(h.agents.requests); n != 2 || h.agents.requests[0].Sealed != sealed || h.agents.requests[1].Kind != agentwire.RequestDeleteSecret {
		t.Errorf("the agent was asked %+v", h.agents.requests)
	}
	token, err := c.CreateEnrolmentToken(h.ctx, api.EnrolmentTokenRequest{HostID: "web1"})
	h.must(err)
	if !strings.HasPrefix(token.Token, "bse_") || !strings.Contains(token.Command, token.Token) {
		t.Errorf("%+v", token)
	}
	h.must(c.RevokeHost(h.ctx, "web1"))
	host, err := c.Host(h.ctx, "web1")
	h.must(err)
	if host.RevokedAt == nil {
		t.Errorf("%+v", host)
	}
}

func TestJobsFromQueueToEnd(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleOperator)
	req := api.JobRequest{Kind: fleet.KindBackup, Repository: "offsite", Paths: []string{"/etc"}}
	a := h.ask("POST", "/api/v1/hosts/web1/jobs", fleet.RoleOperator, `{"kind":"backup","repository":"offsite","paths":["/etc"]}`,
		func(r *http.Request) { r.Header.Set("Idempotency-Key", "k1") })
	if a.status != http.StatusAccepted {
		t.Fatalf("%d %s", a.status, a.body)
	}
	job, err := c.StartJob(h.ctx, "web1", req, "k1")
	h.must(err)
	if job.State != fleet.StateQueued || !strings.Contains(a.body, string(job.ID)) || len(h.agents.offered) != 1 {
		t.Errorf("the second POST with one key: %s, first %s", job.ID, a.body)
	}
	_, err = c.StartJob(h.ctx, "web1", api.JobRequest{Kind: fleet.KindCheck, Repository: "offsite"}, "k1")
	wantCode(t, err, fault.Conflict)
	second, err := c.StartJob(h.ctx, "web1", api.JobRequest{Kind: fleet.KindCheck, Repository: "offsite"}, "")
	h.must(err)
	second, err = c.CancelJob(h.ctx, second.ID)
	h.must(err)
	if second.State != fleet.StateCancelled {
		t.Errorf("cancelled before it was sent: %s", second.State)
	}
	h.run(job)
	h.write(job, 1, 10)
	h.finish(job, 10)
	got, err := c.Job(h.ctx, job.ID)
	h.must(err)
	if got.State != fleet.StateSucceeded || got.Log != position(10) || !got.LogSealed {
		t.Errorf("%+v", got)
	}
	for _, f := range []struct {
		filter apiclient.JobFilter
		want   int
	}{
		{apiclient.JobFilter{}, 2},
		{apiclient.JobFilter{States: []fleet.JobState{fleet.StateSucceeded, fleet.StateCancelled}}, 2},
		{apiclient.JobFilter{States: []fleet.JobState{fleet.StateSucceeded}, Host: "web1", Repository: "offsite", Kind: fleet.KindBackup}, 1},
		{apiclient.JobFilter{States: []fleet.JobState{fleet.StateFailed}}, 0},
	} {
		page, err := c.Jobs(h.ctx, f.filter)
		h.must(err)
		if len(page.Items) != f.want {
			t.Errorf("%+v: %d jobs, want %d", f.filter, len(page.Items), f.want)
		}
	}
	seen := map[fleet.JobID]bool{}
	for cursor := ""; ; {
		page, err := c.Jobs(h.ctx, apiclient.JobFilter{Limit: 1, Cursor: cursor})
		h.must(err)
		for _, j := range page.Items {
			seen[j.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 2 {
		t.Errorf("paged through %v", seen)
	}
}

func TestAccountsAndAudit(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleAdmin)
	user, err := c.CreateUser(h.ctx, api.UserRequest{Name: "eve", Password: "planted-password", Role: fleet.RoleViewer})
	h.must(err)
	users, err := c.Users(h.ctx)
	h.must(err)
	token, err := c.CreateToken(h.ctx, api.TokenRequest{Name: "ci", Role: fleet.RoleOperator})
	h.must(err)
	tokens, err := c.Tokens(h.ctx)
	h.must(err)
	if len(users) != 1 || len(tokens) != 4 {
		t.Errorf("%d users, %d tokens", len(users), len(tokens))
	}
	_, err = c.WithToken(token.Secret).Hosts(h.ctx)
	h.must(err)
	h.must(c.DeleteToken(h.ctx, token.ID))
	_, err = c.WithToken(token.Secret).Hosts(h.ctx)
	wantCode(t, err, fault.Unauthenticated)
	h.must(c.DeleteUser(h.ctx, user.ID))
	var rows []api.AuditRow
	for after := int64(0); ; {
		page, err := c.Audit(h.ctx, after, 3)
		h.must(err)
		rows = append(rows, page.Items...)
		if page.Next == "" {
			break
		}
		after = page.Items[len(page.Items)-1].Seq
	}
	var actions []string
	for i, r := range rows {
		actions = append(actions, r.Action)
		if r.Seq != int64(i+1) {
			t.Errorf("row %d has seq %d", i+1, r.Seq)
		}
	}
	if all := strings.Join(actions, " "); !strings.Contains(all, "user.create") || !strings.Contains(all, "token.delete") {
		t.Errorf("audit: %s", all)
	}
	for _, path := range []string{"/api/v1/users", "/api/v1/tokens", "/api/v1/audit?limit=500", "/api/v1/hosts", "/api/v1/repositories"} {
		a := h.ask("GET", path, fleet.RoleAdmin, "")
		for _, secret := range []string{"planted-password", "argon2", token.Secret, h.tokens[fleet.RoleViewer].Secret} {
			if strings.Contains(a.body, secret) {
				t.Errorf("%s shows a secret: %s", path, a.body)
			}
		}
	}
}

func TestOverview(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	h.write(job, 1, 3)
	h.finish(job, 3)
	c := h.client(fleet.RoleViewer)
	o, err := c.Overview(h.ctx, 0)
	h.must(err)
	if len(o.Days) != 30 || o.Last24h.Succeeded != 1 || o.Days[29].Succeeded+o.Days[28].Succeeded != 1 {
		t.Errorf("%+v", o)
	}
	if o, err = c.Overview(h.ctx, 2); err != nil || len(o.Days) != 2 {
		t.Errorf("%+v %v", o, err)
	}
	if _, err = c.Overview(h.ctx, 401); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("too long: %v", err)
	}
	host, err := c.Host(h.ctx, "web1")
	h.must(err)
	if len(host.Backups) != 1 || host.Backups[0].JobID != job.ID || host.LastBackup == nil || host.LastBackup.JobID != job.ID {
		t.Errorf("%+v", host)
	}
}

func TestEmptyListsAreLists(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/plans", "/jobs", "/snapshots", "/users"} {
		if a := h.ask("GET", "/api/v1"+path, fleet.RoleAdmin, ""); strings.TrimSpace(a.body) != `{"items":[]}` {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

func TestLogDownload(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	at := time.Unix(1_800_000_000, 0).UTC()
	lines := []fleet.LogLine{
		{Time: at, Stream: fleet.StreamOut, Text: "first"},
		{Time: at, Stream: fleet.StreamErr, Text: "half \xff ", Cont: true},
		{Time: at, Stream: fleet.StreamErr, Text: "and half"},
		{Time: at, Stream: fleet.StreamNote, Text: "cancel by ada"},
		{Time: at, Stream: fleet.StreamGap, Text: `{"from":5,"to":9,"bytes":123}`},
		{Time: at, Stream: fleet.StreamOut, Text: "[backstay] cancel by eve"},
		{Time: at, Stream: fleet.StreamOut, Text: "a file called ", Cont: true},
		{Time: at, Stream: fleet.StreamOut, Text: "[backstay]"},
		{Time: at, Stream: fleet.StreamOut, Text: "open", Cont: true},
	}
	_, err := h.logs.Append(job.ID, 1, lines, func(int64) {})
	h.must(err)
	c := h.client(fleet.RoleViewer)
	var text bytes.Buffer
	h.must(c.LogText(h.ctx, job.ID, 0, &text))
	if want := "first\nhalf \xff and half\n[backstay] cancel by ada\n[backstay] gap: lines 5 to 9 of restic (123 bytes) could not be kept\n" +
		"[restic] [backstay] cancel by eve\na file called [backstay]\nopen\n"; text.String() != want {
		t.Errorf("text %q, want %q", text.String(), want)
	}
	var got []fleet.LogLine
	h.must(c.LogLines(h.ctx, job.ID, 2, func(seq int64, l fleet.LogLine) error {
		if seq != int64(len(got)+3) {
			t.Errorf("seq %d", seq)
		}
		got = append(got, l)
		return nil
	}))
	if len(got) != len(lines)-2 || got[0] != lines[2] || got[3] != lines[5] {
		t.Errorf("lines %+v", got)
	}
	for accept, want := range map[string]string{"": "text/plain", "application/x-ndjson": "application/x-ndjson", "text/plain": "text/plain", "*/*": "text/plain", "application/json, application/x-ndjson;q=0.5": "application/x-ndjson"} {
		a := h.ask("GET", "/api/v1/jobs/"+string(job.ID)+"/log", fleet.RoleViewer, "", func(r *http.Request) { r.Header.Set("Accept", accept) })
		if !strings.HasPrefix(a.header.Get("Content-Type"), want) {
			t.Errorf("Accept %q gives %q", accept, a.header.Get("Content-Type"))
		}
	}
}

func TestLongLogComesInPages(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	const n = 20_000
	h.write(job, 1, n)
	c := h.client(fleet.RoleViewer)
	var pos fleet.LogPosition
	h.must(c.LogLines(h.ctx, job.ID, 0, func(_ int64, l fleet.LogLine) error { pos = pos.Add(l); return nil }))
	if pos != position(n) {
		t.Errorf("%+v, want %+v", pos, position(n))
	}
	stop := errors.New("enough")
	err := c.LogLines(h.ctx, job.ID, 0, func(seq int64, _ fleet.LogLine) error {
		if seq == 10 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Errorf("a reader who leaves: %v", err)
	}
}

func TestOperationRoutes(t *testing.T) {
	h := newHouse(t)
	if a := h.ask("GET", "/healthz", "", ""); a.status != 200 || strings.TrimSpace(a.body) != `{"status":"ok"}` {
		t.Errorf("healthz: %d %s", a.status, a.body)
	}
	if a := h.ask("GET", "/metrics", fleet.RoleViewer, ""); a.status != 404 {
		t.Errorf("metrics without a page: %d", a.status)
	}
}

func TestMetricsOfTheAPI(t *testing.T) {
	m := metrics.New(metrics.Sources{Version: "1.2.3"})
	h := newHouse(t, func(c *httpapi.Config) { c.Metrics, c.MetricsPage = m, m.Handler() })
	h.ask("GET", "/api/v1/hosts/nobody-1", fleet.RoleViewer, "")
	h.ask("GET", "/api/v1/hosts/nobody-2", fleet.RoleViewer, "")
	h.ask("GET", "/made/up", "", "")
	r := h.subscribe(h.start().ID, api.Subscribe{})
	r.until(api.TypeLive)
	a := h.ask("GET", "/metrics", fleet.RoleViewer, "")
	for _, want := range []string{`backstay_http_requests_total{code="404",route="GET /api/v1/hosts/{id}"} 2`, `backstay_streams_open{kind="job"} 1`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no line %s", want)
		}
	}
	if a.status != 200 || strings.Contains(a.body, "nobody-1") || strings.Contains(a.body, "made/up") {
		t.Errorf("labels come from what is asked: %d\n%s", a.status, a.body)
	}
}
