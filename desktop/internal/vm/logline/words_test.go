package logline_test

import (
	"fmt"
	"strings"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
)

// words are short enough to be read in a table of expectations.
func words() logline.Words {
	return logline.Words{
		Bytes:   func(n int64) string { return fmt.Sprintf("%d bytes", n) },
		Scanned: func(files, bytes int64) string { return fmt.Sprintf("%d files, %d bytes", files, bytes) },
		Summary: func(s logline.Summary) string {
			switch {
			case s.Backup != nil:
				b := s.Backup
				return fmt.Sprintf("%d new %d changed %d same, %d read, %d added, %d stored, %d ms, snapshot %s", b.FilesNew, b.FilesChanged, b.FilesUnmodified,
					b.TotalBytesProcessed, b.DataAdded, b.DataAddedPacked, b.DurationMS, b.SnapshotID)
			case s.Restore != nil:
				r := s.Restore
				return fmt.Sprintf("%d of %d items, %d of %d bytes, %d skipped, %d ms", r.FilesRestored, r.TotalFiles, r.BytesRestored, r.TotalBytes, r.FilesSkipped, r.DurationMS)
			case s.Check != nil:
				return fmt.Sprintf("%d errors, packs %s", s.Check.Errors, strings.Join(s.Check.BrokenPacks, " "))
			case s.Init != nil:
				return "repository " + s.Init.ResticID
			}
			return fmt.Sprintf("%d snapshots", s.Snapshots)
		},
		Gap: func(g logline.GapInfo) string { return fmt.Sprintf("lines %d to %d are missing", g.From, g.To) },
		Cut: func(n int64) string { return fmt.Sprintf(" [%d bytes more]", n) },
	}
}
