package restic

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/backstay/backstay/shared/fleet"
)

// maxMessage bounds a line that is read as JSON in bytes. restic's own messages are far shorter, except the list of snapshots,
// which is only counted here.
const maxMessage = 1 << 20

// message holds every field of restic's JSON lines that Backstay reads, of all message types.
type message struct {
	Type string `json:"message_type"`

	// status
	SecondsRemaining float64  `json:"seconds_remaining"`
	PercentDone      float64  `json:"percent_done"`
	BytesDone        int64    `json:"bytes_done"`
	FilesDone        int64    `json:"files_done"`
	CurrentFiles     []string `json:"current_files"`

	// status and summary of restore
	TotalFiles     int64   `json:"total_files"`
	TotalBytes     int64   `json:"total_bytes"`
	FilesRestored  int64   `json:"files_restored"`
	FilesSkipped   int64   `json:"files_skipped"`
	BytesRestored  int64   `json:"bytes_restored"`
	BytesSkipped   int64   `json:"bytes_skipped"`
	SecondsElapsed float64 `json:"seconds_elapsed"`

	// error; a check's has Message instead of Error
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
	During string `json:"during"`
	Item   string `json:"item"`

	// exit_error
	Code    int    `json:"code"`
	Message string `json:"message"`

	// initialized
	ID string `json:"id"`

	// summary of backup
	fleet.BackupSummary
	TotalDuration float64 `json:"total_duration"`

	// summary of check
	NumErrors          int64    `json:"num_errors"`
	BrokenPacks        []string `json:"broken_packs"`
	SuggestRepairIndex bool     `json:"suggest_repair_index"`
	SuggestPrune       bool     `json:"suggest_prune"`
}

// parseMessage reads a line of restic's JSON, and false for any other line.
func parseMessage(text string) (message, bool) {
	if text == "" || text[0] != '{' || len(text) > maxMessage {
		return message{}, false
	}
	var m message
	if json.Unmarshal([]byte(text), &m) != nil || m.Type == "" {
		return message{}, false
	}
	return m, true
}

func (m message) restoreSummary() *fleet.RestoreSummary {
	return &fleet.RestoreSummary{
		TotalFiles: m.TotalFiles, FilesRestored: m.FilesRestored, FilesSkipped: m.FilesSkipped,
		TotalBytes: m.TotalBytes, BytesRestored: m.BytesRestored, DurationMS: milliseconds(m.SecondsElapsed),
	}
}

func (m message) backupSummary() *fleet.BackupSummary {
	s := m.BackupSummary
	s.DurationMS = milliseconds(m.TotalDuration)
	return &s
}

func (m message) checkSummary() *fleet.CheckSummary {
	return &fleet.CheckSummary{Errors: m.NumErrors, BrokenPacks: m.BrokenPacks, SuggestRepairIndex: m.SuggestRepairIndex, SuggestPrune: m.SuggestPrune}
}

// milliseconds gives seconds as milliseconds, and 0 for what no run can take.
func milliseconds(seconds float64) int64 {
	if !(seconds > 0 && seconds < math.MaxInt32) {
		return 0
	}
	return int64(seconds * 1000)
}

// counter is a line of progress that restic prints where it has no JSON for it: "[0:02] 41.67%  5 / 12 packs".
type counter struct {
	percent float64 // 0..1
	what    string  // packs, snapshots …
}

func parseCounter(text string) (counter, bool) {
	clock, rest, found := strings.Cut(text, "] ")
	if !found || len(clock) < 2 || clock[0] != '[' || strings.Trim(clock[1:], "0123456789:") != "" {
		return counter{}, false
	}
	percent, rest, found := strings.Cut(strings.TrimLeft(rest, " "), "% ")
	if !found || percent == "" || len(percent) > 8 || strings.Trim(percent, "0123456789.") != "" {
		return counter{}, false
	}
	var p float64
	if json.Unmarshal([]byte(percent), &p) != nil {
		return counter{}, false
	}
	fields := strings.Fields(rest)
	if len(fields) < 4 || fields[1] != "/" {
		return counter{}, false
	}
	return counter{percent: clamp(p / 100), what: fields[3]}, true
}

// retryLine takes a line of restic's retries apart: the operation and, for one that failed, the cause.
type retryLine struct {
	op    string // such as Save(<data/09660d8ba1>)
	cause string // empty when the operation went well in the end
	again bool   // restic will try again
}

func parseRetry(text string) (retryLine, bool) {
	if op, rest, found := strings.Cut(text, " returned error, retrying after "); found && isOperation(op) {
		if _, cause, ok := strings.Cut(rest, ": "); ok {
			return retryLine{op: op, cause: cause, again: true}, true
		}
	}
	if op, _, found := strings.Cut(text, " operation successful after "); found && isOperation(op) {
		return retryLine{op: op}, true
	}
	if op, cause, found := strings.Cut(text, " failed: "); found && isOperation(op) {
		return retryLine{op: op, cause: cause}, true
	}
	return retryLine{}, false
}

// isOperation tells whether s is an operation on a repository's file, such as Save(<data/09660d8ba1>) or List(lock).
func isOperation(s string) bool {
	name, args, found := strings.Cut(s, "(")
	if !found || name == "" || len(s) > 200 || name[0] < 'A' || name[0] > 'Z' || !strings.HasSuffix(args, ")") {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func clamp(p float64) float64 {
	if !(p > 0) { // also NaN
		return 0
	}
	return min(p, 1)
}

// arrayCounter counts the elements of one JSON array as it goes by, in pieces of any size, keeping none of it.
type arrayCounter struct {
	depth    int
	inString bool
	escaped  bool
	Count    int64
}

func (c *arrayCounter) feed(s string) {
	for i := range len(s) {
		b := s[i]
		switch {
		case c.escaped:
			c.escaped = false
		case c.inString && b == '\\':
			c.escaped = true
		case b == '"':
			c.inString = !c.inString
		case c.inString:
		case b == '[' || b == '{':
			if c.depth == 1 && b == '{' {
				c.Count++
			}
			c.depth++
		case b == ']' || b == '}':
			c.depth--
		}
	}
}
