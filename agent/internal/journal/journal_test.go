package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func accepted(id fleet.JobID, at time.Time) journal.Accepted {
	return journal.Accepted{Spec: fleet.JobSpec{JobID: id, Kind: fleet.KindInit}, At: at, Boot: "b"}
}

func create(t *testing.T, j *journal.Journal, id fleet.JobID, at time.Time) journal.Folder {
	t.Helper()
	f, err := j.Create(accepted(id, at))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func load(t *testing.T, j *journal.Journal) []journal.Entry {
	t.Helper()
	all, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFolderNamesAreSafeAndDistinct(t *testing.T) {
	ids := []fleet.JobID{"A", "a", "con", "NUL.txt", "slot:p:h:2026-03-04T12:00:00Z", "slot_p_h_2026-03-04T12_00_00Z", "x.",
		fleet.JobID(strings.Repeat("y", fleet.MaxIDLength)), fleet.JobID(strings.Repeat("y", fleet.MaxIDLength-1) + "z")}
	seen := map[string]fleet.JobID{}
	for _, id := range ids {
		name := journal.FolderName(id)
		folded := strings.ToLower(name)
		if other, ok := seen[folded]; ok {
			t.Errorf("%q and %q share the folder %s", id, other, name)
		}
		seen[folded] = id
		if strings.ContainsAny(name, `:/\`) || len(name) > 120 || strings.HasSuffix(name, ".") || strings.HasPrefix(name, ".") {
			t.Errorf("folder %q", name)
		}
	}
}

func TestJournalRemembers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "jobs")
	j := open(t, dir)
	second := create(t, j, "second", noon.Add(time.Second))
	first := create(t, j, "first", noon)
	if _, err := j.Create(accepted("first", noon)); err == nil {
		t.Fatal("a job was taken up twice")
	}
	for _, err := range []error{first.Launch("l1", "b"), first.Withdraw("l1"), first.Launch("l2", "b"), second.Launch("k1", "b"), second.Withdraw("other")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all := load(t, open(t, dir))
	if len(all) != 2 || all[0].Accepted.Spec.JobID != "first" || all[0].Launch != "l2" || all[0].Boot != "b" || all[1].Launch != "k1" || all[0].Folder != first {
		t.Fatalf("%+v", all)
	}
	if err := first.Withdraw("l2"); err != nil {
		t.Fatal(err)
	}
	if e, ok, err := first.Read(); err != nil || !ok || e.Launch != "" || !e.Accepted.At.Equal(noon) {
		t.Fatalf("%+v %v %v", e, ok, err)
	}
	if err := second.Remove(); err != nil {
		t.Fatal(err)
	}
	if all := load(t, j); len(all) != 1 {
		t.Fatalf("%+v", all)
	}
}

// TestJournalTornAnywhere cuts the journal at every byte: what was said before stands, and a later word is understood.
func TestJournalTornAnywhere(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "jobs"))
	f := create(t, j, "a", noon)
	path := filepath.Join(string(f), "journal.ndjson")
	promised, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Launch("l1", "b"); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		e, known, err := f.Read()
		if err != nil || known != (cut >= len(promised)-1) || cut >= len(whole)-1 && e.Launch != "l1" {
			t.Fatalf("cut at %d of %d: %+v %v %v", cut, len(whole), e, known, err)
		}
		if err := f.Launch("l2", "b"); err != nil {
			t.Fatal(err)
		}
		if e, known, err = f.Read(); err != nil || known && e.Launch != "l2" {
			t.Fatalf("cut at %d, then launched: %+v %v %v", cut, e, known, err)
		}
	}
	if err := os.WriteFile(path, promised[:10], 0o600); err != nil {
		t.Fatal(err)
	}
	if all := load(t, j); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
	if _, err := os.Stat(string(f)); !os.IsNotExist(err) {
		t.Fatalf("what never was a job is still there: %v", err)
	}
}

func TestHalfRemovedFolderIsNoJob(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "jobs")
	j := open(t, dir)
	f := create(t, j, "a", noon)
	if err := os.Rename(string(f), filepath.Join(dir, ".gone-x")); err != nil {
		t.Fatal(err)
	}
	if all := load(t, j); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Fatalf("%v %v", names, err)
	}
}

func finished() agentwire.JobFinished {
	code := 3
	return agentwire.JobFinished{Log: fleet.LogPosition{LastSeq: 7, Bytes: 70, CRC32C: 77},
		Outcome: fleet.Outcome{State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, ExitCode: &code, Message: "m",
			StartedAt: noon, FinishedAt: noon.Add(time.Minute)}}
}

func TestOutcomeIsThereWholeOrNot(t *testing.T) {
	f := create(t, open(t, filepath.Join(t.TempDir(), "jobs")), "a", noon)
	if _, ok, err := f.Outcome(); ok || err != nil {
		t.Fatalf("an outcome before the end: %v %v", ok, err)
	}
	if err := f.WriteOutcome(finished()); err != nil {
		t.Fatal(err)
	}
	got, ok, err := f.Outcome()
	if err != nil || !ok || !reflect.DeepEqual(got, finished()) {
		t.Fatalf("%+v %v %v", got, ok, err)
	}
	path := filepath.Join(string(f), "outcome.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blank := make([]byte, 64<<10)
	for cut := range whole {
		torn := slices.Clone(blank)
		copy(torn, whole[:cut])
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := f.Outcome(); ok || err != nil {
			t.Fatalf("cut at %d: %+v %v", cut, got, err)
		}
	}
	if err := os.WriteFile(path, append(slices.Clone(whole), blank[:100]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := f.Outcome(); !ok || err != nil {
		t.Fatalf("whole but not yet cut to its length: %v %v", ok, err)
	}
}

func TestOutcomeIsCutToItsRoom(t *testing.T) {
	f := create(t, open(t, filepath.Join(t.TempDir(), "jobs")), "a", noon)
	end := finished()
	for i := range fleet.MaxUnreadable {
		end.Outcome.Unreadable = append(end.Outcome.Unreadable, fmt.Sprintf("/%03d/%s", i, strings.Repeat("d/", 2000)))
	}
	end.Outcome.Message = strings.Repeat("é", 50_000)
	end.Outcome.Summary = &fleet.Summary{Check: &fleet.CheckSummary{BrokenPacks: slices.Repeat([]string{strings.Repeat("a", 64)}, 5000)}}
	packs := len(end.Outcome.Summary.Check.BrokenPacks)
	if err := f.WriteOutcome(end); err != nil {
		t.Fatal(err)
	}
	got, ok, err := f.Outcome()
	if err != nil || !ok || got.Outcome.State != fleet.StateWarning || got.Log != end.Log || got.Outcome.Unreadable != nil && got.Outcome.Unreadable[0] != end.Outcome.Unreadable[0] {
		t.Fatalf("%v %v %+v", ok, err, got.Outcome.State)
	}
	if len(end.Outcome.Summary.Check.BrokenPacks) != packs {
		t.Fatal("the caller's outcome was changed")
	}
}

func TestSmallFiles(t *testing.T) {
	f := create(t, open(t, filepath.Join(t.TempDir(), "jobs")), "a", noon)
	if _, marked, err := f.Cancelled(); marked || err != nil {
		t.Fatal(marked, err)
	}
	for _, by := range []string{"anna", "ben"} {
		if err := f.Cancel(journal.CancelMark{By: by, At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	if m, marked, err := f.Cancelled(); !marked || err != nil || m.By != "anna" {
		t.Fatalf("%+v %v %v", m, marked, err)
	}
	if err := f.WriteProgress(fleet.Progress{Phase: fleet.PhaseReading, FilesDone: 3}); err != nil {
		t.Fatal(err)
	}
	if p, ok, err := f.ReadProgress(); err != nil || !ok || p.FilesDone != 3 {
		t.Fatalf("%+v %v %v", p, ok, err)
	}
	if err := f.WriteAcked(journal.Acked{Seq: 9, Finished: true}); err != nil {
		t.Fatal(err)
	}
	if a, err := f.ReadAcked(); err != nil || a.Seq != 9 || !a.Finished {
		t.Fatalf("%+v %v", a, err)
	}
	// What a crash of the host can leave of an unsynced file counts as missing.
	for _, name := range []string{"acked.json", "shim.json", "progress.json"} {
		if err := os.WriteFile(filepath.Join(string(f), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := f.ReadAcked(); err != nil || a.Finished {
		t.Fatalf("%+v %v", a, err)
	}
	if _, ok, err := f.ReadShim(); ok || err != nil {
		t.Fatal(ok, err)
	}
	if n, err := f.Size(); err != nil || n < 128<<10 {
		t.Fatalf("size %d, err %v: the reserved room is missing", n, err)
	}
}
