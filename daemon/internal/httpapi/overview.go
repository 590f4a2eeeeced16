package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
)

type overviewControl interface {
	Overview(ctx context.Context, days int) (api.Overview, error)
}

type overviewInput struct {
	Days int `query:"days" minimum:"1" maximum:"400" doc:"30 when not given. Days are those of UTC."`
}

func (s *Server) overviewRoutes(h huma.API) {
	register(s, h, operation{id: "getOverview", method: http.MethodGet, path: "/overview", summary: "How the backups of the last days ended"},
		func(ctx context.Context, _ control.Actor, in *overviewInput) (*answer[api.Overview], error) {
			return ok(s.cfg.Control.Overview(ctx, in.Days))
		})
}
