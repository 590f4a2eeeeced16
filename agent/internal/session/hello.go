package session

import (
	"encoding/json"
	"slices"

	"github.com/backstay/backstay/shared/agentwire"
)

// helloRoom is what the jobs in hello may take of a frame, so that hello passes MaxFrameBeforeHello with its other fields.
const helloRoom = agentwire.MaxFrameBeforeHello - 16<<10

// fit chooses which jobs hello names: every one that the daemon may lack comes first and stays, with its spec while there is room;
// then the acknowledged ones, newest first. What does not fit is told in a later session, when others are gone.
func fit(held []agentwire.HeldJob) []agentwire.HeldJob {
	jobs := slices.Clone(held)
	slices.SortStableFunc(jobs, func(a, b agentwire.HeldJob) int {
		if a.Acked != b.Acked {
			if b.Acked {
				return -1
			}
			return 1
		}
		return -slices.Compare([]byte(a.JobID), []byte(b.JobID))
	})
	room := helloRoom
	for i := range jobs {
		size := encodedSize(jobs[i])
		if size > room/2 {
			jobs[i].Spec = nil
			size = encodedSize(jobs[i])
		}
		if size > room {
			return jobs[:i]
		}
		room -= size
	}
	return jobs
}

func encodedSize(j agentwire.HeldJob) int {
	b, err := json.Marshal(j)
	if err != nil {
		return helloRoom // it would not go out anyhow
	}
	return len(b) + 1
}
