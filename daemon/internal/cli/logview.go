package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// maxJoined bounds a line of restic that came in pieces, in bytes; a longer one is shown in parts.
const maxJoined = 1 << 20

// logView turns lines of a log into lines for a person. restic's JSON becomes words unless raw; whatever is not known shows as it
// is, escaped.
type logView struct {
	raw  bool
	open map[fleet.LogStream]string // pieces of lines that go on
}

func newLogView(raw bool) *logView { return &logView{raw: raw, open: map[fleet.LogStream]string{}} }

// line gives what l completes, and false while a line goes on.
func (v *logView) line(l fleet.LogLine) (string, bool) {
	text := v.open[l.Stream] + l.Text
	delete(v.open, l.Stream)
	if l.Cont && len(text) < maxJoined {
		v.open[l.Stream] = text
		return "", false
	}
	return v.whole(l.Stream, text), true
}

// whole is a line for a person, which tells ours from restic's.
func (v *logView) whole(s fleet.LogStream, text string) string {
	switch s {
	case fleet.StreamNote:
		return fleet.NotePrefix + plaintext.Line(text)
	case fleet.StreamGap:
		return gapLine(text)
	}
	shown := ""
	if !v.raw && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) {
		shown, _ = resticWords(text)
	}
	if shown == "" {
		shown = plaintext.Line(text)
	}
	return fleet.ResticText(shown)
}

// rest gives pieces of lines that never ended: the log was cut there.
func (v *logView) rest() []string {
	var all []string
	for _, s := range []fleet.LogStream{fleet.StreamOut, fleet.StreamErr, fleet.StreamNote, fleet.StreamGap} {
		if text, ok := v.open[s]; ok {
			all = append(all, v.whole(s, text))
		}
	}
	clear(v.open)
	return all
}

func gapLine(text string) string {
	var g fleet.LogGap
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return fleet.NotePrefix + "lines of restic are missing here"
	}
	return fmt.Sprintf(fleet.NotePrefix+"lines %s to %s of restic (%s) could not be kept", count(g.From), count(g.To), size(g.Bytes))
}

// resticMessage is what of restic's JSON lines is shown, over all kinds of messages.
type resticMessage struct {
	Type       string  `json:"message_type"`
	Action     string  `json:"action"`
	Item       string  `json:"item"`
	DataSize   int64   `json:"data_size"` // backup: bytes that were new
	Size       int64   `json:"size"`      // restore
	TotalFiles *int64  `json:"total_files"`
	Message    string  `json:"message"`
	During     string  `json:"during"`
	Code       int     `json:"code"`
	ID         string  `json:"id"`
	NumErrors  *int64  `json:"num_errors"`
	Snapshot   *string `json:"snapshot_id"`
	Error      struct {
		Message string `json:"message"`
	} `json:"error"`

	FilesNew       *int64   `json:"files_new"`
	FilesChanged   int64    `json:"files_changed"`
	FilesUnchanged int64    `json:"files_unmodified"`
	BytesProcessed int64    `json:"total_bytes_processed"`
	DataAdded      int64    `json:"data_added"`
	DataStored     int64    `json:"data_added_packed"`
	Duration       float64  `json:"total_duration"`
	FilesRestored  *int64   `json:"files_restored"`
	TotalBytes     int64    `json:"total_bytes"`
	BytesRestored  int64    `json:"bytes_restored"`
	BrokenPacks    []string `json:"broken_packs"`
}

// resticWords says in words what a JSON line of restic says, and false when it is not one that is known.
func resticWords(text string) (string, bool) {
	if text[0] == '[' {
		var snapshots []struct {
			ID string `json:"short_id"`
		}
		if err := json.Unmarshal([]byte(text), &snapshots); err != nil || len(snapshots) > 0 && snapshots[0].ID == "" {
			return "", false
		}
		return verb("listed") + items(int64(len(snapshots)), "snapshot", "snapshots"), true
	}
	var m resticMessage
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return "", false
	}
	switch m.Type {
	case "verbose_status":
		return m.verboseStatus()
	case "summary":
		return m.summary()
	case "error":
		return m.errorWords(), true
	case "exit_error":
		first, _, _ := strings.Cut(m.Message, "\n") // below it may be a stack
		word := "ended"
		for strings.HasPrefix(first, "Fatal: ") { // restic says it twice at times
			word, first = "fatal", strings.TrimPrefix(first, "Fatal: ")
		}
		return verb(word) + oneLine(first), true
	case "initialized":
		return verb("created") + "repository " + short(fleet.SnapshotID(m.ID)), true // restic's URL may hold credentials
	}
	return "", false
}

// verb is the first column of a line in words.
func verb(s string) string { return fmt.Sprintf("%-10s ", plaintext.Field(s)) }

// oneLine escapes a message that may have line breaks of its own.
func oneLine(s string) string {
	return plaintext.Line(strings.ReplaceAll(strings.TrimSpace(s), "\n", " "))
}

func (m resticMessage) verboseStatus() (string, bool) {
	switch {
	case m.Action == "scan_finished" && m.TotalFiles != nil:
		return verb("scanned") + items(*m.TotalFiles, "file", "files") + ", " + size(m.DataSize), true
	case m.Action == "" || m.Item == "":
		return "", false
	}
	text := verb(m.Action) + plaintext.Line(m.Item)
	if n := max(m.DataSize, m.Size); n > 0 {
		text += "  " + size(n)
	}
	return text, true
}

func (m resticMessage) errorWords() string {
	text := m.Error.Message
	if text == "" {
		text = m.Message
	}
	if m.Item != "" && !strings.Contains(text, m.Item) { // restic's message often names it already
		text = m.Item + ": " + text
	}
	return verb("error") + oneLine(text)
}

func (m resticMessage) summary() (string, bool) {
	switch {
	case m.FilesNew != nil:
		b := fleet.BackupSummary{FilesNew: *m.FilesNew, FilesChanged: m.FilesChanged, FilesUnmodified: m.FilesUnchanged,
			TotalBytesProcessed: m.BytesProcessed, DataAdded: m.DataAdded, DataAddedPacked: m.DataStored}
		if m.Snapshot != nil {
			b.SnapshotID = fleet.SnapshotID(*m.Snapshot)
		}
		return verb("summary") + backupFigures(b) + "; " + span(time.Duration(m.Duration*float64(time.Second))), true
	case m.FilesRestored != nil && m.TotalFiles != nil:
		return verb("summary") + fmt.Sprintf("%s restored, %s of %s", restoredItems(*m.FilesRestored, *m.TotalFiles), size(m.BytesRestored), size(m.TotalBytes)), true
	case m.NumErrors != nil && *m.NumErrors > 0:
		return verb("summary") + items(*m.NumErrors, "error was", "errors were") + " found" + packs(m.BrokenPacks), true
	case m.NumErrors != nil:
		return verb("summary") + "no errors were found", true
	}
	return "", false
}
