package sample

import (
	"context"
	"strings"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// note writes into the audit log.
func (d *Daemon) note(action, object, detail string) {
	d.audit = append(d.audit, api.AuditRow{Seq: int64(len(d.audit)) + 1, At: d.now, Actor: "mira", Action: action, Object: object, Detail: detail, Hash: strings.Repeat("9f2c41d0", 8)})
}

// RevokeHost ends the trust in a host.
func (d *Daemon) RevokeHost(ctx context.Context, id fleet.HostID) error {
	return doAs(ctx, d, fleet.RoleAdmin, func() error {
		h, err := d.hostLocked(string(id))
		if err != nil {
			return err
		}
		at := d.now
		h.RevokedAt, h.Online = &at, false
		d.note("host.revoke", string(id), h.Name)
		d.hostChangedLocked(h)
		return nil
	})
}

// RenameHost gives a host another name.
func (d *Daemon) RenameHost(ctx context.Context, host, name string) (fleet.Host, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Host, error) {
		h, err := d.hostLocked(host)
		if err != nil {
			return fleet.Host{}, err
		}
		if other, err := d.hostLocked(name); err == nil && other != h {
			return fleet.Host{}, taken("host", name)
		}
		h.Name = name
		d.note("host.rename", string(h.ID), name)
		d.hostChangedLocked(h)
		return *h, nil
	})
}

// PutSecret lets the host hold credentials of the repository.
func (d *Daemon) PutSecret(ctx context.Context, host, repository, _ string) error {
	return d.secret(ctx, host, repository, func(h *fleet.Host, id fleet.RepositoryID) { h.Secrets = append(h.Secrets, id) })
}

// DeleteSecret lets the host forget them.
func (d *Daemon) DeleteSecret(ctx context.Context, host, repository string) error {
	return d.secret(ctx, host, repository, func(*fleet.Host, fleet.RepositoryID) {})
}

func (d *Daemon) secret(ctx context.Context, host, repository string, change func(*fleet.Host, fleet.RepositoryID)) error {
	return doAs(ctx, d, fleet.RoleOperator, func() error {
		h, err := d.hostLocked(host)
		if err != nil {
			return err
		}
		r, err := d.repoLocked(repository)
		if err != nil {
			return err
		}
		if !h.Online {
			return fault.New(fault.HostOffline, "%s is not connected. Start its agent and try again.", h.Name)
		}
		held := []fleet.RepositoryID{}
		for _, id := range h.Secrets {
			if id != r.ID {
				held = append(held, id)
			}
		}
		h.Secrets = held
		change(h, r.ID)
		d.hostChangedLocked(h)
		return nil
	})
}

// AddRepository makes a repository known.
func (d *Daemon) AddRepository(ctx context.Context, r api.RepositoryRequest) (fleet.Repository, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Repository, error) {
		if _, err := d.repoLocked(r.Name); err == nil {
			return fleet.Repository{}, taken("repository", r.Name)
		}
		v := &fleet.Repository{ID: fleet.RepositoryID(d.id("R")), CreatedAt: d.now}
		d.repos[v.ID] = v
		d.note("repository.create", string(v.ID), r.Name)
		return d.putRepo(v, r), nil
	})
}

func taken(what, name string) error {
	return fault.New(fault.Conflict, "There is a %s %s already. Choose another name.", what, name)
}

func (d *Daemon) putRepo(v *fleet.Repository, r api.RepositoryRequest) fleet.Repository {
	v.Name, v.URL, v.CACert, v.Options = r.Name, r.URL, r.CACert, r.Options
	d.repoChangedLocked(v)
	return *v
}

// UpdateRepository replaces what is known of a repository.
func (d *Daemon) UpdateRepository(ctx context.Context, repository string, r api.RepositoryRequest) (fleet.Repository, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Repository, error) {
		v, err := d.repoLocked(repository)
		if err != nil {
			return fleet.Repository{}, err
		}
		return d.putRepo(v, r), nil
	})
}

// DeleteRepository forgets a repository that no plan uses.
func (d *Daemon) DeleteRepository(ctx context.Context, repository string) error {
	return doAs(ctx, d, fleet.RoleOperator, func() error {
		v, err := d.repoLocked(repository)
		if err != nil {
			return err
		}
		for _, p := range d.plans {
			if p.RepositoryID == v.ID {
				return fault.New(fault.Conflict, "The plan %s backs up to this repository. Change or delete the plan first.", p.Name)
			}
		}
		delete(d.repos, v.ID)
		d.note("repository.delete", string(v.ID), v.Name)
		d.changedLocked(api.Row{Kind: "repository", ID: string(v.ID), Deleted: true})
		return nil
	})
}

// TestRepository opens the repository where the host holds its password.
func (d *Daemon) TestRepository(ctx context.Context, repository string, host fleet.HostID) (api.TestResult, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (api.TestResult, error) {
		r, err := d.repoLocked(repository)
		if err != nil {
			return api.TestResult{}, err
		}
		h, err := d.hostLocked(string(host))
		if err != nil {
			return api.TestResult{}, err
		}
		for _, id := range h.Secrets {
			if id == r.ID {
				return api.TestResult{OK: true, Message: "The repository opened.", ResticID: "3c52ecbd7a", ElapsedMS: 421}, nil
			}
		}
		return api.TestResult{Reason: fleet.ReasonNoSecret, Message: "This host holds no password for the repository. Give it one.", ElapsedMS: 3}, nil
	})
}

// AddPlan stores a plan.
func (d *Daemon) AddPlan(ctx context.Context, r api.PlanRequest) (fleet.Plan, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Plan, error) {
		if _, err := d.planLocked(r.Name); err == nil {
			return fleet.Plan{}, taken("plan", r.Name)
		}
		v := &fleet.Plan{ID: fleet.PlanID(d.id("P")), CreatedAt: d.now}
		return d.putPlan(v, r, "plan.create")
	})
}

func (d *Daemon) putPlan(v *fleet.Plan, r api.PlanRequest, action string) (fleet.Plan, error) {
	if _, err := d.repoLocked(string(r.RepositoryID)); err != nil {
		return fleet.Plan{}, err
	}
	v.Name, v.RepositoryID, v.Hosts, v.Backup = r.Name, r.RepositoryID, append([]fleet.HostID{}, r.Hosts...), r.Backup
	v.Schedule = scheduleOf(r.Schedule, v.Schedule, d.now)
	d.plans[v.ID] = v
	d.note(action, string(v.ID), v.Name)
	d.planChangedLocked(v)
	return *v, nil
}

// UpdatePlan replaces a plan.
func (d *Daemon) UpdatePlan(ctx context.Context, plan string, r api.PlanRequest) (fleet.Plan, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Plan, error) {
		v, err := d.planLocked(plan)
		if err != nil {
			return fleet.Plan{}, err
		}
		return d.putPlan(v, r, "plan.update")
	})
}

// DeletePlan removes a plan.
func (d *Daemon) DeletePlan(ctx context.Context, plan string) error {
	return doAs(ctx, d, fleet.RoleOperator, func() error {
		v, err := d.planLocked(plan)
		if err != nil {
			return err
		}
		delete(d.plans, v.ID)
		d.note("plan.delete", string(v.ID), v.Name)
		d.changedLocked(api.Row{Kind: "plan", ID: string(v.ID), Deleted: true})
		return nil
	})
}
