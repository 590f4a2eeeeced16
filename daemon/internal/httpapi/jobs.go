package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

type jobControl interface {
	Jobs(ctx context.Context, f control.JobFilter) (api.Page[fleet.Job], error)
	Job(ctx context.Context, id fleet.JobID) (fleet.Job, error)
	CancelJob(ctx context.Context, actor control.Actor, id fleet.JobID) (fleet.Job, error)
}

type jobsInput struct {
	States     []fleet.JobState `query:"state,explode" maxItems:"16" doc:"May be given more than once."`
	Kind       fleet.JobKind    `query:"kind" maxLength:"32"`
	Host       string           `query:"host" maxLength:"160" doc:"Id or name."`
	Plan       string           `query:"plan" maxLength:"160" doc:"Id or name."`
	Repository string           `query:"repository" maxLength:"160" doc:"Id or name."`
	Text       string           `query:"text" maxLength:"256" doc:"Part of a host's, plan's or repository's name, the beginning of a job's id, or who created it."`
	Cursor     string           `query:"cursor" maxLength:"512" doc:"next of the page before."`
	Limit      int              `query:"limit" minimum:"1" maximum:"500" doc:"50 when not given."`
}

func (s *Server) jobRoutes(h huma.API) {
	c := s.cfg.Control
	register(s, h, operation{id: "listJobs", method: http.MethodGet, path: "/jobs", summary: "Jobs, newest first",
		detail: "A page may be short, even empty, and still have a next one."}, s.listJobs)
	register(s, h, operation{id: "getJob", method: http.MethodGet, path: "/jobs/{id}", summary: "One job"},
		func(ctx context.Context, _ control.Actor, in *ByID) (*answer[fleet.Job], error) {
			return ok(c.Job(ctx, fleet.JobID(in.ID)))
		})
	register(s, h, operation{id: "cancelJob", method: http.MethodPost, path: "/jobs/{id}/cancel", summary: "Ask for a job's end", status: http.StatusAccepted,
		detail: "It is carried out when the host can be reached; a job that was never sent is cancelled at once."},
		func(ctx context.Context, actor control.Actor, in *ByID) (*answer[fleet.Job], error) {
			return ok(c.CancelJob(ctx, actor, fleet.JobID(in.ID)))
		})
}

func (s *Server) listJobs(ctx context.Context, _ control.Actor, in *jobsInput) (*answer[api.Page[fleet.Job]], error) {
	return page(s.cfg.Control.Jobs(ctx, control.JobFilter{States: in.States, Kind: in.Kind, HostID: fleet.HostID(in.Host), PlanID: fleet.PlanID(in.Plan),
		RepositoryID: fleet.RepositoryID(in.Repository), Text: in.Text, Cursor: in.Cursor, Limit: in.Limit}))
}
