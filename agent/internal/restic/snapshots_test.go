package restic

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	idA = "84438618566c43462e0d7dba4450863060715c5f1926a9bfbd59e109690c00c2"
	idB = "0d14770cd9e0b1501e4895c8eb224918dee60e49e9399fec650094e476b387e5"
)

func TestParseSnapshots(t *testing.T) {
	in := `[{"time":"2026-11-23T16:13:47.884289541+01:00","tree":"x","paths":["/srv"],"hostname":"h1","username":"root","uid":1,"tags":["daily","job:01J","job:02J"],"program_version":"restic 0.19.1",` +
		`"summary":{"total_files_processed":64,"total_bytes_processed":181200006,"data_added_packed":181229547},"id":"` + idA + `","short_id":"84438618"},` +
		`{"time":"2026-11-23T15:13:56Z","parent":"` + idA + `","paths":null,"hostname":"","tags":["job:../x"],"id":"` + idB + `"}]`
	want := []fleet.Snapshot{
		{ID: idA, RepositoryID: "r1", Time: time.Date(2026, 11, 23, 15, 13, 47, 884289541, time.UTC), Hostname: "h1", Username: "root", Paths: []string{"/srv"}, Tags: []string{"daily", "job:01J", "job:02J"},
			ProgramVersion: "restic 0.19.1", JobID: "01J", FilesProcessed: 64, BytesProcessed: 181200006, BytesAdded: 181229547},
		{ID: idB, RepositoryID: "r1", Time: time.Date(2026, 11, 23, 15, 13, 56, 0, time.UTC), Paths: []string{}, Tags: []string{"job:../x"}, Parent: idA},
	}
	got, err := ParseSnapshots(strings.NewReader(in), "r1")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := ParseSnapshots(strings.NewReader(" []\n"), "r1"); err != nil || got == nil || len(got) != 0 {
		t.Errorf("empty list: %v, %v", got, err)
	}
	for _, name := range []string{"0.18.0-snapshots", "0.19.1-snapshots", "0.18.0-snapshots-none"} {
		f, err := os.Open(filepath.Join("testdata", "runs", name+".out"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseSnapshots(f, "r1"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseSnapshotsRefuses(t *testing.T) {
	for _, in := range []string{"", "null", "{}", "5", "[", "[1]", "[{}]", `[{"id":"` + idA + `"}]`, `[{"time":"2026-11-23T15:13:56Z","id":"abc"}]`, `[{"time":"2026-11-23T15:13:56Z","id":"` + idA + `"}`,
		`[{"time":"2026-11-23T15:13:56Z","id":"` + strings.ToUpper(idA) + `"}]`, `[{"time":"2026-11-23T15:13:56Z","parent":"x","id":"` + idA + `"}]`, `[{"time":"0000-01-01T00:00:00Z","id":"` + idA + `"}]`,
		`[{"time":"2026-11-23T15:13:56Z","id":"` + idA + `"} x`} {
		got, err := ParseSnapshots(strings.NewReader(in), "r1")
		if msg, ok := fault.Message(err); err == nil || got != nil || !ok || !strings.HasSuffix(msg, "again.") {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func FuzzParseSnapshots(f *testing.F) {
	f.Add([]byte("[]"))
	f.Add([]byte(`[{"time":"2026-11-23T15:13:56Z","id":"` + idA + `","tags":["job:x"],"paths":["/"]}]`))
	f.Add([]byte(`[{"time":"9999-12-31T23:59:59-01:00","id":"` + idA + `"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseSnapshots(strings.NewReader(string(b)), "r1")
		if err != nil {
			if list != nil {
				t.Fatalf("%q: a list beside the error", b)
			}
			return
		}
		for _, s := range list {
			if !hexID(string(s.ID)) || s.Time.Location() != time.UTC || s.Paths == nil || s.RepositoryID != "r1" || s.JobID != "" && !fleet.ValidID(string(s.JobID)) {
				t.Fatalf("%q: %+v", b, s)
			}
		}
		if _, err := json.Marshal(list); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
	})
}

func FuzzDecoder(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "runs", "*.err"))
	if err != nil || len(names) == 0 {
		f.Fatal("no runs")
	}
	for _, name := range names {
		r := readRun(f, strings.TrimSuffix(name, ".err"))
		if len(r.out) > 20 {
			r.out = r.out[len(r.out)-20:]
		}
		f.Add(strings.Join(r.out, "\n"), strings.Join(r.err, "\n"), uint8(len(r.out)), r.code, false)
	}
	kinds := append(fleet.JobKinds[:], KindTest)
	f.Fuzz(func(t *testing.T, out, err string, kind uint8, code int, ours bool) {
		r := run{out: strings.Split(out, "\n"), err: strings.Split(err, "\n"), code: code}
		d, log, events := r.play(kinds[int(kind)%len(kinds)])
		kept := 0
		for _, e := range events {
			if e.Keep {
				kept++
			}
			if !e.Keep && e.Progress == nil {
				t.Fatal("a line is neither kept nor progress")
			}
			if p := e.Progress; p != nil && (p.Percent < 0 || p.Percent > 1 || p.Percent != p.Percent || p.RemainingMS < 0) {
				t.Fatalf("progress %+v", p)
			}
		}
		if kept != len(log) || len(events) != len(r.out)+len(r.err) {
			t.Fatal("a line is missing")
		}
		for _, exit := range []Exit{{Code: code, Cancelled: ours}, {Code: code, GaveUp: ours}, {Signal: "killed", Cancelled: ours}} {
			o := d.Outcome(exit)
			if !o.State.Final() {
				t.Fatalf("state %s", o.State)
			}
			if m := o.Message; m != "" && (!strings.HasSuffix(m, ".") || strings.ContainsFunc(m, unicode.IsControl) || len(m) > 4000 || !utf8.ValidString(m)) {
				t.Fatalf("message %q", m)
			}
			if _, err := json.Marshal(o); err != nil {
				t.Fatal(err)
			}
			if len(o.Unreadable) > fleet.MaxUnreadable || int64(len(o.Unreadable)) > o.Errors {
				t.Fatalf("%d named, %d counted", len(o.Unreadable), o.Errors)
			}
		}
	})
}
