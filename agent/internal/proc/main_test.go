package proc_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain also plays the programs that the tests start: the test binary with "play" as its first argument.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "play" {
		os.Exit(play(os.Args[2], os.Args[3:]))
	}
	goleak.VerifyTestMain(m)
}

const playLimit = 60 * time.Second // no played program outlives a failed test for long

func play(what string, args []string) int {
	switch what {
	case "exit3":
		return 3
	case "sleep":
		fmt.Println("ready")
		time.Sleep(playLimit)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(playLimit)
	case "family": // a child that stays in our group and keeps our standard output
		cmd := exec.Command(os.Args[0], "play", "sleep")
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			return 1
		}
		fmt.Println("child", cmd.Process.Pid)
		if len(args) > 0 && args[0] == "leave" {
			return 0
		}
		time.Sleep(playLimit)
	case "echo":
		in, _ := io.ReadAll(os.Stdin)
		fmt.Printf("in=%s env=%s\n", in, strings.Join(os.Environ(), ","))
		for _, path := range args {
			b, err := os.ReadFile(path)
			fmt.Printf("%s=%s %v\n", path, b, err)
		}
		fmt.Fprint(os.Stderr, "oops")
	case "flood":
		b := make([]byte, 1<<16)
		for range 64 {
			os.Stdout.Write(b)
		}
	}
	return 0
}
