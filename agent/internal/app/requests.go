package app

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// jobs lets a session use the runner.
type jobs struct{ *runner.Runner }

var _ session.Jobs = jobs{}

// Open gives a job's log and events.
func (j jobs) Open(id fleet.JobID) (session.Job, error) {
	job, err := j.Runner.Open(id)
	if err != nil {
		return nil, err
	}
	return job, nil
}

// requests answers the daemon's queries.
type requests struct {
	cfg     config.Config
	store   secrets.Store
	runner  *runner.Runner
	log     *slog.Logger
	changed func() // the facts changed
}

var _ session.Requests = (*requests)(nil)

// Handle answers one query. What went wrong is told in words that the daemon may show; nothing of a secret is in them.
func (q *requests) Handle(ctx context.Context, r agentwire.Request) agentwire.Reply {
	var reply agentwire.Reply
	var err error
	switch {
	case r.Repository == nil || !fleet.ValidID(string(r.Repository.ID)):
		err = fault.New(fault.Protocol, "The request names no repository. Update the older side.")
	case r.Kind == agentwire.RequestPutSecret:
		err = q.put(ctx, r.Repository.ID, r.Sealed)
	case r.Kind == agentwire.RequestDeleteSecret:
		err = q.store.Delete(ctx, r.Repository.ID)
		q.changed()
	case r.Kind == agentwire.RequestTestRepository:
		reply, err = q.test(ctx, *r.Repository)
	default:
		err = fault.New(fault.Protocol, "This agent does not know the request %q. Update the agent.", r.Kind)
	}
	if err == nil {
		return reply
	}
	q.log.WarnContext(ctx, "request failed", "kind", r.Kind, "err", err)
	message, ok := fault.Message(err)
	if !ok {
		message = "The agent could not do this. Its own log says why."
	}
	return agentwire.Reply{Code: fault.CodeOf(err), Message: message}
}

func (q *requests) put(ctx context.Context, id fleet.RepositoryID, sealed string) error {
	identity, err := q.store.Identity(ctx)
	if err != nil {
		return err
	}
	credentials, err := secret.Open(identity.Reveal(), q.cfg.HostID, id, sealed)
	if err != nil {
		return err
	}
	if err := q.store.Put(ctx, id, credentials); err != nil {
		return err
	}
	q.changed()
	return nil
}

func (q *requests) test(ctx context.Context, repository fleet.RepositorySpec) (agentwire.Reply, error) {
	o, err := q.runner.Test(ctx, repository)
	if err != nil {
		return agentwire.Reply{}, err
	}
	reply := agentwire.Reply{Reason: o.Reason, Message: o.Message}
	if o.State == fleet.StateSucceeded {
		reply.Message = "The repository opened."
	}
	if o.Summary == nil || o.Summary.Init == nil {
		return reply, nil
	}
	reply.Data, err = json.Marshal(o.Summary.Init)
	return reply, err
}
