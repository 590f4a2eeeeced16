package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
)

// pendingFile holds an enrolment that the service is to carry out itself: what is in the keyring of another account is out of its
// reach. It is read once and removed, the token in it with it.
const pendingFile = "enrolment.json"

// answerFile holds how that went.
const answerFile = "enrolment-answer.json"

// answer is answerFile; without a code the host is enrolled.
type answer struct {
	Code    fault.Code `json:"code,omitempty"`
	Message string     `json:"message,omitempty"`
}

// LeaveEnrolment leaves o for the service, which enrols the host as it starts.
func LeaveEnrolment(o EnrolOptions) error {
	if _, err := enrolConfig(o); err != nil {
		return err
	}
	if err := datafolder.Make(o.DataDir); err != nil {
		return err
	}
	if err := ignoreMissing(os.Remove(filepath.Join(o.DataDir, answerFile))); err != nil {
		return fmt.Errorf("remove the former answer: %w", err)
	}
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode enrolment: %w", err)
	}
	return atomicfile.Write(filepath.Join(o.DataDir, pendingFile), b, 0o600)
}

// TakeEnrolment enrols the host if somebody left an enrolment for the service; else it does nothing.
func TakeEnrolment(ctx context.Context, dataDir string) error {
	path := filepath.Join(dataDir, pendingFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the enrolment: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the enrolment: %w", err)
	}
	var o EnrolOptions
	if json.Unmarshal(b, &o) != nil {
		return fault.New(fault.InvalidInput, "The enrolment that was left for the service is damaged. Run `backstay-agent enrol` once more.")
	}
	o.DataDir = dataDir
	_, err = Enrol(ctx, o)
	var a answer
	if err != nil {
		a.Code, a.Message = fault.CodeOf(err), "The service could not enrol this host. `backstay-agent logs` says why."
		if message, known := fault.Message(err); known {
			a.Message = message
		}
	}
	said, encodeErr := json.Marshal(a)
	return errors.Join(err, encodeErr, atomicfile.Write(filepath.Join(dataDir, answerFile), said, 0o600))
}

// answerEvery is how often AwaitEnrolment looks, answerLimit for how long.
const (
	answerEvery = 100 * time.Millisecond
	answerLimit = 2 * time.Minute
)

// AwaitEnrolment waits until the service has enrolled the host, or says why it could not.
func AwaitEnrolment(ctx context.Context, dataDir string) (config.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	tick := time.NewTicker(answerEvery)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(filepath.Join(dataDir, answerFile)); err == nil {
			var a answer
			if err := json.Unmarshal(b, &a); err != nil {
				return config.Config{}, fmt.Errorf("read the service's answer: %w", err)
			}
			if a.Code != "" {
				return config.Config{}, fault.New(a.Code, "%s", a.Message)
			}
			return config.Load(dataDir, os.Getenv)
		}
		select {
		case <-ctx.Done():
			return config.Config{}, fault.Wrap(fault.Timeout, context.Cause(ctx), "The service did not enrol this host in time. `backstay-agent logs` says why.")
		case <-tick.C:
		}
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
