package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Plans gives all plans by name.
func (s *Service) Plans(ctx context.Context) (all []fleet.Plan, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		all, err = r.Plans(ctx)
		return err
	})
	return all, err
}

// Plan gives one plan.
func (s *Service) Plan(ctx context.Context, idOrName string) (p fleet.Plan, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		p, err = findPlan(ctx, r, idOrName)
		return err
	})
	return p, err
}

// AddPlan stores a plan. Its hosts and repository may be named by id or name.
func (s *Service) AddPlan(ctx context.Context, actor Actor, req api.PlanRequest) (fleet.Plan, error) {
	p := fleet.Plan{ID: fleet.PlanID(s.newID()), CreatedAt: s.now()}
	err := s.update(ctx, func(w Writer) error {
		if err := fillPlan(ctx, w, &p, req, p.CreatedAt); err != nil {
			return err
		}
		if err := w.PutPlan(ctx, &p); err != nil {
			return taken(err, "plan", p.Name)
		}
		return w.AppendAudit(ctx, AuditEntry{p.CreatedAt, actor.Name, "plan.create", string(p.ID), planDetail(p)})
	})
	if err != nil {
		return fleet.Plan{}, err
	}
	s.configure(p.Hosts)
	return p, nil
}

// UpdatePlan replaces a plan.
func (s *Service) UpdatePlan(ctx context.Context, actor Actor, idOrName string, req api.PlanRequest) (fleet.Plan, error) {
	var p fleet.Plan
	var former []fleet.HostID
	err := s.update(ctx, func(w Writer) (err error) {
		if p, err = findPlan(ctx, w, idOrName); err != nil {
			return err
		}
		former = p.Hosts
		if err := fillPlan(ctx, w, &p, req, s.now()); err != nil {
			return err
		}
		if err := w.PutPlan(ctx, &p); err != nil {
			return taken(err, "plan", p.Name)
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "plan.update", string(p.ID), planDetail(p)})
	})
	if err != nil {
		return fleet.Plan{}, err
	}
	s.configure(slices.Concat(former, p.Hosts))
	return p, nil
}

// DeletePlan removes a plan. Its jobs stay.
func (s *Service) DeletePlan(ctx context.Context, actor Actor, idOrName string) error {
	var p fleet.Plan
	err := s.update(ctx, func(w Writer) (err error) {
		if p, err = findPlan(ctx, w, idOrName); err != nil {
			return err
		}
		if err := w.DeletePlan(ctx, p.ID); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "plan.delete", string(p.ID), p.Name})
	})
	if err != nil {
		return err
	}
	s.configure(p.Hosts)
	return nil
}

func planDetail(p fleet.Plan) string {
	return fmt.Sprintf("%s: %d paths of %d hosts to repository %s, %s", p.Name, len(p.Backup.Paths), len(p.Hosts), p.RepositoryID, scheduleDetail(p.Schedule))
}

const maxPlanHosts = 10_000

// fillPlan puts a request into a plan: names become ids, and what is saved must make sense on every host.
func fillPlan(ctx context.Context, r Reader, p *fleet.Plan, req api.PlanRequest, now time.Time) (err error) {
	if err := checkName("plan", req.Name); err != nil {
		return err
	}
	if p.Schedule, err = scheduleOf(req.Schedule, p.Schedule, now); err != nil {
		return err
	}
	if len(req.Hosts) == 0 || len(req.Hosts) > maxPlanHosts {
		return fault.New(fault.InvalidInput, "The plan names %d hosts. Name 1 to %d; `backstay hosts` lists them.", len(req.Hosts), maxPlanHosts)
	}
	repository, err := findRepository(ctx, r, string(req.RepositoryID))
	if err != nil {
		return err
	}
	known := slices.Clone(p.Hosts)
	p.Name, p.RepositoryID, p.Backup, p.Hosts = req.Name, repository.ID, req.Backup, nil
	checked := make(map[string]bool)
	for _, idOrName := range req.Hosts {
		h, err := findHost(ctx, r, string(idOrName))
		if err != nil {
			return err
		}
		if slices.Contains(p.Hosts, h.ID) {
			continue
		}
		if !slices.Contains(known, h.ID) {
			if err := checkTrusted(h); err != nil {
				return err
			}
		}
		if !checked[h.OS] {
			if err := p.Backup.Validate(h.OS); err != nil {
				return err
			}
			checked[h.OS] = true
		}
		p.Hosts = append(p.Hosts, h.ID)
	}
	return nil
}
