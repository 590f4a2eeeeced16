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
	whole   bool                  // none is left out, and none is said to have been acknowledged before
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

// nameJobs names what is held: as much as room bytes of hello take, and behind it what is left, but for jobs that the daemon has
// acknowledged. A job that hello named without its specification is named once more, with it: a daemon whose store was put back from
// a copy needs it.
func nameJobs(held []agentwire.HeldJob, room int) naming {
	n := naming{whole: true}
	jobs, welcome := byNeed(held), 0
	for i, j := range jobs {
		if welcome += len(j.JobID) + answerSize; welcome > welcomeRoom || i == agentwire.MaxHeldJobs {
			jobs, n.partial, n.whole = jobs[:i], !j.State.Ended(), false
			break
		}
	}
	n.hello = fit(jobs, room)
	p := packer{left: partRoom, total: maxRest}
	for i, j := range jobs {
		named := i < len(n.hello)
		n.whole = n.whole && !j.Acked && j.AckedSeq == 0
		if j.Acked || named && (n.hello[i].Spec != nil || j.Spec == nil) {
			continue
		}
		size := encodedSize(j)
		if p.add(j, size) {
			continue
		}
		n.whole = n.whole && size > partRoom // no frame will ever hold it with its specification
		if j.Spec = nil; !named && !p.add(j, encodedSize(j)) {
			n.whole, n.partial = false, n.partial || !j.State.Ended()
		}
	}
	n.rest = p.done()
	return n
}

const (
	partRoom = agentwire.MaxFrameBeforeHello - helloJobsHead
	maxRest  = agentwire.MaxHelloBytes - agentwire.MaxFrameBeforeHello
)

// packer fills one hello.jobs after the other.
type packer struct {
	parts [][]agentwire.HeldJob
	part  []agentwire.HeldJob
	left  int // room in part
	total int // room in all that may still come
}

// add is false when there is no room for the job, which takes size.
func (p *packer) add(j agentwire.HeldJob, size int) bool {
	if size > partRoom || size > p.total {
		return false
	}
	if size > p.left {
		p.parts, p.part, p.left = append(p.parts, p.part), nil, partRoom
	}
	p.part, p.left, p.total = append(p.part, j), p.left-size, p.total-size
	return true
}

func (p *packer) done() [][]agentwire.HeldJob {
	if len(p.part) > 0 {
		p.parts = append(p.parts, p.part)
	}
	return p.parts
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

// leastSpec is less than any specification takes.
const leastSpec = 64

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
		if specs[i] == nil || room < leastSpec {
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
