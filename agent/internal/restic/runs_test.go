package restic

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// run is what a real restic printed, as recorded in testdata/runs.
type run struct {
	out, err []string
	code     int
}

func readLines(t testing.TB, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil // an empty file is not kept
	}
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(string(b), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func readRun(t testing.TB, path string) run {
	t.Helper()
	r := run{out: readLines(t, path+".out"), err: readLines(t, path+".err"), code: -1}
	if rc := readLines(t, path+".rc"); len(rc) == 1 {
		code, err := strconv.Atoi(strings.TrimSpace(rc[0]))
		if err != nil {
			t.Fatal(err)
		}
		r.code = code
	}
	return r
}

// clock gives a time that goes on by a second with each look.
func clock() func() time.Time {
	at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	return func() time.Time { at = at.Add(time.Second); return at }
}

// play feeds a run to a new decoder and gives what the log would hold.
func (r run) play(kind fleet.JobKind) (d *Decoder, log []string, events []Event) {
	d = NewDecoder(kind, clock())
	feed := func(s fleet.LogStream, lines []string) {
		for _, text := range lines {
			e := d.Line(s, text)
			if e.Keep {
				log = append(log, text)
			}
			events = append(events, e)
		}
	}
	feed(fleet.StreamOut, r.out)
	feed(fleet.StreamErr, r.err)
	return d, log, events
}

// outcomeCase is a recorded run and how it must count.
type outcomeCase struct {
	run    string
	kind   fleet.JobKind
	exit   Exit // zero: the recorded exit code
	state  fleet.JobState
	reason fleet.Reason
	say    string // each word, separated by "…", must be in the message, in this order
	errors int64
}

var (
	gaveUp    = Exit{Code: 130, GaveUp: true}
	cancelled = Exit{Code: 130, Cancelled: true}
)

var outcomeCases = []outcomeCase{
	{run: "0.18.0-init", kind: fleet.KindInit, state: fleet.StateSucceeded},
	{run: "0.19.1-init", kind: fleet.KindInit, state: fleet.StateSucceeded},
	{run: "0.18.0-init-again", kind: fleet.KindInit, state: fleet.StateFailed, reason: fleet.ReasonRepositoryExists, say: "already…another place"},
	{run: "0.19.1-init-again", kind: fleet.KindInit, state: fleet.StateFailed, reason: fleet.ReasonRepositoryExists, say: "already…another place"},
	{run: "more-init-again-rest", kind: fleet.KindInit, state: fleet.StateFailed, reason: fleet.ReasonRepositoryExists, say: "already"},

	{run: "0.19.1-backup-1", kind: fleet.KindBackup, state: fleet.StateSucceeded},
	{run: "0.19.1-backup-vv", kind: fleet.KindBackup, state: fleet.StateSucceeded},
	{run: "0.18.0-backup-missing-src", kind: fleet.KindBackup, state: fleet.StateWarning, reason: fleet.ReasonSourceUnreadable, say: "d0b30cf4…saved without…/nonexistent…mounted", errors: 1},
	{run: "0.19.1-backup-missing-src", kind: fleet.KindBackup, state: fleet.StateWarning, reason: fleet.ReasonSourceUnreadable, say: "a9318655…saved without…/nonexistent…mounted", errors: 1},
	{run: "0.18.0-backup-allmissing-src", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonSourceMissing, say: "None…/nonexistent…mounted", errors: 1},
	{run: "0.19.1-backup-allmissing-src", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonSourceMissing, say: "None…/nonexistent…mounted", errors: 1},
	{run: "0.19.1-backup-allmissing-src", kind: fleet.KindBackup, exit: Exit{Code: 3}, state: fleet.StateFailed, reason: fleet.ReasonSourceMissing, say: "None…/nonexistent…mounted", errors: 1},
	{run: "errors-unreadable-backup", kind: fleet.KindBackup, state: fleet.StateWarning, reason: fleet.ReasonSourceUnreadable, say: "d98e30f1…3 items could not be read…nodir…permission denied…exclude", errors: 3},
	{run: "errors-df-backup", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonRepositoryFull, say: "full…no space left…forget and prune"},
	{run: "more-quota", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonRepositoryFull, say: "full…507"},
	{run: "more-backup-tempfull", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonDiskFull, say: "temporary files…Free some space", errors: 1},
	{run: "more-badexclude", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonResticError, say: "invalid pattern…log"},
	{run: "more-repoperm", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "agent's user…permission denied…owner and mode"},
	{run: "netfault-restart20", kind: fleet.KindBackup, state: fleet.StateSucceeded},
	{run: "sftp-sftp-killed", kind: fleet.KindBackup, exit: Exit{Code: 1}, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not answer…ssh command exited…network"},

	{run: "signals-sigterm", kind: fleet.KindBackup, exit: cancelled, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "before a snapshot was saved…start the backup again"},
	{run: "netfault-goneint", kind: fleet.KindBackup, exit: cancelled, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "before a snapshot"},
	{run: "netfault-stuckint", kind: fleet.KindBackup, exit: cancelled, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "before a snapshot"},
	{run: "signals-sigkill", kind: fleet.KindBackup, exit: Exit{Signal: "killed", Cancelled: true}, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "before a snapshot"},
	{run: "0.19.1-backup-1", kind: fleet.KindBackup, exit: cancelled, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "after the snapshot 84438618"},
	{run: "0.19.1-backup-1", kind: fleet.KindBackup, exit: Exit{Code: 0, Cancelled: true}, state: fleet.StateSucceeded},
	{run: "0.19.1-err-wrongpw", kind: fleet.KindBackup, exit: Exit{Code: 12, Cancelled: true}, state: fleet.StateFailed, reason: fleet.ReasonWrongPassword, say: "password"},
	{run: "signals-sigterm", kind: fleet.KindRestore, exit: Exit{Code: 1, Cancelled: true}, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "remove it"},
	{run: "signals-sigterm", kind: fleet.KindCheck, exit: cancelled, state: fleet.StateCancelled, reason: fleet.ReasonCancelled, say: "Start the job again"},
	{run: "signals-sigterm", kind: fleet.KindBackup, state: fleet.StateFailed, reason: fleet.ReasonResticCrashed, say: "did not send…start the job again"},
	{run: "signals-sigkill", kind: fleet.KindBackup, exit: Exit{Signal: "killed"}, state: fleet.StateFailed, reason: fleet.ReasonResticCrashed, say: "killed…memory"},
	{run: "signals-sigkill", kind: fleet.KindBackup, exit: Exit{Code: 2}, state: fleet.StateFailed, reason: fleet.ReasonResticCrashed, say: "crashed…log"},
	{run: "netfault-goneint", kind: fleet.KindBackup, exit: Exit{Code: 130}, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not answer…connection refused"},

	{run: "0.19.1-restore", kind: fleet.KindRestore, state: fleet.StateSucceeded},
	{run: "0.18.0-restore", kind: fleet.KindRestore, state: fleet.StateSucceeded},
	{run: "0.19.1-restore-vv", kind: fleet.KindRestore, state: fleet.StateSucceeded},
	{run: "0.19.1-restore-nosnap", kind: fleet.KindRestore, state: fleet.StateFailed, reason: fleet.ReasonUnknownSnapshot, say: "no such snapshot…deadbeef…List"},
	{run: "0.19.1-err-nosnapshot", kind: fleet.KindRestore, state: fleet.StateFailed, reason: fleet.ReasonUnknownSnapshot, say: "no such snapshot"},
	{run: "errors-restore-missingpack", kind: fleet.KindRestore, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDamaged, say: "missing…could not be restored…f1.bin…Run no forget or prune", errors: 3},
	{run: "more-restore-damaged", kind: fleet.KindRestore, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDamaged, say: "damaged…1 item could not be restored…f2.bin…ciphertext", errors: 1},
	{run: "more-restore-diskfull", kind: fleet.KindRestore, state: fleet.StateFailed, reason: fleet.ReasonDiskFull, say: "restore writes to is full…4 items…Free some space", errors: 4},
	{run: "errors-restore-noperm", kind: fleet.KindRestore, state: fleet.StateFailed, reason: fleet.ReasonResticError, say: "may not write…4 items…/nr…restore root", errors: 4},

	{run: "0.18.0-check", kind: fleet.KindCheck, state: fleet.StateSucceeded},
	{run: "0.19.1-check", kind: fleet.KindCheck, state: fleet.StateSucceeded},
	{run: "0.19.1-check-readdata", kind: fleet.KindCheck, state: fleet.StateSucceeded},
	{run: "progress-check-read-text", kind: fleet.KindCheck, state: fleet.StateSucceeded},
	{run: "errors-check-damaged-noread", kind: fleet.KindCheck, state: fleet.StateSucceeded},
	{run: "errors-check-damaged", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDamaged, say: "1 error and 1 damaged pack file…Run no forget or prune"},
	{run: "errors-check-missingpack", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDamaged, say: "1 error in"},
	{run: "more-check-text-damaged", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDamaged, say: "1 error and 1 damaged pack file"},
	{run: "more-check-text-missingpack", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDamaged, say: "1 error in"},
	{run: "more-check-text-wrongpw", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonWrongPassword, say: "password"},
	{run: "more-check-text-norepo", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonNoRepository, say: "no repository…init job"},
	{run: "locks-excl-while-shared", kind: fleet.KindCheck, state: fleet.StateFailed, reason: fleet.ReasonRepositoryLocked, say: "locked…PID 17723 on vm…unlock job"},

	{run: "0.18.0-snapshots", kind: fleet.KindSnapshots, state: fleet.StateSucceeded},
	{run: "0.19.1-snapshots", kind: fleet.KindSnapshots, state: fleet.StateSucceeded},
	{run: "0.18.0-snapshots-none", kind: fleet.KindSnapshots, state: fleet.StateSucceeded},
	{run: "0.18.0-err-wrongpw", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonWrongPassword, say: "password…right password"},
	{run: "0.18.0-err-nopw", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonNoSecret, say: "did not reach restic"},
	{run: "0.19.1-err-nopw", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonNoSecret, say: "did not reach restic"},
	{run: "0.18.0-err-norepo", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonNoRepository, say: "no repository…/srv/lab/repos/none…init job"},
	{run: "0.19.1-err-norepo", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonNoRepository, say: "no repository"},
	{run: "more-norepo-rest", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonNoRepository, say: "no repository"},
	{run: "0.18.0-err-rest-refused", kind: fleet.KindSnapshots, exit: gaveUp, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not answer…connection refused…network"},
	{run: "0.19.1-err-rest-refused", kind: fleet.KindSnapshots, exit: Exit{Signal: "killed", GaveUp: true}, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not answer…connection refused…network"},
	{run: "more-nohost", kind: fleet.KindSnapshots, exit: gaveUp, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not answer…no such host"},
	{run: "more-http-to-https", kind: fleet.KindSnapshots, exit: gaveUp, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "speaks http…TLS"},
	{run: "rest-tls-badcreds", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "refused the credentials…401"},
	{run: "rest-tls-otheruser", kind: fleet.KindInit, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "refused the credentials…401"},
	{run: "rest-tls-nocacert", kind: fleet.KindInit, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not know the CA…unknown authority…CA certificate"},
	{run: "s3-vgw-credfile", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "refused the credentials…Access Denied"},
	{run: "s3-vgw-nobucket", kind: fleet.KindSnapshots, exit: gaveUp, state: fleet.StateFailed, reason: fleet.ReasonNoRepository, say: "no such bucket…Create the bucket"},
	{run: "s3-vgw-wrongkey", kind: fleet.KindSnapshots, exit: gaveUp, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "refused the credentials…signature"},
	{run: "sftp-sftp-badkey", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "SSH server refused…publickey…public key"},
	{run: "sftp-sftp-unknownhost", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryDenied, say: "SSH key of the repository's server…Host key"},
	{run: "sftp-sftp-refused", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "does not answer…Connection refused"},
	{run: "more-nossh", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "could not start the program…Install ssh"},
	{run: "more-norclone", kind: fleet.KindSnapshots, state: fleet.StateFailed, reason: fleet.ReasonRepositoryUnreachable, say: "could not start the program…rclone"},

	{run: "0.19.1-unlock", kind: fleet.KindUnlock, state: fleet.StateSucceeded, say: "No stale lock"},
	{run: "locks-unlock-stale-samehost", kind: fleet.KindUnlock, state: fleet.StateSucceeded, say: "successfully removed 1 locks"},
	{run: "0.19.1-cat-config", kind: KindTest, state: fleet.StateSucceeded},
	{run: "0.19.1-cat-config-norepo", kind: KindTest, state: fleet.StateFailed, reason: fleet.ReasonNoRepository, say: "no repository"},
}

func TestOutcomes(t *testing.T) {
	for _, c := range outcomeCases {
		name := c.run + " " + string(c.kind)
		r := readRun(t, filepath.Join("testdata", "runs", c.run))
		if r.out == nil && r.err == nil && r.code != 0 && c.exit.Signal == "" {
			t.Errorf("%s: no recorded output", name)
		}
		if c.exit == (Exit{}) {
			c.exit.Code = r.code
		}
		d, _, _ := r.play(c.kind)
		o := d.Outcome(c.exit)
		if o.State != c.state || o.Reason != c.reason || o.Errors != c.errors || int64(len(o.Unreadable)) != c.errors {
			t.Errorf("%s:\n got %s %q, %d errors %q: %s\nwant %s %q, %d errors", name, o.State, o.Reason, o.Errors, o.Unreadable, o.Message, c.state, c.reason, c.errors)
		}
		checkSentence(t, name, o)
		rest := o.Message
		for word := range strings.SplitSeq(c.say, "…") {
			_, after, found := strings.Cut(rest, word)
			if !found {
				t.Errorf("%s: %q does not say %q", name, o.Message, word)
			}
			rest = after
		}
		if (o.ExitCode == nil) != (c.exit.Signal != "") || o.ExitCode != nil && *o.ExitCode != c.exit.Code {
			t.Errorf("%s: exit code %v, want %d", name, o.ExitCode, c.exit.Code)
		}
		if !o.StartedAt.Before(o.FinishedAt) || o.StartedAt.Location() != time.UTC {
			t.Errorf("%s: from %v to %v", name, o.StartedAt, o.FinishedAt)
		}
	}
}

// checkSentence holds for every outcome: a person reads one line that ends with what to do, without what restic prints for itself.
func checkSentence(t testing.TB, name string, o fleet.Outcome) {
	t.Helper()
	m := o.Message
	if m == "" && o.State == fleet.StateSucceeded {
		return
	}
	switch {
	case !strings.HasSuffix(m, ".") || strings.HasSuffix(m, ".."), strings.ContainsAny(m, "\n\r\x1b"), len(m) > 1500,
		strings.Contains(m, "Fatal:"), strings.Contains(m, "  "), strings.Contains(m, "runtime."), strings.Count(m, ". ") == 0:
		t.Errorf("%s: not a sentence with a next step: %q", name, m)
	}
}

// Every row of causes must be the one that some recorded run (or, where no run could be had, a text) is explained by.
func TestEveryCauseHasItsRun(t *testing.T) {
	hit := map[string]bool{}
	note := func(d *Decoder) {
		if c, _, ok := d.evidence().first(); ok {
			hit[c.what] = true
		}
	}
	for _, c := range outcomeCases {
		d, _, _ := readRun(t, filepath.Join("testdata", "runs", c.run)).play(c.kind)
		note(d)
	}
	const exitError = `{"message_type":"exit_error","code":1,"message":"`
	for _, c := range []struct {
		kind   fleet.JobKind
		text   string
		reason fleet.Reason
	}{
		{fleet.KindRestore, exitError + `Fatal: failed to find snapshot: multiple IDs with prefix \"abcdef01\" found"}`, fleet.ReasonUnknownSnapshot},
		{fleet.KindBackup, exitError + `Fatal: unable to open config file: Head \"https://h/config\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T15:00:00Z is after 2026-01-01T00:00:00Z"}`, fleet.ReasonRepositoryUnreachable},
		{fleet.KindBackup, exitError + `unable to create lock in backend: repository is already locked exclusively by PID 1 on vm by root (UID 0, GID 0)"}`, fleet.ReasonRepositoryLocked},
	} {
		d := NewDecoder(c.kind, clock())
		d.Line(fleet.StreamErr, c.text)
		if o := d.Outcome(Exit{Code: 1}); o.Reason != c.reason {
			t.Errorf("%s: %s %s", c.text, o.Reason, o.Message)
		}
		note(d)
	}
	for _, c := range causes {
		if !hit[c.what] {
			t.Errorf("no run is explained by %q", c.what)
		}
		if c.what == "" || c.next == "" || strings.HasSuffix(c.what, ".") || !strings.HasSuffix(c.next, ".") {
			t.Errorf("row %q, %q: what without and next with a full stop", c.what, c.next)
		}
	}
}

// The log is what restic printed, status lines aside: on every run of the project's collection when it lies beside the checkout.
func TestLogIsWhatResticPrinted(t *testing.T) {
	roots := []string{filepath.Join("testdata", "runs")}
	beside := filepath.Join("..", "..", "..", "..", "shared", "fixtures", "restic")
	if _, err := os.Stat(beside); err == nil {
		roots = append(roots, beside)
	}
	kinds := append(fleet.JobKinds[:], KindTest)
	runs := 0
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			base, isRun := strings.CutSuffix(path, ".rc")
			if err != nil || !isRun {
				return err
			}
			runs++
			r := readRun(t, base)
			for _, kind := range kinds {
				d, log, events := r.play(kind)
				checkLog(t, base, kind, r, log, events)
				for _, exit := range []Exit{{Code: r.code}, {Code: 1}, {Code: 3}, {Code: 0}, {Code: 130, Cancelled: true}, {Signal: "killed"}, {Code: 130, GaveUp: true}} {
					checkSentence(t, base+" as "+string(kind), d.Outcome(exit))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if runs < 50 {
		t.Errorf("only %d runs", runs)
	}
}

func checkLog(t *testing.T, name string, kind fleet.JobKind, r run, log []string, events []Event) {
	t.Helper()
	var want []string
	for i, text := range append(append([]string{}, r.out...), r.err...) {
		if strings.HasPrefix(text, `{"message_type":"status"`) {
			if events[i].Keep || events[i].Progress == nil {
				t.Errorf("%s: a status line is not progress: %s", name, text)
			}
			continue
		}
		if kind != fleet.KindSnapshots && kind != KindTest && strings.HasPrefix(text, "[") && strings.Contains(text, "% ") && !strings.Contains(text, "100.00%") {
			continue // the counter of a command without JSON
		}
		want = append(want, text)
	}
	if strings.Join(log, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: the log differs from what restic printed:\n%q\n%q", name, log, want)
	}
}
