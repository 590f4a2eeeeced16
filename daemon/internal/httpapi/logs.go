package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/fleet"
)

// Logs is what the API reads of the job logs (package joblog).
type Logs interface {
	// Read gives at most max lines after a sequence number, the not yet stored ones included.
	Read(ctx context.Context, job fleet.JobID, after int64, max int) ([]fleet.LogLine, error)
	// Durable gives the position up to which the log is on disk.
	Durable(ctx context.Context, job fleet.JobID) (fleet.LogPosition, error)
	// Tail is the live end of one job's log, for one reader.
	Tail(job fleet.JobID) *joblog.Tail
}

var _ Logs = (*joblog.Store)(nil)

// Forms of a downloaded log.
const (
	formText   = "text"
	formNDJSON = "ndjson"

	textType   = "text/plain; charset=utf-8"
	ndjsonType = "application/x-ndjson"
)

// logPage is how many lines of a log are in memory at a time.
const logPage = 512

type logInput struct {
	ByID
	Format   string `query:"format" enum:"text,ndjson" doc:"Goes before the Accept header; text when neither names a form."`
	AfterSeq int64  `query:"after_seq" minimum:"0" doc:"Begin after this line."`
}

func (s *Server) logRoutes(h huma.API) {
	register(s, h, operation{id: "getJobLog", method: http.MethodGet, path: "/jobs/{id}/log", summary: "A job's log as far as it is there",
		detail: "text/plain: the lines of restic's output and error as they are, notes of the agent and gaps as lines that begin with [backstay]; a line of restic that begins so, or with [restic], has [restic] before it. " +
			"application/x-ndjson: one LogLine with its seq a line, exact in every byte.",
		responses: content("200", "The log", "text/plain", ndjsonType)}, s.getLog)
}

func (s *Server) getLog(ctx context.Context, _ control.Actor, in *logInput) (*huma.StreamResponse, error) {
	job, err := s.cfg.Control.Job(ctx, fleet.JobID(in.ID))
	if err != nil {
		return nil, err
	}
	tail := s.cfg.Logs.Tail(job.ID)
	known := tail.Known()
	tail.Close()
	var first []fleet.LogLine
	if in.AfterSeq < known {
		first, err = s.cfg.Logs.Read(ctx, job.ID, in.AfterSeq, logPage) // before the answer begins: its error is one with a status
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		s.sendLog(w, r, job.ID, newLogWriter(logForm(in.Format, requestOf(ctx).accept), in.AfterSeq), first, known)
	}}, nil
}

// logForm chooses the form of a log.
func logForm(format, accept string) string {
	if format != "" {
		return format
	}
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case ndjsonType, "application/ndjson", "application/jsonl":
			return formNDJSON
		case "text/plain", "text/*", "*/*":
			return formText
		}
	}
	return formText
}

// sendLog writes page after page up to the line that was known when the request came: a log that grows faster than it is read
// would never end. An error in the middle can only be told by cutting the connection.
func (s *Server) sendLog(w http.ResponseWriter, r *http.Request, job fleet.JobID, out *logWriter, lines []fleet.LogLine, known int64) {
	w.Header().Set("Content-Type", out.contentType())
	for len(lines) > 0 {
		extendWrite(w)
		if err := out.write(w, lines); err != nil {
			return // the client went away or stopped reading
		}
		if out.seq >= known {
			break
		}
		var err error
		if lines, err = s.cfg.Logs.Read(r.Context(), job, out.seq, logPage); err != nil {
			if !errors.Is(err, context.Canceled) {
				s.logError(r.Context(), fmt.Errorf("read log of job %s: %w", job, err))
			}
			panic(http.ErrAbortHandler)
		}
	}
	if err := out.finish(w); err != nil {
		return
	}
}

// logWriter turns lines into one of the forms.
type logWriter struct {
	form string
	seq  int64           // of the last line written
	open fleet.LogStream // text: the stream whose line goes on (Cont), or ""
	buf  []byte
}

func newLogWriter(form string, after int64) *logWriter { return &logWriter{form: form, seq: after} }

func (lw *logWriter) contentType() string {
	if lw.form == formNDJSON {
		return ndjsonType
	}
	return textType
}

func (lw *logWriter) write(w io.Writer, lines []fleet.LogLine) error {
	lw.buf = lw.buf[:0]
	for _, l := range lines {
		lw.seq++
		if lw.form == formNDJSON {
			lw.buf = appendNumbered(lw.buf, lw.seq, l)
		} else {
			lw.buf = lw.appendText(lw.buf, l)
		}
		if len(lw.buf) >= 256<<10 {
			if _, err := w.Write(lw.buf); err != nil {
				return fmt.Errorf("write log: %w", err)
			}
			lw.buf = lw.buf[:0]
		}
	}
	if _, err := w.Write(lw.buf); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// finish ends a line that was left open.
func (lw *logWriter) finish(w io.Writer) error {
	if lw.open == "" {
		return nil
	}
	lw.open = ""
	if _, err := w.Write([]byte{'\n'}); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// appendNumbered is a LogLine's JSON with its sequence number as first member.
func appendNumbered(dst []byte, seq int64, l fleet.LogLine) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	at := len(dst)
	dst = l.AppendJSON(dst)
	dst[at] = ',' // instead of the brace that LogLine's own JSON begins with
	return append(dst, '\n')
}

// appendText is the line for a person. A line of restic that comes in pieces is put together again, unless the other stream
// speaks in between: then it is broken there.
func (lw *logWriter) appendText(dst []byte, l fleet.LogLine) []byte {
	if lw.open != "" && lw.open != l.Stream {
		dst = append(dst, '\n')
		lw.open = ""
	}
	switch l.Stream {
	case fleet.StreamNote:
		dst = append(dst, fleet.NotePrefix...)
		dst = append(dst, l.Text...)
	case fleet.StreamGap:
		dst = append(dst, gapText(l.Text)...)
	default:
		text := l.Text
		if lw.open == "" {
			text = fleet.ResticText(text)
		}
		dst = append(dst, text...)
	}
	if l.Cont && (l.Stream == fleet.StreamOut || l.Stream == fleet.StreamErr) {
		lw.open = l.Stream
		return dst
	}
	lw.open = ""
	return append(dst, '\n')
}

func gapText(text string) string {
	var g fleet.LogGap
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return fleet.NotePrefix + "gap: lines of restic are missing here"
	}
	return fmt.Sprintf(fleet.NotePrefix+"gap: lines %d to %d of restic (%d bytes) could not be kept", g.From, g.To, g.Bytes)
}
