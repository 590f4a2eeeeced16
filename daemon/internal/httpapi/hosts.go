package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

type hostControl interface {
	Hosts(ctx context.Context) ([]fleet.Host, error)
	Host(ctx context.Context, idOrName string) (fleet.Host, error)
	RevokeHost(ctx context.Context, actor control.Actor, id fleet.HostID) error
	StartJob(ctx context.Context, actor control.Actor, host string, req api.JobRequest, idempotencyKey string) (fleet.Job, error)
	PutSecret(ctx context.Context, actor control.Actor, host, repository, sealed string) error
	DeleteSecret(ctx context.Context, actor control.Actor, host, repository string) error
	RenameHost(ctx context.Context, actor control.Actor, idOrName, name string) (fleet.Host, error)
	EnrolmentTokens(ctx context.Context, cursor string, limit int) (api.Page[api.Enrolment], error)
	RevokeEnrolmentToken(ctx context.Context, actor control.Actor, id string) error
	CreateEnrolmentToken(ctx context.Context, actor control.Actor, req api.EnrolmentTokenRequest) (api.EnrolmentToken, error)
}

type (
	startJobInput struct {
		ByID
		Key  string `header:"Idempotency-Key" maxLength:"128" doc:"A repeated POST with the same key answers with the first job, for 24 hours."`
		Body api.JobRequest
	}
	putSecretInput struct {
		SecretPath
		Body api.SecretRequest
	}
	pageInput struct {
		Cursor string `query:"cursor" maxLength:"512" doc:"next of the page before."`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"50 when not given."`
	}
)

// SecretPath names the credentials of a repository on a host. Exported for the reason that ByID is.
type SecretPath struct {
	ByID
	Repository string `path:"repository" maxLength:"160"`
}

func (s *Server) hostRoutes(h huma.API) {
	c := s.cfg.Control
	register(s, h, operation{id: "listHosts", method: http.MethodGet, path: "/hosts", summary: "All hosts by name"},
		func(ctx context.Context, _ control.Actor, _ *none) (*answer[api.Page[fleet.Host]], error) {
			return list(c.Hosts(ctx))
		})
	register(s, h, operation{id: "getHost", method: http.MethodGet, path: "/hosts/{id}", summary: "One host, by id or name"},
		func(ctx context.Context, _ control.Actor, in *ByID) (*answer[fleet.Host], error) {
			return ok(c.Host(ctx, in.ID))
		})
	register(s, h, operation{id: "renameHost", method: http.MethodPatch, path: "/hosts/{id}", summary: "Give a host another name"},
		func(ctx context.Context, actor control.Actor, in *byIDWith[api.HostChange]) (*answer[fleet.Host], error) {
			return ok(c.RenameHost(ctx, actor, in.ID, in.Body.Name))
		})
	register(s, h, operation{id: "revokeHost", method: http.MethodDelete, path: "/hosts/{id}", summary: "End the trust in a host's agent", status: http.StatusNoContent,
		detail: "Its connection is closed and none is taken any more. What it did stays."}, s.revokeHost)
	register(s, h, operation{id: "startJob", method: http.MethodPost, path: "/hosts/{id}/jobs", summary: "Queue a job on a host", status: http.StatusAccepted,
		detail: "The job of a host that is away waits in the state queued."},
		func(ctx context.Context, actor control.Actor, in *startJobInput) (*answer[fleet.Job], error) {
			return ok(c.StartJob(ctx, actor, in.ID, in.Body, in.Key))
		})
	register(s, h, operation{id: "putSecret", method: http.MethodPut, path: "/hosts/{id}/secrets/{repository}", summary: "Give a host the credentials of a repository", status: http.StatusNoContent,
		detail: "Sealed to the host's sealing_key by the client. The daemon passes them on and keeps nothing, so the host must be online."},
		func(ctx context.Context, actor control.Actor, in *putSecretInput) (*empty, error) {
			return done(c.PutSecret(ctx, actor, in.ID, in.Repository, in.Body.Sealed))
		})
	register(s, h, operation{id: "deleteSecret", method: http.MethodDelete, path: "/hosts/{id}/secrets/{repository}", summary: "Let a host forget the credentials of a repository", status: http.StatusNoContent},
		func(ctx context.Context, actor control.Actor, in *SecretPath) (*empty, error) {
			return done(c.DeleteSecret(ctx, actor, in.ID, in.Repository))
		})
	s.enrolmentRoutes(h)
}

func (s *Server) enrolmentRoutes(h huma.API) {
	c := s.cfg.Control
	register(s, h, operation{id: "listEnrolmentTokens", method: http.MethodGet, path: "/enrolment-tokens", summary: "Enrolment tokens, newest first, without what they are spent with",
		detail: "host_id is the host that used the token, or the known host that it was made for. Tokens stay for a week after their end."},
		func(ctx context.Context, _ control.Actor, in *pageInput) (*answer[api.Page[api.Enrolment]], error) {
			return page(c.EnrolmentTokens(ctx, in.Cursor, in.Limit))
		})
	register(s, h, operation{id: "revokeEnrolmentToken", method: http.MethodDelete, path: "/enrolment-tokens/{id}", summary: "Revoke an enrolment token that was not used", status: http.StatusNoContent},
		func(ctx context.Context, actor control.Actor, in *ByID) (*empty, error) {
			return done(c.RevokeEnrolmentToken(ctx, actor, in.ID))
		})
	register(s, h, operation{id: "createEnrolmentToken", method: http.MethodPost, path: "/enrolment-tokens", summary: "A single-use token for an agent", status: http.StatusCreated},
		func(ctx context.Context, actor control.Actor, in *with[api.EnrolmentTokenRequest]) (*answer[api.EnrolmentToken], error) {
			return ok(c.CreateEnrolmentToken(ctx, actor, in.Body))
		})
}

func (s *Server) revokeHost(ctx context.Context, actor control.Actor, in *ByID) (*empty, error) {
	host, err := s.cfg.Control.Host(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return done(s.cfg.Control.RevokeHost(ctx, actor, host.ID))
}
