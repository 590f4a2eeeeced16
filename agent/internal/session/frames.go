package session

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	frameHead    = 512 // bytes of an envelope, at most
	lineHead     = 64  // bytes of a line's JSON beside its text, at most
	worstEscape  = 6   // bytes of JSON that one byte of text may take
	maxPartBytes = 256 << 10
	maxPartItems = 200 // snapshots of one part
)

// oneFrame gives the first of lines, one at least, that fit into a frame whatever has to be escaped, and the bytes of their text.
func oneFrame(lines []fleet.LogLine) (_ []fleet.LogLine, bytes int64) {
	room := agentwire.MaxFrame - frameHead
	for i, l := range lines {
		room -= worstEscape*len(l.Text) + lineHead
		if room < 0 && i > 0 {
			return lines[:i], bytes
		}
		bytes += int64(len(l.Text))
	}
	return lines, bytes
}

// sendProgress sends the newest progress; the names of files give way when they do not fit.
func (c *connection) sendProgress(ctx context.Context, id fleet.JobID, p fleet.Progress) error {
	err := c.send(ctx, agentwire.TypeJobProgress, "", id, p)
	if fault.CodeOf(err) == fault.FrameTooLarge {
		p.CurrentFiles = nil
		return c.send(ctx, agentwire.TypeJobProgress, "", id, p)
	}
	return err
}

// sendFinished sends a job's end. What is too much for one frame is cut from what the log holds anyhow.
func (c *connection) sendFinished(ctx context.Context, id fleet.JobID, end agentwire.JobFinished) error {
	for {
		err := c.send(ctx, agentwire.TypeJobFinished, "", id, end)
		if fault.CodeOf(err) != fault.FrameTooLarge || !shrink(&end.Outcome) {
			return err
		}
	}
}

// shrink halves what may be long in an outcome; false when nothing is left to halve.
func shrink(o *fleet.Outcome) bool {
	switch {
	case len(o.Unreadable) > 0:
		o.Unreadable = o.Unreadable[:len(o.Unreadable)/2]
	case o.Summary != nil && o.Summary.Check != nil && len(o.Summary.Check.BrokenPacks) > 0:
		summary, check := *o.Summary, *o.Summary.Check
		check.BrokenPacks = check.BrokenPacks[:len(check.BrokenPacks)/2]
		summary.Check, o.Summary = &check, &summary
	case len(o.Message) > 0:
		o.Message = o.Message[:len(o.Message)/2]
	default:
		return false
	}
	return true
}

// sendSnapshots reports what a snapshots job listed, in parts. A listing that cannot be read is told to the log alone: the job's
// own end says how it went.
func (c *connection) sendSnapshots(ctx context.Context, id fleet.JobID, job Job) error {
	list, ok, err := job.Snapshots()
	if err != nil {
		c.s.cfg.Log.ErrorContext(ctx, "the snapshots that a job listed cannot be read", "job_id", id, "err", err)
		return nil
	}
	repository, known := c.repositoryOf(id)
	if !ok || !known {
		return nil
	}
	parts := snapshotParts(list)
	for i, part := range parts {
		err := c.send(ctx, agentwire.TypeSnapshotsReport, "", id,
			agentwire.SnapshotsReport{RepositoryID: repository, Part: i + 1, Parts: len(parts), Snapshots: part})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *connection) repositoryOf(id fleet.JobID) (fleet.RepositoryID, bool) {
	for _, h := range c.s.cfg.Jobs.Held() {
		if h.JobID == id && h.Spec != nil {
			return h.Spec.Repository.ID, true
		}
	}
	return "", false
}

// snapshotParts cuts a listing so that each part fits into a frame; an empty listing is one empty part. A snapshot with so many paths
// that it alone does not fit keeps the first of them.
func snapshotParts(list []fleet.Snapshot) [][]fleet.Snapshot {
	parts := [][]fleet.Snapshot{{}}
	room := maxPartBytes
	for _, s := range list {
		size := encodedSize(s)
		for size > maxPartBytes && len(s.Paths)+len(s.Tags) > 0 {
			if len(s.Paths) > 0 {
				s.Paths = s.Paths[:len(s.Paths)/2]
			} else {
				s.Tags = s.Tags[:len(s.Tags)/2]
			}
			size = encodedSize(s)
		}
		last := len(parts) - 1
		if n := len(parts[last]); n > 0 && (size > room || n == maxPartItems) {
			parts, room = append(parts, nil), maxPartBytes
			last++
		}
		parts[last] = append(parts[last], s)
		room -= size
	}
	return parts
}
