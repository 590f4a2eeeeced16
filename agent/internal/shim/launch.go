package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// Launch is all that a shim is told.
type Launch struct {
	ID          string             `json:"id"` // as in the journal: a shim whose launch was withdrawn does nothing
	Spec        fleet.JobSpec      `json:"spec"`
	Target      string             `json:"target,omitempty"` // restore: the absolute folder to make, directly below the restore root
	Tool        Tool               `json:"tool"`
	Timing      Timing             `json:"timing"`
	Credentials secret.Credentials `json:"-"`
}

// Tool is the restic to run and the surroundings that it gets.
type Tool struct {
	Restic   string `json:"restic"` // absolute path
	Version  string `json:"version"`
	Home     string `json:"home"`
	CacheDir string `json:"cache_dir"`
	Path     string `json:"path"` // PATH for restic's helpers, ssh and rclone
}

// Timing are the shim's deadlines; a zero one means the default.
type Timing struct {
	Grace       time.Duration `json:"grace"`         // between SIGTERM and SIGKILL
	StopGrace   time.Duration `json:"stop_grace"`    // the same while the host goes down
	StepLimit   time.Duration `json:"step_limit"`    // for an unlock or a look at the locks
	RetryPhase  time.Duration `json:"retry_phase"`   // nothing but retries for so long: the progress says so
	RetryGiveUp time.Duration `json:"retry_give_up"` // … and for so long: the job ends
}

// Defaults of Timing.
const (
	// DefaultGrace: with its server dead or frozen restic needs 60 s to end after a signal.
	DefaultGrace = 90 * time.Second
	// DefaultStopGrace: systemd kills 90 s after its own SIGTERM, and an unlock and the outcome have to fit in as well.
	DefaultStopGrace = 45 * time.Second
	// DefaultStepLimit: unlock and list take a second or two; against a server that does not answer they would take 15 minutes.
	DefaultStepLimit = 60 * time.Second
	// DefaultRetryPhase and DefaultRetryGiveUp: see the package's Decisions.
	DefaultRetryPhase  = 30 * time.Second
	DefaultRetryGiveUp = 5 * time.Minute
)

func (t Timing) filled() Timing {
	for at, def := range map[*time.Duration]time.Duration{&t.Grace: DefaultGrace, &t.StopGrace: DefaultStopGrace,
		&t.StepLimit: DefaultStepLimit, &t.RetryPhase: DefaultRetryPhase, &t.RetryGiveUp: DefaultRetryGiveUp} {
		if *at <= 0 {
			*at = def
		}
	}
	return t
}

// maxLaunch bounds the launch data in bytes; a job's specification is smaller by far.
const maxLaunch = 2 << 20

// launchText is the form on standard input: the credentials are spelled out here and nowhere else.
type launchText struct {
	Launch      Launch `json:"launch"`
	Credentials string `json:"credentials"`
}

// Encode gives the launch data for a shim's standard input. They hold secrets.
func (l Launch) Encode() ([]byte, error) {
	c, err := secret.EncodeCredentials(l.Credentials)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(launchText{Launch: l, Credentials: c.Reveal()})
	if err != nil {
		return nil, fmt.Errorf("encode launch: %w", err)
	}
	return b, nil
}

// errLaunch takes the place of the decoder's errors, which could quote a secret.
var errLaunch = errors.New("launch data are cut off or not of this version")

// decodeLaunch reads launch data up to their end: whoever starts the shim closes its input when all was written, so data that a
// crash cut off are never taken for whole ones.
func decodeLaunch(r io.Reader) (Launch, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxLaunch+1))
	if err != nil {
		return Launch{}, fmt.Errorf("read launch: %w", err)
	}
	var t launchText
	if len(b) > maxLaunch || json.Unmarshal(b, &t) != nil {
		return Launch{}, errLaunch
	}
	t.Launch.Credentials, err = secret.DecodeCredentials(secret.New(t.Credentials))
	t.Launch.Timing = t.Launch.Timing.filled()
	return t.Launch, err
}
