package apiclient_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// The daemon of the tests does what consoles are tested with: changes are seen in lists and by the watch.
func TestTheDaemonOfTheTestsChanges(t *testing.T) {
	s := newServer(t)
	s.Hosts = []fleet.Host{{ID: "h1", Name: "web"}, {ID: "h2", Name: "db"}}
	s.Users = []api.User{{ID: "u1", Name: "admin", Role: fleet.RoleAdmin}, {ID: "u2", Name: "bob", Role: fleet.RoleViewer}}
	s.Overview.Days = []api.BackupDay{{Day: "2026-11-21"}, {Day: "2026-11-22"}, {Day: "2026-11-23"}}
	s.Snapshots = []fleet.Snapshot{{ID: "s1", HostID: "h1", PlanID: "p1"}, {ID: "s2", HostID: "h2", Tags: []string{"t"}}, {ID: "s3", HostID: "h1"}}
	c, ctx := newClient(t, s), t.Context()
	if o, err := c.Overview(ctx, 2); err != nil || len(o.Days) != 2 || o.Days[1].Day != "2026-11-23" {
		t.Errorf("%+v %v", o, err)
	}
	if h, err := c.RenameHost(ctx, "web", "front"); err != nil || h.Name != "front" || h.Rev == 0 {
		t.Errorf("%+v %v", h, err)
	}
	if _, err := c.RenameHost(ctx, "db", "front"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := c.Host(ctx, "front"); err != nil {
		t.Error(err)
	}
	if u, err := c.ChangeUser(ctx, "bob", api.UserChange{Role: fleet.RoleOperator}); err != nil || u.Role != fleet.RoleOperator {
		t.Errorf("%+v %v", u, err)
	}
	if _, err := c.ChangeUser(ctx, "admin", api.UserChange{Role: fleet.RoleViewer}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("the last admin: %v", err)
	}
	if err := c.ChangePassword(ctx, api.PasswordChange{Old: apitest.Password, New: "another long one"}); err != nil {
		t.Error(err)
	}
	if err := c.ChangePassword(ctx, api.PasswordChange{Old: "wrong", New: "another long one"}); fault.CodeOf(err) != fault.Forbidden {
		t.Errorf("a wrong old password: %v", err)
	}
	page, err := c.Snapshots(ctx, apiclient.SnapshotFilter{Host: "front", Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "s1" || page.Next == "" {
		t.Fatalf("%+v %v", page, err)
	}
	page, err = c.Snapshots(ctx, apiclient.SnapshotFilter{Host: "front", Limit: 1, Cursor: page.Next})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != "s3" || page.Next != "" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestEnrolmentTokensOfTheDaemonOfTheTests(t *testing.T) {
	s := newServer(t)
	used := time.Now()
	s.Enrolments = []api.Enrolment{{ID: "old", UsedAt: &used}}
	c, ctx := newClient(t, s), t.Context()
	token, err := c.CreateEnrolmentToken(ctx, api.EnrolmentTokenRequest{HostID: "h1"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.EnrolmentTokens(ctx)
	if err != nil || len(all) != 2 || all[0].ID != token.ID || all[0].HostID != "h1" {
		t.Fatalf("%+v %v", all, err)
	}
	if err := c.RevokeEnrolmentToken(ctx, token.ID); err != nil {
		t.Error(err)
	}
	if err := c.RevokeEnrolmentToken(ctx, token.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("once more: %v", err)
	}
	if err := c.RevokeEnrolmentToken(ctx, "old"); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a used one: %v", err)
	}
}

func TestNewestAuditOfTheDaemonOfTheTests(t *testing.T) {
	s := newServer(t)
	for seq := range int64(5) {
		s.Audit = append(s.Audit, api.AuditRow{Seq: seq + 1})
	}
	c := newClient(t, s)
	var got []int64
	for before := int64(0); ; {
		page, err := c.NewestAudit(t.Context(), before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Items {
			got, before = append(got, row.Seq), row.Seq
		}
		if page.Next == "" {
			break
		}
	}
	if len(got) != 5 || got[0] != 5 || got[4] != 1 {
		t.Errorf("%v", got)
	}
}
