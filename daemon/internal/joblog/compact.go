package joblog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
)

// compactMonth rewrites the sealed logs of a month that are still in the chunks in which they came.
func (s *Store) compactMonth(name string, pack *packer) error {
	ctx := context.Background()
	f, _, err := s.months.acquire(ctx, name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.giveBack(f)
	for {
		keys, err := f.toCompact(ctx)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if s.stopping() {
				return nil // the seal says that it is still to do
			}
			if err := s.compactJob(ctx, f, key, pack); err != nil {
				return err
			}
		}
	}
}

// compactJob rewrites one log, a group of chunks in each transaction. A crash leaves some groups rewritten and the seal as it
// was: the next run rewrites all of it, which changes nothing where it is done.
func (s *Store) compactJob(ctx context.Context, f *monthFile, key int64, pack *packer) error {
	var at fleet.LogPosition
	for !s.stopping() {
		g, err := s.readGroup(ctx, f, key, at)
		if err == nil && g.chunks == 0 {
			s.count.compacted.Add(1)
			return f.sealState(ctx, key, sealCompacted)
		}
		if errors.Is(err, errCorrupt) || sqlite.IsCorrupt(err) {
			s.cfg.Log.Error("sealed log has a damaged chunk and stays as it is", "seq", at.LastSeq+1, "err", err)
			return f.sealState(ctx, key, sealKept)
		}
		if err != nil {
			return err
		}
		if rows := repack(pack, at, g); len(rows) < g.chunks {
			if err := f.replace(ctx, key, at.LastSeq, g.chunks, rows); err != nil {
				return err
			}
		}
		at = g.end
	}
	return nil
}

// group is some consecutive chunks of a log.
type group struct {
	lines  []fleet.LogLine
	chunks int
	end    fleet.LogPosition
}

// readGroup reads the chunks after at, up to compactLines lines or readBytes of text. Their lines must lead to the position that the
// last of them names.
func (s *Store) readGroup(ctx context.Context, f *monthFile, key int64, at fleet.LogPosition) (group, error) {
	g := group{end: at}
	var bad error
	size := int64(0)
	err := f.chunksAfter(ctx, key, at.LastSeq, func(r row) bool {
		if r.first != g.end.LastSeq+1 {
			bad = fmt.Errorf("%w: lines before %d are missing", errCorrupt, r.first)
			return false
		}
		if g.lines, bad = s.unpack.unpack(g.lines, r); bad != nil {
			return false
		}
		g.chunks++
		g.end = r.end
		size += r.bytes
		return len(g.lines) < compactLines && size < readBytes
	})
	if bad == nil && err == nil && advance(at, g.lines) != g.end {
		bad = fmt.Errorf("%w: lines up to %d do not match the log's checksum", errCorrupt, g.end.LastSeq)
	}
	return g, errors.Join(bad, err)
}

// repack makes long chunks of a group.
func repack(pack *packer, at fleet.LogPosition, g group) []row {
	var rows []row
	for rest := g.lines; len(rest) > 0; {
		var lines []fleet.LogLine
		lines, rest = split(rest, sealedLines, sealedBytes)
		r := pack.pack(at, lines)
		rows = append(rows, r)
		at = r.end
	}
	return rows
}
