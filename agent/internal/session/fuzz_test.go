package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/wsconn"
)

// FuzzHandle hands the agent's end frames of a hostile daemon: nothing panics, nothing is started that is not a valid job under its
// own id, and only malformed frames end the connection.
func FuzzHandle(f *testing.F) {
	seed := func(t agentwire.Type, id string, job fleet.JobID, payload any) {
		frame, err := agentwire.Encode(t, id, job, payload)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	seed(agentwire.TypeCommandRun, "1", "j1", agentwire.CommandRun{Spec: *spec("j1"), StartWithinMS: 1})
	seed(agentwire.TypeCommandRun, "1", "j2", agentwire.CommandRun{Spec: *spec("j1")})
	seed(agentwire.TypeCommandCancel, "", "j1", agentwire.CommandCancel{By: "x"})
	seed(agentwire.TypeConfigUpdate, "", "", agentwire.ConfigUpdate{Version: 1})
	seed(agentwire.TypeAck, "", "j0", agentwire.Ack{Seq: 1 << 62, Finished: true})
	seed(agentwire.TypeNack, "", "j0", agentwire.Nack{Expect: -1 << 63})
	seed(agentwire.TypeCredit, "", "", agentwire.Credit{Bytes: 1<<63 - 1})
	seed(agentwire.TypeRequest, "r", "", agentwire.Request{Kind: "x", TimeoutMS: 1<<63 - 1})
	seed(agentwire.TypeReset, "", "", nil)
	f.Add([]byte(`{"v":1,"type":"command.run","job_id":"j1","payload":{"spec":{"job_id":"j1","kind":"backup","argv":["sh"]}}}`))
	f.Add([]byte(`{"v":1,"type":"ack","payload":null}`))

	d := newDaemon(f)
	a := newAgent(f, d)
	a.jobs.add("j0", 100)
	client, err := d.client(a)
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.Context())
	wire := session.NewWire(ctx, a.Session, client, func(err error) {
		if err != nil && ctx.Err() == nil && fault.CodeOf(err) != fault.Protocol {
			panic(err)
		}
	})
	f.Cleanup(func() { cancel(); client.CloseNow(); wire.Wait() })
	f.Fuzz(func(t *testing.T, frame []byte) {
		err := wire.Handle(ctx, frame)
		var known *fault.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatalf("an error that nobody may see: %v", err)
		}
		a.jobs.mu.Lock()
		defer a.jobs.mu.Unlock()
		for _, j := range a.jobs.order {
			j.mu.Lock()
			held := j.held
			j.mu.Unlock()
			if err := held.Spec.Validate(); err != nil || held.Spec.JobID != held.JobID {
				t.Fatalf("job %s was started: %v", held.JobID, err)
			}
		}
		a.jobs.order, a.jobs.cancels, a.jobs.runs = a.jobs.order[:1], nil, nil
	})
}

// client is a bare connection to d, whose end swallows what comes.
func (d *daemon) client(a *agent) (*wsconn.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	all, err := candidates(a.cfg.IdentityDir)
	if err != nil {
		return nil, err
	}
	conn, _, err := wsconn.Dial(ctx, a.cfg.Server+agentwire.PathConnect, wsconn.DialOptions{TLS: pin.ClientTLS(a.cfg.Pin, &all[0].Certificate)})
	if err != nil {
		return nil, err
	}
	hello, err := agentwire.Encode(agentwire.TypeHello, "", "", agentwire.Hello{AgentID: agentID, Clock: time.Now()})
	if err == nil {
		err = conn.Write(ctx, hello)
	}
	if err != nil {
		return nil, err
	}
	p := <-d.peers
	d.wg.Go(func() {
		for {
			select {
			case <-p.frames:
			case <-p.gone:
				return
			}
		}
	})
	return conn, nil
}
