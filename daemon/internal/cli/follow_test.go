package cli_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
	"github.com/backstay/backstay/shared/sharedtest"
)

func out(text string) fleet.LogLine {
	return fleet.LogLine{Time: now, Stream: fleet.StreamOut, Text: text}
}

// aBackup is what a small backup writes, with everything that needs care in it.
func aBackup() []fleet.LogLine {
	return []fleet.LogLine{
		out(`{"message_type":"verbose_status","action":"scan_finished","item":"","data_size":20015,"total_files":3}`),
		out(`{"message_type":"verbose_status","action":"new","item":"/srv/a.bin","data_size":1258291,"total_files":0}`),
		out(`{"message_type":"verbose_status","action":"unchanged","item":"/srv/evil\u001b[2J\u202e","data_size":0,"total_files":0}`),
		{Time: now, Stream: fleet.StreamErr, Text: `{"message_type":"error","error":{"message":"open /srv/x: permission denied"},"during":"archival","item":"/srv/x"}`},
		{Time: now, Stream: fleet.StreamErr, Text: "Save(<data/6c91>) returned error, retrying after 1.3s: \x1b]0;owned\x07"},
		{Time: now, Stream: fleet.StreamOut, Text: `{"message_type":"verbose_status","action":"new",`, Cont: true},
		{Time: now, Stream: fleet.StreamNote, Text: "the spool was full for a moment"},
		out(`"item":"/srv/long","data_size":0}`),
		{Time: now, Stream: fleet.StreamGap, Text: `{"from":1000,"to":2000,"bytes":65536}`},
		out(`{"message_type":"summary","files_new":64,"files_changed":3,"files_unmodified":120,"data_added":181232365,"data_added_packed":181229547,"total_bytes_processed":181200006,"total_duration":7.92,"snapshot_id":"84438618566c43462e0d"}`),
		out(`{"message_type":"of a later restic","x":1}`),
		{Time: now, Stream: fleet.StreamErr, Text: `{"message_type":"exit_error","code":3,"message":"Warning: at least one source file could not be read\nstack"}`},
	}
}

// runs makes a server whose jobs write lines and end so.
func (l *lab) runs(lines []fleet.LogLine, o fleet.Outcome) {
	l.server.OnJob = func(s *apitest.Server, j fleet.Job) {
		s.StartJob(j.ID, now)
		s.Append(j.ID, lines...)
		if o.State != "" {
			o.StartedAt, o.FinishedAt = now, now.Add(7900*time.Millisecond)
			s.Finish(j.ID, o)
		}
	}
}

func warned() fleet.Outcome {
	return fleet.Outcome{State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, ExitCode: ptr(3), Errors: 1, Unreadable: []string{"/srv/x"},
		Message: "1 file could not be read. Give the agent's account the right to read it.",
		Summary: &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: "84438618566c", FilesNew: 64, FilesChanged: 3, FilesUnmodified: 120, TotalBytesProcessed: 181200006, DataAdded: 181232365, DataAddedPacked: 181229547}}}
}

func TestBackupAndFollow(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.runs(aBackup(), warned())
	r := l.run("backup", "web-1", "--plan", "daily", "--follow")
	if r.code != cli.ExitWarning || r.err != "" {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
	golden(t, "follow", r.out)
	r = l.run("backup", "web-1", "--repo", "nas", "/srv", "--tag", "x", "--verbose", "--follow", "--raw")
	golden(t, "follow-raw", r.out)
	j, _ := l.server.Job("01JTEST0000000000000000007")
	if j.Spec.Backup == nil || !j.Spec.Backup.Verbose || j.Spec.Backup.Paths[0] != "/srv" || j.Spec.Backup.Tags[0] != "x" {
		t.Errorf("%+v", j.Spec)
	}
}

func TestJobLog(t *testing.T) {
	l := newLab(t)
	l.server.AddJob(fleet.Job{ID: "j1", State: fleet.StateRunning})
	l.server.Append("j1", append(aBackup(), fleet.LogLine{Time: now, Stream: fleet.StreamOut, Text: "cut in the mid", Cont: true})...)
	golden(t, "log", l.must(l.run("jobs", "log", "j1")).out)
	if got := l.must(l.run("jobs", "log", "j1", "--after", "12", "--raw")).out; got != "cut in the mid\n" {
		t.Errorf("after line 12: %q", got)
	}
	all := events(t, l.must(l.run("jobs", "log", "j1", "--json")).out)
	if len(all) != 13 || all[4]["seq"] != 5.0 || !strings.Contains(all[4]["m"].(string), "\x1b]0;owned\x07") {
		t.Errorf("a script gets every line as it is: %v", all)
	}
}

func TestFollowJSON(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.runs(aBackup(), warned())
	r := l.run("backup", "web-1", "--plan", "daily", "--follow", "--json")
	var kinds []string
	next := 1.0
	for _, e := range events(t, r.out) {
		kind, _ := e["type"].(string)
		if kind == "line" {
			if e["seq"] != next {
				t.Errorf("line %v, want %v", e["seq"], next)
			}
			next++
			continue
		}
		kinds = append(kinds, kind)
	}
	if r.code != cli.ExitWarning || kinds[0] != "snapshot" || kinds[len(kinds)-2] != "finished" || kinds[len(kinds)-1] != "eof" || next != 13 {
		t.Errorf("exit %d, %v, next line %v", r.code, kinds, next)
	}
}

func TestExitCodesOfJobs(t *testing.T) {
	for state, code := range map[fleet.JobState]int{fleet.StateSucceeded: 0, fleet.StateWarning: 3, fleet.StateFailed: 1, fleet.StateCancelled: 4, fleet.StateLost: 5, fleet.StateInterrupt: 1} {
		l := newLab(t)
		l.aFleet()
		l.runs(nil, fleet.Outcome{State: state, Message: "What now. Do this."})
		for _, args := range [][]string{{"check", "web-1", "--repo", "nas"}, {"restore", "web-1", "--snapshot", "1a2b3c4d", "--include", "/x"}, {"unlock", "web-1", "--repo", "nas"},
			{"init", "web-1", "--repo", "nas"}, {"snapshots", "refresh", "web-1", "--repo", "nas"}} {
			if r := l.run(append(args, "--follow")...); r.code != code || r.err != "" || !strings.Contains(r.out, "Do this.") {
				t.Errorf("%s %v: exit %d\n%s%s", state, args, r.code, r.out, r.err)
			}
			if r := l.run(args...); r.code != 0 || !strings.Contains(r.out, "backstay jobs follow") {
				t.Errorf("%s without --follow: exit %d, %s", state, r.code, r.out)
			}
		}
	}
}

// What a person sees after any number of broken connections is the log, each line once.
func TestFollowOverBrokenConnections(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.server.Chaos.Seed(7)
	l.server.Chaos.Cut, l.server.Chaos.Repeat, l.server.Chaos.Batch = 0.3, 0.3, 20
	var lines []fleet.LogLine
	var want strings.Builder
	for i := range 300 {
		lines = append(lines, out(fmt.Sprint("line ", i)))
		fmt.Fprintln(&want, "line", i)
	}
	l.runs(lines, fleet.Outcome{State: fleet.StateSucceeded})
	r := l.must(l.run("backup", "web-1", "--plan", "daily", "--follow"))
	var got strings.Builder
	lost := 0
	for line := range strings.Lines(r.out) {
		if strings.HasPrefix(line, "line ") {
			got.WriteString(line)
		}
		if strings.Contains(line, "connection to the daemon is lost") {
			lost++
		}
	}
	if got.String() != want.String() || lost == 0 {
		t.Errorf("lost %d times\n%s", lost, r.out)
	}
}

func TestCtrlCLeavesTheJobAlone(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.runs(aBackup(), fleet.Outcome{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan result, 1)
	go func() { done <- l.runWith(ctx, "", nil, "backup", "web-1", "--plan", "daily", "--follow") }()
	sharedtest.Eventually(t, 10*time.Second, "job runs", func() bool {
		j, ok := l.server.Job("01JTEST0000000000000000006")
		return ok && j.State == fleet.StateRunning
	})
	cancel()
	r := <-done
	if r.code != cli.ExitInterrupted || !strings.Contains(r.err, "goes on") && r.err != "Error: Interrupted.\n" {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if j, _ := l.server.Job("01JTEST0000000000000000006"); j.CancelRequested || j.State != fleet.StateRunning {
		t.Errorf("the job was touched: %+v", j)
	}
}

// stopper ends something when a text was written.
type stopper struct {
	strings.Builder
	at   string
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	n, err := s.Builder.Write(p)
	if strings.Contains(s.String(), s.at) {
		s.stop()
	}
	return n, err
}

func TestCtrlCSaysHowToGoOn(t *testing.T) {
	l := newLab(t)
	l.server.AddJob(fleet.Job{ID: "j1", HostID: "h1", Kind: fleet.KindBackup, State: fleet.StateRunning})
	l.server.Append("j1", out("first line"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs strings.Builder
	env := l.env("", nil, nil, nil)
	env.Out, env.Err = &stopper{at: "first line\n", stop: cancel}, &errs
	code := cli.Main(ctx, env, []string{"jobs", "follow", "j1"})
	if code != cli.ExitInterrupted || !strings.Contains(errs.String(), "backstay jobs cancel j1") || !strings.Contains(errs.String(), "backstay jobs follow j1") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
}

func TestUnknownJobAndPatience(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.want(l.run("jobs", "follow", "nope"), cli.ExitFailed, "no such job")
	l.server.AddJob(fleet.Job{ID: "u1", HostID: "h1", Kind: fleet.KindBackup, State: fleet.StateUnknown})
	r := l.run("jobs", "follow", "u1", "--give-up-after", "50ms")
	l.want(r, cli.ExitUnknown, "out of contact")
	if !strings.Contains(r.out, "contact with web-1 is lost") {
		t.Error(r.out)
	}
}

func TestFollowTail(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.server.AddJob(fleet.Job{ID: "e1", HostID: "h1", Kind: fleet.KindBackup, State: fleet.StateRunning})
	l.server.Append("e1", out("a"), out("b"), out("c"))
	l.server.Finish("e1", fleet.Outcome{State: fleet.StateSucceeded, StartedAt: now, FinishedAt: now})
	if r := l.must(l.run("jobs", "follow", "e1", "--tail", "1")); strings.Contains(r.out, "b\n") || !strings.Contains(r.out, "c\n") {
		t.Error(r.out)
	}
	if r := l.must(l.run("jobs", "follow", "e1", "--after", "1")); strings.Contains(r.out, "a\n") || !strings.Contains(r.out, "b\nc\n") {
		t.Error(r.out)
	}
}

// On a terminal there is one line of status below the log, drawn anew and gone at the end.
func TestStatusLine(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.width = 100
	seen := make(chan struct{})
	l.server.OnJob = func(s *apitest.Server, j fleet.Job) {
		s.StartJob(j.ID, now)
		s.Progress(j.ID, fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.42, FilesDone: 1234, FilesTotal: 5678, BytesDone: 42 << 20, BytesTotal: 100 << 20, ElapsedMS: 2000, RemainingMS: 83_000, Errors: 2, At: now})
		<-seen
		s.Append(j.ID, out("a line"))
		s.Finish(j.ID, fleet.Outcome{State: fleet.StateSucceeded, StartedAt: now, FinishedAt: now.Add(time.Second)})
	}
	var once bool
	screen := &stopper{at: "42.0%", stop: func() {
		if !once {
			once = true
			close(seen)
		}
	}}
	env := l.env("", nil, nil, nil)
	env.Out, env.Err = screen, io.Discard
	env.Terminal = &typist{width: 100}
	if code := cli.Main(t.Context(), env, []string{"backup", "web-1", "--plan", "daily", "--follow"}); code != 0 {
		t.Fatalf("exit %d: %s", code, screen.String())
	}
	lines := emulate(screen.String())
	want := []string{"Job 01JTEST0000000000000000006: backup on web-1.", "a line", "Backup succeeded in 1.0 s."}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("left on the screen:\n%s", strings.Join(lines, "\n"))
	}
	status := "backup on web-1  ████████▍░░░░░░░░░░░ 42.0%  42.0 MiB of 100.0 MiB  21.0 MiB/s  1:23 left  2 errors"
	if !strings.Contains(screen.String(), status) || plaintext.Width(status) >= 100 {
		t.Errorf("the status line is not there: %q", screen.String())
	}
}

// emulate gives what remains on a terminal that knows carriage return and "erase line".
func emulate(s string) []string {
	var lines []string
	current := ""
	for s != "" {
		switch {
		case strings.HasPrefix(s, "\r\x1b[2K"):
			current, s = "", s[len("\r\x1b[2K"):]
		case s[0] == '\n':
			lines, current, s = append(lines, current), "", s[1:]
		default:
			current, s = current+s[:1], s[1:]
		}
	}
	if current != "" {
		lines = append(lines, current)
	}
	return lines
}

// broken is an output that nobody takes any more.
type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestOutputThatFails(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	l.runs(aBackup(), fleet.Outcome{}) // never ends by itself
	env := l.env("", nil, nil, nil)
	var errs strings.Builder
	env.Out, env.Err = broken{}, &errs
	if code := cli.Main(t.Context(), env, []string{"backup", "web-1", "--plan", "daily", "--follow"}); code != cli.ExitFailed || !strings.Contains(errs.String(), "broken pipe") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
}
