package logstore

import "github.com/backstay/backstay/desktop/internal/vm/logline"

const (
	blockLines = 1024
	groupLines = 64 // what one bit of block.groups stands for
	levels     = 4

	chunkBits = 20
	chunkSize = 1 << chunkBits
	stampSize = 6             // of a line's time, before its text
	maxText   = chunkSize / 4 // of a line, in bytes: a block then holds at most 256 MiB
)

// ref is where a line is and what is asked of it most, in sixteen bytes.
type ref struct {
	pos  uint32 // chunk and offset
	size uint32 // bytes of text, and the flags above them
	seq  int32  // from Store.origin
	cols uint32
}

// The flags of ref.size: two bits of level, then these, then the source.
const (
	levelShift  = 24
	goodFlag    = 1 << 26
	asciiFlag   = 1 << 27
	sourceShift = 28
	sizeMask    = 1<<levelShift - 1
)

func (r *ref) level() logline.Level { return logline.Level(r.size >> levelShift & 3) }
func (r *ref) length() int          { return int(r.size & sizeMask) }
func (r *ref) chunk() int           { return int(r.pos >> chunkBits) }
func (r *ref) offset() int          { return int(r.pos & (chunkSize - 1)) }

// rows is how many rows the line takes when lines wrap at so many columns, or do not at 0.
func (r *ref) rows(wrap uint32) int64 {
	if wrap == 0 || r.cols <= wrap {
		return 1
	}
	return int64((r.cols + wrap - 1) / wrap)
}

// block holds up to 1024 lines whose IDs begin with the same bits. refs outside lo and hi are not held; those inside never change,
// so that a Snapshot can read them while others are added.
type block struct {
	refs   [blockLines]ref
	lo, hi int

	lines   [levels]int32
	rows    [levels]int64  // under the store's wrap
	groups  [levels]uint16 // which groups of lines have this level
	cols    uint32         // the widest line's, also when it was dropped
	dropped bool           // refs outside lo and hi were held: see Store.own
}

// count adds the line at index i to the sums.
func (b *block) count(i int, wrap uint32) {
	r := &b.refs[i]
	l := r.level()
	b.lines[l]++
	b.rows[l] += r.rows(wrap)
	b.groups[l] |= 1 << (i / groupLines)
	b.cols = max(b.cols, r.cols)
}

// ungroup forgets what was in group g, which is dropped.
func (b *block) ungroup(g int) {
	for l := range b.groups {
		b.groups[l] &^= 1 << g
	}
}

// wrapAt counts rows anew.
func (b *block) wrapAt(wrap uint32) {
	for l := range levels {
		b.rows[l] = int64(b.lines[l])
	}
	if wrap == 0 || b.cols <= wrap {
		return
	}
	for i := b.lo; i < b.hi; i++ {
		if r := &b.refs[i]; r.cols > wrap {
			b.rows[r.level()] += r.rows(wrap) - 1
		}
	}
}

func (b *block) shownLines(least logline.Level) (n int64) {
	for l := int(least); l < levels; l++ {
		n += int64(b.lines[l])
	}
	return n
}

func (b *block) shownRows(least logline.Level) (n int64) {
	for l := int(least); l < levels; l++ {
		n += b.rows[l]
	}
	return n
}

// chunk holds texts one behind the other; lines counts those that are held.
type chunk struct {
	data  *[chunkSize]byte
	used  int
	lines int
}

// text is the text of a line in this chunk.
func (c *chunk) text(r *ref) []byte {
	at := r.offset() + stampSize
	return c.data[at : at+r.length()]
}
