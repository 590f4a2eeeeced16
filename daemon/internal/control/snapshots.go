package control

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// jobTag and planTag begin the tags that name the job and the plan of a snapshot.
const (
	jobTag  = "job:"
	planTag = "plan:"
)

// Snapshots gives a page of snapshots, newest first. A page may be short, even empty, and still name a next one.
func (s *Service) Snapshots(ctx context.Context, f SnapshotFilter) (page api.Page[fleet.Snapshot], err error) {
	if len(f.Hostname) > maxText || len(f.Tag) > maxText {
		return page, fault.New(fault.InvalidInput, "The host name or tag to look for is longer than %d bytes. Use a shorter one.", maxText)
	}
	limit, err := pageLimit(f.Limit)
	if err != nil {
		return page, err
	}
	err = s.store.View(ctx, func(r Reader) error {
		var ids JobQuery
		if err := jobQueryIDs(ctx, r, JobFilter{HostID: f.HostID, PlanID: f.PlanID}, &ids); err != nil {
			return err
		}
		q := SnapshotQuery{HostID: ids.HostID, PlanID: ids.PlanID, Hostname: f.Hostname, Tag: f.Tag, Cursor: f.Cursor, Limit: limit}
		if f.RepositoryID != "" {
			v, err := findRepository(ctx, r, string(f.RepositoryID))
			if err != nil {
				return err
			}
			q.RepositoryID = v.ID
		}
		page, err = r.SnapshotPage(ctx, q)
		return err
	})
	return page, err
}

// maxParts bounds in how many parts a listing may come.
const maxParts = 100_000

// SnapshotsReported takes a part of what a snapshots job found.
func (s *Service) SnapshotsReported(ctx context.Context, host fleet.HostID, job fleet.JobID, r agentwire.SnapshotsReport) error {
	if r.Part < 1 || r.Part > r.Parts || r.Parts > maxParts {
		return fault.New(fault.Protocol, "The agent reported part %d of %d of a repository's snapshots. Update the agent.", r.Part, r.Parts)
	}
	snapshots, err := cleanSnapshots(r.Snapshots)
	if err != nil {
		return err
	}
	return s.update(ctx, func(w Writer) error {
		j, err := jobOfHost(ctx, w, host, job)
		if err != nil {
			return err
		}
		if j.Kind != fleet.KindSnapshots || j.RepositoryID != r.RepositoryID {
			return fault.New(fault.Protocol, "The agent reported snapshots for job %s, which does not list that repository. Update the agent.", job)
		}
		err = w.ListSnapshots(ctx, SnapshotListing{RepositoryID: r.RepositoryID, JobID: job, JobRev: j.CreatedRev,
			At: s.now(), Part: r.Part, Parts: r.Parts, Snapshots: snapshots})
		if errors.Is(err, ErrNotFound) {
			return nil // the repository was forgotten here meanwhile
		}
		return err
	})
}

// cleanSnapshots refuses ids that are none and bounds what an agent may put into the store.
func cleanSnapshots(in []fleet.Snapshot) ([]fleet.Snapshot, error) {
	out := slices.Clone(in)
	for i := range out {
		v := &out[i]
		if len(v.ID) != snapshotIDLength || !snapshotHex(string(v.ID)) {
			return nil, fault.New(fault.Protocol, "The agent reported a snapshot with the id %s. Update the agent.", shown(string(v.ID)))
		}
		if !snapshotHex(string(v.Parent)) {
			v.Parent = ""
		}
		v.Hostname, v.Username, v.ProgramVersion = cut(v.Hostname, maxText), cut(v.Username, maxText), cut(v.ProgramVersion, maxText)
		v.Paths = slices.Clone(v.Paths)
		for n, p := range v.Paths {
			v.Paths[n] = cut(p, maxItem)
		}
		v.Tags = plainTags(v.Tags)
		v.JobID, v.PlanID, v.HostID = "", "", "" // an agent says no more of them than the tags do
		for _, tag := range v.Tags {
			if id, ok := strings.CutPrefix(tag, jobTag); ok && fleet.ValidID(id) {
				v.JobID = fleet.JobID(id)
			}
			if id, ok := strings.CutPrefix(tag, planTag); ok && fleet.ValidID(id) {
				v.PlanID = fleet.PlanID(id)
			}
		}
	}
	return out, nil
}

// plainTags drops what is no tag to restic: empty ones, and ones with a comma, which separates tags.
func plainTags(tags []string) []string {
	var out []string
	for _, tag := range tags {
		if tag = cut(tag, maxText); tag != "" && !strings.Contains(tag, ",") {
			out = append(out, tag)
		}
	}
	return out
}
