package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

type repositoryControl interface {
	Repositories(ctx context.Context) ([]fleet.Repository, error)
	Repository(ctx context.Context, idOrName string) (fleet.Repository, error)
	AddRepository(ctx context.Context, actor control.Actor, req api.RepositoryRequest) (fleet.Repository, error)
	UpdateRepository(ctx context.Context, actor control.Actor, idOrName string, req api.RepositoryRequest) (fleet.Repository, error)
	DeleteRepository(ctx context.Context, actor control.Actor, idOrName string) error
	TestRepository(ctx context.Context, actor control.Actor, idOrName string, host fleet.HostID) (api.TestResult, error)
	Snapshots(ctx context.Context, f control.SnapshotFilter) (api.Page[fleet.Snapshot], error)
}

type snapshotsInput struct {
	Repository string `query:"repository" maxLength:"160" doc:"Id or name."`
	Host       string `query:"host" maxLength:"160" doc:"Id or name: snapshots that the host's jobs made, or that have its hostname and no other host does."`
	Plan       string `query:"plan" maxLength:"160" doc:"Id or name."`
	Hostname   string `query:"hostname" maxLength:"256" doc:"As restic has it."`
	Tag        string `query:"tag" maxLength:"256"`
	Cursor     string `query:"cursor" maxLength:"512" doc:"next of the page before."`
	Limit      int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when not given."`
}

func (s *Server) repositoryRoutes(h huma.API) {
	c := s.cfg.Control
	register(s, h, operation{id: "listRepositories", method: http.MethodGet, path: "/repositories", summary: "All repositories by name"},
		func(ctx context.Context, _ control.Actor, _ *none) (*answer[api.Page[fleet.Repository]], error) {
			return list(c.Repositories(ctx))
		})
	register(s, h, operation{id: "addRepository", method: http.MethodPost, path: "/repositories", summary: "Make a repository known", status: http.StatusCreated,
		detail: "The repository itself is not touched; a job of the kind init creates it. The URL holds no credentials."},
		func(ctx context.Context, actor control.Actor, in *with[api.RepositoryRequest]) (*answer[fleet.Repository], error) {
			return ok(c.AddRepository(ctx, actor, in.Body))
		})
	register(s, h, operation{id: "getRepository", method: http.MethodGet, path: "/repositories/{id}", summary: "One repository, by id or name"},
		func(ctx context.Context, _ control.Actor, in *ByID) (*answer[fleet.Repository], error) {
			return ok(c.Repository(ctx, in.ID))
		})
	register(s, h, operation{id: "updateRepository", method: http.MethodPut, path: "/repositories/{id}", summary: "Replace what is known of a repository"},
		func(ctx context.Context, actor control.Actor, in *byIDWith[api.RepositoryRequest]) (*answer[fleet.Repository], error) {
			return ok(c.UpdateRepository(ctx, actor, in.ID, in.Body))
		})
	register(s, h, operation{id: "deleteRepository", method: http.MethodDelete, path: "/repositories/{id}", summary: "Forget a repository that no plan uses", status: http.StatusNoContent,
		detail: "The repository itself, with all its snapshots, is not touched."},
		func(ctx context.Context, actor control.Actor, in *ByID) (*empty, error) {
			return done(c.DeleteRepository(ctx, actor, in.ID))
		})
	register(s, h, operation{id: "testRepository", method: http.MethodPost, path: "/repositories/{id}/test", summary: "Ask a host whether it can open the repository"}, s.testRepository)
	register(s, h, operation{id: "listSnapshots", method: http.MethodGet, path: "/snapshots", summary: "Snapshots as last reported, newest first",
		detail: "A page may be short, even empty, and still have a next one."}, s.listSnapshots)
}

func (s *Server) testRepository(ctx context.Context, actor control.Actor, in *byIDWith[api.TestRequest]) (*answer[api.TestResult], error) {
	host, err := s.cfg.Control.Host(ctx, string(in.Body.HostID))
	if err != nil {
		return nil, err
	}
	return ok(s.cfg.Control.TestRepository(ctx, actor, in.ID, host.ID))
}

func (s *Server) listSnapshots(ctx context.Context, _ control.Actor, in *snapshotsInput) (*answer[api.Page[fleet.Snapshot]], error) {
	return page(s.cfg.Control.Snapshots(ctx, control.SnapshotFilter{RepositoryID: fleet.RepositoryID(in.Repository), HostID: fleet.HostID(in.Host),
		PlanID: fleet.PlanID(in.Plan), Hostname: in.Hostname, Tag: in.Tag, Cursor: in.Cursor, Limit: in.Limit}))
}
