package shim

import (
	"bytes"
	"os"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

const (
	// pumpBuffer is what one read takes at most. A line that is longer goes on in the next block.
	pumpBuffer = 256 << 10
	// pause is how long a pump lets lines gather once they come thick; busyGap is what counts as thick.
	pause   = time.Millisecond
	busyGap = 3 * time.Millisecond
)

// block is a part of what restic wrote on one stream: whole lines, and at its end perhaps the beginning of one more that is too
// long to wait for.
type block struct {
	stream fleet.LogStream
	text   string
	last   bool            // nothing follows on this stream: the last line ends here, with or without a newline
	done   chan<- struct{} // gets a token when the block is in the spool: the pump reads no further ahead
}

// pump reads r to its end and hands blocks to out, whole lines only unless a line is too long. It never waits for more while it has
// a whole line.
func pump(r *os.File, stream fleet.LogStream, out chan<- block) {
	buf := make([]byte, pumpBuffer)
	done := make(chan struct{}, 1)
	have := 0
	var last time.Time
	for {
		n, err := r.Read(buf[have:])
		from := have
		have += n
		end := from + bytes.LastIndexByte(buf[from:have], '\n') + 1
		switch {
		case err != nil: // the end of the pipe, or it was closed after restic's
			out <- block{stream: stream, text: string(buf[:have]), last: true, done: done}
			<-done
			return
		case end > from:
		case have == len(buf):
			end = have
		default:
			continue
		}
		out <- block{stream: stream, text: string(buf[:end]), done: done}
		<-done
		have = copy(buf, buf[end:have])
		now := time.Now()
		if now.Sub(last) < busyGap {
			time.Sleep(pause)
			now = now.Add(pause)
		}
		last = now
	}
}
