package session_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func TestHelloNamesWhatMattersMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) agentwire.HeldJob {
			state := rapid.SampledFrom([]fleet.JobState{fleet.StateAccepted, fleet.StateRunning, fleet.StateSucceeded, fleet.StateFailed}).Draw(t, "state")
			j := agentwire.HeldJob{JobID: fleet.JobID(rapid.StringMatching(`[a-z0-9]{1,60}`).Draw(t, "id")), State: state, LastSeq: rapid.Int64Range(0, 1<<40).Draw(t, "last"),
				Acked: state.Ended() && rapid.Bool().Draw(t, "acked")}
			if rapid.Bool().Draw(t, "spec") {
				s := spec(j.JobID)
				s.Backup.Excludes = []string{strings.Repeat("<", rapid.IntRange(0, 1500).Draw(t, "size"))}
				j.Spec = s
			}
			return j
		}), 0, 60).Draw(t, "held")
		for i := range held {
			held[i].JobID += fleet.JobID(fmt.Sprint(i)) // unique
		}
		before, err := json.Marshal(held)
		if err != nil {
			t.Fatal(err)
		}
		room := rapid.IntRange(0, 30_000).Draw(t, "room")
		got, rest, partial := session.NameJobs(held, room)

		if b, err := json.Marshal(got); err != nil || len(got) > 0 && len(b) > room+2 {
			t.Fatalf("%d bytes in a room of %d, err %v", len(b), room, err)
		}
		if after, _ := json.Marshal(held); string(after) != string(before) {
			t.Fatal("what is held was changed")
		}
		rank := func(j agentwire.HeldJob) int {
			switch {
			case !j.State.Ended():
				return 0
			case !j.Acked:
				return 1
			}
			return 2
		}
		if !slices.IsSortedFunc(got, func(a, b agentwire.HeldJob) int { return rank(a) - rank(b) }) {
			t.Fatal("not in the order of need")
		}
		all := got
		for _, part := range rest {
			frame, err := agentwire.Encode(agentwire.TypeHelloJobs, "", "", agentwire.HelloJobs{Jobs: part, More: true, Partial: true})
			if err != nil || len(frame) > agentwire.MaxFrameBeforeHello || len(part) == 0 {
				t.Fatalf("a part of %d jobs in %d bytes, err %v", len(part), len(frame), err)
			}
			all = append(all[:len(all):len(all)], part...)
		}
		named := map[fleet.JobID]agentwire.HeldJob{}
		for _, j := range all {
			i := slices.IndexFunc(held, func(h agentwire.HeldJob) bool { return h.JobID == j.JobID })
			if i < 0 || held[i].State != j.State || held[i].LastSeq != j.LastSeq || held[i].Acked != j.Acked || j.Spec != nil && j.Spec != held[i].Spec {
				t.Fatalf("%s is not what is held", j.JobID)
			}
			if before, twice := named[j.JobID]; twice && (before.Spec != nil || j.Spec == nil) {
				t.Fatalf("%s is named twice, which tells nothing new", j.JobID)
			}
			named[j.JobID] = j
		}
		for _, h := range held {
			if j, ok := named[h.JobID]; !h.Acked && (!ok || h.Spec != nil && j.Spec == nil) || partial {
				t.Fatalf("%s is not named, or without its specification, partial is %v", h.JobID, partial)
			}
		}
	})
}

// TestHelloAlwaysPasses: a daemon takes 64 KiB before it knows who speaks, whatever the host holds.
func TestHelloAlwaysPasses(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	for i := range 2000 {
		j := a.jobs.addEnded(fleet.JobID(fmt.Sprintf("slot:plan-%020d:host:2026-01-01T00:00:00Z", i)), 0)
		j.held.Acked = i%2 == 0
		j.held.Spec.Backup.Excludes = []string{strings.Repeat("x", 60*i)}
	}
	running := a.jobs.add("running", 1)
	a.start(t)
	p := d.next(t)
	if h := p.hello.Jobs; len(h) < 300 || h[0].JobID != "running" || slices.ContainsFunc(h, func(j agentwire.HeldJob) bool { return j.Acked }) || !p.hello.More {
		t.Fatalf("%d jobs, the first %+v, more %v", len(h), h[0], p.hello.More)
	}
	// This daemon is an old one: it answers at once. What it does not answer for is sent all the same: it trims what it has.
	p.send(t, agentwire.TypeWelcome, "", "", agentwire.Welcome{CreditBytes: 1 << 20})
	ends := map[fleet.JobID]bool{}
	for len(ends) < 1000 {
		if e := p.read(t); e.Type == agentwire.TypeJobFinished {
			ends[e.JobID] = true
		}
	}
	if running.isAcked() {
		t.Fatal("acknowledged by nobody")
	}
}

func TestOneFrameAlwaysFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fleet.LogLine {
			n := rapid.SampledFrom([]int{0, 0, 1, 7, 100, 3000, fleet.MaxLineText}).Draw(t, "bytes")
			what := rapid.SampledFrom([]string{"x", "\x00", "\xff", "\"", "ä"}).Draw(t, "what")
			return fleet.LogLine{Time: time.Unix(1<<33, 123456789), Stream: fleet.StreamNote, Cont: true, Text: strings.Repeat(what, n/len(what))}
		}), 1, 200).Draw(t, "lines")
		if rapid.Bool().Draw(t, "many") {
			lines = slices.Repeat(lines, 200)
		}
		got, bytes := session.OneFrame(lines)
		if len(got) == 0 {
			t.Fatal("no line")
		}
		var want int64
		for i, l := range got {
			want += int64(len(l.Text))
			if l != lines[i] {
				t.Fatalf("line %d is another", i)
			}
		}
		id := fleet.JobID(strings.Repeat("j", fleet.MaxIDLength))
		frame := agentwire.AppendLogStream(nil, id, 1<<62, got)
		if len(frame) > agentwire.MaxFrame || bytes != want {
			t.Fatalf("%d lines make a frame of %d bytes; %d bytes of text counted as %d", len(got), len(frame), want, bytes)
		}
		if len(frame) > session.FrameHead+agentwire.MaxFrame/2 && len(got) == 1 {
			t.Fatalf("one line takes %d bytes", len(frame))
		}
	})
}

// TestShortAndHostileLinesPass: a backlog of the worst lines there are, as the daemon's limit sees them.
func TestShortAndHostileLinesPass(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 0)
	for range 30_000 {
		j.lines = append(j.lines, fleet.LogLine{Time: time.Unix(1, 0), Stream: fleet.StreamErr})
	}
	for range 6 {
		j.lines = append(j.lines, fleet.LogLine{Time: time.Unix(1, 0), Stream: fleet.StreamErr, Text: strings.Repeat("\x1b", fleet.MaxLineText)})
	}
	j.end(fleet.StateSucceeded)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	var n int64
	for {
		e := p.read(t)
		if e.Type == agentwire.TypeJobFinished {
			break
		}
		m, err := agentwire.Payload[agentwire.LogStream](e)
		if err != nil || m.FirstSeq != n+1 {
			t.Fatalf("%s: %d after %d, err %v", e.Type, m.FirstSeq, n, err)
		}
		n += int64(len(m.Lines))
	}
	if n != 30_006 {
		t.Fatalf("%d lines", n)
	}
}

func TestSnapshotPartsFit(t *testing.T) {
	long := func(paths int) []string { return slices.Repeat([]string{"/" + strings.Repeat("\x01", 500)}, paths) } // 3 KB each in JSON
	var list []fleet.Snapshot
	for i := range 450 {
		s := fleet.Snapshot{ID: fleet.SnapshotID(fmt.Sprintf("%064d", i)), Hostname: "h", Tags: []string{"job:x"}}
		switch {
		case i == 7 || i == 449:
			s.Paths = long(400) // too much for any frame
		case i > 100 && i < 120:
			s.Paths = long(30) // a few to a part
		}
		list = append(list, s)
	}
	n, parts := 0, session.SnapshotParts(list)
	for i, part := range parts {
		frame, err := agentwire.Encode(agentwire.TypeSnapshotsReport, "", "j", agentwire.SnapshotsReport{Part: i, Parts: len(parts), Snapshots: part})
		if err != nil || len(frame) > agentwire.MaxFrame || len(part) == 0 {
			t.Fatalf("part %d of %d bytes and %d snapshots, err %v", i+1, len(frame), len(part), err)
		}
		for _, s := range part {
			want := list[n]
			if s.ID != want.ID || len(s.Tags) != 1 || len(s.Paths) != len(want.Paths) && (len(want.Paths) < 400 || len(s.Paths) == 0) {
				t.Fatalf("snapshot %d: %s with %d paths", n, s.ID, len(s.Paths))
			}
			n++
		}
	}
	if n != len(list) || len(parts) > 12 || len(list[7].Paths) != 400 {
		t.Fatalf("%d snapshots in %d parts", n, len(parts))
	}
	if empty := session.SnapshotParts(nil); len(empty) != 1 || len(empty[0]) != 0 {
		t.Fatalf("an empty listing is %v", empty)
	}
}

func TestAnEndThatIsTooLongIsCut(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 1)
	j.progress = &fleet.Progress{At: time.Unix(1, 0), FilesDone: 5, CurrentFiles: []string{strings.Repeat("x", agentwire.MaxFrame)}}
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	if _, progress := expect[fleet.Progress](t, p, agentwire.TypeJobProgress); progress.FilesDone != 5 || progress.CurrentFiles != nil {
		t.Fatalf("%d files", len(progress.CurrentFiles))
	}
	p.lines(t, "j1", 0, 1)
	j.end(fleet.StateWarning, func(o *fleet.Outcome) {
		o.Unreadable = slices.Repeat([]string{strings.Repeat("\x02", 1000)}, fleet.MaxUnreadable)
		o.Errors = 12345
		o.Summary = &fleet.Summary{Check: &fleet.CheckSummary{BrokenPacks: slices.Repeat([]string{"abc"}, 200_000)}}
		o.Message = "read the log"
	})
	_, f := expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	if f.Outcome.State != fleet.StateWarning || f.Outcome.Errors != 12345 || f.Log.LastSeq != 1 || f.Outcome.Message != "read the log" {
		t.Fatalf("%+v", f.Outcome)
	}
	if len(j.finished.Outcome.Unreadable) != fleet.MaxUnreadable || len(j.finished.Outcome.Summary.Check.BrokenPacks) != 200_000 {
		t.Fatal("the host's own outcome was cut")
	}
}

// TestEveryOpenJobIsNamed: 3,000 jobs wait on this host, more than hello holds. The rest comes in frames that pass before the daemon
// knows who speaks, and all of it before the daemon has answered.
func TestEveryOpenJobIsNamed(t *testing.T) {
	const n = 3000
	d := newDaemon(t)
	a := newAgent(t, d)
	for i := range n {
		a.jobs.add(fleet.JobID(fmt.Sprintf("01JDB00000000000000000%04d", i)), 0)
	}
	for i := range 100 {
		a.jobs.addEnded(fleet.JobID(fmt.Sprint("old-", i)), 0).held.Acked = true
	}
	a.start(t)
	p := d.next(t)
	named := map[fleet.JobID]bool{}
	note := func(jobs []agentwire.HeldJob) {
		for _, j := range jobs {
			if withSpec := named[j.JobID]; withSpec || j.State.Ended() {
				t.Fatalf("%+v, named before", j)
			}
			named[j.JobID] = j.Spec != nil
		}
	}
	note(p.hello.Jobs)
	for more := p.hello.More; more; {
		_, m := expect[agentwire.HelloJobs](t, p, agentwire.TypeHelloJobs)
		note(m.Jobs)
		if more = m.More; m.Partial {
			t.Fatal("it is said to be not all")
		}
	}
	if len(named) != n {
		t.Fatalf("%d jobs are named", len(named))
	}
	for id, withSpec := range named {
		if !withSpec {
			t.Fatalf("%s has no specification", id)
		}
	}
	var all []agentwire.WelcomeJob
	for id := range named {
		all = append(all, agentwire.WelcomeJob{JobID: id, Desired: agentwire.DesireRun})
	}
	p.send(t, agentwire.TypeWelcome, "", "", agentwire.Welcome{Session: "1", Jobs: all, CreditBytes: 1 << 20})
	await(t, "the agent took the welcome", func() bool { now, _ := a.jobs.opened(); return now == n })
}

// TestMoreJobsThanCanBeNamed: what is left out is said to be.
func TestMoreJobsThanCanBeNamed(t *testing.T) {
	for name, c := range map[string]struct {
		state   fleet.JobState
		partial bool
	}{"open": {fleet.StateAccepted, true}, "ended": {fleet.StateFailed, false}} {
		var held []agentwire.HeldJob
		for i := range agentwire.MaxHeldJobs + 1000 {
			held = append(held, agentwire.HeldJob{JobID: fleet.JobID(fmt.Sprintf("slot:01JDB0000000000000000000P1:01JDB0000000000000000000H1:%020d", i)), State: c.state})
		}
		hello, rest, partial := session.NameJobs(held, agentwire.MaxFrameBeforeHello)
		size := 0
		var w agentwire.Welcome
		for _, part := range append(rest, hello) {
			for _, j := range part {
				w.Jobs = append(w.Jobs, agentwire.WelcomeJob{JobID: j.JobID, DurableSeq: 1 << 62, Desired: agentwire.DesireForget})
			}
			b, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			size += len(b)
		}
		frame, err := agentwire.Encode(agentwire.TypeWelcome, "", "", w)
		if err != nil || len(frame) > agentwire.MaxFrame || len(w.Jobs) > agentwire.MaxHeldJobs || size > agentwire.MaxHelloBytes || partial != c.partial {
			t.Errorf("%s: %d jobs are named in %d bytes, their answers take %d, partial %v, err %v", name, len(w.Jobs), size, len(frame), partial, err)
		}
	}
}
