package logline

import "time"

// Level says how much a line matters.
type Level uint8

// The levels, from what is there for completeness only to what a person must see.
const (
	Debug Level = 0 // unchanged files, stacks
	Info  Level = 1
	Warn  Level = 2
	Error Level = 3
)

// Source says who wrote a line.
type Source string

// Who writes lines.
const (
	Restic Source = "restic"
	Agent  Source = "agent"
)

// Line is one line as it is shown.
type Line struct {
	Seq    int64 // its number in the log, from 1; they grow from line to line and may skip
	Time   time.Time
	Level  Level
	Good   bool // it tells of a success
	Source Source
	Text   string // safe to show
}

// Words are the sentences that a person's language decides. All are needed; none may be slow, they run for every line.
type Words struct {
	Bytes   func(n int64) string
	Scanned func(files, bytes int64) string
	// Summary tells restic's final figures; the member of the job's kind is set, Init and Snapshots too.
	Summary func(Summary) string
	Gap     func(GapInfo) string
	Cut     func(bytes int64) string // so much more of a line is only in the saved log
}
