package spool

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

const (
	magic      = "bstspl1\n"
	frameSize  = 4 + 4
	bodyHeader = 8 + 8 + 1 + 1
	maxBody    = bodyHeader + fleet.MaxLineText
	maxRecord  = frameSize + maxBody
	flagCont   = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// begins tells whether head, the first bytes of a file, are those of a spool that has no line yet: the magic just being written, or
// zeros that a power loss left in its place.
func begins(head []byte) bool {
	return len(head) < len(magic) && string(head) == magic[:len(head)] || string(head) == zeros[:len(head)]
}

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00"

// streamByte is what stands on disk for s.
func streamByte(s fleet.LogStream) byte {
	switch s {
	case fleet.StreamOut:
		return 'o'
	case fleet.StreamErr:
		return 'e'
	case fleet.StreamGap:
		return 'g'
	}
	return 'n'
}

func streamOf(b byte) (fleet.LogStream, bool) {
	switch b {
	case 'o':
		return fleet.StreamOut, true
	case 'e':
		return fleet.StreamErr, true
	case 'g':
		return fleet.StreamGap, true
	case 'n':
		return fleet.StreamNote, true
	}
	return "", false
}

// appendRecord appends line l with number seq to dst. l.Text is at most fleet.MaxLineText long.
func appendRecord(dst []byte, seq int64, l fleet.LogLine) []byte {
	le := binary.LittleEndian
	at := len(dst)
	dst = le.AppendUint32(dst, uint32(bodyHeader+len(l.Text)))
	dst = le.AppendUint32(dst, 0) // the CRC, below
	dst = le.AppendUint64(dst, uint64(seq))
	dst = le.AppendUint64(dst, uint64(l.Time.UnixMicro()))
	var flags byte
	if l.Cont {
		flags = flagCont
	}
	dst = append(dst, streamByte(l.Stream), flags)
	dst = append(dst, l.Text...)
	le.PutUint32(dst[at+4:], crc32.Checksum(dst[at+frameSize:], castagnoli))
	return dst
}

// record is a decoded record; text lies in the decoder's buffer.
type record struct {
	seq    int64
	micros int64
	stream fleet.LogStream
	cont   bool
	text   []byte
}

func (r record) line(text string) fleet.LogLine {
	return fleet.LogLine{Time: time.UnixMicro(r.micros).UTC(), Stream: r.stream, Text: text, Cont: r.cont}
}

// nextRecord decodes the record that must have number seq at the beginning of b, and gives its size in bytes; 0 when there is no
// such whole record: the end of the log so far, a torn tail or damage.
func nextRecord(b []byte, seq int64) (record, int) {
	le := binary.LittleEndian
	if len(b) < frameSize+bodyHeader {
		return record{}, 0
	}
	length := int64(le.Uint32(b))
	if length < bodyHeader || length > maxBody || int64(len(b)) < frameSize+length {
		return record{}, 0
	}
	body := b[frameSize : frameSize+length]
	if crc32.Checksum(body, castagnoli) != le.Uint32(b[4:]) {
		return record{}, 0
	}
	stream, ok := streamOf(body[16])
	if !ok || le.Uint64(body) != uint64(seq) || body[17]&^flagCont != 0 {
		return record{}, 0
	}
	r := record{seq: seq, micros: int64(le.Uint64(body[8:])), stream: stream, cont: body[17]&flagCont != 0, text: body[bodyHeader:]}
	return r, frameSize + int(length)
}
