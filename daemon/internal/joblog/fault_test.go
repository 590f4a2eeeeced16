package joblog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// logFile is the store's only file.
func logFile(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "logs-*.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("log files %v, %v", found, err)
	}
	return found[0]
}

// meddle changes a log file from outside.
func meddle(t *testing.T, dir, query string, args ...any) {
	t.Helper()
	db, err := sqlite.Open(logFile(t, dir), sqlite.Existing)
	if err != nil {
		t.Fatal(err)
	}
	res, err := db.Write.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		t.Fatalf("%s changed %d rows, %v", query, n, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill appends until the store refuses, and gives the number of the line that it expects next.
func fill(t *testing.T, s *joblog.Store, job fleet.JobID, next int64, want fault.Code) int64 {
	t.Helper()
	for deadline := time.Now().Add(limit); ; {
		expect, err := s.Append(job, next, numbered(next, 100), nil)
		if err == nil {
			next = expect
			continue
		}
		if fault.CodeOf(err) == want && expect == next {
			return next
		}
		// Refused before the disk's answer is known: it is unavailable until then.
		if fault.CodeOf(err) != fault.Unavailable || time.Now().After(deadline) {
			t.Fatalf("append: expects %d of %d, %v", expect, next, err)
		}
		time.Sleep(time.Millisecond)
	}
}

// A disk that stands still delays acks and stops nobody from reading; memory stays bounded; nothing is lost.
func TestStalledDisk(t *testing.T) {
	dir := t.TempDir()
	const most = 512 << 10
	s := open(t, joblog.Config{Dir: dir, MaxPending: most})
	job := newJob()
	appendAll(t, s, job, 1, numbered(1, 1))
	blocker, err := sqlite.Open(logFile(t, dir), sqlite.Existing)
	if err != nil {
		t.Fatal(err)
	}
	defer blocker.Close()
	tx, err := blocker.Write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	next := fill(t, s, job, 2, fault.Unavailable)
	if st := s.Stats(); st.PendingBytes > most || st.Refused == 0 || st.PendingLines != next-2 {
		t.Errorf("%+v", st)
	}
	if err := follow(s.Tail(job), next-1); err != nil {
		t.Error(err)
	}
	if pos, err := s.Durable(t.Context(), job); err != nil || pos.LastSeq != 1 {
		t.Errorf("on disk up to %d, %v", pos.LastSeq, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if ok, err := s.Seal(ctx, job, position(numbered(1, int(next-1)))); ok || err == nil {
		t.Errorf("sealed %v, %v", ok, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, limit, "all on disk", func() bool { return s.Stats().PendingBytes == 0 })
	appendAll(t, s, job, next, numbered(next, 10))
	same(t, readAll(t, s, job, 1000), numbered(1, int(next)+9))
}

// fillsUp runs a store onto a full disk, then lets makeRoom help, and wants everything to be there.
func fillsUp(t *testing.T, s *joblog.Store, job fleet.JobID, takeRoom, makeRoom func()) {
	t.Helper()
	appendAll(t, s, job, 1, numbered(1, 10))
	takeRoom()
	next := fill(t, s, job, 11, fault.StorageFull)
	st := s.Stats()
	if !st.Full || st.Failures == 0 || st.PendingLines == 0 {
		t.Errorf("%+v", st)
	}
	if _, err := s.Seal(t.Context(), job, position(numbered(1, int(next-1)))); fault.CodeOf(err) != fault.StorageFull {
		t.Errorf("seal: %v", err)
	}
	acked, err := s.Durable(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if err := follow(s.Tail(job), next-1); err != nil {
		t.Error(err)
	}
	makeRoom()
	sharedtest.Eventually(t, limit, "all on disk", func() bool { return s.Stats().PendingLines == 0 })
	sharedtest.Eventually(t, limit, "disk not full", func() bool { return !s.Stats().Full })
	appendAll(t, s, job, next, numbered(next, 5))
	all := numbered(1, int(next)+4)
	same(t, readAll(t, s, job, 1000), all)
	if ok, err := s.Seal(t.Context(), job, position(all)); !ok || err != nil {
		t.Errorf("seal: %v, %v", ok, err)
	}
	if acked.LastSeq < 10 {
		t.Errorf("only %d lines were on disk", acked.LastSeq)
	}
}

func TestFullFile(t *testing.T) {
	s, job := open(t, joblog.Config{Dir: t.TempDir(), MaxPending: 1 << 20}), newJob()
	fillsUp(t, s, job,
		func() { joblog.LimitPages(t, s, job, 0) },
		func() { joblog.LimitPages(t, s, job, 1<<30) })
}

func TestDamagedChunks(t *testing.T) {
	for name, sealed := range map[string]bool{"live": false, "sealed": true} {
		t.Run(name, func(t *testing.T) { damagedChunks(t, sealed) })
	}
}

func damagedChunks(t *testing.T, sealed bool) {
	dir := t.TempDir()
	cfg := joblog.Config{Dir: dir, RingPerJob: 1, IdleAfter: time.Hour}
	s := open(t, cfg)
	job := newJob()
	for i := int64(0); i < 10; i++ {
		appendAll(t, s, job, i*100+1, numbered(i*100+1, 100))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	meddle(t, dir, "UPDATE chunks SET data = zeroblob(length(data)) WHERE first_seq = 201")
	meddle(t, dir, "UPDATE chunks SET bytes = 1 << 40 WHERE first_seq = 401")
	meddle(t, dir, "DELETE FROM chunks WHERE first_seq = 501")
	s = open(t, cfg)
	if sealed {
		if ok, err := s.Seal(t.Context(), job, position(numbered(1, 1000))); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	lost := func(seq int64) bool { return seq > 200 && seq <= 300 || seq > 400 && seq <= 600 }
	for _, step := range []int{1, 7, 150, 5000} {
		checkGaps(t, readAll(t, s, job, step), lost)
	}
	var got []fleet.LogLine
	tail := s.Tail(job)
	defer tail.Close()
	for {
		b, ok := tail.Next(int64(len(got)))
		if !ok {
			break
		}
		some, err := framed(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
	}
	checkGaps(t, got, lost)
	if tail.Err() != nil || s.Stats().Damaged == 0 {
		t.Errorf("%v, %+v", tail.Err(), s.Stats())
	}
	if !sealed {
		appendAll(t, s, job, 1001, numbered(1001, 5)) // the log goes on
	}
}

// checkGaps wants every line that is not lost to be itself, and a gap in the place of each other one that names it.
func checkGaps(t *testing.T, lines []fleet.LogLine, lost func(int64) bool) {
	t.Helper()
	if len(lines) != 1000 {
		t.Fatalf("%d lines", len(lines))
	}
	var gap fleet.LogGap
	for i, l := range lines {
		seq := int64(i) + 1
		if !lost(seq) {
			if l.Text != line(seq).Text {
				t.Fatalf("line %d is %q", seq, l.Text)
			}
			continue
		}
		if l.Stream != fleet.StreamGap {
			t.Fatalf("line %d should be a gap, is %+v", seq, l)
		}
		if l.Text != "" {
			if err := json.Unmarshal([]byte(l.Text), &gap); err != nil || gap.From != seq {
				t.Fatalf("gap at %d: %q, %v", seq, l.Text, err)
			}
		}
		if seq < gap.From || seq > gap.To || l.Cont != (seq < gap.To) {
			t.Fatalf("line %d is outside the gap %+v, cont %v", seq, gap, l.Cont)
		}
	}
}

// A page of the file that SQLite itself cannot follow costs the chunk that it belongs to.
func TestDamagedPage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir})
	job := newJob()
	noise := make([]byte, 60<<10)
	for i := range noise {
		noise[i] = byte(rand.IntN(256))
	}
	lines := numbered(1, 30)
	lines[14].Text = string(noise)
	for i := range 3 {
		appendAll(t, s, job, int64(i*10)+1, lines[i*10:(i+1)*10])
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := logFile(t, dir)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, noise[30<<10:30<<10+64])
	if at < 0 {
		t.Fatal("the line is not in the file")
	}
	page := at &^ 4095
	copy(data[page:page+4096], bytes.Repeat([]byte{0xff}, 4096))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, joblog.Config{Dir: dir})
	got := readAll(t, s, job, 1000)
	if len(got) != 30 {
		t.Fatalf("%d lines", len(got))
	}
	same(t, got[:10], lines[:10])
	same(t, got[20:], lines[20:])
	if got[10].Stream != fleet.StreamGap || !strings.Contains(got[10].Text, `"from":11,"to":20`) {
		t.Errorf("line 11 is %+v", got[10])
	}
}

func TestGarbageFile(t *testing.T) {
	dir := t.TempDir()
	job := newJob()
	s := open(t, joblog.Config{Dir: dir})
	appendAll(t, s, job, 1, numbered(1, 5))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(logFile(t, dir), bytes.Repeat([]byte("garbage "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, joblog.Config{Dir: dir})
	if _, err := s.Append(job, 6, numbered(6, 1), nil); fault.CodeOf(err) != fault.StorageCorrupt {
		t.Errorf("append: %v", err)
	}
	if _, err := s.Read(t.Context(), job, 0, 1); fault.CodeOf(err) != fault.StorageCorrupt {
		t.Errorf("read: %v", err)
	}
	tail := s.Tail(job)
	defer tail.Close()
	if _, ok := tail.Next(0); ok || fault.CodeOf(tail.Err()) != fault.StorageCorrupt {
		t.Errorf("tail: %v, %v", ok, tail.Err())
	}
	other := jobAt(time.Now().AddDate(0, -2, 0)) // another month is not touched by it
	appendAll(t, s, other, 1, numbered(1, 5))
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	job := newJob()
	s := open(t, joblog.Config{Dir: dir})
	appendAll(t, s, job, 1, numbered(1, 5))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(logFile(t, dir), sqlite.Existing)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA user_version = %d", 2)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, joblog.Config{Dir: dir})
	if _, err := s.Durable(t.Context(), job); fault.CodeOf(err) != fault.SchemaTooNew {
		t.Errorf("read: %v", err)
	}
}
