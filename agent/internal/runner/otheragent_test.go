//go:build !windows

package runner_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// otherAgent starts an agent in a process of its own with one job, and returns once the job is accepted.
func (h *host) otherAgent(spec fleet.JobSpec) *exec.Cmd {
	h.t.Helper()
	data, err := json.Marshal(agentPlay{Dir: h.jobsDir(), Restic: h.restic, URL: h.url, Home: h.dir, Grace: 2 * time.Second, Spec: spec})
	if err != nil {
		h.t.Fatal(err)
	}
	file := filepath.Join(h.t.TempDir(), "agent.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "play-agent", file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { kill(h.t, cmd) })
	buf := make([]byte, 16)
	if n, err := out.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "accepted") {
		h.t.Fatalf("the other agent says %q, err %v", buf[:n], err)
	}
	return cmd
}

// kill ends a process with SIGKILL and reaps it. It may have been killed before.
func kill(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState != nil {
		return
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // says only that it was killed
}
