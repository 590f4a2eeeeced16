package spool

import (
	"io"

	"github.com/backstay/backstay/shared/fleet"
)

// textReader gives the lines of one stream as restic wrote them.
type textReader struct {
	r      *Reader
	stream fleet.LogStream
	after  int64
	rest   []byte
}

const textBatch = 64 << 10

// Text gives what restic wrote on stream, pieces of a line joined, each line with its newline. r is used for nothing else
// meanwhile.
func (r *Reader) Text(stream fleet.LogStream) io.Reader { return &textReader{r: r, stream: stream} }

func (t *textReader) Read(p []byte) (int, error) {
	for len(t.rest) == 0 {
		lines, err := t.r.ReadFrom(t.after, textBatch)
		if err != nil {
			return 0, err
		}
		if len(lines) == 0 {
			return 0, io.EOF
		}
		t.after += int64(len(lines))
		t.rest = t.rest[:0]
		for _, l := range lines {
			if l.Stream != t.stream {
				continue
			}
			t.rest = append(t.rest, l.Text...)
			if !l.Cont {
				t.rest = append(t.rest, '\n')
			}
		}
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}
