package logline_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/shared/fleet"
)

// known are the messages that never show as JSON.
var known = regexp.MustCompile(`^\{"message_type":"(verbose_status|error|exit_error|initialized)"`)

// TestRecordedRuns reads what real restics printed: the runs in the repository, and the project's whole collection when it lies
// beside the checkout.
func TestRecordedRuns(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..")
	dirs := []string{filepath.Join(root, "agent", "internal", "restic", "testdata", "runs")}
	if beside := filepath.Join(root, "..", "shared", "fixtures", "restic"); exists(beside) {
		dirs = append(dirs, beside)
	}
	lines, levels := 0, map[logline.Level]int{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".out" && filepath.Ext(path) != ".err" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			stream := fleet.StreamOut
			if filepath.Ext(path) == ".err" {
				stream = fleet.StreamErr
			}
			for _, l := range format(split(string(text), stream)...) {
				lines++
				levels[l.Level]++
				if !safe(l.Text) {
					t.Errorf("%s: not safe: %q", path, l.Text)
				}
				if known.MatchString(l.Text) || strings.HasPrefix(l.Text, `{"message_type":"summary","files_`) {
					t.Errorf("%s: shows as JSON: %s", path, l.Text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all := len(dirs) > 1 // our own runs are none of -vv
	if lines < 50 || levels[logline.Info] == 0 || levels[logline.Error] == 0 || levels[logline.Warn] == 0 || all && levels[logline.Debug] == 0 {
		t.Errorf("%d lines, by level %v", lines, levels)
	}
}

func exists(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// split cuts text into lines as the agent does, long ones in pieces.
func split(text string, s fleet.LogStream) []fleet.LogLine {
	var all []fleet.LogLine
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		for len(line) > fleet.MaxLineText {
			all = append(all, fleet.LogLine{Time: noon, Stream: s, Text: line[:fleet.MaxLineText], Cont: true})
			line = line[fleet.MaxLineText:]
		}
		all = append(all, fleet.LogLine{Time: noon, Stream: s, Text: line})
	}
	return all
}
