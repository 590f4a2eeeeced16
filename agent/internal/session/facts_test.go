package session_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// TestFactsThatChangedAreFound by a look now and then and with each job, and are sent only then.
func TestFactsThatChangedAreFound(t *testing.T) {
	for name, every := range map[string]time.Duration{"by and by": 20 * time.Millisecond, "with a job": time.Hour} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t)
			var version atomic.Pointer[string]
			before, after := "", "0.19.1"
			version.Store(&before)
			looks := make(chan struct{}, 10_000)
			newAgent(t, d, func(c *session.Config) {
				c.FactsEvery = every
				c.Facts = func(context.Context) agentwire.Facts {
					f := agentwire.Facts{Hostname: "h", OS: "linux", ResticVersion: *version.Load(), Secrets: []fleet.RepositoryID{"a", "b"}}
					looks <- struct{}{}
					return f
				}
			}).start(t)
			p := d.welcomed(t)
			<-looks // hello's
			jobs := 0
			look := func() {
				if every == time.Hour {
					jobs++
					id := fleet.JobID(fmt.Sprint("j", jobs))
					p.send(t, agentwire.TypeCommandRun, "", id, agentwire.CommandRun{Spec: *spec(id)})
				}
				<-looks
			}
			look() // nothing has changed, and so nothing is said
			version.Store(&after)
			look()
			for {
				e := p.read(t)
				if e.Type != agentwire.TypeInventory {
					continue
				}
				m, err := agentwire.Payload[agentwire.Inventory](e)
				if err != nil || m.Facts.ResticVersion != after {
					t.Fatalf("%+v, err %v", m, err)
				}
				return
			}
		})
	}
}
