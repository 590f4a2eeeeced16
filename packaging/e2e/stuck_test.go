//go:build !windows

package e2e

import (
	"encoding/json"
	"net/http"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/wsconn"
)

// stuckReader subscribes to a job's stream and never reads a frame of it. It gives the function that ends it.
func (f *fleetOf) stuckReader(id fleet.JobID) func() {
	f.t.Helper()
	conn, _, err := wsconn.Dial(f.t.Context(), f.address+api.Base+"/jobs/"+string(id)+"/stream", wsconn.DialOptions{
		TLS: pin.ClientTLS(f.pin, nil), Header: http.Header{"Authorization": {"Bearer " + f.token}}, ReadLimit: agentwire.MaxFrame})
	if err != nil {
		f.t.Fatal(err)
	}
	payload, err := json.Marshal(api.Subscribe{})
	if err != nil {
		f.t.Fatal(err)
	}
	frame, err := json.Marshal(agentwire.Envelope{V: agentwire.Version, Type: api.TypeSubscribe, Payload: payload})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := conn.Write(f.t.Context(), frame); err != nil {
		f.t.Fatal(err)
	}
	return conn.CloseNow
}
