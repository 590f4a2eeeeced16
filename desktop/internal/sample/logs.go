package sample

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// verboseLines is how many lines a verbose backup of the past has.
const verboseLines = 4_800

// logLength is how many lines the log of an ended job has.
func (d *Daemon) logLength(j *job) int {
	if j.made {
		return len(j.lines)
	}
	n := 0
	switch {
	case j.Outcome == nil || j.Outcome.StartedAt.IsZero():
		return 0
	case j.Spec.Backup != nil && j.Spec.Backup.Verbose && j.Outcome.FinishedAt.Sub(j.Outcome.StartedAt) > 10*time.Second:
		n = verboseLines
	}
	return n + len(d.ending(j))
}

// log gives the lines of a job.
func (d *Daemon) log(j *job) []fleet.LogLine {
	if j.made {
		return j.lines
	}
	j.made = true
	n := int(j.Log.LastSeq)
	if n == 0 {
		return nil
	}
	tail := d.ending(j)
	body := n - len(tail)
	from, to := j.Outcome.StartedAt, j.Outcome.FinishedAt
	rnd := rand.New(rand.NewPCG(uint64(j.CreatedAt.UnixNano()), 5))
	machine := d.machineOf(j.HostID)
	for i := range body {
		at := from.Add(time.Duration(float64(to.Sub(from)) * float64(i+1) / float64(body+2)))
		j.lines = append(j.lines, verboseLine(rnd, machine, i, at))
	}
	j.lines = append(j.lines, tail...)
	return j.lines
}

func (d *Daemon) machineOf(id fleet.HostID) int {
	for i, m := range machines {
		if h := d.hosts[id]; h != nil && h.Hostname == m.name {
			return i
		}
	}
	return 0
}

// ending are the last lines of a job: what restic says at the end.
func (d *Daemon) ending(j *job) []fleet.LogLine {
	o := j.Outcome
	at := o.FinishedAt.Add(-40 * time.Millisecond)
	var lines []fleet.LogLine
	say := func(stream fleet.LogStream, text string) {
		lines = append(lines, fleet.LogLine{Time: at, Stream: stream, Text: text})
		at = at.Add(3 * time.Millisecond)
	}
	for _, item := range o.Unreadable {
		say(fleet.StreamErr, fmt.Sprintf(`{"message_type":"error","error":{"message":%s},"during":"archival","item":%s}`, quote(item+": open "+item+": permission denied"), quote(item)))
	}
	switch {
	case o.State == fleet.StateSucceeded || o.State == fleet.StateWarning:
		if s := o.Summary; s != nil && s.Backup != nil {
			say(fleet.StreamOut, summaryLine(s.Backup, o))
		}
		if o.State == fleet.StateWarning {
			say(fleet.StreamErr, `{"message_type":"exit_error","code":3,"message":"Warning: at least one source file could not be read"}`)
		}
	case o.Reason == fleet.ReasonRepositoryUnreachable:
		for i, op := range []string{"Load(<lock/7c1f>)", "List(lock)", "Save(<lock/2b90>)"} {
			say(fleet.StreamErr, fmt.Sprintf("%s returned error, retrying after %ds: dial tcp 52.219.46.83:443: i/o timeout", op, 1<<(i+3)))
		}
		say(fleet.StreamNote, "restic got no answer from the repository for 15m0s. SIGTERM was sent to restic.")
	case o.Reason == fleet.ReasonRepositoryLocked:
		say(fleet.StreamErr, `{"message_type":"exit_error","code":11,"message":"unable to create lock in backend: repository is already locked exclusively by PID 4711 on maintenance by root (UID 0, GID 0)"}`)
	case o.Reason == fleet.ReasonRepositoryDenied:
		for _, op := range []string{"Save(<data/9f3c1d77be>)", "Save(<data/9f3c1d77be>)", "Save(<data/41c08e5512>)"} {
			say(fleet.StreamErr, op+" returned error, retrying after 1.387s: client.PutObject: Access Denied.")
		}
		say(fleet.StreamErr, `{"message_type":"exit_error","code":1,"message":"Fatal: unable to save snapshot: client.PutObject: Access Denied."}`)
	case o.State == fleet.StateCancelled:
		say(fleet.StreamNote, "The job was cancelled by mira. SIGTERM was sent to restic.")
		say(fleet.StreamNote, "restic ended with exit code 130 after 21ms.")
		say(fleet.StreamNote, "No lock is left in the repository.")
	}
	return lines
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func summaryLine(s *fleet.BackupSummary, o *fleet.Outcome) string {
	return fmt.Sprintf(`{"message_type":"summary","files_new":%d,"files_changed":%d,"files_unmodified":%d,"dirs_new":%d,"dirs_changed":%d,"dirs_unmodified":%d,"data_blobs":%d,"tree_blobs":%d,"data_added":%d,"data_added_packed":%d,"total_files_processed":%d,"total_bytes_processed":%d,"total_duration":%.6f,"backup_start":%q,"backup_end":%q,"snapshot_id":%q}`,
		s.FilesNew, s.FilesChanged, s.FilesUnmodified, s.DirsNew, s.DirsChanged, s.DirsUnmodified, s.DataBlobs, s.TreeBlobs, s.DataAdded, s.DataAddedPacked, s.TotalFilesProcessed,
		s.TotalBytesProcessed, float64(s.DurationMS)/1000, o.StartedAt.Format(time.RFC3339Nano), o.FinishedAt.Format(time.RFC3339Nano), s.SnapshotID)
}

// verboseLine is line i of a verbose backup: a file that is new, changed or as it was.
func verboseLine(rnd *rand.Rand, machine, i int, at time.Time) fleet.LogLine {
	line := func(text string) fleet.LogLine {
		return fleet.LogLine{Time: at.Truncate(time.Microsecond), Stream: fleet.StreamOut, Text: text}
	}
	if i == 40 {
		return line(`{"message_type":"verbose_status","action":"scan_finished","item":"","duration":1.904113,"data_size":904710979584,"data_size_in_repo":0,"metadata_size":0,"metadata_size_in_repo":0,"total_files":233871}`)
	}
	item, size := pathOf(machine, i), rnd.IntN(12*mebibyte)
	action, data := "unchanged", 0
	switch dice := rnd.IntN(100); {
	case dice < 24:
		action, data = "new", size
	case dice < 40:
		action, data = "modified", size
	}
	stored := data * 41 / 100
	return line(fmt.Sprintf(`{"message_type":"verbose_status","action":%q,"item":%s,"duration":%.6f,"data_size":%d,"data_size_in_repo":%d,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`,
		action, quote(item), rnd.Float64()/4, data, stored))
}

// folders and names of files: of servers and of people, in several scripts.
var (
	folders = map[string][]string{
		"databases": {"/var/lib/postgresql/15/main/base/16384/", "/var/lib/postgresql/15/main/pg_xact/", "/var/lib/postgresql/15/main/pg_wal/", "/etc/postgresql/15/main/"},
		"windows":   {`C:\Users\König\Documents\Angebote\`, `C:\Users\Zoë\Desktop\`, `D:\Daten\Buchhaltung\2026\`, `D:\Daten\Verträge\Müller & Söhne\`},
		"":          {"/home/jürgen/Bilder/2024-Ostsee/", "/home/李雷/文档/", "/srv/data/projects/atlas/", "/srv/mail/vmail/example.org/anna/Maildir/cur/", "/home/mira/Documents/Angebote/", "/srv/data/部门/财务/2026年度/", "/home/søren/Række/"},
	}
	names = map[string][]string{
		"databases": {"2619", "2619_vm", "24613", "24613_fsm", "1718231", "0012", "pg_filenode.map", "postgresql.conf"},
		"windows":   {"Übersicht_Q3.xlsx", "Angebot 2026-118.docx", "Rechnung_April.pdf", "Straßenplan.dwg", "Protokoll.msg"},
		"":          {"report-final.pdf", "预算.xlsx", "IMG_20240812_183301.jpg", "Übersicht_Q3.xlsx", "1718231.M412P99.mail,S=18231:2,S", "index.html", "会议纪要.docx", "snapshot.db-wal", "Größenvergleich.ods"},
	}
)

// pathOf is the path of file i of a machine.
func pathOf(machine, i int) string {
	kind := machines[machine].plan
	if folders[kind] == nil {
		kind = ""
	}
	f, n := folders[kind], names[kind]
	folder, name := f[(i/7)%len(f)], n[i%len(n)]
	if i >= len(n) {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			dot = len(name)
		}
		name = fmt.Sprintf("%s-%d%s", name[:dot], i, name[dot:])
	}
	return folder + name
}
