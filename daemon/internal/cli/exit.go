package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// The exit codes. They are stable: scripts branch on them.
const (
	ExitSucceeded   = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitWarning     = 3
	ExitCancelled   = 4
	ExitUnknown     = 5
	ExitInterrupted = 130
)

const exitCodesHelp = `Exit codes of backstay:

    0  succeeded
    1  failed: the job failed or was interrupted by its host, or the command could not be carried out
    2  wrong usage: nothing was done
    3  warning: the job saved a snapshot, but some source files could not be read (they are named)
    4  cancelled: someone cancelled the job that was followed
    5  not known: the job's host is out of contact (unknown) or came back without the job (lost), or the daemon
       itself cannot be reached; the job may well be running
  130  you pressed Ctrl-C: following stopped, the job goes on

Commands that start a job and do not --follow it end with 0 once the job is queued.`

// endedAs is the error of a command whose job did not succeed. All has been said when it arrives at main.
type endedAs struct{ state fleet.JobState }

func (e endedAs) Error() string { return "the job ended " + string(e.state) }

// detached is the error of a follow that was left by Ctrl-C. All has been said.
type detached struct{ err error }

func (d detached) Error() string { return "no longer following" }
func (d detached) Unwrap() error { return d.err }

// usageError marks what was asked for wrongly.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

// usage makes the error for a command that was used wrongly.
func usage(format string, args ...any) error {
	return usageError{fault.New(fault.InvalidInput, format, args...)}
}

// stateCode is the exit code for a job that was followed to the end.
func stateCode(s fleet.JobState) int {
	switch s {
	case fleet.StateSucceeded:
		return ExitSucceeded
	case fleet.StateWarning:
		return ExitWarning
	case fleet.StateCancelled:
		return ExitCancelled
	case fleet.StateUnknown, fleet.StateLost:
		return ExitUnknown
	}
	return ExitFailed
}

// exitCode is the exit code for what a command returned.
func exitCode(err error) int {
	var ended endedAs
	var wrong usageError
	switch {
	case err == nil:
		return ExitSucceeded
	case errors.As(err, &ended):
		return stateCode(ended.state)
	case errors.As(err, &wrong):
		return ExitUsage
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	switch fault.CodeOf(err) {
	case fault.Unavailable, fault.Timeout:
		return ExitUnknown
	}
	return ExitFailed
}

// report tells a person, or with asJSON a script, why a command ended as it did.
func report(w io.Writer, err error, asJSON bool) {
	var ended endedAs
	var left detached
	if err == nil || errors.As(err, &ended) || errors.As(err, &left) {
		return
	}
	message, ok := fault.Message(err)
	code := fault.CodeOf(err)
	switch {
	case errors.Is(err, context.Canceled):
		message = "Interrupted."
		code = "interrupted"
	case !ok:
		message = err.Error()
	}
	if asJSON {
		var e struct {
			Error struct {
				Code    fault.Code `json:"code"`
				Message string     `json:"message"`
			} `json:"error"`
		}
		e.Error.Code, e.Error.Message = code, message
		_ = json.NewEncoder(w).Encode(e) // standard error is the last resort
		return
	}
	_, _ = fmt.Fprintln(w, "Error:", plaintext.Field(message)) // standard error is the last resort
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "what the exit codes mean", Long: exitCodesHelp}
}
