package agentws

import (
	"sync"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// outboxRoom is how many messages (commands, requests, configuration) may wait. When it is full a message is refused: whoever
// sent it sends it again, or tells a person.
const outboxRoom = 256

// noticeEvery is the least time between acknowledgements of lines while a log flows: each wakes the agent, beside a restic that works,
// and only frees room there. What ends a job, asks again or gives back much credit goes at once, as does the first word after a pause.
const noticeEvery = 500 * time.Millisecond

// outbox is what a session has to send. Messages keep their order; acknowledgements and credit merge, the newest counts, so they
// take room for each job once. The writer's goroutine is there only while there is something to send.
type outbox struct {
	write  func(frame []byte) error
	fail   func(error)     // the connection is of no more use
	wg     *sync.WaitGroup // of the session
	enough int64           // credit that does not wait

	mu      sync.Mutex
	frames  [][]byte
	notices []notice // of jobs with something to say, the longest waiting first
	credit  int64
	noticed time.Time   // when notices and credit went last
	later   *time.Timer // has them sent; nil while none wait
	writing bool
	closed  bool
}

// notice is what one job's sender is to be told.
type notice struct {
	job      fleet.JobID
	seq      int64 // acknowledged
	acked    bool
	finished bool
	expect   int64 // nack when above 0
}

// push queues a message.
func (o *outbox) push(frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.frames) >= outboxRoom {
		return false
	}
	o.frames = append(o.frames, frame)
	o.startLocked()
	return true
}

// ack has an acknowledgement sent, with bytes of credit that became free.
func (o *outbox) ack(job fleet.JobID, seq int64, finished bool, credit int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.noticeOfLocked(job)
	n.acked = true
	n.seq = max(n.seq, seq)
	n.finished = n.finished || finished
	o.credit += credit
	o.noticeLocked(finished)
}

// nack asks for the lines from expect on.
func (o *outbox) nack(job fleet.JobID, expect, credit int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.noticeOfLocked(job).expect = expect
	o.credit += credit
	o.noticeLocked(true)
}

func (o *outbox) grant(credit int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.credit += credit
	o.noticeLocked(false)
}

// noticeLocked has notices and credit sent, now or a little later.
func (o *outbox) noticeLocked(now bool) {
	wait := noticeEvery - time.Since(o.noticed)
	switch {
	case now || wait <= 0 || o.credit >= o.enough:
		o.startLocked()
	case o.later == nil && !o.closed:
		o.later = time.AfterFunc(wait, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.later = nil
			o.startLocked()
		})
	}
}

func (o *outbox) noticeOfLocked(job fleet.JobID) *notice {
	for i := range o.notices { // as many as jobs run on one host
		if o.notices[i].job == job {
			return &o.notices[i]
		}
	}
	o.notices = append(o.notices, notice{job: job})
	return &o.notices[len(o.notices)-1]
}

func (o *outbox) startLocked() {
	if !o.writing && !o.closed {
		o.writing = true
		o.wg.Go(o.run)
	}
}

func (o *outbox) run() {
	for {
		frames, err := o.next()
		if len(frames) == 0 && err == nil {
			return
		}
		for _, f := range frames {
			if err == nil {
				err = o.write(f)
			}
		}
		if err != nil {
			o.close()
			o.fail(err)
			return
		}
	}
}

// next takes what is to be sent now: all messages, or else one job's notice and the credit.
func (o *outbox) next() ([][]byte, error) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return nil, nil
	}
	frames := o.frames
	o.frames = nil
	var n notice
	var credit int64
	if len(frames) == 0 {
		if len(o.notices) > 0 {
			n = o.notices[0]
			o.notices = append(o.notices[:0], o.notices[1:]...)
		}
		credit, o.credit = o.credit, 0
		if n.job != "" || credit > 0 {
			o.noticed = time.Now()
		}
	}
	if len(frames) == 0 && n.job == "" && credit == 0 {
		o.writing, o.notices = false, nil
	}
	o.mu.Unlock()
	if n.job == "" && credit == 0 {
		return frames, nil
	}
	return n.encode(credit)
}

func (n notice) encode(credit int64) (frames [][]byte, err error) {
	add := func(t agentwire.Type, job fleet.JobID, payload any) {
		f, ferr := agentwire.Encode(t, "", job, payload)
		if ferr != nil && err == nil {
			err = ferr
		}
		frames = append(frames, f)
	}
	if n.expect > 0 {
		add(agentwire.TypeNack, n.job, agentwire.Nack{Expect: n.expect})
	}
	if n.acked {
		add(agentwire.TypeAck, n.job, agentwire.Ack{Seq: n.seq, Finished: n.finished})
	}
	if credit > 0 {
		add(agentwire.TypeCredit, "", agentwire.Credit{Bytes: credit})
	}
	return frames, err
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.later != nil {
		o.later.Stop()
	}
	o.frames, o.notices = nil, nil
}
