package control

import (
	"context"
	"encoding/json"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Repositories gives all repositories by name.
func (s *Service) Repositories(ctx context.Context) (all []fleet.Repository, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		all, err = r.Repositories(ctx)
		return err
	})
	return all, err
}

// Repository gives one repository.
func (s *Service) Repository(ctx context.Context, idOrName string) (v fleet.Repository, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		v, err = findRepository(ctx, r, idOrName)
		return err
	})
	return v, err
}

// AddRepository makes a repository known. It does not touch the repository itself.
func (s *Service) AddRepository(ctx context.Context, actor Actor, req api.RepositoryRequest) (fleet.Repository, error) {
	v := fleet.Repository{ID: fleet.RepositoryID(s.newID()), Name: req.Name, URL: req.URL, CACert: req.CACert,
		Options: req.Options, CreatedAt: s.now()}
	if err := checkRepositoryRequest(v); err != nil {
		return fleet.Repository{}, err
	}
	err := s.update(ctx, func(w Writer) error {
		if err := w.PutRepository(ctx, &v); err != nil {
			return taken(err, "repository", v.Name)
		}
		return w.AppendAudit(ctx, AuditEntry{v.CreatedAt, actor.Name, "repository.create", string(v.ID), v.Name + " " + v.URL})
	})
	if err != nil {
		return fleet.Repository{}, err
	}
	return v, nil
}

// UpdateRepository replaces what is known of a repository.
func (s *Service) UpdateRepository(ctx context.Context, actor Actor, idOrName string, req api.RepositoryRequest) (fleet.Repository, error) {
	var v fleet.Repository
	var hosts []fleet.HostID
	err := s.update(ctx, func(w Writer) (err error) {
		if v, err = findRepository(ctx, w, idOrName); err != nil {
			return err
		}
		v.Name, v.URL, v.CACert, v.Options = req.Name, req.URL, req.CACert, req.Options
		if err := checkRepositoryRequest(v); err != nil {
			return err
		}
		if err := w.PutRepository(ctx, &v); err != nil {
			return taken(err, "repository", v.Name)
		}
		plans, err := w.PlansOf(ctx, v.ID)
		for _, p := range plans {
			hosts = append(hosts, p.Hosts...)
		}
		if err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "repository.update", string(v.ID), v.Name + " " + v.URL})
	})
	if err != nil {
		return fleet.Repository{}, err
	}
	s.configure(hosts)
	return v, nil
}

// DeleteRepository forgets a repository that no plan and no open job uses. The repository itself is not touched.
func (s *Service) DeleteRepository(ctx context.Context, actor Actor, idOrName string) error {
	return s.update(ctx, func(w Writer) error {
		v, err := findRepository(ctx, w, idOrName)
		if err != nil {
			return err
		}
		plans, err := w.PlansOf(ctx, v.ID)
		if err != nil {
			return err
		}
		if len(plans) > 0 {
			return fault.New(fault.Conflict, "Plan %s uses repository %s. Delete the plan, or give it another repository, first.", shown(plans[0].Name), shown(v.Name))
		}
		job, err := w.RepositoryInUse(ctx, v.ID)
		if err != nil {
			return err
		}
		if job != "" {
			return fault.New(fault.Conflict, "Job %s still works on repository %s. Wait for its end or cancel it first.", job, shown(v.Name))
		}
		if err := w.DeleteRepository(ctx, v.ID); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "repository.delete", string(v.ID), v.Name})
	})
}

func checkRepositoryRequest(v fleet.Repository) error {
	if err := checkName("repository", v.Name); err != nil {
		return err
	}
	return v.Spec().Validate()
}

// testTimeout is how long the answer to a test may take: the host gives the repository 30 s, where restic itself would try for 15
// minutes.
const testTimeout = 40 * time.Second

// TestRepository asks a host whether it can open the repository.
func (s *Service) TestRepository(ctx context.Context, actor Actor, idOrName string, host fleet.HostID) (api.TestResult, error) {
	var v fleet.Repository
	var h fleet.Host
	err := s.store.View(ctx, func(r Reader) (err error) {
		if v, err = findRepository(ctx, r, idOrName); err == nil {
			h, err = findHost(ctx, r, string(host))
		}
		return err
	})
	if err != nil {
		return api.TestResult{}, err
	}
	spec := v.Spec()
	begun := s.clock()
	reply, err := s.ask(ctx, h, agentwire.Request{Kind: agentwire.RequestTestRepository, Repository: &spec,
		TimeoutMS: testTimeout.Milliseconds()}, testTimeout)
	if err != nil {
		return api.TestResult{}, err
	}
	result := api.TestResult{OK: reply.Reason == "", Reason: reply.Reason, Message: cut(reply.Message, maxMessage),
		ElapsedMS: s.clock().Sub(begun).Milliseconds()}
	var data struct {
		ResticID string `json:"restic_id"`
	}
	if len(reply.Data) > 0 && json.Unmarshal(reply.Data, &data) == nil {
		result.ResticID = cut(data.ResticID, snapshotIDLength)
	}
	outcome := "opened"
	if !result.OK {
		outcome = string(result.Reason)
	}
	return result, s.update(ctx, func(w Writer) error {
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "repository.test", string(v.ID), "on host " + string(h.ID) + ": " + outcome})
	})
}
