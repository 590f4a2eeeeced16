package logline_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func out(text string) fleet.LogLine {
	return fleet.LogLine{Time: noon, Stream: fleet.StreamOut, Text: text}
}
func errLine(text string) fleet.LogLine {
	return fleet.LogLine{Time: noon, Stream: fleet.StreamErr, Text: text}
}
func piece(l fleet.LogLine) fleet.LogLine { l.Cont = true; return l }

// format runs lines through one Formatter, numbered from 1.
func format(lines ...fleet.LogLine) []logline.Line {
	f := logline.New(words())
	var all []logline.Line
	for i, l := range lines {
		all = f.Append(all, int64(i+1), l)
	}
	return f.Rest(all)
}

const (
	backupSummary = `{"message_type":"summary","files_new":2,"files_changed":1,"files_unmodified":7,"dirs_new":0,"data_blobs":3,"tree_blobs":1,"data_added":900,` +
		`"data_added_packed":400,"total_files_processed":10,"total_bytes_processed":5000,"total_duration":1.5,"snapshot_id":"4f1c77aa"}`
	isLocked = `{"message_type":"exit_error","code":11,"message":"unable to create lock: already locked by PID 1\nlock was created at 2026"}`
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name  string
		in    fleet.LogLine
		level logline.Level
		good  bool
		from  logline.Source
		text  string
	}{
		{"new", out(`{"message_type":"verbose_status","action":"new","item":"/etc/a b","duration":0.2,"data_size":700,"data_size_in_repo":350,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`),
			logline.Info, false, logline.Restic, "new       /etc/a b  700 bytes"},
		{"unchanged", out(`{"message_type":"verbose_status","action":"unchanged","item":"/x","duration":0,"data_size":0,"data_size_in_repo":0,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`),
			logline.Debug, false, logline.Restic, "unchanged /x"},
		{"restored", out(`{"message_type":"verbose_status","action":"restored","item":"/x","size":12}`), logline.Info, false, logline.Restic, "restored  /x  12 bytes"},
		{"other order", out(`{"action":"modified","message_type":"verbose_status","item":"/x","data_size":9}`), logline.Info, false, logline.Restic, "modified  /x  9 bytes"},
		{"escapes", out(`{"message_type":"verbose_status","action":"new","item":"/a\u001b[31m\"\n","size":0}`), logline.Info, false, logline.Restic, `new       /a\x1b[31m"\n`},
		{"long action", out(`{"message_type":"verbose_status","action":"reconstructed\t","item":"/x","size":0}`), logline.Info, false, logline.Restic, `reconstructed\t /x`},
		{"scan", out(`{"message_type":"verbose_status","action":"scan_finished","item":"","duration":0.1,"data_size":20015,"data_size_in_repo":0,"metadata_size":0,"metadata_size_in_repo":0,"total_files":3}`),
			logline.Info, false, logline.Restic, "scanned   3 files, 20015 bytes"},
		{"backup", out(backupSummary), logline.Info, true, logline.Restic, "summary   2 new 1 changed 7 same, 5000 read, 900 added, 400 stored, 1500 ms, snapshot 4f1c77aa"},
		{"restore", out(`{"message_type":"summary","seconds_elapsed":2,"total_files":4,"files_restored":3,"total_bytes":100,"bytes_restored":90}`),
			logline.Info, true, logline.Restic, "summary   3 of 4 items, 90 of 100 bytes, 0 skipped, 2000 ms"},
		{"restore of what is there", out(`{"message_type":"summary","total_files":4,"files_skipped":4,"bytes_skipped":9}`), logline.Info, true, logline.Restic, "summary   0 of 4 items, 0 of 0 bytes, 4 skipped, 0 ms"},
		{"check", out(`{"message_type":"summary","num_errors":0,"broken_packs":null}`), logline.Info, true, logline.Restic, "summary   0 errors, packs "},
		{"damaged", out(`{"message_type":"summary","num_errors":2,"broken_packs":["ab","cd"]}`), logline.Error, false, logline.Restic, "summary   2 errors, packs ab cd"},
		{"item", errLine(`{"message_type":"error","error":{"message":"permission denied"},"during":"archival","item":"/root/x"}`), logline.Error, false, logline.Restic, "/root/x: permission denied"},
		{"item said already", errLine(`{"message_type":"error","error":{"message":"open /root/x: denied"},"during":"scan","item":"/root/x"}`), logline.Error, false, logline.Restic, "open /root/x: denied"},
		{"advice", errLine(`{"message_type":"error","message":"\nIt is damaged.\n\n"}`), logline.Error, false, logline.Restic, "It is damaged."},
		{"fatal", errLine(`{"message_type":"exit_error","code":1,"message":"Fatal: Fatal: wrong password"}`), logline.Error, false, logline.Restic, "fatal     wrong password"},
		{"locked", errLine(isLocked), logline.Error, false, logline.Restic, "ended     unable to create lock: already locked by PID 1"},
		{"incomplete", errLine(`{"message_type":"exit_error","code":3,"message":"Warning: at least one source file could not be read"}`), logline.Warn, false, logline.Restic, "ended     at least one source file could not be read"},
		{"initialized", out(`{"message_type":"initialized","id":"c0ffee","repository":"rest:https://u:p@h/"}`), logline.Info, true, logline.Restic, "created   repository c0ffee"},
		{"snapshots", out(`[{"short_id":"a"},{"short_id":"b"}]`), logline.Info, true, logline.Restic, "listed    2 snapshots"},
		{"no snapshots", out(`[]`), logline.Info, true, logline.Restic, "listed    0 snapshots"},
		{"unknown JSON", out(`{"message_type":"new_thing","x":1}`), logline.Info, false, logline.Restic, `{"message_type":"new_thing","x":1}`},
		{"half JSON", out(`{"message_type":"verbose_status","action":"new","item":"/x","size":1`), logline.Info, false, logline.Restic, `{"message_type":"verbose_status","action":"new","item":"/x","size":1`},
		{"plain", out("loading indexes..."), logline.Info, false, logline.Restic, "loading indexes..."},
		{"tab", out("a\tb"), logline.Info, false, logline.Restic, "a\tb"},
		{"empty", errLine(""), logline.Info, false, logline.Restic, ""},
		{"retry", errLine("Save(<data/ab>) returned error, retrying after 1s: connection refused"), logline.Warn, false, logline.Restic, "Save(<data/ab>) returned error, retrying after 1s: connection refused"},
		{"retried", errLine("Save(<data/ab>) operation successful after 2 retries"), logline.Info, false, logline.Restic, "Save(<data/ab>) operation successful after 2 retries"},
		{"plain fatal", out("Fatal: repository contains errors"), logline.Error, false, logline.Restic, "Fatal: repository contains errors"},
		{"plain error", errLine("error while unlocking: context canceled"), logline.Error, false, logline.Restic, "error while unlocking: context canceled"},
		{"a count", out("errorless run"), logline.Info, false, logline.Restic, "errorless run"},
		{"plain warning", out("Warning: unknown pack"), logline.Warn, false, logline.Restic, "Warning: unknown pack"},
		{"hostile", out("\x1b]52;c;cm0=\a\u202e\xff\x00"), logline.Info, false, logline.Restic, `\x1b]52;c;cm0=\x07\u202e\xff\x00`},
		{"note", fleet.LogLine{Time: noon, Stream: fleet.StreamNote, Text: "SIGTERM was sent to restic."}, logline.Info, false, logline.Agent, "SIGTERM was sent to restic."},
		{"gap", fleet.LogLine{Time: noon, Stream: fleet.StreamGap, Text: `{"from":3,"to":9,"bytes":70}`}, logline.Warn, false, logline.Agent, "lines 3 to 9 are missing"},
		{"bad gap", fleet.LogLine{Time: noon, Stream: fleet.StreamGap, Text: "{"}, logline.Warn, false, logline.Agent, "lines 0 to 0 are missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := format(c.in)
			want := logline.Line{Seq: 1, Time: noon, Level: c.level, Good: c.good, Source: c.from, Text: c.text}
			if len(got) != 1 || got[0] != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestPieces(t *testing.T) {
	half := len(backupSummary) / 2
	got := format(piece(out(backupSummary[:half])), errLine("between"), out(backupSummary[half:]), out("after"))
	if len(got) != 3 || got[0].Text != "between" || got[0].Seq != 2 || got[1].Seq != 3 || !strings.HasPrefix(got[1].Text, "summary   2 new") || got[2].Seq != 4 {
		t.Errorf("a summary in two pieces: %+v", got)
	}
	got = format(piece(out(backupSummary[:half])), piece(errLine("[")), out("x"))
	if len(got) != 2 || got[0].Seq != 3 || got[0].Text != backupSummary[:half]+"x" || got[1].Seq != 2 || got[1].Text != "[" {
		t.Errorf("ends that never came: %+v", got)
	}
	long := strings.Repeat("p", fleet.MaxLineText)
	got = format(piece(out(long)), out("end"))
	if len(got) != 2 || got[0].Text != long || got[1].Text != "end" {
		t.Errorf("a long plain line shows piece by piece, got %d lines", len(got))
	}
}

func TestLongJSONIsCut(t *testing.T) {
	body := "{" + strings.Repeat("ä", fleet.MaxLineText/2)
	got := format(piece(out(body[:fleet.MaxLineText])), out(body[fleet.MaxLineText:]))
	if len(got) != 1 {
		t.Fatalf("%d lines", len(got))
	}
	text, more, _ := strings.Cut(got[0].Text, " [")
	if len(text) != logline.MaxText-1+0 && len(text) != logline.MaxText || !strings.HasPrefix(body, text) || more != "1 bytes more]" && more != "2 bytes more]" {
		t.Errorf("%d bytes and %q", len(text), more)
	}
	endless := make([]fleet.LogLine, 40)
	for i := range endless {
		endless[i] = piece(out("[" + strings.Repeat("1,", fleet.MaxLineText/2-1)))
	}
	for _, l := range format(endless...) {
		if len(l.Text) > 2*logline.MaxText {
			t.Fatalf("a line of %d bytes", len(l.Text))
		}
	}
}

func TestStacksAreQuiet(t *testing.T) {
	got := format(errLine("SIGQUIT: quit"), errLine("goroutine 1 [running]:"), errLine("main.main()"), errLine("\t/src/main.go:3 +0x1"), errLine(""), errLine("goroutine out of luck"))
	want := []logline.Level{logline.Warn, logline.Debug, logline.Debug, logline.Debug, logline.Info, logline.Warn}
	for i, l := range got {
		if l.Level != want[i] {
			t.Errorf("%q has level %d, want %d", l.Text, l.Level, want[i])
		}
	}
}

// safe tells whether text may be shown as it is.
func safe(text string) bool {
	bad := func(r rune) bool {
		return r != '\t' && r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs)
	}
	return utf8.ValidString(text) && !strings.ContainsFunc(text, bad) && plaintext.Line(text) == text
}

func FuzzAppend(f *testing.F) {
	f.Add(`{"message_type":"verbose_status","action":"new","item":"/x","duration":0,"data_size":1,"data_size_in_repo":1,"metadata_size":0,"metadata_size_in_repo":0,"total_files":1}`, "", byte(0))
	f.Add(`{"message_type":"verbose_status","action":"restored","item":"/\u00e4\ud800","size":1}`, "x", byte(1))
	f.Add(`{"message_type":"verbose_status","action":"new","item":"/x","duration":1e999,"data_size":-1`, "}", byte(4))
	f.Add(backupSummary[:50], backupSummary[50:], byte(4))
	f.Add("[", "]", byte(5))
	f.Add("\x1b[0m\u202e\xff", "goroutine 1 [x]:", byte(3))
	f.Fuzz(func(t *testing.T, a, b string, how byte) {
		streams := [...]fleet.LogStream{fleet.StreamOut, fleet.StreamErr, fleet.StreamNote, fleet.StreamGap}
		s := streams[how&3]
		lines := []fleet.LogLine{{Time: noon, Stream: s, Text: a, Cont: how&4 != 0}, {Time: noon, Stream: s, Text: b, Cont: how&8 != 0}, {Time: noon, Stream: streams[how>>4&3], Text: a + b}}
		got := format(lines...)
		if len(got) == 0 || len(got) > len(lines) {
			t.Fatalf("%d lines", len(got))
		}
		for _, l := range got {
			if !safe(l.Text) {
				t.Fatalf("not safe: %q", l.Text)
			}
			if l.Seq < 1 || l.Seq > int64(len(lines)) || l.Level > logline.Error || l.Source == "" {
				t.Fatalf("%+v", l)
			}
		}
		// What the fast road reads, encoding/json reads the same: a space in front sends a line there.
		fast, slow := format(out(a))[0], format(out(strings.Replace(a, `{"`, `{ "`, 1)))[0]
		if strings.HasPrefix(a, `{"message_type":"verbose_status",`) && !strings.HasPrefix(fast.Text, `{"`) && fast != slow {
			t.Fatalf("%q:\nfast %+v\nslow %+v", a, fast, slow)
		}
	})
}

func BenchmarkVerboseLine(b *testing.B) {
	l := out(`{"message_type":"verbose_status","action":"unchanged","item":"/srv/mail/vmail/example.org/anna/Maildir/cur/1718231.M412P99.mail","duration":0.000113,"data_size":0,"data_size_in_repo":0,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`)
	f, dst := logline.New(words()), []logline.Line(nil)
	b.ReportAllocs()
	for b.Loop() {
		dst = f.Append(dst[:0], 1, l)
	}
}
