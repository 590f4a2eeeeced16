package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkMigrate brings a store of schema 1 with a million jobs of 1,000 hosts and 300,000 snapshots forward, once each time;
// the copy that is made before is part of it.
func BenchmarkMigrate(b *testing.B) {
	schema, err := os.ReadFile("testdata/schema-1.sql")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "state.db")
		db, err := Open(path, Create)
		if err != nil {
			b.Fatal(err)
		}
		for _, query := range []string{string(schema), `
			INSERT INTO hosts SELECT 'HOST' || value, 'host' || value, 'A' || value, 'host' || value, 'linux', 'amd64', '', '', 'keyring', 'age1x', '/r', 0, 0, 0, NULL, NULL, '', NULL, 0, 100 + value
				FROM (WITH RECURSIVE v(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM v WHERE value < 1000) SELECT value FROM v)`, `
			INSERT INTO jobs SELECT 100 + value, 'JOB' || value, 'HOST' || (value * 7919 % 1000 + 1), 'PLAN' || (value % 50), 'R1', iif(value % 100 = 3, 'check', 'backup'),
				iif(value % 1000 = 7, 'failed', 'succeeded'), 1, 0, 1, 'schedule', t, t, t + 60000000, t + 60000000, 100, 1000, 7, 1, value, value,
				'{"state":"succeeded","summary":{"backup":{"snapshot_id":"aa","total_bytes_processed":5000,"data_added":20,"data_added_packed":15}},"started_at":"2025-11-24T16:00:01Z","finished_at":"2025-11-24T16:00:09.000007Z"}',
				'{"kind":"backup","backup":{"paths":["/home","/etc","/srv"],"excludes":["*.tmp","/home/*/.cache"]}}'
				FROM (SELECT value, 1700000000000000 + value * 30000000 AS t FROM (WITH RECURSIVE v(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM v WHERE value < 1000000) SELECT value FROM v))`, `
			INSERT INTO snapshots SELECT 100 + value, 'R1', printf('%064x', value), 1700000000000000 + value * 30000000, 'host' || (value * 7919 % 1000 + 1), 'root', ',job:JOB' || value || ',', '', '',
				'JOB' || value, 10, 10, 10, '', value, '["/home"]' FROM (WITH RECURSIVE v(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM v WHERE value < 300000) SELECT value FROM v)`} {
			if _, err := db.Write.Exec(query); err != nil {
				b.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		s, err := OpenStore(context.Background(), path, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
