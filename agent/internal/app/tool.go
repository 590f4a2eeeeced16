package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/restic"
)

// tool finds restic and remembers it for as long as its file stays the same: each look costs a start of the program.
type tool struct {
	explicit string
	folders  []string

	mu      sync.Mutex
	path    string
	version string
	size    int64
	changed time.Time
}

func newTool(c config.Config) *tool {
	var folders []string
	if own, err := os.Executable(); err == nil { // the restic that travels with the agent comes first
		dir := filepath.Dir(own)
		folders = append(folders, filepath.Join(filepath.Dir(dir), "lib", "backstay"), dir)
	}
	return &tool{explicit: c.Restic, folders: append(folders, filepath.SplitList(os.Getenv("PATH"))...)}
}

// find gives restic's absolute path and version.
func (t *tool) find(ctx context.Context) (path, version string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path != "" {
		if info, err := os.Stat(t.path); err == nil && info.Size() == t.size && info.ModTime().Equal(t.changed) {
			return t.path, t.version, nil
		}
		t.path = ""
	}
	path, version, err = restic.Find(ctx, t.explicit, t.folders, runTool)
	if err != nil {
		return "", "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", "", fmt.Errorf("look at %s: %w", path, err)
	}
	t.path, t.version, t.size, t.changed = path, version, info.Size(), info.ModTime()
	return path, version, nil
}

// errTool says that a program ended with an error.
var errTool = errors.New("program failed")

func runTool(ctx context.Context, path string, args ...string) ([]byte, error) {
	r, err := proc.Run(ctx, proc.Command{Path: path, Args: args, Env: []string{"HOME=" + os.TempDir()}}, proc.RunOptions{})
	if err != nil {
		return nil, err
	}
	if r.Exit.Code != 0 {
		return nil, fmt.Errorf("%w: exit %d %s", errTool, r.Exit.Code, r.Exit.Signal)
	}
	return r.Stdout, nil
}
