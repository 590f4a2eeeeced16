package apitest

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// Chaos says how streams break. The zero value breaks nothing.
type Chaos struct {
	Cut    float64 // chance that the connection is cut after a frame
	Refuse float64 // chance that a connection is refused with 503
	Repeat float64 // chance that a batch begins with lines that came before
	Skip   float64 // chance that lines of a batch are left out, as no daemon should do
	Batch  int     // lines of a batch at most; 100 when 0

	mu  sync.Mutex
	rnd *rand.Rand
}

// Seed makes the chaos repeatable.
func (c *Chaos) Seed(seed uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rnd = rand.New(rand.NewPCG(seed, 1))
}

func (c *Chaos) happens(chance float64) bool {
	if chance <= 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.Float64() < chance
}

func (c *Chaos) upTo(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rnd == nil {
		return n
	}
	return 1 + c.rnd.IntN(n)
}

// open is one accepted stream.
type open struct {
	s    *Server
	conn *wsconn.Conn
}

// accept takes the WebSocket and its first frame; a reader then answers pings until the stream ends.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, serve func(ctx context.Context, o *open, first agentwire.Envelope)) {
	if s.Chaos.happens(s.Chaos.Refuse) {
		http.Error(w, "try later", http.StatusServiceUnavailable)
		return
	}
	conn, err := wsconn.Accept(w, r, wsconn.Options{})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b, err := conn.Read(ctx)
	if err != nil {
		return
	}
	e, err := agentwire.Decode(b)
	if err != nil {
		return
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	defer conn.CloseNow()
	readers.Go(func() {
		defer cancel()
		_, _ = conn.Read(ctx) // only to answer pings and to notice the end
	})
	serve(ctx, &open{s: s, conn: conn}, e)
}

// send writes a frame and tells whether the stream goes on.
func (o *open) send(ctx context.Context, t agentwire.Type, id fleet.JobID, payload any) bool {
	b, err := agentwire.Encode(t, "", id, payload)
	if err != nil || o.conn.Write(ctx, b) != nil {
		return false
	}
	return !o.s.Chaos.happens(o.s.Chaos.Cut)
}

// wait waits for the next change, and tells whether the stream goes on.
func (o *open) wait(ctx context.Context, bell <-chan struct{}) bool {
	select {
	case <-bell:
		return true
	case <-ctx.Done():
	case <-o.s.closed:
		_ = o.conn.Close(api.CloseShutdown, "stopping")
	}
	return false
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	id := fleet.JobID(r.PathValue("job"))
	if _, ok := s.Job(id); !ok {
		unknown(w, "job")
		return
	}
	s.accept(w, r, func(ctx context.Context, o *open, first agentwire.Envelope) {
		sub, err := agentwire.Payload[api.Subscribe](first)
		if err != nil {
			return
		}
		if sub.Epoch != "" && sub.Epoch != s.epoch() {
			o.send(ctx, agentwire.TypeReset, id, nil)
			return
		}
		o.job(ctx, id, sub)
	})
}

// job serves one stream of a job's log by cursor.
func (o *open) job(ctx context.Context, id fleet.JobID, sub api.Subscribe) {
	now, _, _ := o.look(ctx, id)
	at := sub.AfterSeq
	if sub.Tail > 0 {
		at = max(int64(len(now.lines))-sub.Tail, 0)
	}
	snapshot := api.StreamSnapshot{Job: now.Job, Progress: now.progress, AsOfSeq: int64(len(now.lines)), FromSeq: at + 1, Epoch: o.s.epoch()}
	if !o.send(ctx, api.TypeSnapshot, id, snapshot) {
		return
	}
	rev, live, startedSent, progress := now.Rev, false, now.started, now.progress
	for {
		now, bell, ok := o.look(ctx, id)
		if !ok {
			return
		}
		switch {
		case now.started && !startedSent:
			startedSent = true
			if !o.send(ctx, agentwire.TypeJobStarted, id, agentwire.JobStarted{At: *now.StartedAt}) {
				return
			}
		case now.progress != nil && now.progress != progress:
			progress = now.progress
			if !o.send(ctx, agentwire.TypeJobProgress, id, progress) {
				return
			}
		case at < int64(len(now.lines)):
			next, more := o.batch(ctx, id, now.lines, at)
			if at = next; !more {
				return
			}
		case now.Outcome != nil:
			if o.send(ctx, agentwire.TypeJobFinished, id, api.StreamFinished{Job: now.Job}) &&
				o.send(ctx, api.TypeEOF, id, api.EOF{LastSeq: now.pos.LastSeq, CRC32C: now.pos.CRC32C, Sealed: true}) {
				_ = o.conn.Close(wsconn.CloseNormal, "") // the client may be quicker
			}
			return
		case !live:
			live = true
			if !o.send(ctx, api.TypeLive, id, nil) {
				return
			}
		case now.Rev != rev:
			rev = now.Rev
			if !o.send(ctx, api.TypeSnapshot, id, api.StreamSnapshot{Job: now.Job, Progress: now.progress, AsOfSeq: at, FromSeq: at + 1, Epoch: o.s.epoch()}) {
				return
			}
		default:
			if !o.wait(ctx, bell) {
				return
			}
		}
	}
}

func (o *open) look(ctx context.Context, id fleet.JobID) (job, <-chan struct{}, bool) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	return *o.s.jobs[id], o.s.bell, ctx.Err() == nil
}

// batch sends the next lines after at, or what Chaos makes of them, and gives where the stream then stands.
func (o *open) batch(ctx context.Context, id fleet.JobID, lines []fleet.LogLine, at int64) (int64, bool) {
	c := &o.s.Chaos
	limit := c.Batch
	if limit == 0 {
		limit = 100
	}
	end := min(at+int64(c.upTo(limit)), int64(len(lines)))
	from := at
	switch {
	case c.happens(c.Repeat):
		from = max(at-int64(c.upTo(limit)), 0)
	case c.happens(c.Skip):
		from = min(at+1, end)
	}
	if from == end {
		return end, true
	}
	frame := agentwire.AppendLogStream(nil, id, from+1, lines[from:end])
	if o.conn.Write(ctx, frame) != nil {
		return end, false
	}
	return end, !c.happens(c.Cut)
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	s.accept(w, r, func(ctx context.Context, o *open, first agentwire.Envelope) {
		req, err := agentwire.Payload[api.WatchRequest](first)
		if err != nil {
			return
		}
		o.changes(ctx, req)
	})
}

// changes serves the watch: the list, in pages of two rows, unless the cursor is good, then changes.
func (o *open) changes(ctx context.Context, req api.WatchRequest) {
	at := req.AfterRev
	o.s.mu.Lock()
	all := o.s.rows
	o.s.mu.Unlock()
	if req.Epoch != o.s.epoch() || at > int64(len(all)) {
		if req.Epoch != "" && !o.send(ctx, agentwire.TypeReset, "", nil) {
			return
		}
		rows := latest(all)
		for more := true; more; {
			n := min(2, len(rows))
			page := rows[:n]
			rows = rows[n:]
			more = len(rows) > 0
			if !o.send(ctx, api.TypeList, "", api.WatchList{Rows: page, AsOfRev: int64(len(all)), Epoch: o.s.epoch(), Done: !more}) {
				return
			}
		}
		at = int64(len(all))
	}
	for {
		o.s.mu.Lock()
		all, bell := o.s.rows, o.s.bell
		o.s.mu.Unlock()
		from := at
		switch {
		case at == int64(len(all)):
			if !o.wait(ctx, bell) {
				return
			}
			continue
		case o.s.Chaos.happens(o.s.Chaos.Repeat):
			from = max(at-2, 0)
		case o.s.Chaos.happens(o.s.Chaos.Skip):
			from = min(at+1, int64(len(all)))
		}
		at = min(at+int64(o.s.Chaos.upTo(10)), int64(len(all)))
		if from < at && !o.send(ctx, api.TypeChange, "", api.WatchChange{Rows: all[from:at]}) {
			return
		}
	}
}

// latest gives the newest row of each object that is still there.
func latest(all []api.Row) []api.Row {
	newest := map[string]api.Row{}
	var order []string
	for _, r := range all {
		key := r.Kind + "/" + r.ID
		if _, ok := newest[key]; !ok {
			order = append(order, key)
		}
		newest[key] = r
	}
	var rows []api.Row
	for _, key := range order {
		if r := newest[key]; !r.Deleted {
			rows = append(rows, r)
		}
	}
	return rows
}
