package shim

import (
	"bytes"
	"io"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// pumpBuffer is what one read takes at most. A line that is longer goes on in the next block.
const pumpBuffer = 256 << 10

// pace decides how long a pump lets lines gather before it reads again. A wake-up costs two processes 100 to 250 µs each (a virtual
// machine, runtimes and schedulers included), whatever it brings, so lines that come thick share one: 2 ms of them at 1,000 lines/s,
// of which the median line waits half, 40 ms at 3,000 and above, which nobody reads one by one. Rare lines are read at once.
type pace struct {
	flood int     // bytes of one read that mean that restic may be waiting for us: no pause then
	rate  float64 // thousands of lines a second, smoothed
	last  time.Time
}

const (
	slowest = 0.4 // thousands of lines a second that are still read one by one
	gather  = 1600 * time.Microsecond
	longest = 40 * time.Millisecond
	// slack: the runtime sleeps whole milliseconds, rounded down, and then once more for the rest.
	slack = 60 * time.Microsecond
)

// newPace paces a pipe that holds capacity bytes.
func newPace(capacity int) *pace { return &pace{flood: min(capacity/4, pumpBuffer)} }

// next gives the pause after a read at now that took lines and bytes.
func (p *pace) next(now time.Time, lines, size int) time.Duration {
	const weight = 0.3
	if since := now.Sub(p.last); since > 0 && !p.last.IsZero() {
		p.rate += weight * (float64(lines)/1000/since.Seconds() - p.rate)
	}
	p.last = now
	if p.rate < slowest || size >= p.flood {
		return 0
	}
	rest := min(longest, time.Duration(p.rate*p.rate*p.rate*float64(gather)))
	return max(rest.Round(time.Millisecond), time.Millisecond) + slack
}

// block is a part of what restic wrote on one stream: whole lines, and at its end perhaps the beginning of one more that is too
// long to wait for.
type block struct {
	stream fleet.LogStream
	text   string
	last   bool            // nothing follows on this stream: the last line ends here, with or without a newline
	done   chan<- struct{} // gets a token when the block is in the spool: the pump reads no further ahead
}

var newline = []byte{'\n'}

// pump reads r to its end and hands blocks to out, whole lines only unless a line is too long. It never waits for more while it has
// a whole line.
func pump(r io.Reader, stream fleet.LogStream, p *pace, out chan<- block) {
	buf := make([]byte, pumpBuffer)
	done := make(chan struct{}, 1)
	have := 0
	for {
		n, err := r.Read(buf[have:])
		from := have
		have += n
		end := from + bytes.LastIndexByte(buf[from:have], '\n') + 1
		switch {
		case err != nil: // the end of the pipe, or of our patience with who holds it
			out <- block{stream: stream, text: string(buf[:have]), last: true, done: done}
			<-done
			return
		case end > from:
		case have == len(buf):
			end = have
		default:
			continue
		}
		lines := bytes.Count(buf[:end], newline)
		out <- block{stream: stream, text: string(buf[:end]), done: done}
		<-done
		have = copy(buf, buf[end:have])
		if rest := p.next(time.Now(), lines, n); rest > 0 {
			time.Sleep(rest)
		}
	}
}
