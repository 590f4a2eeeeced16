package joblog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/backstay/backstay/shared/fleet"
)

// Bounds of one chunk. A line is never cut, so that a chunk of one line may be longer than its bound in bytes.
const (
	liveLines   = 256
	liveBytes   = 64 << 10
	sealedLines = 1024
	sealedBytes = 512 << 10
)

// maxChunk bounds what a chunk may decode to: the longest line on top of a full chunk, with every line's own fields.
const maxChunk = sealedBytes + fleet.MaxLineText + sealedLines*32

// chunkFormat is the first byte of a decoded chunk.
const chunkFormat = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errCorrupt says that a chunk's bytes are not what was written.
var errCorrupt = errors.New("damaged chunk")

// Streams as one byte on disk, with flagCont beside it.
const (
	diskOut  byte = 1
	diskErr  byte = 2
	diskNote byte = 3
	diskGap  byte = 4
	flagCont byte = 0x80
)

// appendLines appends the plain form of a chunk: format, count, then the streams, the times as differences in microseconds, the
// lengths and the texts, each kind together, because alike things side by side compress better.
func appendLines(dst []byte, lines []fleet.LogLine) []byte {
	dst = append(dst, chunkFormat)
	dst = binary.AppendUvarint(dst, uint64(len(lines)))
	for i := range lines {
		b := diskStream(lines[i].Stream)
		if lines[i].Cont {
			b |= flagCont
		}
		dst = append(dst, b)
	}
	var last int64
	for i := range lines {
		t := lines[i].Time.UnixMicro()
		dst = binary.AppendVarint(dst, t-last)
		last = t
	}
	for i := range lines {
		dst = binary.AppendUvarint(dst, uint64(len(lines[i].Text)))
	}
	for i := range lines {
		dst = append(dst, lines[i].Text...)
	}
	return dst
}

func diskStream(s fleet.LogStream) byte {
	switch s {
	case fleet.StreamErr:
		return diskErr
	case fleet.StreamNote:
		return diskNote
	case fleet.StreamGap:
		return diskGap
	}
	return diskOut
}

func wireStream(b byte) (fleet.LogStream, bool) {
	switch b {
	case diskOut:
		return fleet.StreamOut, true
	case diskErr:
		return fleet.StreamErr, true
	case diskNote:
		return fleet.StreamNote, true
	case diskGap:
		return fleet.StreamGap, true
	}
	return "", false
}

// parseLines reads what appendLines wrote and appends it to dst. The texts share one string.
func parseLines(dst []fleet.LogLine, b []byte) ([]fleet.LogLine, error) {
	if len(b) == 0 || b[0] != chunkFormat {
		return nil, fmt.Errorf("%w: unknown format", errCorrupt)
	}
	b = b[1:]
	n, w := binary.Uvarint(b)
	if w <= 0 || n == 0 || n > uint64(len(b)-w) {
		return nil, fmt.Errorf("%w: line count", errCorrupt)
	}
	b = b[w:]
	from := len(dst)
	for _, f := range b[:n] {
		stream, ok := wireStream(f &^ flagCont)
		if !ok {
			return nil, fmt.Errorf("%w: stream", errCorrupt)
		}
		dst = append(dst, fleet.LogLine{Stream: stream, Cont: f&flagCont != 0})
	}
	lines, b := dst[from:], b[n:]
	var last int64
	for i := range lines {
		d, w := binary.Varint(b)
		if w <= 0 {
			return nil, fmt.Errorf("%w: time", errCorrupt)
		}
		last += d
		lines[i].Time = time.UnixMicro(last).UTC()
		b = b[w:]
	}
	lengths := b
	for range lines {
		_, w := binary.Uvarint(b)
		if w <= 0 {
			return nil, fmt.Errorf("%w: length", errCorrupt)
		}
		b = b[w:]
	}
	text := string(b)
	for i := range lines {
		l, w := binary.Uvarint(lengths)
		if l > uint64(len(text)) {
			return nil, fmt.Errorf("%w: text is short", errCorrupt)
		}
		lengths = lengths[w:]
		lines[i].Text, text = text[:l], text[l:]
	}
	if text != "" {
		return nil, fmt.Errorf("%w: text is long", errCorrupt)
	}
	return dst, nil
}

// packer compresses chunks for one goroutine.
type packer struct {
	zstd  *zstd.Encoder
	plain []byte
}

func newPacker(level zstd.EncoderLevel) (*packer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(512<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &packer{zstd: z}, nil
}

// pack gives the row that holds lines, which follow on position from.
func (p *packer) pack(from fleet.LogPosition, lines []fleet.LogLine) row {
	p.plain = appendLines(p.plain[:0], lines)
	data := p.zstd.EncodeAll(p.plain, make([]byte, 0, 64+len(p.plain)/4))
	to := from
	size := 0
	for i := range lines {
		size += len(lines[i].Text)
	}
	texts := p.plain[len(p.plain)-size:] // appendLines puts them last
	for i := range lines {
		n := len(lines[i].Text)
		to, texts = to.AddText(texts[:n], lines[i].Cont), texts[n:]
	}
	return row{first: from.LastSeq + 1, bytes: int64(len(p.plain)), crc: crc32.Checksum(data, castagnoli), end: to, data: data}
}

// advance gives the position after lines.
func advance(p fleet.LogPosition, lines []fleet.LogLine) fleet.LogPosition {
	for i := range lines {
		p = p.Add(lines[i])
	}
	return p
}

// split gives the longest beginning of lines that fits one chunk, and the rest.
func split(lines []fleet.LogLine, maxLines, maxBytes int) (chunk, rest []fleet.LogLine) {
	size := 0
	for i := range lines {
		size += len(lines[i].Text)
		if i > 0 && (i >= maxLines || size > maxBytes) {
			return lines[:i], lines[i:]
		}
	}
	return lines, nil
}

// unpacker decompresses chunks; safe for concurrent use.
type unpacker struct{ zstd *zstd.Decoder }

func newUnpacker() (*unpacker, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(4), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxChunk))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &unpacker{zstd: z}, nil
}

// unpack appends the lines of r to dst, or gives errCorrupt.
func (u *unpacker) unpack(dst []fleet.LogLine, r row) ([]fleet.LogLine, error) {
	if r.bytes <= 0 || r.bytes > maxChunk || crc32.Checksum(r.data, castagnoli) != r.crc {
		return nil, fmt.Errorf("%w: checksum", errCorrupt)
	}
	plain, err := u.zstd.DecodeAll(r.data, make([]byte, 0, r.bytes))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	lines, err := parseLines(dst, plain)
	if err != nil {
		return nil, err
	}
	if int64(len(lines)-len(dst)) != r.end.LastSeq-r.first+1 {
		return nil, fmt.Errorf("%w: line count", errCorrupt)
	}
	return lines, nil
}

func (u *unpacker) close() { u.zstd.Close() }
