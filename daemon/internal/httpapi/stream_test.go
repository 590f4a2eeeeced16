package httpapi_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/wsconn"
)

func TestStreamFromTheQueueToTheEnd(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	r := h.subscribe(job.ID, api.Subscribe{})
	begin := r.until(api.TypeLive)
	snap := payload[api.StreamSnapshot](t, begin[0])
	if len(begin) != 2 || snap.Job.ID != job.ID || snap.Job.State != fleet.StateQueued || snap.FromSeq != 1 || snap.AsOfSeq != 0 || snap.Epoch != h.Epoch() {
		t.Fatalf("%v %+v", types(begin), snap)
	}
	h.run(job)
	started := r.until(agentwire.TypeJobStarted)
	if at := payload[agentwire.JobStarted](t, started[len(started)-1]).At; at.IsZero() {
		t.Error("started at no time")
	}
	h.logs.SetProgress(job.ID, fleet.Progress{Phase: fleet.PhaseReading, Percent: .25, At: time.Now()})
	first := r.until(agentwire.TypeJobProgress)
	if p := payload[fleet.Progress](t, first[len(first)-1]); p.Percent != .25 {
		t.Errorf("%+v", p)
	}
	if late := payload[api.StreamSnapshot](t, h.subscribe(job.ID, api.Subscribe{}).until(api.TypeSnapshot)[0]); len(late.Past) != 1 || late.Progress == nil || !late.Past[0].At.Equal(late.Progress.At) {
		t.Errorf("who comes late is told of %+v, %+v", late.Past, late.Progress)
	}
	h.write(job, 1, 1000)
	h.finish(job, 1000)
	rest := r.until(api.TypeEOF)
	if last := logOf(t, rest, 1); last != 1000 {
		t.Errorf("%d lines before the end", last)
	}
	fin := payload[api.StreamFinished](t, rest[len(rest)-2])
	eof := payload[api.EOF](t, rest[len(rest)-1])
	if want := position(1000); eof != (api.EOF{LastSeq: 1000, CRC32C: want.CRC32C, Sealed: true}) || fin.Job.State != fleet.StateSucceeded {
		t.Errorf("%+v %+v", eof, fin)
	}
	if code := r.closeCode(); code != wsconn.CloseNormal {
		t.Errorf("closed with %d", code)
	}
}

func TestStreamOfAnEndedJob(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	h.write(job, 1, 5000)
	h.finish(job, 5000)
	for _, c := range []struct {
		sub  api.Subscribe
		from int64
	}{{api.Subscribe{}, 1}, {api.Subscribe{AfterSeq: 4321}, 4322}, {api.Subscribe{Tail: 10}, 4991}, {api.Subscribe{Tail: 100_000}, 1}, {api.Subscribe{AfterSeq: 5000}, 5001},
		{api.Subscribe{AfterSeq: 9, Epoch: h.Epoch()}, 10}} {
		all := h.subscribe(job.ID, c.sub).until(api.TypeEOF)
		if last := logOf(t, all, c.from); last != 5000 && c.from <= 5000 {
			t.Errorf("%+v: ends at line %d", c.sub, last)
		}
		if snap := payload[api.StreamSnapshot](t, all[0]); snap.FromSeq != c.from || snap.AsOfSeq != 5000 {
			t.Errorf("%+v: %+v", c.sub, snap)
		}
		got := types(all)
		want := []agentwire.Type{api.TypeSnapshot, agentwire.TypeLogStream, api.TypeLive, agentwire.TypeJobFinished, api.TypeEOF}
		if c.from > 5000 {
			want = append(want[:1:1], want[2:]...)
		}
		if len(got) != len(want) {
			t.Errorf("%+v: %v, want %v", c.sub, got, want)
		}
	}
}

func TestStreamOfAnotherEpochBeginsAnew(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	h.write(job, 1, 50)
	all := h.subscribe(job.ID, api.Subscribe{AfterSeq: 40, Epoch: "of-yesterday"}).until(api.TypeLive)
	if all[0].Type != agentwire.TypeReset || all[1].Type != api.TypeSnapshot || logOf(t, all, 1) != 50 {
		t.Errorf("%v", types(all))
	}
}

func TestStreamOfAJobWithoutSeal(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	h.write(job, 1, 30)
	h.must(h.JobRejected(h.ctx, h.host.ID, job.ID, agentwire.CommandReject{Reason: fleet.ReasonInvalidJob, Message: "No."}))
	all := h.subscribe(job.ID, api.Subscribe{}).until(api.TypeEOF)
	want := position(30)
	if eof := payload[api.EOF](t, all[len(all)-1]); eof != (api.EOF{LastSeq: 30, CRC32C: want.CRC32C}) || logOf(t, all, 1) != 30 {
		t.Errorf("%+v", eof)
	}
}

// What retention took does not come any more: the stream says where it ends, and ends.
func TestStreamOfALogThatRetentionTook(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	h.write(job, 1, 30)
	h.finish(job, 30)
	sharedtest.Eventually(t, patience, "the month's log is dropped", func() bool {
		dropped, err := h.logs.DropBefore(time.Now().AddDate(0, 2, 0)) // a log that is being compacted stays for now
		h.must(err)
		return len(dropped) > 0
	})
	all := h.subscribe(job.ID, api.Subscribe{}).until(api.TypeEOF)
	eof := payload[api.EOF](t, all[len(all)-1])
	if sent := logOf(t, all, 1); sent != 0 || eof != (api.EOF{}) {
		t.Errorf("%d lines sent, %+v", sent, eof)
	}
}

// Progress is merged: at most one a second, the first at once, the newest last.
func TestStreamProgressIsPaced(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	r := h.subscribe(job.ID, api.Subscribe{})
	r.until(api.TypeLive)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				h.logs.SetProgress(job.ID, fleet.Progress{FilesDone: n, At: time.Unix(0, n)})
			}
		}
	})
	began := time.Now()
	var done []int64
	for len(done) < 3 {
		e := r.until(agentwire.TypeJobProgress)
		done = append(done, payload[fleet.Progress](t, e[len(e)-1]).FilesDone)
	}
	took := time.Since(began)
	close(stop)
	wg.Wait()
	if took < 1900*time.Millisecond || done[0] > 100 || done[2] <= done[1] {
		t.Errorf("three progresses in %v: %v", took, done)
	}
}

func TestStreamRefusals(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	path := "/jobs/" + string(job.ID) + "/stream"
	_, err := h.dial("", path)
	wantCode(t, err, fault.Unauthenticated)
	_, err = h.dial(fleet.RoleViewer, "/jobs/nothing/stream")
	wantCode(t, err, fault.UnknownJob)
	a := h.ask("GET", api.Base+path, fleet.RoleViewer, "", func(r *http.Request) {
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Origin", "https://evil.example")
	})
	if a.status != 403 || a.problem(t).Code != fault.Forbidden {
		t.Errorf("from a web page: %d %s", a.status, a.body)
	}
	for name, c := range map[string]struct {
		first string
		code  int
	}{
		"no JSON":       {"hello", wsconn.CloseProtocol},
		"other version": {`{"v":9,"type":"subscribe"}`, wsconn.CloseProtocol},
		"other type":    {`{"v":1,"type":"watch","payload":{}}`, wsconn.CloseProtocol},
		"negative":      {`{"v":1,"type":"subscribe","payload":{"after_seq":-1}}`, wsconn.CloseProtocol},
		"no line":       {`{"v":1,"type":"subscribe","payload":{"after_seq":9223372036854775807}}`, wsconn.CloseProtocol},
		"huge":          {string(make([]byte, 64<<10)), wsconn.CloseFrameTooLarge},
	} {
		r, err := h.dial(fleet.RoleViewer, path)
		h.must(err)
		h.must(r.Write(r.ctx, []byte(c.first)))
		if code := r.closeCode(); code != c.code {
			t.Errorf("%s: closed with %d, want %d", name, code, c.code)
		}
	}
	r := h.subscribe(job.ID, api.Subscribe{})
	r.until(api.TypeLive)
	r.send(api.TypeSubscribe, api.Subscribe{})
	if code := r.closeCode(); code != wsconn.ClosePolicy {
		t.Errorf("a second frame: closed with %d", code)
	}
}

func TestSilentSocketIsClosed(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.FirstFrame = 30 * time.Millisecond })
	r, err := h.dial(fleet.RoleViewer, "/watch")
	h.must(err)
	if code := r.closeCode(); code != wsconn.CloseProtocol {
		t.Errorf("closed with %d", code)
	}
}

// S8: a token that ends takes its sockets with it, within a second, whether they read or not.
func TestRevokedTokenClosesItsSockets(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.PollTokens = 0 }) // the real pace
	job := h.start()
	h.run(job)
	stream := h.subscribe(job.ID, api.Subscribe{})
	stream.until(api.TypeLive)
	watch, err := h.dial(fleet.RoleViewer, "/watch")
	h.must(err)
	watch.send(api.TypeWatch, api.WatchRequest{})
	watch.until(api.TypeList)
	began := time.Now()
	h.must(h.DeleteToken(h.ctx, h.admin, h.tokens[fleet.RoleViewer].ID))
	for name, r := range map[string]*reader{"stream": stream, "watch": watch} {
		if code := r.closeCode(); code != api.CloseUnauthorized {
			t.Errorf("%s: closed with %d", name, code)
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestStoppingDaemonClosesSockets(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	r := h.subscribe(job.ID, api.Subscribe{})
	r.until(api.TypeLive)
	var wg sync.WaitGroup
	wg.Go(h.api.Close)
	if code := r.closeCode(); code != api.CloseShutdown {
		t.Errorf("closed with %d", code)
	}
	wg.Wait()
	if n := httpapi.OpenSockets(h.api); n != 0 {
		t.Errorf("%d sockets after Close", n)
	}
	_, err := h.dial(fleet.RoleViewer, "/watch")
	wantCode(t, err, fault.Unavailable)
}

func TestSocketsAreBounded(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.MaxSockets = 2 })
	job := h.start()
	first := h.subscribe(job.ID, api.Subscribe{})
	h.subscribe(job.ID, api.Subscribe{})
	_, err := h.dial(fleet.RoleViewer, "/watch")
	wantCode(t, err, fault.Unavailable)
	first.CloseNow()
	sharedtest.Eventually(t, patience, "room for another", func() bool { return httpapi.OpenSockets(h.api) < 2 })
	if _, err := h.dial(fleet.RoleViewer, "/watch"); err != nil {
		t.Error(err)
	}
}

// G13: a reader that stops reading costs nobody anything; it is closed after its time, and resumes where it was.
func TestStuckReaderAffectsNobody(t *testing.T) {
	h := newHouse(t, func(c *httpapi.Config) { c.WriteTime = 5 * time.Second })
	job := h.start()
	h.run(job)
	stuck := h.subscribe(job.ID, api.Subscribe{})
	stuck.until(api.TypeLive) // and reads nothing any more
	good := h.subscribe(job.ID, api.Subscribe{})
	good.until(api.TypeLive)
	want := make(chan fleet.LogPosition, 1)
	go func() {
		pos := h.fat(job, 3_000) // 12 MiB
		h.must(h.JobFinished(h.ctx, h.host.ID, job.ID, agentwire.JobFinished{Log: pos, Outcome: fleet.Outcome{State: fleet.StateSucceeded}}))
		want <- pos
	}()
	got := good.take(fleet.LogPosition{})
	if end := <-want; got != end {
		t.Errorf("the good reader has %+v, want %+v", got, end)
	}
	sharedtest.Eventually(t, patience, "the stuck reader is closed", func() bool { return httpapi.OpenSockets(h.api) == 0 })
	resumed := h.subscribe(job.ID, api.Subscribe{Tail: 100})
	resumed.until(api.TypeEOF)
}

// G14: a console that reconnects all the time has no hole and no duplicate.
func TestFollowThroughBrokenConnections(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	h.run(job)
	const n, cuts = 20_000, 15
	var last int64
	var lost int
	var final fleet.Job
	written := make(chan struct{})
	go func() {
		defer close(written)
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for from := int64(1); from <= n; from += n / cuts {
			h.write(job, from, min(n, from+n/cuts-1))
			h.wire.cut()
			<-pace.C
		}
		h.finish(job, n)
	}()
	err := h.client(fleet.RoleViewer).Follow(h.ctx, job.ID, apiclient.FollowOptions{GiveUpAfter: patience}, apiclient.FollowHandler{
		Lines: func(first int64, lines []fleet.LogLine) {
			if first != last+1 {
				t.Errorf("line %d came after %d", first, last)
			}
			last += int64(len(lines))
		},
		Lost:     func(error, time.Duration) { lost++ },
		Finished: func(j fleet.Job) { final = j },
	})
	<-written
	if err != nil || last != n || lost == 0 || final.State != fleet.StateSucceeded {
		t.Errorf("%d lines after %d cuts, %s, %v", last, lost, final.State, err)
	}
}
