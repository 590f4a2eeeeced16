package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Options of a Writer; the zero value is for real use.
type Options struct {
	SyncEvery  time.Duration                   // 1 s when 0
	RetryEvery time.Duration                   // how often writing is tried again on a full disk; 200 ms when 0
	Open       func(path string) (File, error) // the disk when nil; must create the file when it is missing
}

const (
	defaultSyncEvery  = time.Second
	defaultRetryEvery = 200 * time.Millisecond
)

// Writer writes a spool. It belongs to one goroutine. Lines go to the file with Flush; the file is synced about once a second.
type Writer struct {
	f      File
	syncer *syncer
	retry  time.Duration
	batch  []byte
	kept   mark // the end of what is in the file
	end    mark // kept and batch
	lost   outage
}

// mark is a point between two records.
type mark struct {
	pos     fleet.LogPosition
	off     int64
	number  int64 // lines of restic before it, lost ones too
	openOut bool  // the last line of the stream goes on
	openErr bool
}

// after is the mark behind record r of size bytes.
func (m mark) after(r record, size int) mark {
	m.pos = m.pos.AddText(r.text, r.cont)
	m.off += int64(size)
	switch r.stream {
	case fleet.StreamOut:
		m.openOut = r.cont
	case fleet.StreamErr:
		m.openErr = r.cont
	}
	if resticStream(r.stream) && !r.cont {
		m.number++
	}
	return m
}

func resticStream(s fleet.LogStream) bool { return s == fleet.StreamOut || s == fleet.StreamErr }

// push appends line l to batch and gives both with the mark behind it.
func (m mark) push(batch []byte, l fleet.LogLine) ([]byte, mark) {
	before := len(batch)
	batch = appendRecord(batch, m.pos.LastSeq+1, l)
	r := record{stream: l.Stream, cont: l.Cont, text: batch[before+frameSize+bodyHeader:]}
	return batch, m.after(r, len(batch)-before)
}

// OpenWriter goes on with the spool at path behind its last whole line, cutting off a torn tail, or begins a new one. No other
// process may be writing it.
func OpenWriter(path string, o Options) (*Writer, error) {
	if o.Open == nil {
		o.Open = openFile
	}
	if o.SyncEvery == 0 {
		o.SyncEvery = defaultSyncEvery
	}
	if o.RetryEvery == 0 {
		o.RetryEvery = defaultRetryEvery
	}
	f, err := o.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	w := &Writer{f: f, retry: o.RetryEvery, kept: mark{off: int64(len(magic))}}
	if err := w.resume(path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.syncer = startSyncer(f, o.SyncEvery)
	return w, nil
}

// resume finds the end of the log in the file, or writes the head of a new one.
func (w *Writer) resume(path string) error {
	head := make([]byte, len(magic))
	n, err := w.f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read spool: %w", err)
	}
	if begins(head[:n]) {
		if _, err := w.f.WriteAt([]byte(magic), 0); err != nil {
			return fmt.Errorf("begin spool: %w", err)
		}
	} else if string(head) != magic {
		return fmt.Errorf("%s: %w", path, ErrNotSpool)
	}
	buf := make([]byte, readSize)
	for more := true; more; {
		n, err := w.f.ReadAt(buf, w.kept.off)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read spool: %w", err)
		}
		from := w.kept.off
		w.kept = w.kept.over(buf[:n])
		more = w.kept.off > from
	}
	w.end = w.kept
	if err := w.f.Truncate(w.kept.off); err != nil {
		return fmt.Errorf("cut torn tail of spool: %w", err)
	}
	return nil
}

// over is the mark behind the whole records at the beginning of b.
func (m mark) over(b []byte) mark {
	for {
		rec, n := nextRecord(b, m.pos.LastSeq+1)
		if n == 0 {
			return m
		}
		b = b[n:]
		m = m.after(rec, n)
		var gap fleet.LogGap
		if rec.stream == fleet.StreamGap && json.Unmarshal(rec.text, &gap) == nil {
			m.number = max(m.number, gap.To)
		}
	}
}

// Add appends l, at most fleet.MaxLineText long, to the batch that Flush writes. It never fails: what cannot be kept later is
// counted.
func (w *Writer) Add(l fleet.LogLine) {
	if w.lost.err != nil {
		w.lose(l)
		return
	}
	w.batch, w.end = w.end.push(w.batch, l)
}

// Buffered is the size of the batch in bytes.
func (w *Writer) Buffered() int { return len(w.batch) }

// Flush writes the batch with one write call. now is the time of day for lines that the writer itself adds. When the disk is full
// it counts the lines as lost and tries again with a later Flush.
func (w *Writer) Flush(now time.Time) {
	if w.lost.err != nil {
		if now.Sub(w.lost.tried) >= w.retry || now.Before(w.lost.tried) {
			w.recover(now)
		}
		return
	}
	if len(w.batch) == 0 {
		return
	}
	if _, err := w.f.WriteAt(w.batch, w.kept.off); err != nil {
		w.fail(err, now)
		return
	}
	w.kept = w.end
	w.batch = w.batch[:0]
	w.syncer.written()
}

// Position is the end of what is in the file.
func (w *Writer) Position() fleet.LogPosition { return w.kept.pos }

// Err tells why the last lines could not be kept; nil while writing works.
func (w *Writer) Err() error { return w.lost.err }

// Lost gives what could not be kept and is not yet said in a gap line.
func (w *Writer) Lost() fleet.LogGap { return w.lost.gap }

// Close flushes and syncs. The error tells what may not be on disk; Lost then says which lines are neither kept nor counted in
// the log. When the disk is still full, spare is called once to make room for the last gap line (remove a file kept for this); it
// may be nil.
func (w *Writer) Close(now time.Time, spare func() error) error {
	w.Flush(now)
	var spareErr error
	if w.lost.err != nil && spare != nil {
		spareErr = spare()
	}
	if w.lost.err != nil {
		w.recover(now)
	}
	return errors.Join(w.lost.err, spareErr, w.syncer.stop(), w.f.Sync(), w.f.Close())
}
