package control

import (
	"context"
	"slices"
	"strings"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// jobSpec makes what the agent will be told from what was asked for, and refuses what cannot be meant.
func (s *Service) jobSpec(ctx context.Context, r Reader, h fleet.Host, req api.JobRequest) (fleet.JobSpec, error) {
	if !req.Kind.Valid() {
		return fleet.JobSpec{}, unknownKind(req.Kind)
	}
	if err := checkMembers(req); err != nil {
		return fleet.JobSpec{}, err
	}
	plan, repository, err := planAndRepository(ctx, r, h, req)
	if err != nil {
		return fleet.JobSpec{}, err
	}
	spec := fleet.JobSpec{JobID: fleet.JobID(s.newID()), Kind: req.Kind, Repository: repository.Spec(), CreatedAt: s.now()}
	if plan != nil {
		spec.PlanID = plan.ID
	}
	switch req.Kind {
	case fleet.KindBackup:
		spec.Backup, err = backupSpec(plan, req)
	case fleet.KindRestore:
		spec.Restore, err = restoreSpec(ctx, r, repository, req)
	case fleet.KindCheck:
		spec.Check = &fleet.CheckSpec{ReadData: req.ReadData}
	}
	if err == nil {
		err = spec.ValidateOn(h.OS)
	}
	return spec, err
}

// checkMembers refuses members of the request that its kind does not have: they would silently do nothing.
func checkMembers(req api.JobRequest) error {
	backup := len(req.Paths) > 0 || len(req.Excludes) > 0 || len(req.Tags) > 0 || req.ExcludeCaches || req.OneFileSystem || req.Verbose
	restore := req.Snapshot != "" || len(req.Includes) > 0 || req.Folder != ""
	for _, m := range []struct {
		given bool
		kind  fleet.JobKind
		names string
	}{
		{backup, fleet.KindBackup, "paths, excludes, tags, exclude_caches, one_file_system and verbose"},
		{restore, fleet.KindRestore, "snapshot, includes and folder"},
		{req.ReadData != "", fleet.KindCheck, "read_data"},
	} {
		if m.given && req.Kind != m.kind {
			return fault.New(fault.InvalidInput, "A job of kind %s has no %s. Leave that out, or use kind %s.", req.Kind, m.names, m.kind)
		}
	}
	if req.Plan != "" && req.Repository != "" {
		return fault.New(fault.InvalidInput, "A plan names its repository itself. Give the plan or the repository, not both.")
	}
	return nil
}

// planAndRepository finds what the job works on. plan is nil when the request names none.
func planAndRepository(ctx context.Context, r Reader, h fleet.Host, req api.JobRequest) (*fleet.Plan, fleet.Repository, error) {
	switch {
	case req.Plan != "":
		plan, err := findPlan(ctx, r, req.Plan)
		if err != nil {
			return nil, fleet.Repository{}, err
		}
		if !slices.Contains(plan.Hosts, h.ID) {
			return nil, fleet.Repository{}, fault.New(fault.InvalidInput, "Plan %s does not include host %s. Add the host to the plan, or choose another plan.", shown(plan.Name), shown(h.Name))
		}
		repository, err := findRepository(ctx, r, string(plan.RepositoryID))
		return &plan, repository, err
	case req.Repository != "":
		repository, err := findRepository(ctx, r, req.Repository)
		return nil, repository, err
	case req.Kind == fleet.KindRestore:
		repository, err := repositoryOf(ctx, r, req.Snapshot)
		return nil, repository, err
	}
	return nil, fleet.Repository{}, fault.New(fault.InvalidInput, "The job needs a plan or a repository. `backstay plan ls` and `backstay repo ls` list them.")
}

func backupSpec(plan *fleet.Plan, req api.JobRequest) (*fleet.BackupSpec, error) {
	var b fleet.BackupSpec
	if plan == nil {
		b = fleet.BackupSpec{Paths: req.Paths, Excludes: req.Excludes, Tags: req.Tags, ExcludeCaches: req.ExcludeCaches,
			OneFileSystem: req.OneFileSystem, Verbose: req.Verbose}
	} else {
		if len(req.Paths) > 0 || len(req.Excludes) > 0 || req.ExcludeCaches || req.OneFileSystem {
			return nil, fault.New(fault.InvalidInput, "Plan %s says what is saved. Give the plan or paths and excludes, not both.", shown(plan.Name))
		}
		b = plan.Backup
		b.Tags = slices.Concat(b.Tags, req.Tags)
		b.Verbose = b.Verbose || req.Verbose
	}
	return &b, nil
}

// Lengths of restic's snapshot ids, and of the beginnings of them that are taken.
const (
	snapshotIDLength  = 64
	snapshotIDAtLeast = 8
)

// snapshotHex tells whether s may be a snapshot's id or its beginning.
func snapshotHex(s string) bool {
	return len(s) >= snapshotIDAtLeast && len(s) <= snapshotIDLength && strings.Trim(s, "0123456789abcdef") == ""
}

func badSnapshot(s string) error {
	return fault.New(fault.UnknownSnapshot, "%s is not the id of a snapshot, nor at least %d digits of one. `backstay snapshots` lists them.", shown(s), snapshotIDAtLeast)
}

// restoreSpec completes the beginning of a snapshot's id where the snapshot is known. One that is not known is left to restic:
// it may be newer than the last listing.
func restoreSpec(ctx context.Context, r Reader, repository fleet.Repository, req api.JobRequest) (*fleet.RestoreSpec, error) {
	if !snapshotHex(req.Snapshot) {
		return nil, badSnapshot(req.Snapshot)
	}
	spec := fleet.RestoreSpec{SnapshotID: fleet.SnapshotID(req.Snapshot), Includes: req.Includes, Folder: req.Folder}
	known, err := r.SnapshotsByPrefix(ctx, repository.ID, req.Snapshot, 2)
	switch {
	case err != nil:
		return nil, err
	case len(known) == 1:
		spec.SnapshotID = known[0].ID
	case len(known) > 1:
		return nil, fault.New(fault.InvalidInput, "More than one snapshot begins with %s. Give more digits of the id.", req.Snapshot)
	}
	return &spec, nil
}

// repositoryOf finds the one repository that holds a snapshot.
func repositoryOf(ctx context.Context, r Reader, snapshot string) (fleet.Repository, error) {
	if !snapshotHex(snapshot) {
		return fleet.Repository{}, badSnapshot(snapshot)
	}
	known, err := r.SnapshotsByPrefix(ctx, "", snapshot, 2)
	switch {
	case err != nil:
		return fleet.Repository{}, err
	case len(known) == 0:
		return fleet.Repository{}, fault.New(fault.UnknownSnapshot, "No snapshot known here begins with %s. List the repository anew with a job of kind snapshots, or name the repository.", snapshot)
	case len(known) > 1:
		return fleet.Repository{}, fault.New(fault.InvalidInput, "More than one snapshot begins with %s. Give more digits of the id, or name the repository.", snapshot)
	}
	return findRepository(ctx, r, string(known[0].RepositoryID))
}
