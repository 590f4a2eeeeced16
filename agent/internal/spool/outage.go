package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// reached gives how much of the beginning of b is in the file at the end of what is kept. A failed WriteAt does not tell: it
// counts only its whole system calls, and readers see what the others wrote before they failed.
func (w *Writer) reached(b []byte) int {
	found := make([]byte, len(b))
	n, err := w.f.ReadAt(found, w.kept.off)
	if err != nil && !errors.Is(err, io.EOF) {
		n = 0 // unreadable here, unreadable for everyone
	}
	for i := range n {
		if found[i] != b[i] {
			return i
		}
	}
	return n
}

// fail begins an outage. The records of the batch that are whole in the file are kept, because a reader may have them; all after
// them are lost.
func (w *Writer) fail(err error, now time.Time) {
	w.lost = outage{err: fmt.Errorf("write spool: %w", err), tried: now}
	from := w.kept
	w.kept = from.over(w.batch[:w.reached(w.batch)])
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
	// A part of a record may stand there; a shorter one over it must not leave a valid one behind.
	if err := w.f.Truncate(w.kept.off); err != nil {
		w.lost.err = fmt.Errorf("write spool: %w", err)
		return
	}
	if w.kept.openOut && w.lost.lostOut && !w.put(fleet.LogLine{Time: now, Stream: fleet.StreamOut}) {
		return
	}
	if w.kept.openErr && w.lost.lostErr && !w.put(fleet.LogLine{Time: now, Stream: fleet.StreamErr}) {
		return
	}
	if w.lost.gap.To > 0 && !w.putGap(now) {
		return
	}
	for len(w.lost.notes) > 0 {
		if !w.put(w.lost.notes[0]) {
			return
		}
		w.lost.notes = w.lost.notes[1:]
	}
	if w.lost.notesLost > 0 && !w.put(fleet.LogLine{Time: now, Stream: fleet.StreamNote,
		Text: fmt.Sprintf("%d more notes could not be kept: the disk was full.", w.lost.notesLost)}) {
		return
	}
	w.kept.number = w.end.number // the lost lines count; what ended a line early does not
	w.end, w.lost = w.kept, outage{}
}

// putGap writes the gap line and begins to count anew.
func (w *Writer) putGap(now time.Time) bool {
	text, err := json.Marshal(w.lost.gap)
	if err != nil {
		panic(err) // three integers
	}
	if !w.put(fleet.LogLine{Time: now, Stream: fleet.StreamGap, Text: string(text)}) {
		return false
	}
	w.kept.number = w.lost.gap.To
	w.lost.gap, w.lost.lostOut, w.lost.lostErr = fleet.LogGap{}, false, false
	return true
}

// put writes one record at the end of what is kept. Alone, it is in the file whole or not at all as far as any reader can see.
func (w *Writer) put(l fleet.LogLine) bool {
	record, after := w.kept.push(nil, l)
	if _, err := w.f.WriteAt(record, w.kept.off); err != nil && w.reached(record) < len(record) {
		w.lost.err = fmt.Errorf("write spool: %w", err)
		return false
	}
	w.kept = after
	w.syncer.written()
	return true
}
