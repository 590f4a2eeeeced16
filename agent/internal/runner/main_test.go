package runner_test

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/sharedtest"
)

// TestMain also is the shim that the tests start, as `<test binary> run-job --dir <folder>`.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "run-job" {
		os.Exit(shim.Main(context.Background(), os.Args[3], os.Stdin))
	}
	if len(os.Args) == 3 && os.Args[1] == "play-agent" {
		os.Exit(playAgent(os.Args[2]))
	}
	goleak.VerifyTestMain(cleaning{m})
}

// cleaning removes what sharedtest.Build made once the tests are through.
type cleaning struct{ m *testing.M }

func (c cleaning) Run() int {
	code := c.m.Run()
	if err := sharedtest.RemoveBuilds(); err != nil && code == 0 {
		code = 1
	}
	return code
}
