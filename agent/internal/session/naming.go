package session

import (
	"encoding/json"
	"slices"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	// helloJobsHead is what hello.jobs takes beside its jobs, at most.
	helloJobsHead = 128
	// answerSize is what the daemon's answer to one job takes in welcome beside the job's id, at most; welcomeRoom is what all of
	// them may take, for welcome is one frame.
	answerSize  = 80
	welcomeRoom = agentwire.MaxFrame - 32<<10
)

// naming is how the jobs of this host are named to the daemon.
type naming struct {
	hello   []agentwire.HeldJob
	rest    [][]agentwire.HeldJob // one for each hello.jobs
	partial bool                  // jobs that have not ended are left out
}

// named tells which jobs are named, and whether with their specifications.
func (n naming) named() map[fleet.JobID]bool {
	named := map[fleet.JobID]bool{}
	for _, part := range append([][]agentwire.HeldJob{n.hello}, n.rest...) {
		for _, j := range part {
			named[j.JobID] = j.Spec != nil
		}
	}
	return named
}

// nameJobs names what is held: as much as room bytes of hello take, and the others, but for those that the daemon has acknowledged,
// behind it.
func nameJobs(held []agentwire.HeldJob, room int) naming {
	var n naming
	jobs, welcome := byNeed(held), 0
	for i, j := range jobs {
		if welcome += len(j.JobID) + answerSize; welcome > welcomeRoom || i == agentwire.MaxHeldJobs {
			jobs, n.partial = jobs[:i], !j.State.Ended()
			break
		}
	}
	n.split(jobs, room)
	return n
}

func (n *naming) split(jobs []agentwire.HeldJob, room int) {
	n.hello = fit(jobs, room)
	const most = agentwire.MaxFrameBeforeHello - helloJobsHead
	var part []agentwire.HeldJob
	left := most
	for _, j := range jobs[len(n.hello):] {
		if j.Acked {
			break // as all behind it
		}
		j.Spec = nil
		size := encodedSize(j)
		if size > left {
			n.rest, part, left = append(n.rest, part), nil, most
		}
		part, left = append(part, j), left-size
	}
	if len(part) > 0 {
		n.rest = append(n.rest, part)
	}
}

// byNeed puts jobs into the order in which the daemon needs to hear of them: those not ended, then those whose end it may lack, then
// the acknowledged ones, newest first.
func byNeed(held []agentwire.HeldJob) []agentwire.HeldJob {
	var jobs, acked []agentwire.HeldJob
	for _, ended := range []bool{false, true} {
		for _, j := range held {
			switch {
			case j.State.Ended() != ended:
			case j.Acked:
				acked = append(acked, j)
			default:
				jobs = append(jobs, j)
			}
		}
	}
	slices.Reverse(acked)
	return append(jobs, acked...)
}

// fit gives as many of the jobs, from the first on, as room bytes take; specifications go with as many as there is room left for.
func fit(jobs []agentwire.HeldJob, room int) []agentwire.HeldJob {
	jobs = slices.Clone(jobs)
	specs := make([]*fleet.JobSpec, len(jobs))
	for i := range jobs {
		specs[i], jobs[i].Spec = jobs[i].Spec, nil
		size := encodedSize(jobs[i])
		if size > room {
			jobs = jobs[:i]
			break
		}
		room -= size
	}
	for i := range jobs {
		if specs[i] == nil {
			continue
		}
		if size := len(`"spec":`) + encodedSize(specs[i]); size <= room {
			jobs[i].Spec = specs[i]
			room -= size
		}
	}
	return jobs
}

// encodedSize is what v takes in JSON, with a comma.
func encodedSize(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return agentwire.MaxFrame // it would not go out anyhow
	}
	return len(b) + 1
}
