package sample

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// ask answers a request under the lock, unless something is in the way.
func ask[T any](ctx context.Context, d *Daemon, answer func() (T, error)) (T, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var none T
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("ask %s: %w", Address, err)
	}
	if err := d.askLocked(); err != nil {
		return none, err
	}
	return answer()
}

// askAs refuses what the role of who is signed in does not allow, as the daemon does.
func askAs[T any](ctx context.Context, d *Daemon, need fleet.Role, answer func() (T, error)) (T, error) {
	return ask(ctx, d, func() (T, error) {
		if !d.role.Allows(need) {
			var none T
			return none, fault.New(fault.Forbidden, "You are %s, and this needs the role %s. Ask an administrator of the fleet.", d.role, need)
		}
		return answer()
	})
}

func doAs(ctx context.Context, d *Daemon, need fleet.Role, act func() error) error {
	_, err := askAs(ctx, d, need, func() (struct{}, error) { return struct{}{}, act() })
	return err
}

func do(ctx context.Context, d *Daemon, act func() error) error {
	_, err := ask(ctx, d, func() (struct{}, error) { return struct{}{}, act() })
	return err
}

// Address is where the daemon is.
func (d *Daemon) Address() string { return Address }

// Close does nothing.
func (d *Daemon) Close() {}

// Identity is mira, with the role of SetRole.
func (d *Daemon) Identity(ctx context.Context) (api.Identity, error) {
	return ask(ctx, d, func() (api.Identity, error) {
		ends := d.now.AddDate(0, 0, 6)
		return api.Identity{User: "mira", Role: d.role, ExpiresAt: &ends, Daemon: api.DaemonInfo{Version: "1.4.2", Epoch: "sample", CAPin: "sha256:" + strings.Repeat("9f2c41d0", 8)}}, nil
	})
}

// SignOut ends the session.
func (d *Daemon) SignOut(ctx context.Context) error {
	return do(ctx, d, func() error {
		d.signedOut = true
		d.ringLocked()
		return nil
	})
}

func unknown(code fault.Code, what, name string) error {
	return fault.New(code, "There is no %s %s. Look at the list and try again.", what, name)
}

func (d *Daemon) hostLocked(idOrName string) (*fleet.Host, error) {
	for _, h := range d.hosts {
		if string(h.ID) == idOrName || h.Name == idOrName {
			return h, nil
		}
	}
	return nil, unknown(fault.UnknownHost, "host", idOrName)
}

func (d *Daemon) planLocked(idOrName string) (*fleet.Plan, error) {
	for _, p := range d.plans {
		if string(p.ID) == idOrName || p.Name == idOrName {
			return p, nil
		}
	}
	return nil, unknown(fault.UnknownPlan, "plan", idOrName)
}

func (d *Daemon) repoLocked(idOrName string) (*fleet.Repository, error) {
	for _, r := range d.repos {
		if string(r.ID) == idOrName || r.Name == idOrName {
			return r, nil
		}
	}
	return nil, unknown(fault.UnknownRepository, "repository", idOrName)
}

// StartJob queues a job; Advance lets it run.
func (d *Daemon) StartJob(ctx context.Context, host string, r api.JobRequest, _ string) (fleet.Job, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Job, error) {
		h, err := d.hostLocked(host)
		if err != nil {
			return fleet.Job{}, err
		}
		if h.RevokedAt != nil {
			return fleet.Job{}, fault.New(fault.HostRevoked, "Host %s was revoked. Enrol it anew with a fresh token.", h.Name)
		}
		var plan *fleet.Plan
		if r.Plan != "" {
			if plan, err = d.planLocked(r.Plan); err != nil {
				return fleet.Job{}, err
			}
		}
		j := d.newJob(h, plan, r.Kind, "mira", d.now)
		j.made = true
		if err := d.specLocked(j, plan, r); err != nil {
			return fleet.Job{}, err
		}
		i := d.machineOf(h.ID)
		j.run = &run{machine: i, bytes: int64(max(machines[i].gib, 1) * gibibyte / 40), files: max(machines[i].files/40, 12), scan: 1500 * 1000 * 1000, speed: 900 * mebibyte, perSecond: 20}
		if r.Kind != fleet.KindBackup {
			j.run.perSecond = 0
		}
		d.jobChangedLocked(j)
		return j.Job, nil
	})
}

func (d *Daemon) specLocked(j *job, plan *fleet.Plan, r api.JobRequest) error {
	if plan == nil {
		repo, err := d.repoLocked(r.Repository)
		if err != nil {
			return err
		}
		j.RepositoryID = repo.ID
	}
	switch r.Kind {
	case fleet.KindBackup:
		if plan == nil {
			j.Spec.Backup = &fleet.BackupSpec{Paths: r.Paths, Excludes: r.Excludes, Tags: r.Tags, ExcludeCaches: r.ExcludeCaches, OneFileSystem: r.OneFileSystem, Verbose: r.Verbose}
		}
	case fleet.KindRestore:
		j.Spec.Restore = &fleet.RestoreSpec{SnapshotID: fleet.SnapshotID(r.Snapshot), Includes: r.Includes, Folder: r.Folder}
	case fleet.KindCheck:
		j.Spec.Check = &fleet.CheckSpec{ReadData: r.ReadData}
	}
	d.respec(j)
	return nil
}

// CancelJob asks for a job's end; Advance carries it out.
func (d *Daemon) CancelJob(ctx context.Context, id fleet.JobID) (fleet.Job, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Job, error) {
		j := d.jobs[id]
		switch {
		case j == nil:
			return fleet.Job{}, unknown(fault.UnknownJob, "job", string(id))
		case j.State.Ended():
			return fleet.Job{}, fault.New(fault.JobEnded, "Job %s has ended already (%s). There is nothing to cancel.", id, j.State)
		}
		j.CancelRequested = true
		if j.State == fleet.StateQueued {
			d.finishLocked(j, d.cancelled(j))
		} else {
			d.jobChangedLocked(j)
		}
		return j.Job, nil
	})
}

// Job gives one job.
func (d *Daemon) Job(ctx context.Context, id fleet.JobID) (fleet.Job, error) {
	return ask(ctx, d, func() (fleet.Job, error) {
		if j := d.jobs[id]; j != nil {
			return j.Job, nil
		}
		return fleet.Job{}, unknown(fault.UnknownJob, "job", string(id))
	})
}

// Jobs gives a page of jobs, newest first.
func (d *Daemon) Jobs(ctx context.Context, f apiclient.JobFilter) (api.Page[fleet.Job], error) {
	return ask(ctx, d, func() (api.Page[fleet.Job], error) {
		var all []fleet.Job
		for _, j := range slices.Backward(d.order) {
			if d.passes(j, f) {
				all = append(all, j.Job)
			}
		}
		return page(all, f.Cursor, f.Limit), nil
	})
}

// page cuts a page out of a list; cursors count rows.
func page[T any](all []T, cursor string, limit int) api.Page[T] {
	from, err := strconv.Atoi(cursor)
	if err != nil {
		from = 0
	}
	if limit <= 0 {
		limit = 50
	}
	from = min(from, len(all))
	to := min(from+limit, len(all))
	p := api.Page[T]{Items: append([]T{}, all[from:to]...)}
	if to < len(all) {
		p.Next = strconv.Itoa(to)
	}
	return p
}

func (d *Daemon) passes(j *job, f apiclient.JobFilter) bool {
	h, p, r := d.hosts[j.HostID], d.plans[j.PlanID], d.repos[j.RepositoryID]
	var host, plan, repo string
	if h != nil {
		host = h.Name
	}
	if p != nil {
		plan = p.Name
	}
	if r != nil {
		repo = r.Name
	}
	is := func(want, id, name string) bool { return want == "" || want == id || want == name }
	switch {
	case len(f.States) > 0 && !slices.Contains(f.States, j.State), f.Kind != "" && j.Kind != f.Kind,
		!is(f.Host, string(j.HostID), host), !is(f.Plan, string(j.PlanID), plan), !is(f.Repository, string(j.RepositoryID), repo):
		return false
	case f.Text == "":
		return true
	}
	text := strings.ToLower(f.Text)
	return slices.ContainsFunc([]string{host, plan, repo, j.CreatedBy}, func(s string) bool { return strings.Contains(strings.ToLower(s), text) }) ||
		strings.HasPrefix(strings.ToLower(string(j.ID)), text)
}

// LogText writes a log as restic wrote it.
func (d *Daemon) LogText(ctx context.Context, id fleet.JobID, after int64, w io.Writer) error {
	return d.LogLines(ctx, id, after, func(_ int64, l fleet.LogLine) error {
		if _, err := io.WriteString(w, l.Text+"\n"); err != nil {
			return fmt.Errorf("write log: %w", err)
		}
		return nil
	})
}

// LogLines gives a log line by line.
func (d *Daemon) LogLines(ctx context.Context, id fleet.JobID, after int64, take func(int64, fleet.LogLine) error) error {
	lines, err := ask(ctx, d, func() ([]fleet.LogLine, error) {
		if j := d.jobs[id]; j != nil {
			return slices.Clone(d.log(j)), nil
		}
		return nil, unknown(fault.UnknownJob, "job", string(id))
	})
	if err != nil {
		return err
	}
	for i := max(after, 0); i < int64(len(lines)); i++ {
		if err := take(i+1, lines[i]); err != nil {
			return err
		}
	}
	return nil
}

// Snapshots gives a page of snapshots, newest first.
func (d *Daemon) Snapshots(ctx context.Context, f apiclient.SnapshotFilter) (api.Page[fleet.Snapshot], error) {
	return ask(ctx, d, func() (api.Page[fleet.Snapshot], error) {
		var repository fleet.RepositoryID
		if f.Repository != "" {
			r, err := d.repoLocked(f.Repository)
			if err != nil {
				return api.Page[fleet.Snapshot]{}, err
			}
			repository = r.ID
		}
		var all []fleet.Snapshot
		for _, s := range d.snapshots {
			if (repository == "" || s.RepositoryID == repository) && (f.Hostname == "" || s.Hostname == f.Hostname) && (f.Tag == "" || slices.Contains(s.Tags, f.Tag)) {
				all = append(all, s)
			}
		}
		return page(all, f.Cursor, f.Limit), nil
	})
}
