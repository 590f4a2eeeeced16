package pages

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestJobsAndSnapshotsThatDoNotComeCanBeAskedForAgain(t *testing.T) {
	for _, page := range []nav.Name{nav.Jobs, nav.Snapshots} {
		d := sample.Vacant(sample.Noon())
		b := newBench(t, d).listed()
		d.Fail(fault.New(fault.Unavailable, "The daemon is starting. Try again in a minute."))
		b.open(nav.Route{Page: page}, nil)
		b.says("The daemon is starting. Try again in a minute.")
		d.Fail(nil)
		b.tap("Try again")
		b.says(map[nav.Name]string{nav.Jobs: "No jobs yet", nav.Snapshots: "No snapshots yet"}[page])
	}
}

func TestJobsAreFilteredAndOpenedByKeys(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Jobs}, nil)
	b.until("jobs", func() bool { return b.find("Loading") == nil && b.find("Failed") != nil })
	b.key(fyne.KeyHome, fyne.KeyReturn)
	if b.last().Page != nav.Job || b.deps.Fleet.Job(fleet.JobID(b.last().ID)) == nil {
		t.Errorf("the first row leads to %+v", b.last())
	}
	b.page.Key(Key{Name: fyne.KeyF, Super: true})
	b.write("no such thing")
	b.says("No job matches")
	b.silent("These are all.")
	b.tap("Show all jobs")
	b.says("Failed")
	b.silent("No job matches")
}

func TestSnapshotsAreFiltered(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Snapshots}, nil)
	b.says("eu-central")
	b.page.Key(Key{Name: fyne.KeyF, Super: true})
	b.write("no such thing")
	b.says("No snapshot matches")
	b.tap("Show all snapshots")
	b.silent("No snapshot matches")
}

// A host without snapshots leaves the filters at hand: nobody is stuck on it.
func TestSnapshotsOfAHostWithoutAnyLeadBackToAll(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Snapshots, ID: string(b.d.Scene().NeverBackedUp)}, nil)
	b.says("No snapshot matches")
	b.says("test-vm-12")
	b.tap("Show all snapshots")
	b.says("Every host")
	b.says("db-01.prod-eu")
}

func TestJobsOfAnotherPageAreReadAtTheEnd(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Jobs}, nil)
	b.says("Scroll on for older ones.")
	b.until("the end", func() bool {
		b.key(fyne.KeyEnd)
		b.page.Tick(b.deps.Now())
		return b.find("These are all.") != nil
	})
}

func TestARunningJobIsCancelledAfterAQuestion(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	id := b.d.Scene().Running
	b.open(nav.Route{Page: nav.Job, ID: string(id)}, nil)
	b.tap("Cancel job")
	b.says("Cancel Backup of db-04.prod-eu?")
	b.key(fyne.KeyEscape)
	if b.deps.Fleet.Job(id).CancelRequested {
		t.Error("cancelled without a yes")
	}
	b.tap("Cancel job")
	b.tap("Cancel job")
	b.until("the cancel", func() bool { j := b.deps.Fleet.Job(id); return j.CancelRequested || j.State.Ended() })
}

func TestAFailedJobSaysWhyAndRunsAgain(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Job, ID: string(b.d.Scene().Failed)}, nil)
	b.tap("Run again")
	b.until("the new job", func() bool { return b.last().Page == nav.Job && b.last().ID != string(b.d.Scene().Failed) })
}

func TestAJobThatIsNotKnown(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Job, ID: "J-none"}, nil)
	b.says("This job is not known")
}

// log is the log of the open page of a job.
func (b *bench) log() *jobLog {
	b.t.Helper()
	p, ok := b.page.(*job)
	if !ok {
		b.t.Fatalf("%T", b.page)
	}
	return p.log
}

func TestTheLogIsSearchedFilteredWrappedAndCopied(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Job, ID: string(b.d.Scene().Failed)}, nil)
	b.says("4,804 lines")
	l := b.log()
	b.page.Key(Key{Name: fyne.KeyF, Super: true})
	b.write("Access Denied")
	b.says("4 of 4")
	b.key(fyne.KeyUp)
	b.says("3 of 4")
	b.key(fyne.KeyReturn)
	b.says("4 of 4")
	b.key(fyne.KeyEscape)
	b.until("the end of the search", func() bool { return b.find("4 of 4") == nil && l.search.Text() == "" })
	was := l.view.Wrapped()
	l.wrap.Tapped(nil)
	if l.view.Wrapped() == was || b.deps.Prefs.Get().WrapLog == was {
		t.Error("nothing is wrapped, or it is not kept")
	}
	b.tap("Error")
	l.copyAll()
	b.until("the copy", func() bool { return slices.Contains(b.toasts, "Copied") })
	if text := fyne.CurrentApp().Clipboard().Content(); !strings.Contains(text, "unable to save snapshot") || strings.Contains(text, "unchanged") {
		t.Errorf("copied %q", text)
	}
}

func TestTheLogIsSavedAsResticPrintedIt(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	path, name := filepath.Join(t.TempDir(), "log"), ""
	b.deps.SaveFile = func(ctx context.Context, n string, write func(context.Context, string) error) {
		if name = n; write(ctx, path) != nil {
			t.Error("not written")
		}
	}
	b.open(nav.Route{Page: nav.Job, ID: string(b.d.Scene().Warned)}, nil)
	b.tap("Save log")
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n") != 4805 || !strings.Contains(string(text), "IMG_0041.jpg") || !strings.HasSuffix(name, ".log") {
		t.Errorf("%q, %v, %d bytes", name, err, len(text))
	}
}

func TestALogWithoutLinesSaysWhy(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Job, ID: string(b.d.Scene().Queued)}, nil)
	b.says("The log begins when the job starts on its host.")
	b.open(nav.Route{Page: nav.Job, ID: string(b.d.Scene().Failed)}, nil)
	b.says("4,804 lines")
	b.silent("The log begins when the job starts on its host.")
	b.silent("Throughput") // nothing of it is known any more
	b.open(nav.Route{Page: nav.Job, ID: string(b.d.Scene().Running)}, nil)
	b.says("Throughput")
	b.silent("The speed is drawn while the job runs.") // the last minutes are told at once
}
