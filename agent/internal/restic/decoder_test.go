package restic

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fleet"
)

func TestSummaries(t *testing.T) {
	of := func(name string, kind fleet.JobKind) *fleet.Summary {
		d, _, _ := readRun(t, filepath.Join("testdata", "runs", name)).play(kind)
		return d.Outcome(Exit{}).Summary
	}
	const damagedPack = "e44fd3e2fc5ff1281dbacb701d82a746e2c42acf7757d029804233d4cff59033"
	tests := []struct {
		run  string
		kind fleet.JobKind
		want *fleet.Summary
	}{
		{"0.19.1-init", fleet.KindInit, &fleet.Summary{Init: &fleet.InitSummary{ResticID: "469785262ee2613a00b916349f97ab480bfc294c7c62a5e6c30c3dbccb4017f1"}}},
		{"0.19.1-backup-missing-src", fleet.KindBackup, &fleet.Summary{Backup: &fleet.BackupSummary{
			SnapshotID: "a9318655ea652fd70eceaaeab14d0220eca48b8e6eda0dbdf388094d5956164f", FilesUnmodified: 2, DirsChanged: 1, DirsUnmodified: 4, TreeBlobs: 1,
			DataAdded: 351, DataAddedPacked: 289, TotalFilesProcessed: 2, TotalBytesProcessed: 15, DurationMS: 752}}},
		{"progress-restore-json", fleet.KindRestore, &fleet.Summary{Restore: &fleet.RestoreSummary{TotalFiles: 68, FilesRestored: 68, TotalBytes: 181200006, BytesRestored: 181200006, DurationMS: 3000}}},
		{"0.19.1-check", fleet.KindCheck, &fleet.Summary{Check: &fleet.CheckSummary{}}},
		{"errors-check-damaged", fleet.KindCheck, &fleet.Summary{Check: &fleet.CheckSummary{Errors: 1, BrokenPacks: []string{damagedPack}}}},
		{"more-check-text-damaged", fleet.KindCheck, &fleet.Summary{Check: &fleet.CheckSummary{Errors: 1, BrokenPacks: []string{"de2b3c8158cc707459602b0d852cd3a038f66536824fe6e61e3190d41c7d2bed"}}}},
		{"progress-check-read-text", fleet.KindCheck, nil},
		{"0.18.0-snapshots-none", fleet.KindSnapshots, nil},
		{"0.19.1-unlock", fleet.KindUnlock, nil},
		{"signals-sigterm", fleet.KindBackup, nil},
		{"0.19.1-cat-config", KindTest, &fleet.Summary{Init: &fleet.InitSummary{ResticID: "469785262ee2613a00b916349f97ab480bfc294c7c62a5e6c30c3dbccb4017f1"}}},
	}
	for _, tt := range tests {
		if got := of(tt.run, tt.kind); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.run, asJSON(got), asJSON(tt.want))
		}
	}
	for _, v := range []string{"0.18.0", "0.19.1"} {
		r := readRun(t, filepath.Join("testdata", "runs", v+"-snapshots"))
		list, err := ParseSnapshots(strings.NewReader(strings.Join(r.out, "\n")), "r1")
		if err != nil {
			t.Fatal(err)
		}
		if got := of(v+"-snapshots", fleet.KindSnapshots); got == nil || got.Snapshots != int64(len(list)) || len(list) < 4 {
			t.Errorf("%s: %s, parsed %d", v, asJSON(got), len(list))
		}
	}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func backupStatus(done, total, files int64, remaining int) string {
	return fmt.Sprintf(`{"message_type":"status","seconds_remaining":%d,"percent_done":%g,"total_files":%d,"files_done":1,"total_bytes":%d,"bytes_done":%d,"current_files":["/a","/b"]}`,
		remaining, float64(done)/float64(total), files, total, done)
}

func TestBackupPhases(t *testing.T) {
	d := NewDecoder(fleet.KindBackup, clock())
	step := func(text string, phase fleet.Phase) *fleet.Progress {
		t.Helper()
		e := d.Line(fleet.StreamOut, text)
		if e.Keep || e.Progress == nil || !e.Moved || e.Progress.Phase != phase {
			t.Fatalf("%s: %+v %s, want %s", text, e, asJSON(e.Progress), phase)
		}
		return e.Progress
	}
	first := step(backupStatus(10, 100, 5, 0), fleet.PhaseScanning)
	step(backupStatus(20, 200, 9, 0), fleet.PhaseScanning)
	step(backupStatus(30, 200, 9, 0), fleet.PhaseReading)
	step(backupStatus(40, 300, 12, 0), fleet.PhaseScanning)
	step(backupStatus(50, 400, 13, 7), fleet.PhaseReading)
	last := step(backupStatus(60, 500, 14, 0), fleet.PhaseReading)
	if first.BytesDone != 10 || first.FilesTotal != 5 || first.Percent != 0.1 {
		t.Errorf("progress handed out earlier changed: %s", asJSON(first))
	}
	want := fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.12, FilesDone: 1, FilesTotal: 14, BytesDone: 60, BytesTotal: 500, ElapsedMS: last.ElapsedMS, CurrentFiles: []string{"/a", "/b"}, At: last.At}
	if !reflect.DeepEqual(*last, want) || last.ElapsedMS <= first.ElapsedMS {
		t.Errorf("got %s, want %s", asJSON(last), asJSON(want))
	}
}

func TestScanFinishedEndsScanning(t *testing.T) {
	d := NewDecoder(fleet.KindBackup, clock())
	if e := d.Line(fleet.StreamOut, `{"message_type":"verbose_status","action":"scan_finished","item":"","duration":0.02,"total_files":3}`); !e.Keep || !e.Moved || e.Progress != nil {
		t.Errorf("got %+v", e)
	}
	if e := d.Line(fleet.StreamOut, backupStatus(1, 100, 5, 0)); e.Progress.Phase != fleet.PhaseReading {
		t.Errorf("got %s", asJSON(e.Progress))
	}
}

func TestRetries(t *testing.T) {
	const (
		again = `Save(<data/09660d8ba1>) returned error, retrying after 1.29s: Post "http://:***@127.0.0.1:18010/x": dial tcp 127.0.0.1:18010: connect: connection refused`
		other = `List(lock) returned error, retrying after 1s: EOF`
		fine  = `Save(<data/09660d8ba1>) operation successful after 1 retries`
		lost  = `List(lock) failed: EOF`
	)
	d := NewDecoder(fleet.KindBackup, clock())
	phase := func() fleet.Phase {
		return d.Line(fleet.StreamOut, backupStatus(1, 2, 3, 4)).Progress.Phase
	}
	line := func(text string, retry bool) {
		t.Helper()
		if e := d.Line(fleet.StreamErr, text); !e.Keep || e.Progress != nil || e.Moved || e.Retry != retry {
			t.Errorf("%s: %+v", text, e)
		}
	}
	line(again, true)
	line(again, true)
	line(other, true)
	if p := phase(); p != fleet.PhaseRetrying {
		t.Errorf("phase %s while two operations are tried again", p)
	}
	line(fine, false)
	if p := phase(); p != fleet.PhaseRetrying {
		t.Errorf("phase %s while one operation is tried again", p)
	}
	line(lost, false)
	if p := phase(); p != fleet.PhaseReading {
		t.Errorf("phase %s after all", p)
	}
	// What went well in the end explains nothing: an unknown fatal error stays unknown.
	d = NewDecoder(fleet.KindBackup, clock())
	d.Line(fleet.StreamErr, again)
	d.Line(fleet.StreamErr, fine)
	d.Line(fleet.StreamErr, `{"message_type":"exit_error","code":1,"message":"Fatal: something new"}`)
	if o := d.Outcome(Exit{Code: 1}); o.Reason != fleet.ReasonResticError || !strings.Contains(o.Message, "something new") {
		t.Errorf("got %s: %s", o.Reason, o.Message)
	}
	for i := range 10 * maxRetrying {
		d.Line(fleet.StreamErr, fmt.Sprintf("Save(<data/%d>) returned error, retrying after 1s: EOF", i))
	}
	if len(d.retrying) > maxRetrying {
		t.Errorf("%d operations kept", len(d.retrying))
	}
}

func TestNotRetries(t *testing.T) {
	for _, text := range []string{
		"returned error, retrying after 1s: x", "x returned error, retrying after 1s: x", "save(<x>) failed: x", "/srv/Save(x) failed: y z",
		"A file (1) failed: x", "Save(<x>) failed:", "Save(<x>) returned error, retrying after", strings.Repeat("A", 300) + "() failed: x",
	} {
		if r, ok := parseRetry(text); ok {
			t.Errorf("%q was taken as %+v", text, r)
		}
	}
}

func TestCheckCounters(t *testing.T) {
	d, _, events := readRun(t, filepath.Join("testdata", "runs", "progress-check-read-text")).play(fleet.KindCheck)
	var got []string
	for _, e := range events {
		if e.Progress != nil {
			got = append(got, fmt.Sprintf("%s %.4f %v", e.Progress.Phase, e.Progress.Percent, e.Keep))
		}
		if e.Moved != (e.Progress != nil) {
			t.Errorf("%+v: words before the repository was asked count as having got somewhere", e)
		}
	}
	want := []string{"scanning 1.0000 true", "reading 0.2500 false", "reading 0.4167 false", "reading 0.5000 false", "reading 1.0000 true"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if o := d.Outcome(Exit{}); o.State != fleet.StateSucceeded || o.Message != "" {
		t.Errorf("got %+v", o)
	}
	for _, text := range []string{"[0:02] x%  5 / 12 packs", "[0:02 41.67%  5 / 12 packs", "[a] 1.00%  5 / 12 packs", "[0:02] 1.2.3%  5 / 12 packs", "[0:02] 10.00%", "[] 1.00%  1 / 1 packs",
		"[0:02]          5 packs", "[0:02] 1e9%  5 / 12 packs", "0:02] 1.00%  5 / 12 packs", "[0:02] 41.67%  5 of 12 packs"} {
		if c, ok := parseCounter(text); ok {
			t.Errorf("%q was taken as %+v", text, c)
		}
	}
}

// One folder that cannot be read is reported by the scan and by the archiver; it is one item.
func TestItemsAreCountedOnce(t *testing.T) {
	line := func(item, during string) string {
		return fmt.Sprintf(`{"message_type":"error","error":{"message":"open %s: permission denied"},"during":%q,"item":%q}`, item, during, item)
	}
	d := NewDecoder(fleet.KindBackup, clock())
	const n = 1000
	for i := range n {
		d.Line(fleet.StreamErr, line(fmt.Sprintf("/srv/%d", i), "scan"))
		d.Line(fleet.StreamErr, line(fmt.Sprintf("/srv/%d", i), "archival"))
	}
	d.Line(fleet.StreamOut, `{"message_type":"summary","snapshot_id":"0123456789abcdef"}`)
	o := d.Outcome(Exit{Code: 3})
	if o.Errors != n || len(o.Unreadable) != fleet.MaxUnreadable || o.Unreadable[1] != "/srv/1" || o.State != fleet.StateWarning {
		t.Errorf("%d errors, %d named, %s", o.Errors, len(o.Unreadable), o.State)
	}
	if want := "The snapshot 01234567 was saved, but 1000 items could not be read (/srv/0, /srv/1, /srv/2 and 997 more): open /srv/0: permission denied. Let the agent's user read them, or exclude them from the backup."; o.Message != want {
		t.Errorf("got %q", o.Message)
	}
	if e := d.Line(fleet.StreamOut, backupStatus(1, 2, 3, 4)); e.Progress.Errors != n {
		t.Errorf("progress has %d errors", e.Progress.Errors)
	}
}

func TestItemsBeyondTheBound(t *testing.T) {
	d := NewDecoder(fleet.KindBackup, clock())
	for i := range maxSeen + 10 {
		d.countItem(fmt.Sprint(i), "x", true)
		d.countItem(fmt.Sprint(i), "x", false)
	}
	if d.errors != maxSeen+10 || len(d.seen) != maxSeen {
		t.Errorf("%d errors of %d, %d kept", d.errors, maxSeen+10, len(d.seen))
	}
}

// What restic or a file's name says must not steer a terminal, and must not choose the reason by itself.
func TestHostileText(t *testing.T) {
	d := NewDecoder(fleet.KindBackup, clock())
	d.Line(fleet.StreamErr, `{"message_type":"error","error":{"message":"open \u001b]0;x\u0007: 401 Unauthorized wrong password or no key found"},"during":"archival","item":"/srv/\u001b[2J\u202e401 Unauthorized"}`)
	d.Line(fleet.StreamErr, "/srv/403 Forbidden Access Denied does not exist, skipping")
	d.Line(fleet.StreamErr, "open /srv/connection refused: x509: no such host")
	d.Line(fleet.StreamErr, `{"message_type":"exit_error","code":1,"message":"Fatal: odd \u001b[31m\nmain.init\n\t/usr/x.go:67"}`)
	o := d.Outcome(Exit{Code: 1})
	if o.Reason != fleet.ReasonResticError || strings.ContainsAny(o.Message, "\x1b\u202e\a") || strings.Contains(o.Message, "main.init") {
		t.Errorf("%s: %q", o.Reason, o.Message)
	}
	d.Line(fleet.StreamOut, `{"message_type":"summary","snapshot_id":"\u001b[2Jabcdef"}`)
	o = d.Outcome(Exit{Code: 3})
	if strings.ContainsAny(o.Message, "\x1b\u202e\a") || o.Unreadable[0] != "/srv/\x1b[2J\u202e401 Unauthorized" {
		t.Errorf("%q, %q", o.Message, o.Unreadable)
	}
}

func TestUnknownLinesAreKept(t *testing.T) {
	for _, kind := range append(fleet.JobKinds[:], KindTest) {
		d := NewDecoder(kind, clock())
		for _, text := range []string{"", " ", "{", "{}", "[]", `{"message_type":5}`, `{"message_type":""}`, `{"message_type":"status","percent_done":"x"}`, `{"message_type":"new_in_0.99","x":[1]}`,
			"\xff\xfe", "null", "\x00", `{"message_type":"summary","files_new":1e99}`, "{" + strings.Repeat(" ", maxMessage) + "}", "goroutine 1 [running]:"} {
			for _, s := range []fleet.LogStream{fleet.StreamOut, fleet.StreamErr} {
				if e := d.Line(s, text); !e.Keep || e.Progress != nil {
					t.Errorf("%s: %.60q: %+v", kind, text, e)
				}
			}
		}
	}
}

// The list of snapshots is one line of any length; a log line that was cut in pieces counts the same.
func TestSnapshotsAreCountedInPieces(t *testing.T) {
	r := readRun(t, filepath.Join("testdata", "runs", "0.19.1-snapshots"))
	text := strings.Join(r.out, "\n")
	for _, size := range []int{1, 7, 1000} {
		d := NewDecoder(fleet.KindSnapshots, clock())
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			d.Line(fleet.StreamOut, rest[:n])
			rest = rest[n:]
		}
		whole, _, _ := r.play(fleet.KindSnapshots)
		if got, want := d.snapshots.Count, whole.snapshots.Count; got != want || got == 0 {
			t.Errorf("in pieces of %d: %d, whole: %d", size, got, want)
		}
	}
}

func BenchmarkVerboseLine(b *testing.B) {
	const text = `{"message_type":"verbose_status","action":"new","item":"/srv/lab/data/w-0.19.1/dir2/f1.bin","duration":0.016095226,"data_size":0,"data_size_in_repo":0,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`
	d := NewDecoder(fleet.KindBackup, clock())
	b.ReportAllocs()
	for b.Loop() {
		d.Line(fleet.StreamOut, text)
	}
}

func BenchmarkTextLine(b *testing.B) {
	d := NewDecoder(fleet.KindBackup, clock())
	b.ReportAllocs()
	for b.Loop() {
		d.Line(fleet.StreamErr, "line 123456 of a fake restic that prints plain text")
	}
}

// restic ends with 0 when the snapshot holds nothing of what was to be restored.
func TestRestoreOfNothingFails(t *testing.T) {
	for text, want := range map[string]fleet.JobState{
		`{"message_type":"summary"}`:                                                   fleet.StateFailed,
		`{"message_type":"summary","total_files":1,"files_restored":1}`:                fleet.StateSucceeded,
		`{"message_type":"summary","total_files":1,"files_skipped":1,"total_bytes":2}`: fleet.StateSucceeded,
	} {
		d := NewDecoder(fleet.KindRestore, clock())
		d.Line(fleet.StreamOut, text)
		if o := d.Outcome(Exit{}); o.State != want || want == fleet.StateFailed && (o.Reason != fleet.ReasonSourceMissing || o.Message == "") {
			t.Errorf("%s: %+v, want %s", text, o, want)
		}
	}
}
