package sqlite

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/backstay/backstay/shared/fleet"
)

// Marks of backups are stored as lines of "job state at bytes added": a host is read and written more often than anything else,
// and JSON would take ten times as long.

// markLines scans a column of such lines.
type markLines struct{ marks *[]fleet.BackupMark }

func (m markLines) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("scan marks: got %T", v)
	}
	*m.marks = []fleet.BackupMark{}
	if text == "" {
		return nil
	}
	*m.marks = make([]fleet.BackupMark, 0, fleet.MaxBackupMarks)
	for line := range strings.SplitSeq(text, "\n") {
		mark, err := parseMark(line)
		if err != nil {
			return err
		}
		*m.marks = append(*m.marks, mark)
	}
	return nil
}

// markLine scans a column of one such line or none.
type markLine struct{ mark **fleet.BackupMark }

func (m markLine) Scan(v any) error {
	var marks []fleet.BackupMark
	if err := (markLines{&marks}).Scan(v); err != nil {
		return err
	}
	*m.mark = nil
	if len(marks) > 0 {
		*m.mark = &marks[0]
	}
	return nil
}

func parseMark(line string) (fleet.BackupMark, error) {
	job, rest, _ := strings.Cut(line, " ")
	state, rest, _ := strings.Cut(rest, " ")
	m := fleet.BackupMark{JobID: fleet.JobID(job), State: fleet.JobState(state)}
	var at int64
	for _, n := range [...]*int64{&at, &m.Bytes, &m.Added} {
		var field string
		var err error
		field, rest, _ = strings.Cut(rest, " ")
		if *n, err = strconv.ParseInt(field, 10, 64); err != nil {
			return m, fmt.Errorf("scan mark %q: %w", line, err)
		}
	}
	m.At = fromMicros(at)
	return m, nil
}

func linesOf(marks ...fleet.BackupMark) string {
	b := make([]byte, 0, 96*len(marks))
	for i, m := range marks {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(append(append(append(b, m.JobID...), ' '), m.State...), ' ')
		b = append(strconv.AppendInt(b, micros(m.At), 10), ' ')
		b = append(strconv.AppendInt(b, m.Bytes, 10), ' ')
		b = strconv.AppendInt(b, m.Added, 10)
	}
	return string(b)
}

func lineOf(m *fleet.BackupMark) string {
	if m == nil {
		return ""
	}
	return linesOf(*m)
}
