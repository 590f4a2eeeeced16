package widgets_test

import (
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

// save paints an object and, where BACKSTAY_GALLERY names a folder, keeps the picture there.
func save(t *testing.T, name string, mode theme.Mode, scale float32, size fyne.Size, build func(c fyne.Canvas) fyne.CanvasObject) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(mode, theme.Comfortable))
	w := test.NewTempWindow(t, nil)
	w.SetPadded(false)
	c, ok := w.Canvas().(software.WindowlessCanvas)
	if !ok {
		t.Fatal("the test canvas is another")
	}
	c.SetScale(scale)
	c.SetContent(build(c))
	c.Resize(size)
	img := c.Capture()
	folder := os.Getenv("BACKSTAY_GALLERY")
	if folder == "" {
		return
	}
	f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%s-%v.png", name, mode, scale)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func page(o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Backdrop(theme.Bg, 0, widgets.Pad(o, 18, 24, 18, 24))
}

type hostRow struct {
	cells     []fyne.CanvasObject
	name, sys *widgets.Label
	state     *widgets.Pill
	plan      *widgets.Label
	last      *widgets.Label
	size      *widgets.Label
	next      *widgets.Label
	strip     *widgets.Strip
}

func newHostRow() widgets.Row {
	r := &hostRow{name: widgets.NewLabel("", widgets.BodyMedium), sys: widgets.NewLabel("", widgets.Caption), state: widgets.NewPill(widgets.Ok, "Protected"),
		plan: widgets.NewLabel("", widgets.Cell), last: widgets.NewLabel("", widgets.Cell), size: widgets.NewLabel("", widgets.Cell), next: widgets.NewLabel("today 21:15", widgets.Cell), strip: widgets.NewStrip(14)}
	r.cells = []fyne.CanvasObject{widgets.VFlex(1, r.name, r.sys), r.state, r.strip, r.plan, r.last, r.size, r.next}
	return r
}

func (r *hostRow) Cells() []fyne.CanvasObject { return r.cells }

func (r *hostRow) Bind(id string) {
	r.name.Set(id)
	r.sys.Set("Debian 12  ·  prod-eu")
	if len(id)%3 == 0 {
		r.state.Set(widgets.Running, "Running")
	} else {
		r.state.Set(widgets.Ok, "Protected")
	}
	marks := make([]widgets.Tone, 14)
	for i := range marks {
		marks[i] = []widgets.Tone{widgets.Ok, widgets.Ok, widgets.Ok, widgets.Warn, widgets.Ok, widgets.Error, widgets.Muted}[(i*7+len(id)+int(id[len(id)-9]))%7]
	}
	r.strip.Set(marks)
	r.plan.Set("hourly-db")
	r.last.Set("6 h ago")
	r.size.Set("843 GiB")
}

func hostColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "host", Title: "Host", Width: 200, Grow: 1, Sortable: true},
		{ID: "state", Title: "Status", Width: 112, Sortable: true},
		{ID: "strip", Title: "Last 14 backups", Width: 152},
		{ID: "plan", Title: "Plan", Width: 175, MinTable: 800},
		{ID: "last", Title: "Last backup", Width: 112, Sortable: true},
		{ID: "size", Title: "Size", Width: 88, Right: true, Sortable: true},
		{ID: "next", Title: "Next run", Width: 135},
	}
}

func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("db-%04d.prod-eu", i)
	}
	return out
}

func basics() fyne.CanvasObject {
	spark := widgets.NewSpark(theme.OkFill)
	spark.Set(wave(24, func(x float64) float64 { return x + 2*math.Sin(x) }))
	kpi := widgets.Card(widgets.NewHeadline("Protected hosts", "1,948", "of 2,000", "52 need attention", spark))
	bar := widgets.NewProgress(8)
	bar.Set(0.63)
	off := widgets.NewButton(widgets.Primary, icons.Play, "Back up now", func() {})
	off.SetEnabled(false)
	return page(widgets.VFlex(14,
		widgets.HFlex(8, widgets.NewTile(icons.Host), widgets.NewLabel("db-04.prod-eu", widgets.Title), widgets.NewPill(widgets.Running, "Running"), widgets.NewBadge("prod-eu"),
			widgets.Spacer(),
			widgets.NewIconButton(icons.Refresh, "Refresh", nil).Framed(), off,
			widgets.NewButton(widgets.Secondary, icons.FolderOpen, "Browse", func() {}),
			widgets.NewButton(widgets.Danger, icons.Ban, "Cancel job", func() {}),
			widgets.NewButton(widgets.Ghost, icons.Terminal, "Open log", func() {}),
			widgets.NewButton(widgets.Primary, icons.Play, "Back up now", func() {})),
		widgets.HFlex(14, widgets.Grow(kpi, 1), widgets.Grow(widgets.Card(widgets.NewKeyValues(widgets.KV{Key: "Schedule", Value: "Hourly at :30"}, widgets.KV{Key: "Repository", Value: "s3:eu-central/prod"})), 1)),
		widgets.Card(bar),
		widgets.HFlex(8, widgets.NewPill(widgets.Ok, "Protected"), widgets.NewPill(widgets.Warn, "Succeeded with warnings"), widgets.NewPill(widgets.Error, "Failed"), widgets.NewPill(widgets.Muted, "Queued"), widgets.NewBadge("7").Toned(widgets.Error).Round(), widgets.NewBadge("2,000").Round(), widgets.NewToneTile(icons.CircleAlert, widgets.Error)),
		widgets.NewTabs([]string{"Overview", "Snapshots", "Jobs", "Schedule", "Settings"}, 0, nil),
		widgets.NewBanner(widgets.Error, "The repository refused a write: client.PutObject: Access Denied", "The key of s3:eu-central/prod may read but not write. Nothing was lost: the last good snapshot is 4f1c77aa of 13:30. A retry is planned for 14:51.", widgets.NewButton(widgets.Secondary, icons.Access, "Check access", nil)),
		widgets.NewBanner(widgets.Warn, "3 files could not be read; everything else is in snapshot 4f1c77aa", "/home/jürgen/Bilder/2024-Ostsee/IMG_0041.jpg and 2 more: permission denied (errno 13)", nil),
	))
}

func forms() fyne.CanvasObject {
	wrong := widgets.NewField("Address", widgets.NewEntry("daemon.example.net:8443", nil), "")
	wrong.SetError("Nothing answers there. Check the address and whether the daemon runs.")
	named := widgets.NewEntry("", nil)
	named.SetText("Nightly files")
	secret := widgets.NewPasswordEntry("", "Show", "Hide", nil)
	secret.SetText("correct horse")
	return page(widgets.HFlex(14,
		widgets.At(widgets.Grow(widgets.CardWith("New plan", "step 1 of 3", nil, widgets.VFlex(14,
			widgets.NewField("Name", named, "Shown in lists and in alarms."), wrong,
			widgets.NewField("Password", secret, ""),
			widgets.NewField("Paths", widgets.NewTextArea("One path a line", 4, nil), ""),
			widgets.NewField("Repository", widgets.NewSelect("Choose a repository", []string{"s3:eu-central/prod", "b2:archive"}, 0, nil), ""),
			widgets.NewSelect("Choose a repository", nil, -1, nil))), 1), widgets.Stretch),
		widgets.At(widgets.Grow(widgets.CardWith("Choices", "", nil, widgets.VFlex(10,
			widgets.HFlex(10, widgets.NewSegmented([]string{"All", "Attention", "Running"}, 0, nil), widgets.Spacer(), widgets.NewIconButton(icons.Filter, "Filter", nil)),
			widgets.NewSearchField("Search hosts, jobs, files", "Ctrl K", nil), widgets.NewSearchField("Filter hosts", "", nil),
			widgets.NewCheckbox("Prune after forget", true, nil), widgets.NewCheckbox("Only on mains power", false, nil),
			widgets.NewRadio([]string{"As the system", "Light", "Dark"}, 1, nil),
			widgets.NewParagraph("Keeps 48 hourly, 30 daily, 12 weekly and 24 monthly snapshots. Snapshots that no rule keeps are forgotten; what they alone held is freed by the next prune.", widgets.Body2))), 1), widgets.Stretch)))
}

func tables() fyne.CanvasObject {
	table := widgets.NewTable(widgets.TableConfig{Columns: hostColumns(), NewRow: newHostRow, OnOpen: func(string) {}})
	table.SetIDs(ids(2000))
	table.SetSort("host", false)
	table.Select("db-0002.prod-eu")
	head := widgets.Pad(widgets.HFlex(10, widgets.NewLabel("Hosts", widgets.CardTitle), widgets.NewBadge("2,000"), widgets.Spacer(),
		widgets.NewSegmented([]string{"All", "Attention", "Running"}, 0, nil), widgets.Fixed(widgets.NewSearchField("Filter hosts", "", nil), 190)), 10, 15, 8, 16)
	return page(widgets.FlatCard(widgets.VFlex(0, head, widgets.Grow(table, 1))))
}

func dialogs(c fyne.Canvas) fyne.CanvasObject {
	kind := widgets.NewSelect("", []string{"S3 and what speaks its language", "REST server"}, 0, nil)
	name := widgets.NewEntry("", nil)
	d := widgets.NewDialog(widgets.DialogConfig{Title: "Add a repository", Focus: name, Left: widgets.NewButton(widgets.Ghost, icons.Plug, "Test", nil),
		Body: widgets.VFlex(14, widgets.NewParagraph("Hosts write their snapshots there. Its password stays with the hosts; the daemon never has it.", widgets.Body2),
			widgets.NewField("Name", name, "Shown in lists and in alarms."), widgets.NewField("Kind", kind, ""), widgets.NewCheckbox("Initialise it if it is empty", true, nil)),
		Buttons: []*widgets.Button{widgets.NewButton(widgets.Secondary, "", "Cancel", nil), widgets.NewButton(widgets.Primary, "", "Add repository", nil)}})
	d.Open(c)
	return tables()
}

func menus(c fyne.Canvas) fyne.CanvasObject {
	b := widgets.NewButton(widgets.Secondary, icons.Ellipsis, "More", nil)
	o := page(widgets.VFlex(0, widgets.HFlex(0, b)))
	o.Resize(fyne.NewSize(500, 300))
	c.SetContent(o)
	widgets.ShowMenu(b, []widgets.MenuItem{{Icon: icons.Play, Label: "Back up now", Hint: "Ctrl B"}, {Icon: icons.Pencil, Label: "Edit host"}, {Label: "Follow the log", Checked: true}, {Icon: icons.Restore, Label: "Restore", Disabled: true}, {}, {Icon: icons.Ban, Label: "Revoke its access", Danger: true}})
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	return o
}

// TestGallery makes pictures for somebody who wants to look at them, next to the mockups. TestThemeChangesWhatIsShown paints the
// same widgets and knows what they should look like.
func TestGallery(t *testing.T) {
	needGallery(t)
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		for _, scale := range []float32{1, 2} {
			save(t, "basics", mode, scale, fyne.NewSize(1200, 520), func(fyne.Canvas) fyne.CanvasObject { return basics() })
			save(t, "forms", mode, scale, fyne.NewSize(900, 560), func(fyne.Canvas) fyne.CanvasObject { return forms() })
			save(t, "table", mode, scale, fyne.NewSize(1204, 436), func(fyne.Canvas) fyne.CanvasObject { return tables() })
			save(t, "loading", mode, scale, fyne.NewSize(1204, 436), func(fyne.Canvas) fyne.CanvasObject {
				return page(widgets.FlatCard(widgets.SkeletonTable(hostColumns(), 6)))
			})
			save(t, "empty", mode, scale, fyne.NewSize(1000, 300), func(fyne.Canvas) fyne.CanvasObject {
				return page(widgets.HFlex(14,
					widgets.At(widgets.Grow(widgets.FlatCard(widgets.Empty(icons.Snapshot, "No snapshots yet", "The first backup of this host runs tonight at 02:00.", widgets.NewButton(widgets.Primary, icons.Play, "Back up now", func() {}))), 1), widgets.Stretch),
					widgets.At(widgets.Grow(widgets.FlatCard(widgets.Failure("Snapshots cannot be shown", "The agent of db-04.prod-eu is not connected. It was last seen at 12:03.", widgets.NewButton(widgets.Secondary, icons.Refresh, "Try again", func() {}))), 1), widgets.Stretch)))
			})
			save(t, "dialog", mode, scale, fyne.NewSize(900, 560), func(c fyne.Canvas) fyne.CanvasObject { return dialogs(c) })
			save(t, "menu", mode, scale, fyne.NewSize(500, 300), func(c fyne.Canvas) fyne.CanvasObject { return menus(c) })
			save(t, "layers", mode, scale, fyne.NewSize(1000, 520), func(c fyne.Canvas) fyne.CanvasObject {
				root := widgets.NewRoot(tables(), nil)
				root.Toasts().Push(widgets.Toast{Tone: widgets.Ok, Title: "Backup finished", Text: "db-04.prod-eu · 12.4 GiB added in 6 min", Close: "Close"})
				root.Toasts().Push(widgets.Toast{Tone: widgets.Error, Title: "Backup failed", Text: "mail-02.office-lyon · repository is locked", Close: "Close"})
				return root
			})
		}
	}
}

// needGallery skips where nobody has named a folder for the pictures.
func needGallery(t *testing.T) {
	t.Helper()
	if os.Getenv("BACKSTAY_GALLERY") == "" {
		t.Skip("BACKSTAY_GALLERY names no folder for the pictures")
	}
}
