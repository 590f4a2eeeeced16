package joblog

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// backupLines is what `restic backup --json -vv` prints for a real tree's files, with made-up times and sizes.
func backupLines(b testing.TB, n int) []fleet.LogLine {
	b.Helper()
	root := filepath.Join(runtime.GOROOT(), "src")
	rnd := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	lines := make([]fleet.LogLine, 0, n)
	for len(lines) < n {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if len(lines) == n {
				return fs.SkipAll
			}
			at = at.Add(time.Duration(rnd.ExpFloat64() * float64(140*time.Microsecond)))
			size := int(rnd.ExpFloat64() * 9000)
			lines = append(lines, fleet.LogLine{Time: at, Stream: fleet.StreamOut, Text: fmt.Sprintf(
				`{"message_type":"verbose_status","action":"new","item":"%s","duration":%.9f,"data_size":%d,"data_size_in_repo":%d,"metadata_size":0,"metadata_size_in_repo":0,"total_files":0}`,
				path, rnd.ExpFloat64()/1000, size, size/3+41)})
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return lines
}

const (
	benchBatch  = 250     // lines of one Append: what gathers in 30 ms at 8,000 lines/s
	benchWindow = 16      // batches that may be unacknowledged: an agent's credit of 1 MiB
	benchGroup  = 1 << 20 // text of one commit of the raw store
	benchLines  = 200_000 // lines in the pool
)

func openBench(b testing.TB, cfg Config) *Store {
	b.Helper()
	cfg.Dir = b.TempDir()
	s, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func benchJob() fleet.JobID { return fleet.JobID(ulid.Make().String()) }

// used gives the bytes of a month's file that hold something.
func used(b testing.TB, s *Store, job fleet.JobID) float64 {
	b.Helper()
	f, err := s.file(b.Context(), hintedMonth(job), false)
	if err != nil {
		b.Fatal(err)
	}
	defer s.giveBack(f)
	var pages, free, size int64
	for pragma, to := range map[string]*int64{"page_count": &pages, "freelist_count": &free, "page_size": &size} {
		if err := f.db.Read.QueryRowContext(b.Context(), "PRAGMA "+pragma).Scan(to); err != nil {
			b.Fatal(err)
		}
	}
	return float64((pages - free) * size)
}

// BenchmarkAppend20Tails is one op a line: taken, durable, acknowledged and given to 20 readers as frames. It ends when the last
// reader has the last line and the last ack came.
func BenchmarkAppend20Tails(b *testing.B) { benchAppend(b, 20) }

// BenchmarkAppendAlone is the same without a reader.
func BenchmarkAppendAlone(b *testing.B) { benchAppend(b, 0) }

func benchAppend(b *testing.B, readers int) {
	pool := backupLines(b, benchLines)
	s, job := openBench(b, Config{}), benchJob()
	var wg sync.WaitGroup
	for range readers {
		tail := s.Tail(job)
		wg.Go(func() { readUntil(b, tail, int64(b.N)) })
	}
	credit := make(chan struct{}, benchWindow)
	b.ResetTimer()
	for next := 0; next < b.N; {
		from := next % len(pool)
		lines := pool[from:min(from+benchBatch, len(pool), from+b.N-next)]
		credit <- struct{}{}
		expect, err := s.Append(job, int64(next)+1, lines, func(int64) { <-credit })
		if err != nil {
			b.Fatal(err)
		}
		next = int(expect) - 1
	}
	for range benchWindow {
		credit <- struct{}{}
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(used(b, s, job)/float64(b.N), "B/line")
	b.ReportMetric(float64(b.N)/float64(max(s.Stats().Commits, 1)), "lines/commit")
	b.ReportMetric(float64(s.Stats().Blocks), "blocks")
}

func readUntil(b *testing.B, tail *Tail, n int64) {
	defer tail.Close()
	for after := int64(0); after < n; {
		bell := tail.Bell()
		got := false
		for {
			batch, ok := tail.Next(after)
			if !ok {
				break
			}
			if batch.First != after+1 || len(batch.Frame) == 0 {
				b.Errorf("after %d came %d", after, batch.First)
				return
			}
			after, got = after+int64(len(batch.Lines)), true
		}
		if !got {
			<-bell
		}
	}
}

// BenchmarkRawChunks is the bare store under the same lines: the same chunks packed and inserted, synchronous commits of about
// benchGroup of text, nothing else. BenchmarkAppend20Tails is measured against it.
func BenchmarkRawChunks(b *testing.B) {
	pool := backupLines(b, benchLines)
	m, err := openMonth(b.Context(), filepath.Join(b.TempDir(), "raw.db"), sqlite.Create)
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	p, err := newPacker(liveLevel)
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	var at fleet.LogPosition
	b.ResetTimer()
	for at.LastSeq < int64(b.N) {
		err := m.change(ctx, func(tx *sql.Tx) error {
			key, err := m.jobTx(ctx, tx, "raw")
			if err != nil {
				return err
			}
			var rows []row
			for text := at.Bytes; at.Bytes-text < benchGroup && at.LastSeq < int64(b.N); {
				from := int(at.LastSeq) % len(pool)
				lines, _ := split(pool[from:min(len(pool), from+b.N-int(at.LastSeq))], liveLines, liveBytes)
				rows = append(rows, p.pack(at, lines))
				at = rows[len(rows)-1].end
			}
			return m.insertTx(ctx, tx, key, rows)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkSealedSize is one op a line of a log that is sealed and compacted in the end.
func BenchmarkSealedSize(b *testing.B) {
	n := max(b.N, 50_000)
	pool := backupLines(b, n)
	s, job := openBench(b, Config{}), benchJob()
	var last sync.WaitGroup
	for i := 0; i < n; i += benchBatch {
		last.Add(1)
		if _, err := s.Append(job, int64(i)+1, pool[i:min(n, i+benchBatch)], func(int64) { last.Done() }); err != nil {
			b.Fatal(err)
		}
	}
	last.Wait()
	live := used(b, s, job) / float64(n)
	b.ResetTimer()
	if ok, err := s.Seal(b.Context(), job, advance(fleet.LogPosition{}, pool)); !ok || err != nil {
		b.Fatal(ok, err)
	}
	if err := sharedtest.Await(time.Minute, func() bool { return s.Stats().Compacted == 1 }); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(live, "liveB/line")
	b.ReportMetric(used(b, s, job)/float64(n), "sealedB/line")
}

// BenchmarkLineToTail is one op a line, sent alone at 1,000 lines/s: from Append to the frame in the reader's hand.
func BenchmarkLineToTail(b *testing.B) {
	pool := backupLines(b, benchLines)
	s, job := openBench(b, Config{}), benchJob()
	sent := make([]time.Time, b.N)
	took := make([]time.Duration, 0, b.N)
	tail := s.Tail(job)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer tail.Close()
		for len(took) < b.N {
			bell := tail.Bell()
			for {
				batch, ok := tail.Next(int64(len(took)))
				if !ok {
					break
				}
				now := time.Now()
				for range batch.Lines {
					took = append(took, now.Sub(sent[len(took)]))
				}
			}
			if len(took) < b.N {
				<-bell
			}
		}
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for i := range b.N {
		<-tick.C
		sent[i] = time.Now()
		if _, err := s.Append(job, int64(i)+1, pool[i%len(pool):i%len(pool)+1], nil); err != nil {
			b.Fatal(err)
		}
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkOpen is one op a start of the daemon on 10 M stored lines of 10,000 jobs, the look-up of one job included.
func BenchmarkOpen(b *testing.B) {
	dir, job := b.TempDir(), benchJob()
	fillMonth(b, filepath.Join(dir, "logs-"+hintedMonth(job)+".db"), job, 10_000)
	b.ResetTimer()
	for range b.N {
		s, err := Open(Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if pos, err := s.Durable(b.Context(), job); err != nil || pos.LastSeq != sealedLines {
			b.Fatal(pos, err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/start")
}

// fillMonth writes one long chunk for each of n jobs, the last of them job.
func fillMonth(b *testing.B, path string, job fleet.JobID, n int) {
	b.Helper()
	m, err := openMonth(b.Context(), path, sqlite.Create)
	if err != nil {
		b.Fatal(err)
	}
	p, err := newPacker(liveLevel)
	if err != nil {
		b.Fatal(err)
	}
	rows := []row{p.pack(fleet.LogPosition{}, backupLines(b, sealedLines))}
	for done := 0; done < n; {
		err := m.change(b.Context(), func(tx *sql.Tx) error {
			for range 500 {
				id := benchJob()
				if done++; done == n {
					id = job
				}
				key, err := m.jobTx(b.Context(), tx, id)
				if err != nil {
					return err
				}
				if err := m.insertTx(b.Context(), tx, key, rows); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := m.close(); err != nil {
		b.Fatal(err)
	}
}
