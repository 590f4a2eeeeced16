package apiclient

import (
	"bytes"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// encode makes a frame, or fails the test.
func encode(t testing.TB, typ agentwire.Type, payload any) []byte {
	t.Helper()
	b, err := agentwire.Encode(typ, "", "job", payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func textLines(texts ...string) []fleet.LogLine {
	var all []fleet.LogLine
	for _, s := range texts {
		all = append(all, fleet.LogLine{Time: time.Unix(0, 0).UTC(), Stream: fleet.StreamOut, Text: s})
	}
	return all
}

func position(all []fleet.LogLine) fleet.LogPosition {
	var p fleet.LogPosition
	for _, l := range all {
		p = p.Add(l)
	}
	return p
}

// A log that arrived whole but is not what the daemon stored is an error, not a success.
func TestFollowerComparesTheChecksum(t *testing.T) {
	sent := textLines("a", "b")
	right := position(sent).CRC32C
	for name, c := range map[string]struct {
		opt  FollowOptions
		eof  api.EOF
		want fault.Code
	}{
		"same":                {eof: api.EOF{LastSeq: 2, CRC32C: right, Sealed: true}},
		"differs":             {eof: api.EOF{LastSeq: 2, CRC32C: right + 1, Sealed: true}, want: fault.Protocol},
		"not sealed":          {eof: api.EOF{LastSeq: 2, CRC32C: right + 1}},
		"not from the start":  {opt: FollowOptions{AfterSeq: 1}, eof: api.EOF{LastSeq: 2, CRC32C: right + 1, Sealed: true}},
		"lines are missing":   {eof: api.EOF{LastSeq: 3, CRC32C: right, Sealed: true}, want: fault.Protocol},
		"an older store":      {eof: api.EOF{LastSeq: 1, CRC32C: right + 1, Sealed: true}},
		"unknown is no error": {eof: api.EOF{LastSeq: 2, CRC32C: right, Sealed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			ended := false
			f := newFollower("job", c.opt, FollowHandler{EOF: func(api.EOF) { ended = true }})
			first := c.opt.AfterSeq + 1
			frames := [][]byte{
				encode(t, api.TypeSnapshot, api.StreamSnapshot{FromSeq: first, Epoch: "e"}),
				encode(t, "a.later.type", nil),
				agentwire.AppendLogStream(nil, "job", first, sent[first-1:]),
			}
			for _, b := range frames {
				if _, err := f.frame(b); err != nil {
					t.Fatal(err)
				}
			}
			done, err := f.frame(encode(t, api.TypeEOF, c.eof))
			if fault.CodeOf(err) != c.want || done != (err == nil) || ended != done {
				t.Fatalf("done %v, ended %v, err %v", done, ended, err)
			}
			if name == "differs" != hopeless(err) && err != nil {
				t.Errorf("hopeless is %v", hopeless(err))
			}
		})
	}
}

func TestFollowerTellsTheEndOnce(t *testing.T) {
	told := 0
	f := newFollower("job", FollowOptions{}, FollowHandler{Finished: func(fleet.Job) { told++ }})
	for _, rev := range []int64{7, 7, 9} { // repeated by a second connection, then a late truth
		if _, err := f.frame(encode(t, agentwire.TypeJobFinished, api.StreamFinished{Job: fleet.Job{Rev: rev}})); err != nil {
			t.Fatal(err)
		}
	}
	if told != 2 {
		t.Fatalf("told %d times", told)
	}
}

func TestFollowerRefusesAnotherJobsFrames(t *testing.T) {
	f := newFollower("job", FollowOptions{}, FollowHandler{Lines: func(int64, []fleet.LogLine) { t.Error("given") }})
	if _, err := f.frame(agentwire.AppendLogStream(nil, "other", 1, textLines("x"))); fault.CodeOf(err) != fault.Protocol {
		t.Fatal(err)
	}
}

// Whatever frames come, lines are given in order and without a hole.
func FuzzFollowerFrames(f *testing.F) {
	all := textLines("a", "b", "c", "d")
	stream := func(first, to int64) []byte { return agentwire.AppendLogStream(nil, "job", first, all[first-1:to]) }
	seed := func(frames ...[]byte) { f.Add(bytes.Join(frames, []byte("\n")), int64(0), int64(0)) }
	seed(encode(f, api.TypeSnapshot, api.StreamSnapshot{FromSeq: 1}), stream(1, 2), stream(1, 3), stream(4, 4), encode(f, api.TypeEOF, api.EOF{LastSeq: 4}))
	seed(stream(2, 3))
	seed(encode(f, agentwire.TypeReset, nil), encode(f, agentwire.TypeJobProgress, fleet.Progress{Percent: 0.1}), encode(f, api.TypeLive, nil))
	f.Add(encode(f, api.TypeSnapshot, api.StreamSnapshot{FromSeq: 3}), int64(0), int64(2))
	f.Fuzz(func(t *testing.T, frames []byte, after, tail int64) {
		last := int64(-1)
		fl := newFollower("job", FollowOptions{AfterSeq: after, Tail: tail}, FollowHandler{
			Lines: func(first int64, lines []fleet.LogLine) {
				if first < 1 || len(lines) == 0 || last >= 0 && first != last+1 {
					t.Fatalf("%d lines at %d after %d", len(lines), first, last)
				}
				last = first + int64(len(lines)) - 1
			},
		})
		for b := range bytes.SplitSeq(frames, []byte("\n")) {
			before := fl.position()
			done, err := fl.frame(b)
			if err != nil && fault.CodeOf(err) == fault.Internal {
				t.Fatalf("an error that nobody may see: %v", err)
			}
			if fl.position() < before && tail <= 0 {
				t.Fatal("the cursor went back")
			}
			if done {
				return
			}
		}
	})
}

// Whatever frames come, revs are given in order and without a hole, and a list stands before them.
func FuzzWatcherFrames(f *testing.F) {
	row := func(rev int64) api.Row { return api.Row{Kind: "job", ID: "a", Rev: rev} }
	seed := func(frames ...[]byte) { f.Add(bytes.Join(frames, []byte("\n"))) }
	seed(encode(f, api.TypeList, api.WatchList{Rows: []api.Row{row(2)}, AsOfRev: 2, Epoch: "e"}), encode(f, api.TypeList, api.WatchList{AsOfRev: 2, Epoch: "e", Done: true}),
		encode(f, api.TypeChange, api.WatchChange{Rows: []api.Row{row(2), row(3)}}), encode(f, api.TypeTick, api.WatchTick{}))
	seed(encode(f, agentwire.TypeReset, nil), encode(f, api.TypeChange, api.WatchChange{Rows: []api.Row{row(9)}}))
	f.Fuzz(func(t *testing.T, frames []byte) {
		rev, listed := int64(0), false
		w := &watcher{h: WatchHandler{
			List: func(_ []api.Row, asOf int64) { rev, listed = asOf, true },
			Changes: func(rows []api.Row) {
				for _, r := range rows {
					if !listed || r.Rev != rev+1 {
						t.Fatalf("rev %d after %d, listed %v", r.Rev, rev, listed)
					}
					rev = r.Rev
				}
			},
		}}
		for b := range bytes.SplitSeq(frames, []byte("\n")) {
			if _, err := w.frame(b); err != nil {
				if fault.CodeOf(err) == fault.Internal {
					t.Fatalf("an error that nobody may see: %v", err)
				}
				if _, err := w.hello(); err != nil { // the next connection
					t.Fatal(err)
				}
			}
		}
	})
}
