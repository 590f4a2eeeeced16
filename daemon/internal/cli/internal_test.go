package cli

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

func TestFormats(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1047552: "1023.0 KiB", 1048575: "1.0 MiB", 5 << 30: "5.0 GiB", 1 << 62: "4.0 EiB", -2048: "-2.0 KiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 440 * time.Millisecond: "0.4 s", 12 * time.Second: "12 s", 187 * time.Second: "3:07", 3723 * time.Second: "1:02:03"} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := &cli{env: Env{Now: func() time.Time { return now }, Zone: time.FixedZone("", 3600)}}
	for d, want := range map[time.Duration]string{0: "now", 5 * time.Second: "5 s ago", 90 * time.Second: "1 min ago", 119 * time.Minute: "119 min ago", 47 * time.Hour: "47 h ago",
		48 * time.Hour: "2026-02-27 13:00", -time.Hour: "in 60 min", -50 * time.Hour: "2026-03-03 15:00"} {
		if got := c.ago(now.Add(-d)); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	for done, want := range map[float64]string{-1: "░░░░", 0: "░░░░", 0.25: "█░░░", 0.3: "█▎░░", 1: "████", 7: "████"} {
		if got := bar(done, 4); got != want {
			t.Errorf("bar(%v) = %q, want %q", done, got, want)
		}
	}
}

// The status always fits, errors are never what is left out, and the bar goes on as long as there is room.
func TestMeterFits(t *testing.T) {
	m := meter{title: "backup on web-1"}
	m.take(fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.5, FilesDone: 1, FilesTotal: 2, BytesDone: 1 << 30, BytesTotal: 2 << 30, ElapsedMS: 1000, RemainingMS: 61_000, Errors: 3})
	m.take(fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.75, FilesDone: 1, FilesTotal: 2, BytesDone: 3 << 29, BytesTotal: 2 << 30, ElapsedMS: 2000, RemainingMS: 1000, Errors: 3})
	for width := 60; width < 200; width++ {
		if got := m.line(width); plaintext.Width(got) >= width || !strings.HasSuffix(got, "3 errors") {
			t.Errorf("%d columns: %q is %d wide", width, got, plaintext.Width(got))
		}
	}
	for width, want := range map[int]string{
		200: "backup on web-1  ███████████████░░░░░ 75.0%  1.5 GiB of 2.0 GiB  1 of 2 files  870.4 MiB/s  0:01 left  3 errors",
		80:  "backup on web-1  ███████████▎░░░ 75.0%  1.5 GiB of 2.0 GiB  0:01 left  3 errors",
		70:  "backup on web-1  ████████████░░░░ 75.0%  1.5 GiB of 2.0 GiB  3 errors",
	} {
		if got := m.line(width); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
	if got := m.plain(); got != "[backstay] 75.0%, 1.5 GiB of 2.0 GiB, 1 of 2 files, 870.4 MiB/s, 0:01 left, 3 errors" {
		t.Errorf("plain: %q", got)
	}
	m.take(fleet.Progress{Phase: fleet.PhaseRetrying, BytesTotal: 10})
	if !strings.Contains(m.line(200), "restic tries again") {
		t.Errorf("%q", m.line(200))
	}
}

func TestResticWords(t *testing.T) {
	for in, want := range map[string]string{
		`{"message_type":"verbose_status","action":"restored","item":"/a","size":2048}`:                                                "restored   /a  2.0 KiB",
		`{"message_type":"verbose_status","action":"new","item":"/dir/","data_size":0}`:                                                "new        /dir/",
		`{"message_type":"summary","seconds_elapsed":5,"total_files":70,"files_restored":69,"total_bytes":2048,"bytes_restored":1024}`: "summary    69 of 70 items restored, 1.0 KiB of 2.0 KiB",
		`{"message_type":"summary","total_files":7,"files_restored":11,"total_bytes":2048,"bytes_restored":2048}`:                      "summary    11 items restored, 2.0 KiB of 2.0 KiB",
		`{"message_type":"summary","num_errors":0,"broken_packs":null,"suggest_repair_index":false,"suggest_prune":false}`:             "summary    no errors were found",
		`{"message_type":"summary","num_errors":1,"broken_packs":["e4"]}`:                                                              "summary    1 error was found, 1 pack is broken",
		`{"message_type":"error","message":"\nThe repository is damaged.\nSee there.\n\n"}`:                                            "error      The repository is damaged. See there.",
		`{"message_type":"error","error":{"message":"read: input/output error"},"during":"archival","item":"/x"}`:                      "error      /x: read: input/output error",
		`{"message_type":"exit_error","code":12,"message":"Fatal: wrong password or no key found"}`:                                    "fatal      wrong password or no key found",
		`{"message_type":"exit_error","code":1,"message":"Fatal: Fatal: create repository failed"}`:                                    "fatal      create repository failed",
		`{"message_type":"exit_error","code":3,"message":"Warning: at least one\nstack"}`:                                              "ended      Warning: at least one",
		`[{"short_id":"84438618"},{"short_id":"0d14770c"}]`:                                                                            "listed     2 snapshots",
		`[]`:                                "listed     0 snapshots",
		`[1,2]`:                             `[1,2]`,
		`{"message_type":"summary"}`:        `{"message_type":"summary"}`,
		`{"message_type":"verbose_status"}`: `{"message_type":"verbose_status"}`,
		`{"message_type":"verbose_status"`:  `{"message_type":"verbose_status"`,
		`{"message_type":"summary","files_new":"x"}`: `{"message_type":"summary","files_new":"x"}`,
		`plain text`:                  "plain text",
		`[backstay] cancelled by eve`: "[restic] [backstay] cancelled by eve",
		`{"message_type":"verbose_status","action":"[backstay]","item":"/x"}`: "[restic] [backstay] /x",
	} {
		got, ok := newLogView(false).line(fleet.LogLine{Stream: fleet.StreamOut, Text: in})
		if !ok || got != want {
			t.Errorf("%s\n got %q\nwant %q", in, got, want)
		}
	}
}

// Whatever restic, or who speaks in its place, writes: one line comes out that a terminal shows as it is.
func FuzzLogView(f *testing.F) {
	for _, s := range []string{`{"message_type":"verbose_status","action":"new\u001b","item":"/x\u202e\n","data_size":5}`, `{"message_type":"error","error":{"message":"a\u001b[2J"},"item":"\u0007"}`,
		`{"message_type":"initialized","id":"\u001b\u001b\u001b\u001b","repository":"\u009b"}`, `[{"short_id":"\u001b"}]`, `{"from":1,"to":2,"bytes":-3}`, "\xff\xfe", "[", "{", "[backstay] x", "[restic] x"} {
		f.Add(s, s, false)
	}
	f.Fuzz(func(t *testing.T, a, b string, raw bool) {
		v := newLogView(raw)
		for _, stream := range []fleet.LogStream{fleet.StreamOut, fleet.StreamErr, fleet.StreamNote, fleet.StreamGap} {
			var lines []string
			for _, l := range []fleet.LogLine{{Stream: stream, Text: a, Cont: true}, {Stream: stream, Text: b}} {
				if text, ok := v.line(l); ok {
					lines = append(lines, text)
				}
			}
			for _, text := range append(lines, v.rest()...) {
				ours := stream == fleet.StreamNote || stream == fleet.StreamGap
				if !utf8.ValidString(text) || text != plaintext.Line(text) || strings.HasPrefix(text, fleet.NotePrefix) != ours {
					t.Fatalf("%q", text)
				}
			}
		}
	})
}

// A line that came in more pieces than are joined is shown in parts, and every byte of it.
func TestAnEndlessLineIsShownWhole(t *testing.T) {
	v := newLogView(false)
	long := strings.Repeat("x", fleet.MaxLineText)
	shown := 0
	for range 40 {
		if text, ok := v.line(fleet.LogLine{Stream: fleet.StreamOut, Text: long, Cont: true}); ok {
			shown += len(text)
		}
	}
	for _, text := range v.rest() {
		shown += len(text)
	}
	if shown != 40*fleet.MaxLineText {
		t.Errorf("%d of %d bytes are shown", shown, 40*fleet.MaxLineText)
	}
}

func TestWordsOfARestore(t *testing.T) {
	j := fleet.Job{Kind: fleet.KindRestore, State: fleet.StateWarning, Outcome: &fleet.Outcome{State: fleet.StateWarning, Unreadable: []string{"/srv/x"}, Errors: 1,
		Summary: &fleet.Summary{Restore: &fleet.RestoreSummary{TotalFiles: 7, FilesRestored: 11, BytesRestored: 2048, Target: "/restore/one"}}}}
	got := strings.Join(outcomeLines(j), "\n")
	want := "Restore ended with a warning: some items could not be restored; all others are.\n" +
		"  11 items restored, 2.0 KiB, into /restore/one\n  could not be restored: /srv/x"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
