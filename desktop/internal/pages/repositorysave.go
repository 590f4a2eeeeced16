package pages

import (
	"context"

	"github.com/backstay/backstay/desktop/internal/dialogs"
	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
	"github.com/backstay/backstay/shared/secret"
)

// saving adds or changes a repository: the repository is made known, its password sealed to the host that is chosen, and tested there.
// What could not be tested is taken back, so that a wrong password leaves nothing half made.
type saving struct {
	p            *repositories
	id           string // "" for a new one
	r            dialogs.RepositoryRequest
	step         func(string)
	passwordOnly bool
}

// saved is what came of it.
type saved struct {
	repository fleet.Repository
	keeping    error
	initJob    *fleet.Job
}

func (s *saving) run(done func(error)) {
	p := s.p
	profile, _ := p.d.Prefs.Profile(p.d.Daemon.Address())
	if s.r.Host != nil {
		s.step(words.T("repository.step_testing", "Host", plaintext.Field(s.r.Host.Name)))
	}
	vault := p.d.Vault
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (saved, error) {
		out, err := s.store(ctx)
		if err == nil && s.r.Keep && s.r.Host != nil {
			out.keeping = vault.KeepPassword(ctx, profile, out.repository.Name, s.r.Credentials.Password)
		}
		return out, err
	}, func(out saved, err error) {
		done(err)
		switch {
		case err != nil:
			return
		case out.keeping != nil:
			_, text := words.Error(out.keeping)
			p.d.Toast(widgets.Warn, words.T("repository.not_kept"), text)
		default:
			p.d.Toast(widgets.Ok, words.T("repository.saved"), plaintext.Field(out.repository.Name))
		}
		if out.initJob != nil {
			p.d.Navigate(nav.Route{Page: nav.Job, ID: string(out.initJob.ID)})
		}
	})
}

func (s *saving) store(ctx context.Context) (out saved, err error) {
	d := s.p.d.Daemon
	switch {
	case s.passwordOnly:
		out.repository = *s.p.d.Fleet.Repository(fleet.RepositoryID(s.id))
	case s.id == "":
		out.repository, err = d.AddRepository(ctx, s.r.Repository)
	default:
		out.repository, err = d.UpdateRepository(ctx, s.id, s.r.Repository)
	}
	if err != nil || s.r.Host == nil {
		return out, err
	}
	if err = s.give(ctx, &out); err != nil && s.id == "" {
		if undo := d.DeleteRepository(context.WithoutCancel(ctx), string(out.repository.ID)); undo != nil {
			return out, fault.Wrap(fault.CodeOf(err), err, "%s The repository is in the list already; delete it there to begin anew.", message(err))
		}
	}
	return out, err
}

func message(err error) string {
	text, _ := fault.Message(err)
	return text
}

// give seals the password to the host, has the host try it, and creates the repository where that was wished.
func (s *saving) give(ctx context.Context, out *saved) error {
	d, h, repo := s.p.d.Daemon, s.r.Host, out.repository
	sealed, err := secret.Seal(h.SealingKey, h.ID, repo.ID, s.r.Credentials)
	if err != nil {
		return err
	}
	if err := d.PutSecret(ctx, string(h.ID), string(repo.ID), sealed); err != nil {
		return err
	}
	if s.r.Create && s.id == "" {
		j, err := d.StartJob(ctx, string(h.ID), api.JobRequest{Kind: fleet.KindInit, Repository: string(repo.ID)}, "")
		out.initJob = &j
		return err
	}
	result, err := d.TestRepository(ctx, string(repo.ID), h.ID)
	if err != nil {
		return err
	}
	if !result.OK {
		return fault.New(fault.InvalidInput, "%s", result.Message)
	}
	return nil
}

// test has a host that holds the password try to open a repository.
func (p *repositories) test(id string) {
	hosts := holders(p.d.Fleet, fleet.RepositoryID(id))
	for _, h := range hosts {
		if h.Online {
			host := h.ID
			p.d.Toast(widgets.Running, words.T("repositories.testing"), plaintext.Field(h.Name))
			feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.TestResult, error) { return p.d.Daemon.TestRepository(ctx, id, host) }, func(r api.TestResult, err error) {
				switch {
				case err != nil:
					p.complain(err)
				case r.OK:
					p.d.Toast(widgets.Ok, words.T("repositories.test_good"), plaintext.Line(r.Message))
				default:
					p.d.Toast(widgets.Error, words.T("repositories.test_bad"), plaintext.Line(r.Message))
				}
			})
			return
		}
	}
	p.d.Toast(widgets.Warn, words.T("repositories.nobody"), words.T("repositories.nobody_text"))
}

// job starts a check or an unlock on a host that holds the password, and goes to its page.
func (p *repositories) job(id string, kind fleet.JobKind) {
	for _, h := range holders(p.d.Fleet, fleet.RepositoryID(id)) {
		if !h.Online {
			continue
		}
		host := string(h.ID)
		feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (fleet.Job, error) {
			return p.d.Daemon.StartJob(ctx, host, api.JobRequest{Kind: kind, Repository: id}, "")
		}, func(j fleet.Job, err error) {
			if err != nil {
				p.complain(err)
				return
			}
			p.d.Navigate(nav.Route{Page: nav.Job, ID: string(j.ID)})
		})
		return
	}
	p.d.Toast(widgets.Warn, words.T("repositories.nobody"), words.T("repositories.nobody_text"))
}
