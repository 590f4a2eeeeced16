package dispatch_test

import (
	"testing"
	"testing/synctest"

	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
)

// A host is shown as online while its hello is still worked on: what is asked of it then waits for the welcome.
func TestARequestBeforeTheWelcomeWaitsForIt(t *testing.T) {
	run(t, &books{}, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		answered := make(chan error, 1)
		go func() {
			_, err := d.Request(t.Context(), "h1", agentwire.Request{})
			answered <- err
		}()
		synctest.Wait()
		if n := w.count(agentwire.TypeRequest); n != 0 {
			t.Fatalf("%d requests before welcome", n)
		}
		s.Ready(agentwire.ConfigUpdate{}, nil, false)
		synctest.Wait()
		if n := w.count(agentwire.TypeRequest); n != 1 {
			t.Fatalf("%d requests after it", n)
		}
		s.Leave()
		if err := <-answered; fault.CodeOf(err) != fault.HostOffline {
			t.Fatal(err)
		}
		gone, _ := join(t, d, "h2", "one")
		go func() {
			_, err := d.Request(t.Context(), "h2", agentwire.Request{})
			answered <- err
		}()
		synctest.Wait()
		gone.Leave()
		if err := <-answered; fault.CodeOf(err) != fault.HostOffline {
			t.Fatal(err)
		}
	})
}
