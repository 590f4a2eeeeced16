package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"

	"github.com/backstay/backstay/shared/fleet"
)

// markEvery is how many lines lie between two entries of a reader's index: a jump backwards decodes at most so many in vain.
const markEvery = 512

// readSize is how much a reader takes from the file at once; any record fits.
const readSize = 128 << 10

// place is a point between two records: the line before it and its offset.
type place struct {
	seq, off int64
}

// Reader reads a spool, also while another process writes it. It belongs to one goroutine.
type Reader struct {
	path  string
	f     *os.File // nil until the file exists
	buf   []byte
	at    place   // where the last read ended
	far   place   // the farthest place known, where the index ends
	marks []place // every markEvery lines, ascending

	end      fleet.LogPosition // position at endPlace, for Position
	endPlace place
	lines    []fleet.LogLine
	ends     []int // where the records of the present part end
}

// ErrNotSpool says that a file is something else.
var ErrNotSpool = errors.New("not a spool")

// Open makes a reader of the spool at path. The file need not exist yet: the log is empty then.
func Open(path string) (*Reader, error) {
	start := place{off: int64(len(magic))}
	r := &Reader{path: path, at: start, far: start, endPlace: start, marks: []place{start}}
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Reader) open() error {
	if r.f != nil {
		return nil
	}
	f, err := os.Open(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open spool: %w", err)
	}
	head := make([]byte, len(magic))
	n, err := f.ReadAt(head, 0)
	switch {
	case n == len(head) && string(head) == magic:
		r.f = f
		return nil
	case err != nil && !errors.Is(err, io.EOF):
		return errors.Join(fmt.Errorf("read spool: %w", err), f.Close())
	}
	if begins(head[:n]) {
		return f.Close()
	}
	return errors.Join(fmt.Errorf("%s: %w", r.path, ErrNotSpool), f.Close())
}

// Close ends reading.
func (r *Reader) Close() error {
	if r.f == nil {
		return nil
	}
	f := r.f
	r.f = nil
	return f.Close()
}

// ReadFrom gives the lines after number after, in order: as many as are there and hold at most maxBytes of text together, but one
// at least when there is one. At the tail it costs one read. The slice is valid until the next call, the lines themselves for
// ever. No line and no error means that the log ends there so far.
func (r *Reader) ReadFrom(after int64, maxBytes int) ([]fleet.LogLine, error) {
	if err := r.open(); err != nil || r.f == nil {
		return nil, err
	}
	if err := r.seek(after); err != nil {
		return nil, err
	}
	r.lines = r.lines[:0]
	if r.at.seq != after {
		return nil, nil // the log ends before
	}
	for room, more := maxBytes, true; more; {
		b, err := r.fill(r.at.off)
		if err != nil {
			return nil, err
		}
		room, more = r.take(b, room)
		more = more && len(b) == readSize // less means that the file ends there
	}
	return r.lines, nil
}

// take appends the whole records at the beginning of b to r.lines as long as their texts, with a byte each so that empty lines
// count too, fit into room (the first always does), and moves r.at behind them. more is false when the batch or the log ends here.
func (r *Reader) take(b []byte, room int) (left int, more bool) {
	from, size := len(r.lines), 0
	next := r.at
	for {
		rec, n := nextRecord(b[size:], next.seq+1)
		if n == 0 {
			more = size > 0
			break
		}
		if room -= len(rec.text) + 1; room < 0 && len(r.lines) > 0 {
			more = false
			break
		}
		size += n
		next = r.step(next, n)
		r.lines = append(r.lines, rec.line(""))
		r.ends = append(r.ends, size)
	}
	// One allocation for all texts: they are cut out of one string.
	text, at := string(b[:size]), 0
	for i, end := range r.ends {
		r.lines[from+i].Text = text[at+frameSize+bodyHeader : end]
		at = end
	}
	r.ends = r.ends[:0]
	r.at = next
	return room, more && room > 0
}

// step is the place n bytes behind p, entered into the index where it is new.
func (r *Reader) step(p place, n int) place {
	p = place{seq: p.seq + 1, off: p.off + int64(n)}
	if p.seq > r.far.seq {
		r.far = p
		if p.seq%markEvery == 0 {
			r.marks = append(r.marks, p)
		}
	}
	return p
}

// fill reads a part of the file at off into the reader's buffer.
func (r *Reader) fill(off int64) ([]byte, error) {
	if r.buf == nil {
		r.buf = make([]byte, readSize)
	}
	n, err := r.f.ReadAt(r.buf, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read spool: %w", err)
	}
	return r.buf[:n], nil
}

// seek moves r.at behind line seq, or to the end of the log when it is shorter.
func (r *Reader) seek(seq int64) error {
	if seq == r.at.seq {
		return nil
	}
	if seq < 0 {
		return fmt.Errorf("read spool after line %d: no such line", seq)
	}
	i := sort.Search(len(r.marks), func(i int) bool { return r.marks[i].seq > seq }) - 1
	if from := r.marks[i]; r.at.seq > seq || r.at.seq < from.seq {
		r.at = from
	}
	return r.scan(&r.at, seq, nil)
}

// scan moves p forward over whole records until line seq or the end of the log so far; each is told every record.
func (r *Reader) scan(p *place, seq int64, each func(record)) error {
	for p.seq < seq {
		b, err := r.fill(p.off)
		if err != nil {
			return err
		}
		size := 0
		for p.seq < seq {
			rec, n := nextRecord(b[size:], p.seq+1)
			if n == 0 {
				break
			}
			if each != nil {
				each(rec)
			}
			size += n
			*p = r.step(*p, n)
		}
		if size == 0 {
			return nil
		}
	}
	return nil
}

const endOfLog = int64(1) << 62

// Position gives the end of the log so far. It remembers how far it looked, so asking again costs only what is new.
func (r *Reader) Position() (fleet.LogPosition, error) {
	if err := r.open(); err != nil || r.f == nil {
		return fleet.LogPosition{}, err
	}
	err := r.scan(&r.endPlace, endOfLog, func(rec record) { r.end = r.end.AddText(rec.text, rec.cont) })
	return r.end, err
}
