package svc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

// Manager is this system's service manager, for one service.
type Manager interface {
	// Install registers the service, or brings it up to date, and says what it did. It starts nothing.
	Install(ctx context.Context) (done []string, err error)
	// Uninstall stops the service and removes all that Install made. The data stay.
	Uninstall(ctx context.Context) (done []string, err error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Restart(ctx context.Context) error
	State(ctx context.Context) (State, error)
	Close() error
}

// State is what the service manager says of the service.
type State struct {
	Installed bool       `json:"installed"`
	Enabled   bool       `json:"enabled"` // starts with the system, or with the person's session
	Running   bool       `json:"running"`
	Words     string     `json:"state,omitempty"` // in the service manager's own words
	PID       int        `json:"pid,omitempty"`
	Restarts  int        `json:"restarts,omitempty"` // by the service manager itself
	Since     *time.Time `json:"since,omitempty"`
	File      string     `json:"file,omitempty"` // where the service is defined
	User      bool       `json:"user,omitempty"` // a person's own
}

// String is s for people, who call the program so; a nil State is that nobody could be asked.
func (s *State) String(program string) string {
	switch {
	case s == nil:
		return "none (there is no service manager here that this account may ask)"
	case !s.Installed:
		return "not installed. Install it with: " + program + " install"
	}
	words := []string{s.Words}
	if s.PID != 0 {
		words = append(words, fmt.Sprintf("pid %d", s.PID))
	}
	if s.Restarts > 0 {
		words = append(words, fmt.Sprintf("started again %d times by itself", s.Restarts))
	}
	switch {
	case s.Enabled && s.User:
		words = append(words, "starts with your session")
	case s.Enabled:
		words = append(words, "starts with the system")
	default:
		words = append(words, "does not start by itself")
	}
	return strings.Join(words, ", ")
}

// notInstalled is what commands on a service say that is not there.
func notInstalled(d Definition) error {
	return fault.New(fault.NotFound, "The service %s is not installed here. Run `%s install%s` first.", d.Name, d.program(), d.userFlag())
}

// MayChange tells whether this account may change the system's services, or those of a person.
func MayChange(user bool) error {
	if user || Elevated() {
		return nil
	}
	return denied(nil)
}

// denied is what somebody is told who may not change the system's services.
func denied(err error) error {
	return fault.Wrap(fault.Forbidden, err, "This account may not change the system's services. Run the command as an administrator (root), or add --user for a service of your own.")
}
