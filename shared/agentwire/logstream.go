package agentwire

import (
	"strconv"

	"github.com/backstay/backstay/shared/fleet"
)

// AppendLogStream appends the whole frame of a log.stream message to dst: the hot path of both wires, without reflection.
func AppendLogStream(dst []byte, job fleet.JobID, first int64, lines []fleet.LogLine) []byte {
	dst = append(dst, `{"v":1,"type":"log.stream","job_id":"`...)
	dst = append(dst, job...) // fleet.ValidID: nothing to escape
	dst = append(dst, `","payload":{"first_seq":`...)
	dst = strconv.AppendInt(dst, first, 10)
	dst = append(dst, `,"lines":[`...)
	dst = fleet.AppendLines(dst, lines)
	return append(dst, `]}}`...)
}
