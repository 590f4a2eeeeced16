package fleet

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"
)

// LogStream says where a log line comes from. One byte on disk, the word on the wire.
type LogStream string

// The streams of a job's log.
const (
	StreamOut  LogStream = "out"  // restic's standard output
	StreamErr  LogStream = "err"  // restic's standard error
	StreamNote LogStream = "note" // the agent's own words: a cancel, a kill, an unlock
	StreamGap  LogStream = "gap"  // JSON of LogGap: lines that restic wrote and that could not be kept
)

// MaxLineText bounds LogLine.Text in bytes. A longer line of restic is kept in several LogLines, all but the last with Cont.
const MaxLineText = 64 << 10

// LogLine is one line of a job's log, without its newline. Text holds the bytes that restic wrote, valid UTF-8 or not; on the
// wire it is "m" when valid UTF-8 and "b" (base64) otherwise.
type LogLine struct {
	Time   time.Time // when the line was read, host's clock, microseconds kept
	Stream LogStream
	Text   string
	Cont   bool // the same line of restic goes on in the next LogLine of this stream
}

// LogGap is the text of a StreamGap line: lines From to To of what restic wrote (counted from 1 over both streams) are not in
// the log; they held Bytes bytes.
type LogGap struct {
	From  int64 `json:"from"`
	To    int64 `json:"to"`
	Bytes int64 `json:"bytes"`
}

// LogPosition is the end of a log: its last sequence number (0: empty), and the length and CRC-32C of its text so far. See
// LogPosition.Add for what counts.
type LogPosition struct {
	LastSeq int64  `json:"last_seq"`
	Bytes   int64  `json:"bytes"`
	CRC32C  uint32 `json:"crc32c"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Add gives the position after line l: every line counts with its text and, unless it goes on (Cont), a newline.
func (p LogPosition) Add(l LogLine) LogPosition { return p.AddText([]byte(l.Text), l.Cont) }

// AddText is Add for a line whose text is at hand as bytes, of which it keeps nothing.
func (p LogPosition) AddText(text []byte, cont bool) LogPosition {
	p.LastSeq++
	p.Bytes += int64(len(text))
	p.CRC32C = crc32.Update(p.CRC32C, castagnoli, text)
	if !cont {
		p.Bytes++
		p.CRC32C = crc32.Update(p.CRC32C, castagnoli, newline)
	}
	return p
}

// AddBytes is Add for n lines that follow each other, of which raw is all that Add would count.
func (p LogPosition) AddBytes(n int64, raw []byte) LogPosition {
	p.LastSeq += n
	p.Bytes += int64(len(raw))
	p.CRC32C = crc32.Update(p.CRC32C, castagnoli, raw)
	return p
}

var newline = []byte{'\n'}

type wireLine struct {
	Time   time.Time `json:"t"`
	Stream LogStream `json:"s"`
	Text   *string   `json:"m,omitempty"`
	Bytes  *string   `json:"b,omitempty"`
	Cont   bool      `json:"c,omitempty"`
}

// UnmarshalJSON reads what MarshalJSON writes. Unknown fields are ignored.
func (l *LogLine) UnmarshalJSON(b []byte) error {
	var w wireLine
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("decode log line: %w", err)
	}
	*l = LogLine{Time: w.Time.UTC(), Stream: w.Stream, Cont: w.Cont}
	switch {
	case w.Text != nil && w.Bytes == nil:
		l.Text = *w.Text
	case w.Bytes != nil && w.Text == nil:
		raw, err := base64.StdEncoding.DecodeString(*w.Bytes)
		if err != nil {
			return fmt.Errorf("decode log line bytes: %w", err)
		}
		l.Text = string(raw)
	default:
		return fmt.Errorf("decode log line: exactly one of m and b must be there")
	}
	if len(l.Text) > MaxLineText {
		return fmt.Errorf("decode log line: %d bytes, the limit is %d", len(l.Text), MaxLineText)
	}
	switch l.Stream {
	case StreamOut, StreamErr, StreamNote, StreamGap:
		return nil
	}
	return fmt.Errorf("decode log line: unknown stream %q", l.Stream)
}
