package wsconn

import (
	"encoding/binary"
	"net"
	"sync/atomic"
)

// record is how much one TLS record holds.
const record = 16 << 10

// gather makes whole TLS records of a frame. A dialler's frames are masked in a buffer of 4 KiB, and written to the connection whenever
// it is full: each part would be a record, a system call and packets of its own, on both sides. Frames are written one at a time, and
// no write spans two.
type gather struct {
	net.Conn
	framed atomic.Bool // the handshake is over, frames follow

	// Of the one who writes.
	left int64  // bytes of the present frame that are still to come
	buf  []byte // of the present frame
}

// Write keeps a part of a frame back while more of the record is to come.
func (g *gather) Write(p []byte) (int, error) {
	if !g.framed.Load() {
		return g.Conn.Write(p)
	}
	if g.left == 0 {
		g.left = frameSize(p)
	}
	g.left = max(g.left-int64(len(p)), 0)
	switch {
	case g.left == 0 && len(g.buf) == 0:
		return g.Conn.Write(p)
	case g.left > 0 && len(g.buf)+len(p) < record:
		g.buf = append(g.buf, p...)
		return len(p), nil
	}
	g.buf = append(g.buf, p...)
	_, err := g.Conn.Write(g.buf)
	g.buf = g.buf[:0]
	if err != nil {
		return 0, err // the connection is of no more use, whatever part went out
	}
	return len(p), nil
}

// frameSize is the size of the frame that begins with p, its head included; 0 when p does not tell, and is then written as it is.
func frameSize(p []byte) int64 {
	const (
		masked   = 0x80
		mask     = 4
		twoBytes = 126
		eight    = 127
	)
	if len(p) < 2 {
		return 0
	}
	head := int64(2)
	if p[1]&masked != 0 {
		head += mask
	}
	switch size := p[1] &^ masked; {
	case size < twoBytes:
		return head + int64(size)
	case size == twoBytes && len(p) >= 4:
		return head + 2 + int64(binary.BigEndian.Uint16(p[2:]))
	case size == eight && len(p) >= 10:
		return head + 8 + int64(min(binary.BigEndian.Uint64(p[2:]), 1<<40))
	}
	return 0
}
