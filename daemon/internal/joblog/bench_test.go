package joblog

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// backupLines is what `restic backup --json -vv` prints for a real tree's files, with made-up times and sizes. The tree is this
// module.
func backupLines(b testing.TB, n int) []fleet.LogLine {
	b.Helper()
	root := sharedtest.RepoRoot(b)
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
	c := newCorridor(b, readers)
	b.ResetTimer()
	c.run(b, b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(used(b, c.s, c.job)/float64(b.N), "B/line")
	b.ReportMetric(float64(b.N)/float64(max(c.s.Stats().Commits, 1)), "lines/commit")
	b.ReportMetric(float64(c.s.Stats().Blocks), "blocks")
}

// corridor is a store with one job and its readers.
type corridor struct {
	s       *Store
	job     fleet.JobID
	readers int
	pool    []fleet.LogLine
	next    int // lines so far
}

func newCorridor(b *testing.B, readers int) *corridor {
	return &corridor{s: openBench(b, Config{}), job: benchJob(), readers: readers, pool: backupLines(b, benchLines)}
}

// run takes n lines through: it returns when all are acknowledged and with every reader.
func (c *corridor) run(b *testing.B, n int) {
	var wg sync.WaitGroup
	from, to := c.next, c.next+n
	for range c.readers {
		tail := c.s.Tail(c.job)
		wg.Go(func() { readUntil(b, tail, int64(from), int64(to)) })
	}
	credit := make(chan struct{}, benchWindow)
	for c.next < to {
		at := c.next % len(c.pool)
		lines := c.pool[at:min(at+benchBatch, len(c.pool), at+to-c.next)]
		credit <- struct{}{}
		expect, err := c.s.Append(c.job, int64(c.next)+1, lines, func(int64) { <-credit })
		if err != nil {
			b.Fatal(err)
		}
		c.next = int(expect) - 1
	}
	for range benchWindow {
		credit <- struct{}{}
	}
	wg.Wait()
}

func readUntil(b *testing.B, tail *Tail, after, n int64) {
	defer tail.Close()
	for after < n {
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
			after, got = after+batch.Count, true
		}
		if !got {
			<-bell
		}
	}
}

// rawStore is the bare store: chunks packed and inserted, synchronous commits of about benchGroup of text, nothing else.
type rawStore struct {
	m    *month
	p    *packer
	pool []fleet.LogLine
	at   fleet.LogPosition
}

func newRawStore(b *testing.B) *rawStore {
	m, err := openMonth(b.Context(), filepath.Join(b.TempDir(), "raw.db"), sqlite.Create)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.close(); err != nil {
			b.Error(err)
		}
	})
	p, err := newPacker(liveLevel)
	if err != nil {
		b.Fatal(err)
	}
	return &rawStore{m: m, p: p, pool: backupLines(b, benchLines)}
}

func (r *rawStore) run(b *testing.B, n int) {
	ctx := context.Background()
	for to := int(r.at.LastSeq) + n; int(r.at.LastSeq) < to; {
		err := r.m.change(ctx, func(tx *sql.Tx) error {
			key, err := r.m.jobTx(ctx, tx, "raw")
			if err != nil {
				return err
			}
			var rows []row
			for text := r.at.Bytes; r.at.Bytes-text < benchGroup && int(r.at.LastSeq) < to; {
				from := int(r.at.LastSeq) % len(r.pool)
				lines, _ := split(r.pool[from:min(len(r.pool), from+to-int(r.at.LastSeq))], liveLines, liveBytes)
				rows = append(rows, r.p.pack(r.at, lines))
				r.at = rows[len(rows)-1].end
			}
			return r.m.insertTx(ctx, tx, key, rows)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRawChunks is the raw limit: the same lines in the same chunks, written alone.
func BenchmarkRawChunks(b *testing.B) {
	r := newRawStore(b)
	b.ResetTimer()
	r.run(b, b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkAgainstRaw is one op a round of 50,000 lines through each in turn, so that a busy machine slows both. of-raw is the
// corridor's speed as a part of the raw one.
func BenchmarkAgainstRaw(b *testing.B) {
	const lines = 50_000
	c, r := newCorridor(b, 20), newRawStore(b)
	var alone, whole time.Duration
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		r.run(b, lines)
		between := time.Now()
		c.run(b, lines)
		alone, whole = alone+between.Sub(began), whole+time.Since(between)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N*lines)/alone.Seconds(), "raw-lines/s")
	b.ReportMetric(float64(b.N*lines)/whole.Seconds(), "lines/s")
	b.ReportMetric(alone.Seconds()/whole.Seconds(), "of-raw")
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
				for range batch.Count {
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
