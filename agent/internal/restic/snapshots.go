package restic

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// MaxSnapshots bounds what ParseSnapshots takes; a repository of a thousand hosts that back up hourly for a month has less.
const MaxSnapshots = 1_000_000

// snapshotJSON is one element of `restic snapshots --json`. Releases before 0.17 have no summary.
type snapshotJSON struct {
	ID             string    `json:"id"`
	Time           time.Time `json:"time"`
	Parent         string    `json:"parent"`
	Paths          []string  `json:"paths"`
	Hostname       string    `json:"hostname"`
	Username       string    `json:"username"`
	Tags           []string  `json:"tags"`
	ProgramVersion string    `json:"program_version"`
	Summary        *struct {
		FilesProcessed int64 `json:"total_files_processed"`
		BytesProcessed int64 `json:"total_bytes_processed"`
		AddedPacked    int64 `json:"data_added_packed"`
	} `json:"summary"`
}

// ParseSnapshots reads the array that a snapshots job prints, an element at a time.
func ParseSnapshots(r io.Reader, repo fleet.RepositoryID) ([]fleet.Snapshot, error) {
	d := json.NewDecoder(r)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, badList(err, "no array")
	}
	out := []fleet.Snapshot{}
	for d.More() {
		var s snapshotJSON
		if err := d.Decode(&s); err != nil {
			return nil, badList(err, "element")
		}
		if len(out) == MaxSnapshots {
			return nil, fault.New(fault.TooLarge, "The repository holds more than %d snapshots. Forget some by a retention policy.", MaxSnapshots)
		}
		snapshot, err := s.snapshot(repo)
		if err != nil {
			return nil, badList(err, "snapshot")
		}
		out = append(out, snapshot)
	}
	if _, err := d.Token(); err != nil {
		return nil, badList(err, "end")
	}
	return out, nil
}

func badList(err error, where string) error {
	if err == nil {
		err = fmt.Errorf("unexpected JSON")
	}
	return fault.Wrap(fault.Internal, fmt.Errorf("read %s: %w", where, err), "restic's list of snapshots is cut off or not of a known form. Run the snapshots job again.")
}

func (s snapshotJSON) snapshot(repo fleet.RepositoryID) (fleet.Snapshot, error) {
	if !hexID(s.ID) || s.Parent != "" && !hexID(s.Parent) {
		return fleet.Snapshot{}, fmt.Errorf("id %.80q, parent %.80q: not 64 hexadecimal digits", s.ID, s.Parent)
	}
	if y := s.Time.UTC().Year(); s.Time.IsZero() || y < 1 || y > 9999 {
		return fleet.Snapshot{}, fmt.Errorf("snapshot %s has no time", s.ID)
	}
	out := fleet.Snapshot{
		ID: fleet.SnapshotID(s.ID), RepositoryID: repo, Time: s.Time.UTC(), Hostname: s.Hostname, Username: s.Username,
		Paths: s.Paths, Tags: s.Tags, Parent: fleet.SnapshotID(s.Parent), ProgramVersion: s.ProgramVersion,
	}
	if out.Paths == nil {
		out.Paths = []string{}
	}
	for _, t := range s.Tags {
		if id, ok := strings.CutPrefix(t, "job:"); ok && fleet.ValidID(id) {
			out.JobID = fleet.JobID(id)
			break
		}
	}
	if s.Summary != nil {
		out.FilesProcessed, out.BytesProcessed, out.BytesAdded = s.Summary.FilesProcessed, s.Summary.BytesProcessed, s.Summary.AddedPacked
	}
	return out, nil
}

func hexID(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }
