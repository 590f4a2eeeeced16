package spool

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// maxHeldNotes bounds the notes kept in memory while the disk is full: the agent writes a few a job. More are counted, and said
// in one further note.
const maxHeldNotes = 64

// outage is the time of a full disk (or any other failing write): what could not be kept.
type outage struct {
	err       error // nil: writing works
	tried     time.Time
	gap       fleet.LogGap
	lostOut   bool // something of this stream was lost
	lostErr   bool
	notes     []fleet.LogLine
	notesLost int
}

// fail begins an outage: the first n bytes of the batch reached the file. The records that are whole in them are kept, all after
// them are lost.
func (w *Writer) fail(n int, err error, now time.Time) {
	w.lost = outage{err: fmt.Errorf("write spool: %w", err), tried: now}
	from := w.kept
	w.kept = from.over(w.batch[:max(0, min(n, len(w.batch)))])
	rest := w.batch[w.kept.off-from.off:]
	w.end = w.kept
	for seq := w.kept.pos.LastSeq + 1; len(rest) > 0; seq++ {
		rec, size := nextRecord(rest, seq)
		rest = rest[size:]
		w.lose(rec.line(string(rec.text)))
	}
	w.batch = w.batch[:0]
}

// lose counts a line that cannot be kept; a note is held for later.
func (w *Writer) lose(l fleet.LogLine) {
	if !resticStream(l.Stream) {
		if len(w.lost.notes) < maxHeldNotes {
			w.lost.notes = append(w.lost.notes, l)
		} else {
			w.lost.notesLost++
		}
		return
	}
	gap := &w.lost.gap
	number := w.end.number + 1
	gap.Bytes += int64(len(l.Text))
	if !l.Cont {
		gap.Bytes++
		w.end.number++
	}
	if gap.From == 0 {
		gap.From = number
	}
	gap.To = number
	w.lost.lostOut = w.lost.lostOut || l.Stream == fleet.StreamOut
	w.lost.lostErr = w.lost.lostErr || l.Stream == fleet.StreamErr
}

// recover tries to end the outage: it writes what was lost as a gap line, then the held notes. A line whose rest was lost is ended
// first, so that no later line is taken for its continuation.
func (w *Writer) recover(now time.Time) {
	w.lost.tried = now
	// A part of an earlier attempt may stand there; a shorter one over it must not leave a valid record behind.
	if err := w.f.Truncate(w.kept.off); err != nil {
		w.lost.err = fmt.Errorf("write spool: %w", err)
		return
	}
	var lines []fleet.LogLine
	if w.kept.openOut && w.lost.lostOut {
		lines = append(lines, fleet.LogLine{Time: now, Stream: fleet.StreamOut})
	}
	if w.kept.openErr && w.lost.lostErr {
		lines = append(lines, fleet.LogLine{Time: now, Stream: fleet.StreamErr})
	}
	if w.lost.gap.To > 0 {
		text, err := json.Marshal(w.lost.gap)
		if err != nil {
			panic(err) // three integers
		}
		lines = append(lines, fleet.LogLine{Time: now, Stream: fleet.StreamGap, Text: string(text)})
	}
	lines = append(lines, w.lost.notes...)
	if w.lost.notesLost > 0 {
		lines = append(lines, fleet.LogLine{Time: now, Stream: fleet.StreamNote,
			Text: fmt.Sprintf("%d more notes could not be kept: the disk was full.", w.lost.notesLost)})
	}
	end := w.kept
	batch := w.batch[:0]
	for _, l := range lines {
		batch, end = end.push(batch, l)
	}
	w.batch = batch[:0]
	if _, err := w.f.WriteAt(batch, w.kept.off); err != nil {
		w.lost.err = fmt.Errorf("write spool: %w", err)
		return
	}
	end.number = w.end.number // the lost lines count; what ended a line early does not
	w.kept, w.end, w.lost = end, end, outage{}
	w.syncer.dirty.Store(true)
}
