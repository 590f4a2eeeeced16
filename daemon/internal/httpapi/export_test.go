package httpapi

import (
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Row is a row of accessTable.
type Row struct {
	Role fleet.Role
	Open bool
}

// Rows is accessTable.
func Rows() map[string]Row {
	out := map[string]Row{}
	for pattern, a := range accessTable() {
		out[pattern] = Row{Role: a.role, Open: a.open}
	}
	return out
}

// RegisterUnlisted adds a route that has no row.
func RegisterUnlisted(s *Server) { s.mux.HandleFunc("GET /api/v1/unlisted", nil) }

// DecodeSubscribe reads a job stream's first frame.
func DecodeSubscribe(frame []byte) (api.Subscribe, error) {
	return decodeFirst[api.Subscribe](frame, api.TypeSubscribe)
}

// OpenSockets is how many sockets are counted.
func OpenSockets(s *Server) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}
