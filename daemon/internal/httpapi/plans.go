package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

type planControl interface {
	Plans(ctx context.Context) ([]fleet.Plan, error)
	Plan(ctx context.Context, idOrName string) (fleet.Plan, error)
	AddPlan(ctx context.Context, actor control.Actor, req api.PlanRequest) (fleet.Plan, error)
	UpdatePlan(ctx context.Context, actor control.Actor, idOrName string, req api.PlanRequest) (fleet.Plan, error)
	DeletePlan(ctx context.Context, actor control.Actor, idOrName string) error
	PausePlan(ctx context.Context, actor control.Actor, idOrName string) (fleet.Plan, error)
	ResumePlan(ctx context.Context, actor control.Actor, idOrName string) (fleet.Plan, error)
	NextRuns(ctx context.Context, idOrName, host string, count int) ([]api.NextRun, error)
}

// NextRunsQuery is what nextRuns takes.
type NextRunsQuery struct {
	ByID
	Host  string `query:"host" doc:"Id or name of one of the plan's hosts; then at is when that one begins"`
	Count int    `query:"count" minimum:"0" maximum:"100" doc:"How many; 5 when 0"`
}

func (s *Server) planRoutes(h huma.API) {
	c := s.cfg.Control
	register(s, h, operation{id: "listPlans", method: http.MethodGet, path: "/plans", summary: "All plans by name"},
		func(ctx context.Context, _ control.Actor, _ *none) (*answer[api.Page[fleet.Plan]], error) {
			return list(c.Plans(ctx))
		})
	register(s, h, operation{id: "addPlan", method: http.MethodPost, path: "/plans", summary: "Add a plan", status: http.StatusCreated,
		detail: "Its repository and hosts are named by id or name."},
		func(ctx context.Context, actor control.Actor, in *with[api.PlanRequest]) (*answer[fleet.Plan], error) {
			return ok(c.AddPlan(ctx, actor, in.Body))
		})
	register(s, h, operation{id: "getPlan", method: http.MethodGet, path: "/plans/{id}", summary: "One plan, by id or name"},
		func(ctx context.Context, _ control.Actor, in *ByID) (*answer[fleet.Plan], error) {
			return ok(c.Plan(ctx, in.ID))
		})
	register(s, h, operation{id: "updatePlan", method: http.MethodPut, path: "/plans/{id}", summary: "Replace a plan"},
		func(ctx context.Context, actor control.Actor, in *byIDWith[api.PlanRequest]) (*answer[fleet.Plan], error) {
			return ok(c.UpdatePlan(ctx, actor, in.ID, in.Body))
		})
	register(s, h, operation{id: "deletePlan", method: http.MethodDelete, path: "/plans/{id}", summary: "Delete a plan; its jobs stay", status: http.StatusNoContent},
		func(ctx context.Context, actor control.Actor, in *ByID) (*empty, error) {
			return done(c.DeletePlan(ctx, actor, in.ID))
		})
	register(s, h, operation{id: "pausePlan", method: http.MethodPost, path: "/plans/{id}/pause", summary: "Pause a plan's schedule",
		detail: "No slot counts until it is resumed, and none of them is caught up later."},
		func(ctx context.Context, actor control.Actor, in *ByID) (*answer[fleet.Plan], error) {
			return ok(c.PausePlan(ctx, actor, in.ID))
		})
	register(s, h, operation{id: "resumePlan", method: http.MethodPost, path: "/plans/{id}/resume", summary: "Resume a plan's schedule with its next slot"},
		func(ctx context.Context, actor control.Actor, in *ByID) (*answer[fleet.Plan], error) {
			return ok(c.ResumePlan(ctx, actor, in.ID))
		})
	register(s, h, operation{id: "nextRuns", method: http.MethodGet, path: "/plans/{id}/next-runs", summary: "The next slots of a plan's schedule"},
		func(ctx context.Context, _ control.Actor, in *NextRunsQuery) (*answer[api.NextRuns], error) {
			runs, err := c.NextRuns(ctx, in.ID, in.Host, in.Count)
			return ok(api.NextRuns{Runs: runs}, err)
		})
}
