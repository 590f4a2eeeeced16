package restic

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

// Minimum is the oldest restic that works: it tells a missing repository (10), a lock (11) and a wrong password (12) apart.
const Minimum = "0.17.1"

// findLimit bounds one `restic version`; a restic on a dead network mount would hold the agent up for ever.
const findLimit = 10 * time.Second

// Run runs the program at an absolute path to its end and gives its standard output.
type Run func(ctx context.Context, path string, args ...string) ([]byte, error)

// Find gives the absolute path and the version of a usable restic: the explicit one when given, otherwise the first in folders
// (PATH's, in their order) that is new enough. Relative folders are passed over, because what they mean depends on where the
// agent was started. The fault is ResticMissing or ResticTooOld.
func Find(ctx context.Context, explicit string, folders []string, run Run) (path, version string, err error) {
	if explicit != "" {
		if !filepath.IsAbs(explicit) {
			return "", "", fault.New(fault.ResticMissing, "The path %q of restic is not absolute. Give the whole path in the agent's configuration.", explicit)
		}
		version, err = probe(ctx, explicit, run)
		return explicit, version, err
	}
	var tooOld error
	for _, folder := range folders {
		if !filepath.IsAbs(folder) {
			continue
		}
		candidate := filepath.Join(folder, programName())
		if info, err := os.Stat(candidate); err != nil || !info.Mode().IsRegular() {
			continue
		}
		version, err := probe(ctx, candidate, run)
		if err == nil {
			return candidate, version, nil
		}
		if ctx.Err() != nil {
			return "", "", ctx.Err()
		}
		if tooOld == nil && fault.CodeOf(err) == fault.ResticTooOld {
			tooOld = err
		}
	}
	if tooOld != nil {
		return "", "", tooOld
	}
	return "", "", fault.New(fault.ResticMissing, "This host has no restic. Install restic %s or newer, or name its path in the agent's configuration.", Minimum)
}

func programName() string {
	if runtime.GOOS == "windows" {
		return "restic.exe"
	}
	return "restic"
}

func probe(ctx context.Context, path string, run Run) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	out, err := run(ctx, path, "version", "--json")
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Wrap(fault.ResticMissing, err, "There is no restic at %s. Install restic %s or newer there.", path, Minimum)
	}
	if err != nil {
		return "", fault.Wrap(fault.ResticMissing, err, "The program at %s does not answer like restic. Install restic %s or newer.", path, Minimum)
	}
	version := parseVersion(string(out))
	if version == "" {
		return "", fault.New(fault.ResticMissing, "The program at %s is not restic. Name the right one in the agent's configuration.", path)
	}
	if older(version, Minimum) {
		return "", fault.New(fault.ResticTooOld, "The restic at %s is version %s, too old for Backstay. Install %s or newer.", path, version, Minimum)
	}
	return version, nil
}

// parseVersion finds the version in the output of `restic version --json`, which before 0.16 was a sentence.
func parseVersion(out string) string {
	var v struct {
		Version string `json:"version"`
	}
	if json.Unmarshal([]byte(out), &v) != nil {
		rest, found := strings.CutPrefix(strings.TrimSpace(out), "restic ")
		if !found {
			return ""
		}
		v.Version, _, _ = strings.Cut(rest, " ")
	}
	if numbers(v.Version) == nil || len(v.Version) > 40 {
		return ""
	}
	return v.Version
}

// numbers gives the numbers of a version such as 0.19.1 or 0.19.1-dev, or nil.
func numbers(version string) []int {
	core, _, _ := strings.Cut(version, "-")
	var out []int
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return nil
		}
		out = append(out, int(n))
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// older tells whether version a comes before b. A development version counts as the release it comes after.
func older(a, b string) bool {
	x, y := numbers(a), numbers(b)
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			m = x[i]
		}
		if i < len(y) {
			n = y[i]
		}
		if m != n {
			return m < n
		}
	}
	return false
}
