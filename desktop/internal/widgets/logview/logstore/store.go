package logstore

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/shared/plaintext"
)

// ID names a held line. See the package's comment.
type ID int64

func (id ID) block() int64 { return int64(id >> 10) }
func (id ID) index() int   { return int(id & (blockLines - 1)) }

// Limits bound a Store.
type Limits struct {
	Lines int   // at least 1000
	Bytes int64 // of text, in chunks of 1 MiB
}

// DefaultLimits hold the whole log of nearly every job.
var DefaultLimits = Limits{Lines: 1_000_000, Bytes: 288 << 20}

// Store holds lines. It belongs to one goroutine.
type Store struct {
	limits  Limits
	blocks  []*block // of consecutive numbers, the first is base
	base    int64
	lo, end ID // held lines are lo … end-1

	chunks  []chunk // by slot; data is nil where none is
	spare   []int   // slots without data
	used    int64   // bytes of the chunks
	writing [2]int  // slots that older and newer lines are written to, -1 when none
	sources []logline.Source
	scratch []byte

	origin int64 // sequence number that refs count from
	cut    bool  // the newest lines are not held
	missed int64 // the highest number that came while cut

	wrap  uint32
	least logline.Level
}

// New makes an empty Store.
func New(l Limits) *Store {
	l.Lines, l.Bytes = max(l.Lines, 1000), min(max(l.Bytes, 8*chunkSize), (1<<(32-chunkBits)-2)*chunkSize)
	return &Store{limits: l, writing: [2]int{-1, -1}}
}

// Reset drops all lines. Wrap and level stay.
func (s *Store) Reset() {
	*s = Store{limits: s.limits, writing: [2]int{-1, -1}, wrap: s.wrap, least: s.least, scratch: s.scratch}
}

// Len is the number of lines held.
func (s *Store) Len() int { return int(s.end - s.lo) }

// First and End bound the IDs of the lines held: First … End-1.
func (s *Store) First() ID { return s.lo }

// End is the ID that the next newer line will have.
func (s *Store) End() ID { return s.end }

// FirstSeq and LastSeq are the numbers of the oldest and newest line held, 0 when there is none.
func (s *Store) FirstSeq() int64 {
	if s.Len() == 0 {
		return 0
	}
	return s.origin + int64(s.ref(s.lo).seq)
}

// LastSeq is the number of the newest line held, 0 when there is none.
func (s *Store) LastSeq() int64 {
	if s.Len() == 0 {
		return 0
	}
	return s.origin + int64(s.ref(s.end-1).seq)
}

// Cut tells whether newer lines were dropped to hold older ones. Append then adds nothing; Continue catches up.
func (s *Store) Cut() bool { return s.cut }

// Append adds the log's newest lines, in order, and gives how many it added. Those whose number is not above LastSeq are known.
func (s *Store) Append(lines []logline.Line) int {
	if s.cut {
		if len(lines) > 0 {
			s.missed = max(s.missed, lines[len(lines)-1].Seq)
		}
		return 0
	}
	return s.add(lines)
}

// Continue adds lines that follow on LastSeq while the store is cut; last says that they end with the log's newest.
func (s *Store) Continue(lines []logline.Line, last bool) int {
	if !s.cut {
		return 0
	}
	n := s.add(lines)
	if last && s.LastSeq() >= s.missed {
		s.cut = false
	}
	return n
}

func (s *Store) add(lines []logline.Line) int {
	n := 0
	for i := range lines {
		l := &lines[i]
		if s.Len() == 0 {
			s.origin, s.base = l.Seq, s.end.block()
		} else if l.Seq <= s.LastSeq() || !s.near(l.Seq) {
			continue
		}
		id := s.end
		if id.block() >= s.base+int64(len(s.blocks)) {
			s.blocks = append(s.blocks, &block{lo: id.index(), hi: id.index()})
		}
		b := s.own(len(s.blocks) - 1)
		b.refs[id.index()] = s.put(l, 1)
		b.hi++
		b.count(id.index(), s.wrap)
		s.end++
		n++
		for s.over() {
			s.dropFirst()
		}
	}
	return n
}

// Prepend adds lines before the oldest, themselves in order, and gives how many it added. Where that goes beyond the limits the
// newest lines are dropped, see Cut.
func (s *Store) Prepend(lines []logline.Line) int {
	if s.Len() == 0 {
		return s.Append(lines)
	}
	n := 0
	for i := len(lines) - 1; i >= 0; i-- {
		l := &lines[i]
		if l.Seq >= s.FirstSeq() || !s.near(l.Seq) {
			continue
		}
		id := s.lo - 1
		if id.block() < s.base {
			s.blocks = slices.Insert(s.blocks, 0, &block{lo: blockLines, hi: blockLines})
			s.base--
		}
		b := s.own(0)
		b.refs[id.index()] = s.put(l, 0)
		b.lo--
		b.count(id.index(), s.wrap)
		s.lo--
		n++
		for s.over() {
			s.dropLast()
		}
	}
	return n
}

// own gives block i to write a line to. Where lines were dropped a Snapshot may still read them, so that the block is copied.
func (s *Store) own(i int) *block {
	b := s.blocks[i]
	if b.dropped {
		c := *b
		c.dropped = false
		s.blocks[i], b = &c, &c
	}
	return b
}

// near tells whether a number can be kept in 32 bits beside the others.
func (s *Store) near(seq int64) bool {
	d := seq - s.origin
	return d > math.MinInt32 && d < math.MaxInt32
}

func (s *Store) over() bool {
	return s.Len() > s.limits.Lines || s.used > s.limits.Bytes && s.Len() > 1
}

// Room is how many lines can be added before others are dropped, as far as their number goes; 0 also when the bytes are used up.
func (s *Store) Room() int {
	if s.used >= s.limits.Bytes {
		return 0
	}
	return max(s.limits.Lines-s.Len(), 0)
}

func (s *Store) dropFirst() {
	b := s.blocks[0]
	s.release(b, b.lo)
	b.lo++
	s.lo++
	if b.lo == b.hi {
		s.blocks[0] = nil
		s.blocks = s.blocks[1:]
		s.base++
	} else if b.lo%groupLines == 0 {
		b.ungroup(b.lo/groupLines - 1)
	}
}

func (s *Store) dropLast() {
	last := len(s.blocks) - 1
	b := s.blocks[last]
	s.missed = max(s.missed, s.LastSeq())
	s.release(b, b.hi-1)
	b.hi--
	s.end--
	if b.lo == b.hi {
		s.blocks[last] = nil
		s.blocks = s.blocks[:last]
	} else if b.hi%groupLines == 0 {
		b.ungroup(b.hi / groupLines)
	}
	s.cut = true
}

// release takes the line at index i of b out of the sums, and gives back its chunk when no other line needs it.
func (s *Store) release(b *block, i int) {
	r := &b.refs[i]
	b.dropped = true
	b.lines[r.level()]--
	b.rows[r.level()] -= r.rows(s.wrap)
	slot := r.chunk()
	if s.chunks[slot].lines--; s.chunks[slot].lines > 0 {
		return
	}
	s.chunks[slot] = chunk{}
	s.spare = append(s.spare, slot)
	s.used -= chunkSize
	for side := range s.writing {
		if s.writing[side] == slot {
			s.writing[side] = -1
		}
	}
}

// put writes a line to the chunk of its side (0 older, 1 newer).
func (s *Store) put(l *logline.Line, side int) ref {
	s.scratch = plaintext.AppendLine(s.scratch[:0], l.Text)
	text := s.scratch
	if len(text) > maxText {
		text = text[:maxText]
		for !utf8.RuneStart(s.scratch[len(text)]) {
			text = text[:len(text)-1]
		}
	}
	slot := s.writing[side]
	if slot < 0 || s.chunks[slot].used+stampSize+len(text) > chunkSize {
		slot = s.newChunk()
		s.writing[side] = slot
	}
	c := &s.chunks[slot]
	ms := uint64(l.Time.UnixMilli())
	for i := range stampSize {
		c.data[c.used+i] = byte(ms >> (8 * i))
	}
	copy(c.data[c.used+stampSize:], text)
	cols, ascii := measure(text)
	r := ref{pos: uint32(slot<<chunkBits | c.used), size: uint32(len(text)), seq: int32(l.Seq - s.origin), cols: uint32(cols)}
	r.size |= uint32(min(l.Level, logline.Error))<<levelShift | uint32(s.source(l.Source))<<sourceShift
	if l.Good {
		r.size |= goodFlag
	}
	if ascii {
		r.size |= asciiFlag
	}
	c.used += stampSize + len(text)
	c.lines++
	return r
}

func (s *Store) newChunk() int {
	slot := len(s.chunks)
	if n := len(s.spare); n > 0 {
		slot, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		s.chunks = append(s.chunks, chunk{})
	}
	s.chunks[slot] = chunk{data: new([chunkSize]byte)}
	s.used += chunkSize
	return slot
}

// source gives the number of a source; there are two, and a sixteenth would be shown as the first.
func (s *Store) source(name logline.Source) int {
	i := slices.Index(s.sources, name)
	if i < 0 && len(s.sources) < 16 {
		s.sources = append(s.sources, name)
		i = len(s.sources) - 1
	}
	return max(i, 0)
}

func (s *Store) ref(id ID) *ref { return &s.blocks[id.block()-s.base].refs[id.index()] }

func (s *Store) held(id ID) bool { return id >= s.lo && id < s.end }
