package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// find looks a thing up by id and then by name.
func find[T any](ctx context.Context, idOrName string, byID, byName func(context.Context, string) (T, error)) (T, error) {
	if fleet.ValidID(idOrName) {
		v, err := byID(ctx, idOrName)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return v, err
		}
	}
	return byName(ctx, idOrName)
}

func findHost(ctx context.Context, r HostReader, idOrName string) (fleet.Host, error) {
	h, err := find(ctx, idOrName, func(ctx context.Context, id string) (fleet.Host, error) {
		return r.Host(ctx, fleet.HostID(id))
	}, r.HostByName)
	if errors.Is(err, ErrNotFound) {
		err = fault.New(fault.UnknownHost, "No host is called %s. `backstay hosts` lists them.", shown(idOrName))
	}
	return h, err
}

func findRepository(ctx context.Context, r RepositoryReader, idOrName string) (fleet.Repository, error) {
	v, err := find(ctx, idOrName, func(ctx context.Context, id string) (fleet.Repository, error) {
		return r.Repository(ctx, fleet.RepositoryID(id))
	}, r.RepositoryByName)
	if errors.Is(err, ErrNotFound) {
		err = fault.New(fault.UnknownRepository, "No repository is called %s. `backstay repo ls` lists them.", shown(idOrName))
	}
	return v, err
}

func findPlan(ctx context.Context, r PlanReader, idOrName string) (fleet.Plan, error) {
	p, err := find(ctx, idOrName, func(ctx context.Context, id string) (fleet.Plan, error) {
		return r.Plan(ctx, fleet.PlanID(id))
	}, r.PlanByName)
	if errors.Is(err, ErrNotFound) {
		err = fault.New(fault.UnknownPlan, "No plan is called %s. `backstay plan ls` lists them.", shown(idOrName))
	}
	return p, err
}

func findJob(ctx context.Context, r JobReader, id fleet.JobID) (JobRecord, error) {
	j, err := r.Job(ctx, id)
	if errors.Is(err, ErrNotFound) {
		err = fault.New(fault.UnknownJob, "There is no job %s. `backstay jobs ls` lists them.", shown(string(id)))
	}
	return j, err
}

// shown quotes what a person typed, cut to a length that fits a sentence; control characters come out escaped.
func shown(s string) string {
	const most = 80
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// maxName bounds the names that people give, in bytes.
const maxName = 128

// checkName refuses names that cannot be typed, told apart or put into an address.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fault.New(fault.InvalidInput, "The %s needs a name. Give it one.", what)
	case len(name) > maxName:
		return fault.New(fault.InvalidInput, "The name of the %s is %d bytes long, the limit is %d. Choose a shorter one.", what, len(name), maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError || r == '/' }):
		return fault.New(fault.InvalidInput, "The name of the %s holds a character that names may not have. Use letters, digits, spaces and signs other than '/'.", what)
	case name != strings.TrimSpace(name) || name[0] == '-':
		return fault.New(fault.InvalidInput, "The name of the %s begins with a hyphen, or begins or ends with a space. Leave that out.", what)
	}
	return nil
}

// taken says that a name is in use already.
func taken(err error, what, name string) error {
	if errors.Is(err, ErrDuplicate) {
		return fault.Wrap(fault.Conflict, err, "There is a %s called %s already. Choose another name.", what, shown(name))
	}
	return err
}

// pageLimit is the length of a page for the one asked for.
func pageLimit(n int) (int, error) {
	switch {
	case n < 0:
		return 0, fault.New(fault.InvalidInput, "A page cannot hold %d rows. Ask for 1 to %d.", n, MaxPage)
	case n == 0:
		return DefaultPage, nil
	}
	return min(n, MaxPage), nil
}
