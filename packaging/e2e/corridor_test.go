//go:build !windows

package e2e

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

const repositoryPassword = "correct horse battery staple"

// tree makes a source tree with the things that a restore must bring back: modes, times, links, odd names, empty folders.
func tree(t testing.TB, dir string, files int) string {
	t.Helper()
	src := filepath.Join(dir, "source")
	for i := range files {
		sub := filepath.Join(src, "d"+string(rune('a'+i%7)), "e"+string(rune('a'+i%3)))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(sub, "file-"+strings.Repeat("x", i%9)+"-"+time.Duration(i).String()+".bin")
		if err := os.WriteFile(name, pseudoRandom(uint64(i), 1000+i*37), fs.FileMode(0o600+i%2*0o44)); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(1_600_000_000+int64(i)*1000, int64(i)*1000)
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
	}
	odd := filepath.Join(src, "Übersicht – 文档 'quoted'\ttab.txt")
	steps := []error{
		os.WriteFile(odd, []byte("odd name\n"), 0o640),
		os.Mkdir(filepath.Join(src, "empty"), 0o750),
		os.Symlink("../elsewhere", filepath.Join(src, "link")),
		os.WriteFile(filepath.Join(src, "-leading-dash"), []byte("not an option"), 0o755),
	}
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
	return src
}

// pseudoRandom gives n incompressible bytes that are the same for the same seed.
func pseudoRandom(seed uint64, n int) []byte {
	b := make([]byte, n)
	x := seed*2654435761 + 88172645463325252
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

// recorder keeps what one follower saw.
type recorder struct {
	lines    []fleet.LogLine
	first    int64
	progress int
	finished *fleet.Job
	eof      *api.EOF
}

func (r *recorder) handler() apiclient.FollowHandler {
	return apiclient.FollowHandler{
		Lines: func(first int64, lines []fleet.LogLine) {
			if r.first == 0 {
				r.first = first
			}
			r.lines = append(r.lines, lines...)
		},
		Progress: func(fleet.Progress) { r.progress++ },
		Finished: func(j fleet.Job) { r.finished = &j },
		EOF:      func(e api.EOF) { r.eof = &e },
	}
}

func (f *fleetOf) follow(ctx context.Context, id fleet.JobID) (*recorder, error) {
	r := &recorder{}
	return r, f.client.Follow(ctx, id, apiclient.FollowOptions{}, r.handler())
}

func TestMainJob(t *testing.T) {
	t.Parallel()
	server := sharedtest.StartRestServer(t)
	f := newFleet(t, options{})
	src := tree(t, f.dir, 4000)
	credentials := secret.Credentials{Password: secret.New(repositoryPassword),
		REST: &secret.RESTCredentials{User: server.User, Password: secret.New(server.Password)}}
	f.repository("nas", server.URL, server.CACert, credentials, true)
	plan, err := f.client.AddPlan(t.Context(), api.PlanRequest{Name: "daily", RepositoryID: f.mustRepository("nas").ID,
		Hosts: []fleet.HostID{f.host.ID}, Backup: fleet.BackupSpec{Paths: []string{src}, Verbose: true}})
	if err != nil {
		t.Fatal(err)
	}

	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Plan: plan.Name})
	if job.State != fleet.StateQueued && job.State != fleet.StateDispatched {
		t.Fatalf("a new job is %s", job.State)
	}
	stuck := f.stuckReader(job.ID)
	defer stuck()
	early := make(chan *recorder, 1)
	go func() {
		r, err := f.follow(t.Context(), job.ID)
		if err != nil {
			t.Errorf("early follower: %v", err)
		}
		early <- r
	}()
	done := f.await(job.ID)
	f.wantState(done, fleet.StateSucceeded)
	first := <-early
	late, err := f.follow(t.Context(), job.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.checkSummary(done)
	f.checkReaders(done, first, late)
	f.checkLogAgainstRestic(done, late)
	f.checkSnapshotByHand(done, server)
	f.checkRestore(done, src)
}

func (f *fleetOf) mustRepository(name string) fleet.Repository {
	f.t.Helper()
	all, err := f.client.Repositories(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, r := range all {
		if r.Name == name {
			return r
		}
	}
	f.t.Fatalf("no repository %s", name)
	return fleet.Repository{}
}

func (f *fleetOf) checkSummary(job fleet.Job) {
	f.t.Helper()
	if job.Outcome == nil || job.Outcome.Summary == nil || job.Outcome.Summary.Backup == nil {
		f.t.Fatalf("no summary: %+v", job.Outcome)
	}
	s := job.Outcome.Summary.Backup
	if s.TotalFilesProcessed < 4000 || s.SnapshotID == "" || s.DataAdded == 0 {
		f.t.Fatalf("summary %+v", s)
	}
	if job.Outcome.ExitCode == nil || *job.Outcome.ExitCode != 0 || job.StartedAt == nil || job.FinishedAt == nil {
		f.t.Fatalf("job %+v", job)
	}
	if !job.LogSealed || job.Log.LastSeq == 0 {
		f.t.Fatalf("log is not sealed: %+v", job.Log)
	}
}

func (f *fleetOf) checkReaders(job fleet.Job, readers ...*recorder) {
	f.t.Helper()
	for i, r := range readers {
		var p fleet.LogPosition
		for _, l := range r.lines {
			p = p.Add(l)
		}
		if r.first != 1 || p != job.Log {
			f.t.Fatalf("reader %d saw from %d to %+v, stored is %+v", i, r.first, p, job.Log)
		}
		if r.finished == nil || r.finished.State != job.State || r.eof == nil || r.eof.LastSeq != job.Log.LastSeq || !r.eof.Sealed {
			f.t.Fatalf("reader %d: finished %+v, eof %+v", i, r.finished, r.eof)
		}
	}
	if readers[0].progress == 0 {
		f.t.Fatal("the early reader saw no progress")
	}
}

// checkLogAgainstRestic holds the stored log against what restic is known to print for this tree: one line a file, and the summary.
func (f *fleetOf) checkLogAgainstRestic(job fleet.Job, r *recorder) {
	f.t.Helper()
	var files, summaries int
	for _, l := range r.lines {
		if l.Stream != fleet.StreamOut {
			continue
		}
		var m struct {
			Type   string `json:"message_type"`
			Action string `json:"action"`
			Item   string `json:"item"`
		}
		if err := json.Unmarshal([]byte(l.Text), &m); err != nil {
			f.t.Fatalf("line is not as restic printed it: %q", l.Text)
		}
		switch {
		case m.Type == "status":
			f.t.Fatal("a status line is in the log")
		case m.Type == "summary":
			summaries++
		case m.Type == "verbose_status" && m.Action == "new" && !strings.HasSuffix(m.Item, "/"):
			files++
		}
	}
	if want := int(job.Outcome.Summary.Backup.FilesNew); files != want || summaries != 1 {
		f.t.Fatalf("log has %d files and %d summaries, want %d and 1", files, summaries, want)
	}
}

// resticByHand runs restic as a person would, on the same repository.
func resticByHand(t testing.TB, dir string, server *sharedtest.RestServer, args ...string) result {
	t.Helper()
	ca := filepath.Join(dir, "hand-ca.pem")
	if err := os.WriteFile(ca, []byte(server.CACert), 0o600); err != nil {
		t.Fatal(err)
	}
	env := cleanEnv(dir, "RESTIC_PASSWORD="+repositoryPassword, "RESTIC_REST_USERNAME="+server.User, "RESTIC_REST_PASSWORD="+server.Password,
		"RESTIC_REPOSITORY="+server.URL, "RESTIC_CACHE_DIR="+filepath.Join(dir, "hand-cache"))
	return command(t, "", env, sharedtest.Restic(t), append([]string{"--cacert", ca}, args...)...)
}

func (f *fleetOf) checkSnapshotByHand(job fleet.Job, server *sharedtest.RestServer) {
	f.t.Helper()
	r := resticByHand(f.t, f.dir, server, "snapshots", "--json", "--tag", "job:"+string(job.ID))
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || len(list) != 1 || list[0].ID != string(job.Outcome.Summary.Backup.SnapshotID) {
		f.t.Fatalf("restic by hand: exit %d, %s %s (err %v)", r.code, r.stdout, r.stderr, err)
	}
	snapshots, err := f.client.Snapshots(f.t.Context(), apiclient.SnapshotFilter{})
	if err != nil || len(snapshots.Items) != 1 || snapshots.Items[0].JobID != job.ID {
		f.t.Fatalf("snapshots of the daemon: %+v, err %v", snapshots, err)
	}
}

func (f *fleetOf) checkRestore(job fleet.Job, src string) {
	f.t.Helper()
	id := job.Outcome.Summary.Backup.SnapshotID
	r := f.run(api.JobRequest{Kind: fleet.KindRestore, Repository: "nas", Snapshot: string(id), Includes: []string{src}})
	done := f.await(r.ID)
	f.wantState(done, fleet.StateSucceeded)
	target := done.Outcome.Summary.Restore.Target
	restored := filepath.Join(target, src)
	if out, err := exec.Command("diff", "-r", "--no-dereference", src, restored).CombinedOutput(); err != nil {
		f.t.Fatalf("restored tree differs: %v\n%s", err, out)
	}
	a, b := listing(f.t, src), listing(f.t, restored)
	if !slices.Equal(a, b) {
		f.t.Fatalf("modes or times differ: %d and %d entries", len(a), len(b))
	}
	again := f.run(api.JobRequest{Kind: fleet.KindRestore, Repository: "nas", Snapshot: string(id), Folder: filepath.Base(target)})
	if refused := f.await(again.ID); refused.State != fleet.StateFailed {
		f.t.Fatalf("a restore into a folder that is there ended %s", refused.State)
	}
}

// listing is one line an entry: path, mode, size, modification time.
func listing(t testing.TB, root string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		size := info.Size()
		if d.IsDir() {
			size = 0
		}
		list = append(list, rel+" "+info.Mode().String()+" "+time.Duration(size).String()+" "+info.ModTime().UTC().Format(time.RFC3339Nano))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
