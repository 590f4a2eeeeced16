package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/fleet"
)

// TestLimit bounds Test: against a server that does not answer restic itself would go on for 15 minutes.
const TestLimit = 30 * time.Second

// Test opens a repository once and changes nothing. The outcome says whether it could be opened, or why not; Summary.Init holds
// restic's own id of it.
func (r *Runner) Test(ctx context.Context, repo fleet.RepositorySpec) (o fleet.Outcome, err error) {
	began := r.cfg.Now().UTC()
	failed := func(reason fleet.Reason, message string) fleet.Outcome {
		return fleet.Outcome{State: fleet.StateFailed, Reason: reason, Message: message, StartedAt: began, FinishedAt: r.cfg.Now().UTC()}
	}
	if err := repo.Validate(); err != nil {
		return o, err
	}
	l, err := r.prepare(ctx, fleet.JobSpec{JobID: "test", Repository: repo})
	if err != nil {
		reason, message := reasonOf(err)
		return failed(reason, message), nil
	}
	f, err := r.journal.Scratch()
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(string(f))) }()
	res, err := shim.Step(ctx, l, f, restic.StepTest, TestLimit)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return failed(fleet.ReasonRepositoryUnreachable,
			fmt.Sprintf("The repository did not answer for %v. Check its address, credentials and server.", TestLimit)), nil
	}
	if err != nil {
		return o, fmt.Errorf("test repository %s: %w", repo.ID, err)
	}
	return judge(res, began, r.cfg.Now), nil
}

func judge(res proc.Result, began time.Time, now func() time.Time) fleet.Outcome {
	d := restic.NewDecoder(restic.KindTest, now)
	for stream, text := range map[fleet.LogStream][]byte{fleet.StreamOut: res.Stdout, fleet.StreamErr: res.Stderr} {
		for line := range strings.Lines(string(text)) {
			d.Line(stream, strings.TrimSuffix(line, "\n"))
		}
	}
	o := d.Outcome(restic.Exit{Code: res.Exit.Code, Signal: res.Exit.Signal})
	o.StartedAt, o.FinishedAt = began, now().UTC()
	return o
}
