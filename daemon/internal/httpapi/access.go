package httpapi

import (
	"fmt"
	"net/http"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// access says who may use a route, and how its requests are handled.
type access struct {
	role   fleet.Role // the lowest that may; none when open
	open   bool       // without a token
	stream bool       // lasts as long as it likes: no deadline for the whole
}

func may(role fleet.Role) access       { return access{role: role} }
func mayStream(role fleet.Role) access { return access{role: role, stream: true} }

// accessTable is the one place that says who may do what. The key is method and path, as the mux takes them.
func accessTable() map[string]access {
	const b = api.Base
	open := access{open: true}
	viewer, operator, admin := may(fleet.RoleViewer), may(fleet.RoleOperator), may(fleet.RoleAdmin)
	return map[string]access{
		"POST " + b + "/session":          open, // this is where tokens come from; limited by address and user
		"GET " + b + "/session":           viewer,
		"DELETE " + b + "/session":        viewer,
		"POST " + b + "/session/password": viewer, // one's own, with the old one

		"GET " + b + "/overview":                           viewer,
		"GET " + b + "/hosts":                              viewer,
		"GET " + b + "/hosts/{id}":                         viewer,
		"PATCH " + b + "/hosts/{id}":                       operator,
		"DELETE " + b + "/hosts/{id}":                      admin,
		"POST " + b + "/hosts/{id}/jobs":                   operator,
		"PUT " + b + "/hosts/{id}/secrets/{repository}":    operator,
		"DELETE " + b + "/hosts/{id}/secrets/{repository}": operator,
		"GET " + b + "/enrolment-tokens":                   admin,
		"POST " + b + "/enrolment-tokens":                  admin,
		"DELETE " + b + "/enrolment-tokens/{id}":           admin,
		"GET " + b + "/repositories":                       viewer,
		"POST " + b + "/repositories":                      operator,
		"GET " + b + "/repositories/{id}":                  viewer,
		"PUT " + b + "/repositories/{id}":                  operator,
		"DELETE " + b + "/repositories/{id}":               operator,
		"POST " + b + "/repositories/{id}/test":            operator,
		"GET " + b + "/plans":                              viewer,
		"POST " + b + "/plans":                             operator,
		"GET " + b + "/plans/{id}":                         viewer,
		"PUT " + b + "/plans/{id}":                         operator,
		"DELETE " + b + "/plans/{id}":                      operator,
		"POST " + b + "/plans/{id}/pause":                  operator,
		"POST " + b + "/plans/{id}/resume":                 operator,
		"GET " + b + "/plans/{id}/next-runs":               viewer,
		"GET " + b + "/jobs":                               viewer,
		"GET " + b + "/jobs/{id}":                          viewer,
		"POST " + b + "/jobs/{id}/cancel":                  operator,
		"GET " + b + "/jobs/{id}/log":                      mayStream(fleet.RoleViewer),
		"GET " + b + "/jobs/{id}/stream":                   mayStream(fleet.RoleViewer),
		"GET " + b + "/watch":                              mayStream(fleet.RoleViewer),
		"GET " + b + "/snapshots":                          viewer,
		"GET " + b + "/users":                              admin,
		"POST " + b + "/users":                             admin,
		"PATCH " + b + "/users/{id}":                       admin,
		"DELETE " + b + "/users/{id}":                      admin,
		"GET " + b + "/tokens":                             admin,
		"POST " + b + "/tokens":                            admin,
		"DELETE " + b + "/tokens/{id}":                     admin,
		"GET " + b + "/audit":                              viewer,
		"GET /metrics":                                     viewer, // host and job counts are nobody's business without a token
		"GET /openapi.json":                                open,   // the same for everybody, and public with the source
		"GET /healthz":                                     open,
		"GET /readyz":                                      open,
	}
}

// guardedMux is a mux that takes no route without a row in accessTable, and puts the guard before each.
type guardedMux struct {
	server *Server
	mux    *http.ServeMux
	seen   map[string]bool
}

// HandleFunc is what huma's adapter calls for each operation.
func (m *guardedMux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	row, ok := accessTable()[pattern]
	if !ok {
		panic(fmt.Sprintf("httpapi: route %q has no row in accessTable", pattern))
	}
	if row.open == row.role.Valid() {
		panic(fmt.Sprintf("httpapi: row %q must be open or name a role", pattern))
	}
	m.seen[pattern] = true
	m.mux.HandleFunc(pattern, m.server.guard(row, handler))
}

// ServeHTTP completes what huma's adapter wants of a mux.
func (m *guardedMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// complete panics when a row of accessTable has no route.
func (m *guardedMux) complete() {
	for pattern := range accessTable() {
		if !m.seen[pattern] {
			panic(fmt.Sprintf("httpapi: row %q of accessTable has no route", pattern))
		}
	}
}
