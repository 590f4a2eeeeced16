package logline

import (
	"encoding/json"
	"strings"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// said is a JSON line of restic in words.
type said struct {
	level Level
	good  bool
	text  string
}

// message is what of restic's JSON lines is shown, over all kinds of messages.
type message struct {
	Type       string `json:"message_type"`
	Action     string `json:"action"`
	Item       string `json:"item"`
	DataSize   int64  `json:"data_size"` // backup: bytes that were new
	Size       int64  `json:"size"`      // restore
	TotalFiles *int64 `json:"total_files"`
	Message    string `json:"message"`
	Code       int    `json:"code"`
	ID         string `json:"id"`
	Error      struct {
		Message string `json:"message"`
	} `json:"error"`
	summaryMessage
}

// summaryMessage holds restic's final figures, of all its commands.
type summaryMessage struct {
	SnapshotID     string   `json:"snapshot_id"`
	FilesNew       *int64   `json:"files_new"`
	FilesChanged   int64    `json:"files_changed"`
	FilesUnchanged int64    `json:"files_unmodified"`
	FilesProcessed int64    `json:"total_files_processed"`
	BytesProcessed int64    `json:"total_bytes_processed"`
	DataAdded      int64    `json:"data_added"`
	DataStored     int64    `json:"data_added_packed"`
	Duration       float64  `json:"total_duration"`
	FilesRestored  *int64   `json:"files_restored"`
	FilesSkipped   *int64   `json:"files_skipped"`
	TotalBytes     int64    `json:"total_bytes"`
	BytesRestored  int64    `json:"bytes_restored"`
	Elapsed        float64  `json:"seconds_elapsed"`
	NumErrors      *int64   `json:"num_errors"`
	BrokenPacks    []string `json:"broken_packs"`
}

// restic says in words what a JSON line of restic says, and false when it is not one that is known.
func (w Words) restic(text string) (said, bool) {
	if m, ok := readStatus(text); ok {
		return w.status(m)
	}
	if text[0] == '[' {
		return w.list(text)
	}
	var m message
	if json.Unmarshal([]byte(text), &m) != nil {
		return said{}, false
	}
	switch m.Type {
	case "verbose_status":
		st := status{action: m.Action, item: m.Item, size: max(m.DataSize, m.Size)}
		if m.TotalFiles != nil {
			st.files, st.counted = *m.TotalFiles, true
		}
		return w.status(st)
	case "summary":
		return w.summary(m)
	case "error":
		return said{level: Error, text: m.errorText()}, true
	case "exit_error":
		return m.exit(), true
	case "initialized": // restic's URL may hold credentials
		sum := fleet.Summary{Init: &fleet.InitSummary{ResticID: m.ID}}
		return said{level: Info, good: true, text: verb("created") + plaintext.Line(w.Summary(sum))}, true
	}
	return said{}, false
}

// verb is the first column of a text in words.
func verb(s string) string {
	const pad = "          "
	s = plaintext.Field(s)
	if n := plaintext.Width(s); n < len(pad) {
		return s + pad[n:]
	}
	return s + " "
}

// oneLine escapes a message that may have line breaks of its own.
func oneLine(s string) string {
	return plaintext.Line(strings.ReplaceAll(strings.TrimSpace(s), "\n", " "))
}

func (w Words) status(m status) (said, bool) {
	switch {
	case m.action == "scan_finished" && m.counted:
		return said{level: Info, text: verb("scanned") + plaintext.Line(w.Scanned(m.files, m.size))}, true
	case m.action == "" || m.item == "":
		return said{}, false
	}
	s := said{level: Info, text: verb(m.action) + plaintext.Line(m.item)}
	if m.action == "unchanged" {
		s.level = Debug
	}
	if m.size > 0 {
		s.text += "  " + w.Bytes(m.size)
	}
	return s, true
}

func (w Words) list(text string) (said, bool) {
	var snapshots []struct {
		ID string `json:"short_id"`
	}
	if json.Unmarshal([]byte(text), &snapshots) != nil || len(snapshots) > 0 && snapshots[0].ID == "" {
		return said{}, false
	}
	sum := fleet.Summary{Snapshots: int64(len(snapshots))}
	return said{level: Info, good: true, text: verb("listed") + plaintext.Line(w.Summary(sum))}, true
}

func (m message) errorText() string {
	text := m.Error.Message
	if text == "" {
		text = m.Message
	}
	if m.Item != "" && !strings.Contains(text, m.Item) { // restic's message often names it already
		text = m.Item + ": " + text
	}
	return oneLine(text)
}

// The exit codes of restic that are no failure of ours to explain in red: an incomplete backup, and a stop that was asked for.
const (
	exitIncomplete  = 3
	exitInterrupted = 130
)

func (m message) exit() said {
	first, _, _ := strings.Cut(m.Message, "\n") // below it may be a stack
	s := said{level: Error}
	if m.Code == exitIncomplete || m.Code == exitInterrupted {
		s.level = Warn
	}
	word := "ended"
	for strings.HasPrefix(first, "Fatal: ") { // restic says it twice at times
		word, first = "fatal", strings.TrimPrefix(first, "Fatal: ")
	}
	s.text = verb(word) + oneLine(strings.TrimPrefix(first, "Warning: "))
	return s
}

func (w Words) summary(m message) (said, bool) {
	sum, s := fleet.Summary{}, said{level: Info, good: true}
	switch {
	case m.FilesNew != nil:
		sum.Backup = &fleet.BackupSummary{SnapshotID: fleet.SnapshotID(m.SnapshotID), FilesNew: *m.FilesNew, FilesChanged: m.FilesChanged,
			FilesUnmodified: m.FilesUnchanged, TotalFilesProcessed: m.FilesProcessed, TotalBytesProcessed: m.BytesProcessed,
			DataAdded: m.DataAdded, DataAddedPacked: m.DataStored, DurationMS: milliseconds(m.Duration)}
	case (m.FilesRestored != nil || m.FilesSkipped != nil) && m.TotalFiles != nil:
		sum.Restore = &fleet.RestoreSummary{TotalFiles: *m.TotalFiles, FilesRestored: value(m.FilesRestored), FilesSkipped: value(m.FilesSkipped),
			TotalBytes: m.TotalBytes, BytesRestored: m.BytesRestored, DurationMS: milliseconds(m.Elapsed)}
	case m.NumErrors != nil:
		sum.Check = &fleet.CheckSummary{Errors: *m.NumErrors, BrokenPacks: m.BrokenPacks}
		if *m.NumErrors > 0 {
			s.level, s.good = Error, false
		}
	default:
		return said{}, false
	}
	s.text = verb("summary") + plaintext.Line(w.Summary(sum))
	return s, true
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// milliseconds gives seconds as milliseconds, and 0 for what no run can take.
func milliseconds(seconds float64) int64 {
	if !(seconds > 0 && seconds < 1<<31) {
		return 0
	}
	return int64(seconds * 1000)
}
