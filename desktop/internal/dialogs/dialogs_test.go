package dialogs_test

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/dialogs"
	"github.com/backstay/backstay/desktop/internal/hands"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// room is a window with nothing in it but dialogs.
type room struct {
	t *testing.T
	c fyne.Canvas
}

func newRoom(t *testing.T) room {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Light, theme.Comfortable))
	if err := words.Use("en"); err != nil {
		t.Fatal(err)
	}
	w := test.NewTempWindow(t, nil)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(1208, 844))
	w.SetContent(widgets.NewRoot(widgets.Space(10), nil))
	return room{t, w.Canvas()}
}

func (r room) says(text string) bool { return hands.Find(r.c, text) != nil }

func (r room) want(texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if !r.says(text) {
			var all []string
			hands.Texts(r.c, func(t *canvas.Text) { all = append(all, t.Text) })
			r.t.Errorf("%q is not said; %q is", text, strings.Join(all, " | "))
		}
	}
}

func (r room) tap(text string) {
	r.t.Helper()
	t := hands.Find(r.c, text)
	if t == nil {
		r.t.Fatalf("there is no %q", text)
	}
	hands.Tap(r.c, t)
}

// tab goes to the next control.
func (r room) tab(times int) {
	for range times {
		r.c.FocusNext()
	}
}

// toArea goes on to the next field of several lines.
func (r room) toArea() {
	for range 30 {
		r.tab(1)
		if e, ok := r.c.Focused().(fyne.Tabbable); ok && e.AcceptsTab() {
			return
		}
	}
	r.t.Fatal("there is no such field")
}

var (
	web     = &fleet.Host{ID: "H1", Name: "web", Online: false, RestoreRoot: "/restore"}
	db      = &fleet.Host{ID: "H2", Name: "db", Online: true, RestoreRoot: "/var/restore"}
	offsite = &fleet.Repository{ID: "R1", Name: "offsite", URL: "s3:https://s3.example.net/backups", Options: map[string]string{"s3.connections": "3"}}
)

func TestANewPlanIsAskedForWholeBeforeItIsSent(t *testing.T) {
	r := newRoom(t)
	var sent []api.PlanRequest
	var answer func(error)
	dialogs.OpenPlan(dialogs.PlanConfig{Canvas: r.c, Now: noon, Repositories: []*fleet.Repository{offsite, {ID: "R2", Name: "cold"}}, Hosts: []*fleet.Host{web, db}, MayEdit: true,
		Save: func(p api.PlanRequest, done func(error)) { sent, answer = append(sent, p), done }})
	r.want("New plan")
	r.tap("Save")
	r.want("Give the plan a name.", "Give at least one path.", "Choose at least one host.", "Choose a repository.")
	if len(sent) > 0 || r.says("Delete plan") {
		t.Fatalf("sent %+v", sent)
	}
	r.tab(2) // from the button that was clicked over the dialog to the name
	hands.Write(r.c, " servers ")
	r.tap("Choose where to back up to")
	r.tap("cold")
	r.tap("db")
	r.toArea() // the paths
	hands.Write(r.c, "/etc")
	hands.Press(r.c, fyne.KeyReturn)
	hands.Write(r.c, "  /srv ")
	r.tap("Save")
	if len(sent) != 1 {
		t.Fatal("nothing was sent")
	}
	p := sent[0]
	if p.Name != "servers" || p.RepositoryID != "R2" || len(p.Hosts) != 1 || p.Hosts[0] != "H2" || strings.Join(p.Backup.Paths, "|") != "/etc|/srv" || !p.Backup.ExcludeCaches {
		t.Errorf("%+v", p)
	}
	answer(fault.New(fault.Conflict, "There is a plan servers already. Choose another name."))
	r.want("There is a plan servers already. Choose another name.")
	answer(nil)
	if r.says("New plan") {
		t.Error("it stays open")
	}
}

func TestAPlanIsDeletedFromItsDialog(t *testing.T) {
	r := newRoom(t)
	deleted := 0
	dialogs.OpenPlan(dialogs.PlanConfig{Canvas: r.c, Now: noon, Plan: &fleet.Plan{ID: "P1", Name: "mail\x1b", RepositoryID: "R1", Hosts: []fleet.HostID{"H1"}, Backup: fleet.BackupSpec{Paths: []string{"/srv/mail"}, Tags: []string{"a", "b"}}},
		Repositories: []*fleet.Repository{offsite}, Hosts: []*fleet.Host{web}, MayEdit: true, Delete: func() { deleted++ }})
	r.want(`Plan mail\x1b`, "/srv/mail", "a, b")
	r.tap("Delete plan")
	if deleted != 1 || r.says("Save") {
		t.Error("the dialog is open still, or nothing was deleted")
	}
}

func TestTheRepositoryDialogSealsForTheHostThatIsThere(t *testing.T) {
	r := newRoom(t)
	var sent []dialogs.RepositoryRequest
	var step func(string)
	var answer func(error)
	cfg := dialogs.RepositoryConfig{Canvas: r.c, Hosts: []*fleet.Host{web, db}, MayEdit: true, Save: func(q dialogs.RepositoryRequest, say func(string), done func(error)) {
		sent, step, answer = append(sent, q), say, done
	}}
	d := dialogs.OpenRepository(cfg)
	r.tap("Test and save")
	r.want("Give the repository a name.", "Type the repository's password.")
	if len(sent) > 0 {
		t.Fatalf("sent %+v", sent)
	}
	r.tab(2) // from the button that was clicked over the dialog to the name
	hands.Write(r.c, "offsite")
	r.tab(1)
	hands.Write(r.c, "rest:https://backup.example.net/web/")
	r.want("REST server user", "db") // db is online, so it is proposed
	r.tab(3)                         // certificate, host, password
	hands.Write(r.c, "correct horse")
	r.tab(2) // the eye, the user
	hands.Write(r.c, "web")
	r.tab(1)
	hands.Write(r.c, "battery")
	r.tab(3) // the eye, the keyring, creating it
	hands.Press(r.c, fyne.KeySpace)
	r.tap("Test and save")
	if len(sent) != 1 {
		t.Fatal("nothing was sent")
	}
	q := sent[0]
	if q.Repository.Name != "offsite" || q.Repository.URL != "rest:https://backup.example.net/web/" || q.Host != db || !q.Create || q.Keep || q.Credentials.REST == nil || q.Credentials.REST.User != "web" {
		t.Errorf("%+v", q)
	}
	if q.Credentials.Password.Reveal() != "correct horse" || q.Credentials.REST.Password.Reveal() != "battery" {
		t.Error("the passwords are others")
	}
	step("db is testing it …")
	r.want("db is testing it …")
	hands.Press(r.c, fyne.KeyEscape) // not while it goes on
	if !d.IsOpen() {
		t.Error("closed while it is tested")
	}
	answer(fault.New(fault.InvalidInput, "The password is wrong. Type it again."))
	r.want("The password is wrong. Type it again.")
	answer(nil)
	if d.IsOpen() {
		t.Error("it stays open")
	}
}

func TestAKnownRepositoryKeepsItsPasswordUnlessOneIsTyped(t *testing.T) {
	r := newRoom(t)
	var sent []dialogs.RepositoryRequest
	dialogs.OpenRepository(dialogs.RepositoryConfig{Canvas: r.c, Repository: offsite, Hosts: []*fleet.Host{db}, MayEdit: true, Delete: func() {},
		Save: func(q dialogs.RepositoryRequest, _ func(string), done func(error)) { sent = append(sent, q); done(nil) }})
	r.want("Repository offsite", "Leave it empty to change nothing about it.", "Access key id", "Remove")
	r.tap("Test and save")
	if len(sent) != 1 || sent[0].Host != nil || sent[0].Repository.Options["s3.connections"] != "3" {
		t.Errorf("%+v", sent)
	}
	dialogs.OpenRepository(dialogs.RepositoryConfig{Canvas: r.c, Repository: offsite, Hosts: []*fleet.Host{web}, PasswordOnly: true, MayEdit: true, Save: func(dialogs.RepositoryRequest, func(string), func(error)) { t.Error("sent without a host") }})
	r.want("Password of offsite")
	hands.Write(r.c, "secret")
	r.tap("Test and save") // no host is online, so none is proposed
	r.want("Choose the host that is given the password.")
}

func TestARestoreAsksWhereTo(t *testing.T) {
	r := newRoom(t)
	var sent []dialogs.RestoreRequest
	var answer func(error)
	d := dialogs.OpenRestore(dialogs.RestoreConfig{Canvas: r.c, Snapshot: "7f29d65e", Taken: "today 14:04", Paths: []string{"/etc"}, Hosts: []*fleet.Host{web, db}, Home: "H9",
		Start: func(q dialogs.RestoreRequest, done func(error)) { sent, answer = append(sent, q), done }})
	r.tap("Restore")
	r.want("Choose a host that holds the repository's password.")
	r.tap("Choose a host")
	r.tap("db")
	r.want("Into a new folder below /var/restore")
	r.tap("Restore")
	if len(sent) != 1 || sent[0].Host != "H2" || len(sent[0].Includes) != 0 || sent[0].Folder != "" {
		t.Fatalf("%+v", sent)
	}
	answer(fault.New(fault.HostOffline, "db is not connected. Start its agent and try again."))
	r.want("db is not connected. Start its agent and try again.")
	answer(nil)
	if d.IsOpen() {
		t.Error("it stays open")
	}
}

func TestAddingAHostGivesACommandAndWaitsForTheHost(t *testing.T) {
	r := newRoom(t)
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	f := model.New()
	f.Apply(model.Batch{Reset: true, Rows: []api.Row{{Kind: "host", ID: "H1", Rev: 1, Host: &fleet.Host{ID: "H1", Name: "web", AgentID: "A1"}}}})
	var answers []func(api.EnrolmentToken, error)
	copied, opened := "", fleet.HostID("")
	a := dialogs.OpenAddHost(dialogs.AddHostConfig{Canvas: r.c, Fleet: f, Now: func() time.Time { return now }, Copy: func(s string) { copied = s }, Open: func(id fleet.HostID) { opened = id }, OnClose: func() {},
		Create: func(done func(api.EnrolmentToken, error)) { answers = append(answers, done) }})
	r.tap("Copy command") // there is none yet
	answers[0](api.EnrolmentToken{}, fault.New(fault.Unavailable, "The daemon is starting. Try again in a minute."))
	r.want("The daemon is starting. Try again in a minute.")
	r.tap("Try again")
	answers[1](api.EnrolmentToken{Command: "backstay-agent enrol --token x", ExpiresAt: now.Add(time.Hour)}, nil)
	r.want("backstay-agent enrol --token x", "Waiting for the host")
	r.tap("Copy command")
	r.want("Copied")
	if copied != "backstay-agent enrol --token x" {
		t.Errorf("copied %q", copied)
	}
	a.Tick(now.Add(time.Minute))
	r.want("Copy command")
	a.Tick(now.Add(2 * time.Hour))
	r.want("The command has expired")
	r.tap("New command")
	answers[2](api.EnrolmentToken{Command: "backstay-agent enrol --token y", ExpiresAt: now.Add(3 * time.Hour)}, nil)
	a.Update(f.Apply(model.Batch{Rows: []api.Row{{Kind: "host", ID: "H2", Rev: 2, Host: &fleet.Host{ID: "H2", Name: "new\x1b", AgentID: "A2", OS: "linux", Arch: "amd64"}}}}))
	r.want(`new\x1b is here`)
	r.tap("Open host")
	if opened != "H2" || r.says("Open host") {
		t.Errorf("opened %q", opened)
	}
}

// No dialog scrolls where the window has room for all of it.
func TestDialogsAreAsHighAsWhatTheyHold(t *testing.T) {
	r := newRoom(t)
	for name, open := range map[string]func() *widgets.Dialog{
		"restore": func() *widgets.Dialog {
			return dialogs.OpenRestore(dialogs.RestoreConfig{Canvas: r.c, Snapshot: "7f29d65e", Taken: "today 14:04", Paths: []string{"/var/lib/postgresql", "/etc"}, Hosts: []*fleet.Host{db}, Home: db.ID})
		},
		"repository": func() *widgets.Dialog {
			return dialogs.OpenRepository(dialogs.RepositoryConfig{Canvas: r.c, Hosts: []*fleet.Host{db}, MayEdit: true})
		},
		"back up": func() *widgets.Dialog {
			return dialogs.OpenBackUp(dialogs.BackUpConfig{Canvas: r.c, Host: "web", Plans: []dialogs.PlanChoice{{ID: "P1", Name: "a"}, {ID: "P2", Name: "b"}}})
		},
		"revoke": func() *widgets.Dialog {
			return dialogs.OpenRevoke(dialogs.RevokeConfig{Canvas: r.c, Host: "web", Running: true})
		},
	} {
		d := open()
		for _, scroll := range scrolls(d) {
			if over := scroll.Content.MinSize().Height - scroll.Size().Height; over > 0 {
				t.Errorf("%s is %v higher than its room", name, over)
			}
		}
		d.Close()
	}
}

// scrolls finds what scrolls a dialog: not its fields.
func scrolls(o fyne.CanvasObject) (found []*container.Scroll) {
	switch o := o.(type) {
	case *container.Scroll:
		return []*container.Scroll{o}
	case *fyne.Container:
		for _, c := range o.Objects {
			found = append(found, scrolls(c)...)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			found = append(found, scrolls(c)...)
		}
	}
	return found
}
