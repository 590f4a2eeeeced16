package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const planColumns = "id, name, repository_id, backup, schedule, created_at, rev"

func scanPlan(s scanner) (fleet.Plan, error) {
	var p fleet.Plan
	err := s.Scan(&p.ID, &p.Name, &p.RepositoryID, asJSON{&p.Backup}, jsonOrNull{&p.Schedule}, when{&p.CreatedAt}, &p.Rev)
	p.Hosts = []fleet.HostID{}
	return p, err
}

func (r *reader) Plan(ctx context.Context, id fleet.PlanID) (fleet.Plan, error) {
	return r.onePlan(ctx, "WHERE id = ?", string(id))
}

func (r *reader) PlanByName(ctx context.Context, name string) (fleet.Plan, error) {
	return r.onePlan(ctx, "WHERE name = ?", name)
}

func (r *reader) onePlan(ctx context.Context, where string, arg string) (fleet.Plan, error) {
	plans, err := r.plans(ctx, where, arg)
	if err != nil {
		return fleet.Plan{}, err
	}
	if len(plans) == 0 {
		return fleet.Plan{}, fmt.Errorf("read plan: %w", control.ErrNotFound)
	}
	return plans[0], nil
}

func (r *reader) Plans(ctx context.Context) ([]fleet.Plan, error) { return r.plans(ctx, "") }

func (r *reader) PlansOf(ctx context.Context, repository fleet.RepositoryID) ([]fleet.Plan, error) {
	return r.plans(ctx, "WHERE repository_id = ?", string(repository))
}

// plans reads plans with their hosts, by name; where is written out in this package.
func (r *reader) plans(ctx context.Context, where string, args ...any) ([]fleet.Plan, error) {
	plans, err := many(ctx, r.q, "read plans", scanPlan, "SELECT "+planColumns+" FROM plans "+where+" ORDER BY name", args...)
	if err != nil {
		return nil, err
	}
	hosts, err := r.pairs(ctx, "read plans' hosts", "SELECT plan_id, host_id FROM plan_hosts WHERE plan_id IN (SELECT id FROM plans "+
		where+") ORDER BY plan_id, place", args...)
	if err != nil {
		return nil, err
	}
	for i := range plans {
		for _, host := range hosts[string(plans[i].ID)] {
			plans[i].Hosts = append(plans[i].Hosts, fleet.HostID(host))
		}
	}
	return plans, nil
}

func (r *reader) planHosts(ctx context.Context, id fleet.PlanID) ([]fleet.HostID, error) {
	return many(ctx, r.q, "read plan's hosts", text[fleet.HostID],
		"SELECT host_id FROM plan_hosts WHERE plan_id = ? ORDER BY place", string(id))
}

// PutPlan inserts or replaces a plan.
func (w *writer) PutPlan(ctx context.Context, p *fleet.Plan) error {
	former, err := w.planHosts(ctx, p.ID)
	if err != nil {
		return err
	}
	p.CreatedAt = stored(p.CreatedAt)
	p.Hosts = append([]fleet.HostID{}, p.Hosts...)
	published := *p
	p.Rev = w.changed(api.Row{Kind: "plan", ID: string(p.ID), Plan: &published})
	published.Rev = p.Rev
	backup, err := toJSON(p.Backup)
	if err != nil {
		return err
	}
	schedule, err := toJSON(p.Schedule)
	if err != nil {
		return err
	}
	err = w.exec(ctx, "write plan", `INSERT INTO plans (id, name, repository_id, backup, schedule, created_at, rev)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (id) DO UPDATE SET name = ?2, repository_id = ?3, backup = ?4, schedule = ?5, rev = ?7`,
		string(p.ID), p.Name, string(p.RepositoryID), backup, schedule, micros(p.CreatedAt), p.Rev)
	if err != nil {
		return err
	}
	if !slices.Equal(former, p.Hosts) {
		if err := w.putPlanHosts(ctx, p.ID, p.Hosts); err != nil {
			return err
		}
	}
	return w.configure(ctx, append(former, p.Hosts...))
}

func (w *writer) putPlanHosts(ctx context.Context, id fleet.PlanID, hosts []fleet.HostID) error {
	if err := w.exec(ctx, "clear plan's hosts", "DELETE FROM plan_hosts WHERE plan_id = ?", string(id)); err != nil {
		return err
	}
	for i, host := range hosts {
		err := w.exec(ctx, "write plan's host", "INSERT INTO plan_hosts (plan_id, host_id, place) VALUES (?, ?, ?)",
			string(id), string(host), i)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeletePlan removes a plan.
func (w *writer) DeletePlan(ctx context.Context, id fleet.PlanID) error {
	former, err := w.planHosts(ctx, id)
	if err != nil {
		return err
	}
	if err := w.exec(ctx, "delete plan's hosts", "DELETE FROM plan_hosts WHERE plan_id = ?", string(id)); err != nil {
		return err
	}
	if err := w.exec(ctx, "delete plan", "DELETE FROM plans WHERE id = ?", string(id)); err != nil {
		return err
	}
	w.changed(api.Row{Kind: "plan", ID: string(id), Deleted: true})
	return w.configure(ctx, former)
}
