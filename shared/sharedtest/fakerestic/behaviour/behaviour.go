// Package behaviour sets what a copy of the fake restic does, and reads what it did. Tests write a Behaviour beside the binary
// (see Write), start it through the whole product, and look at Starts and Seen afterwards. It holds no state; files beside the
// binary are the only way in, because restic's environment is built from empty and its arguments come from a table.
package behaviour

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Behaviour is one way to act. The zero value answers at once with an empty summary.
type Behaviour struct {
	Version string `json:"version,omitempty"` // "0.19.1" when empty

	// Backup prints Lines numbered verbose_status lines "/n/000001"… of LineBytes at least (0: as short as can be),
	// LinesPerSec of them a second (0: as fast as taken), in writes of Burst lines (1 when 0).
	Lines       int  `json:"lines,omitempty"`
	LinesPerSec int  `json:"lines_per_sec,omitempty"`
	LineBytes   int  `json:"line_bytes,omitempty"`
	Burst       int  `json:"burst,omitempty"`
	Stamp       bool `json:"stamp,omitempty"`        // each line says when it was printed, and a line when SIGTERM came: "stamp", nanoseconds since 1970
	StatusEvery int  `json:"status_every,omitempty"` // a status line after each so many lines
	StderrEvery int  `json:"stderr_every,omitempty"` // a plain line on standard error after each so many lines, numbered on its own
	RetryLines  int  `json:"retry_lines,omitempty"`  // before anything else: so many retry lines, RetryEveryMS apart; no repository answers
	RetryEvery  int  `json:"retry_every_ms,omitempty"`

	HangMS        int    `json:"hang_ms,omitempty"`          // stay so long after the last line, before the summary
	HangAtStartMS int    `json:"hang_at_start_ms,omitempty"` // and before the first
	ExitCode      int    `json:"exit_code,omitempty"`        // of backup, with an exit_error line when not 0 or 3
	ExitMessage   string `json:"exit_message,omitempty"`
	IgnoreSIGTERM bool   `json:"ignore_sigterm,omitempty"`
	KeepLock      bool   `json:"keep_lock,omitempty"`   // a backup that ends or is killed leaves its lock; otherwise a clean end removes it
	WaitFor       string `json:"wait_for,omitempty"`    // backup prints nothing until this file exists
	Final         string `json:"final,omitempty"`       // backup's last line, without a newline at its end
	OutputFile    string `json:"output_file,omitempty"` // backup prints what this file holds instead of lines and summary
	HelperMS      int    `json:"helper_ms,omitempty"`   // backup leaves a helper behind that keeps its standard output open so long, in a session of its own
	UnlockCode    int    `json:"unlock_code,omitempty"`
	UnlockHangMS  int    `json:"unlock_hang_ms,omitempty"`
	Snapshots     string `json:"snapshots,omitempty"`      // what snapshots prints; an empty list when empty
	SnapshotsCode int    `json:"snapshots_code,omitempty"` // and how it ends: without printing anything when not 0
	SnapshotsGate string `json:"snapshots_gate,omitempty"` // and not before this file exists
	RecordSecrets bool   `json:"record_secrets,omitempty"` // note in Seen what the password and repository files held
}

// Start is one start of the binary.
type Start struct {
	PID     int    `json:"pid"`
	Command string `json:"command"` // "backup", "unlock", …
}

// Seen is what one start was given.
type Seen struct {
	Start
	Args       []string `json:"args"`
	Env        []string `json:"env"`
	Password   string   `json:"password"`
	Repository string   `json:"repository"`
	AWS        string   `json:"aws"`
}

// StampedLine is line i, at least size bytes long, with the time of its printing.
func StampedLine(i, size int, at time.Time) string {
	return padded(fmt.Sprintf(`{"message_type":"verbose_status","action":"new","item":"/n/%06d","stamp":%d}`, i, at.UnixNano()), size)
}

// StampedEnd is the line that says when SIGTERM came.
func StampedEnd(at time.Time) string {
	return fmt.Sprintf(`{"message_type":"signal","stamp":%d}`, at.UnixNano())
}

// Write sets what binary does from its next start on.
func Write(binary string, b Behaviour) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return os.WriteFile(binary+".json", data, 0o600)
}

// Read gives what Write set; the zero Behaviour when nothing did.
func Read(binary string) (Behaviour, error) {
	var b Behaviour
	data, err := os.ReadFile(binary + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	return b, err
}

// Starts lists every start of binary so far; with commands, only those of these commands.
func Starts(binary string, commands ...string) ([]Start, error) {
	all, err := lines[Start](binary + ".starts")
	var out []Start
	for _, s := range all {
		if len(commands) == 0 || contains(commands, s.Command) {
			out = append(out, s)
		}
	}
	return out, err
}

// SeenBy lists what the starts of binary were given, where RecordSecrets was set.
func SeenBy(binary string) ([]Seen, error) { return lines[Seen](binary + ".seen") }

// Locks tells whether the fake repository of binary has a lock.
func Locks(binary string) (bool, error) {
	_, err := os.Stat(binary + ".lock")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

func lines[T any](path string) ([]T, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []T
	for line := range strings.Lines(string(data)) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// Line is the text of numbered line i of a backup, at least size bytes long.
func Line(i, size int) string {
	return padded(fmt.Sprintf(`{"message_type":"verbose_status","action":"new","item":"/n/%06d","duration":0.001,"data_size":1,"data_size_in_repo":1,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`, i), size)
}

// padded makes a JSON object at least size bytes long, where it can be.
func padded(s string, size int) string {
	if pad := size - len(s) - len(`,"pad":""`); pad > 0 {
		s = s[:len(s)-1] + `,"pad":"` + strings.Repeat("x", pad) + `"}`
	}
	return s
}

// StderrLine is the text of the i-th line on standard error.
func StderrLine(i int) string { return fmt.Sprintf("warning %06d", i) }

// SnapshotID is the snapshot that a backup of the fake restic says it saved.
const SnapshotID = "f00df00df00df00df00df00df00df00df00df00df00df00df00df00df00df00d"
