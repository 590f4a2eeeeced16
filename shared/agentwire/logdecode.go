package agentwire

import (
	"bytes"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fleet"
)

// DecodeLogStream reads a whole frame in exactly the form that AppendLogStream writes, many times faster than Decode and
// Payload, and with the texts of all lines in one piece of memory. ok is false for any other frame, valid or not: decode that
// with Decode and Payload. What it accepts it reads as they do.
func DecodeLogStream(frame []byte) (job fleet.JobID, m LogStream, ok bool) {
	return DecodeLogStreamWith(new(fleet.LineDecoder), frame)
}

// DecodeLogStreamWith is DecodeLogStream for one frame after another, with the memory of d, which then knows the position after
// the lines. Nothing of what it gives lies in d or in frame.
func DecodeLogStreamWith(d *fleet.LineDecoder, frame []byte) (job fleet.JobID, m LogStream, ok bool) {
	none := func() (fleet.JobID, LogStream, bool) { return "", LogStream{}, false }
	rest, ok := bytes.CutPrefix(frame, []byte(`{"v":1,"type":"log.stream","job_id":"`))
	if !ok || !utf8.Valid(frame) { // encoding/json would put something else in the place of what is not valid
		return none()
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 || !fleet.ValidID(string(rest[:end])) {
		return none()
	}
	job = fleet.JobID(rest[:end])
	if rest, ok = bytes.CutPrefix(rest[end:], []byte(`","payload":{"first_seq":`)); !ok {
		return none()
	}
	if m.FirstSeq, rest, ok = number(rest); !ok {
		return none()
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"lines":[`)); !ok {
		return none()
	}
	var n int
	if m.Lines, n, ok = d.Decode(rest); !ok || string(rest[n:]) != "]}}" {
		return none()
	}
	return job, m, true
}

// number reads up to 18 digits without a leading zero.
func number(b []byte) (v int64, rest []byte, ok bool) {
	n := 0
	for n < len(b) && n < 18 && b[n] >= '0' && b[n] <= '9' {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, b[n:], n > 0 && (n == 1 || b[0] != '0')
}
