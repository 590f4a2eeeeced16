package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Hosts gives all hosts by name.
func (s *Service) Hosts(ctx context.Context) (all []fleet.Host, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		all, err = r.Hosts(ctx)
		return err
	})
	for i := range all {
		s.seen.renew(&all[i])
	}
	return all, err
}

// Host gives one host.
func (s *Service) Host(ctx context.Context, idOrName string) (h fleet.Host, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		h, err = findHost(ctx, r, idOrName)
		return err
	})
	s.seen.renew(&h)
	return h, err
}

// RenameHost gives a host another name. Its hostname, which stands in its snapshots, stays.
func (s *Service) RenameHost(ctx context.Context, actor Actor, idOrName, name string) (h fleet.Host, err error) {
	if err := checkName("host", name); err != nil {
		return fleet.Host{}, err
	}
	err = s.update(ctx, func(w Writer) (err error) {
		if h, err = findHost(ctx, w, idOrName); err != nil || h.Name == name {
			return err
		}
		was := h.Name
		h.Name = name
		if err := w.PutHost(ctx, &h); err != nil {
			return taken(err, "host", name)
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "host.rename", string(h.ID), was + " to " + name})
	})
	if err != nil {
		return fleet.Host{}, err
	}
	return h, nil
}

// RevokeHost ends the trust in a host's agent: its connection is closed and none is taken any more. Jobs that were not sent are
// cancelled; what becomes of the others is no longer known.
func (s *Service) RevokeHost(ctx context.Context, actor Actor, id fleet.HostID) error {
	var host fleet.HostID
	var jobs []JobRecord
	err := s.update(ctx, func(w Writer) error {
		h, err := findHost(ctx, w, string(id))
		if err != nil {
			return err
		}
		host = h.ID
		if h.RevokedAt != nil {
			return nil
		}
		now := s.now()
		if jobs, err = s.endJobsOfRevoked(ctx, w, h, actor); err != nil {
			return err
		}
		if h, err = w.Host(ctx, h.ID); err != nil { // with the last job of just now
			return err
		}
		h.RevokedAt, h.Online = &now, false
		if err := w.PutHost(ctx, &h); err != nil {
			return err
		}
		if err := w.RevokeAgents(ctx, h.ID, now); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{now, actor.Name, "host.revoke", string(h.ID), h.Name})
	})
	if err != nil {
		return err
	}
	if d := s.dispatcher(); d != nil {
		d.Disconnect(host)
	}
	s.notify(jobs)
	return nil
}

func (s *Service) endJobsOfRevoked(ctx context.Context, w Writer, h fleet.Host, actor Actor) ([]JobRecord, error) {
	jobs, err := w.OpenJobs(ctx, h.ID)
	if err != nil {
		return nil, err
	}
	for i := range jobs {
		j := &jobs[i]
		if j.State == fleet.StateQueued {
			err = s.endUnsent(ctx, w, j, cancelled("Host "+shown(h.Name)+" was revoked by "+actor.Name+
				" before the job was sent. Enrol the host anew to run it."))
		} else if loseContact(j, s.now(), "The host was revoked while the job was on it. Look there, or enrol it anew to learn more.") {
			err = w.PutJob(ctx, j)
		}
		if err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// loseContact takes a job that was sent to the state unknown.
func loseContact(j *JobRecord, now time.Time, message string) bool {
	if !j.State.CanBecome(fleet.StateUnknown) {
		return false
	}
	j.State, j.UpdatedAt = fleet.StateUnknown, now
	j.Outcome = &fleet.Outcome{State: fleet.StateUnknown, Reason: fleet.ReasonContactLost, Message: message}
	return true
}

func (s *Service) notify(jobs []JobRecord) {
	for _, j := range jobs {
		s.logs.Notify(j.ID)
	}
}

// configure tells the dispatcher that the desired state of hosts changed.
func (s *Service) configure(hosts []fleet.HostID) {
	d := s.dispatcher()
	if d == nil {
		return
	}
	hosts = slices.Clone(hosts)
	slices.Sort(hosts)
	for _, host := range slices.Compact(hosts) {
		d.Configure(host)
	}
}

const (
	maxSealed     = 32 << 10
	sealedHead    = "-----BEGIN AGE ENCRYPTED FILE-----"
	secretTimeout = 15 * time.Second
)

// PutSecret passes credentials, sealed to the host's key, on to its agent. The daemon keeps nothing of them.
func (s *Service) PutSecret(ctx context.Context, actor Actor, host, repository, sealed string) error {
	if len(sealed) > maxSealed {
		return fault.New(fault.TooLarge, "The sealed credentials are larger than %d bytes. Seal only the credentials of this repository.", maxSealed)
	}
	if !strings.HasPrefix(sealed, sealedHead) {
		return fault.New(fault.InvalidInput, "The credentials are not sealed to the host's key. Use `backstay repo add`, which seals them; never send a password as it is.")
	}
	return s.changeSecret(ctx, actor, secretChange{host: host, repository: repository, action: "secret.put", holds: true,
		request: agentwire.Request{Kind: agentwire.RequestPutSecret, Sealed: sealed}})
}

// DeleteSecret lets the host's agent forget the credentials of a repository.
func (s *Service) DeleteSecret(ctx context.Context, actor Actor, host, repository string) error {
	return s.changeSecret(ctx, actor, secretChange{host: host, repository: repository, action: "secret.delete",
		request: agentwire.Request{Kind: agentwire.RequestDeleteSecret}})
}

type secretChange struct {
	host, repository string // ids or names
	action           string
	request          agentwire.Request
	holds            bool // whether the host holds the secret afterwards
}

// changeSecret asks the agent first and notes afterwards which repositories it holds credentials for.
func (s *Service) changeSecret(ctx context.Context, actor Actor, c secretChange) error {
	var h fleet.Host
	var v fleet.Repository
	err := s.store.View(ctx, func(r Reader) (err error) {
		if h, err = findHost(ctx, r, c.host); err == nil {
			v, err = findRepository(ctx, r, c.repository)
		}
		return err
	})
	if err != nil {
		return err
	}
	spec := v.Spec()
	c.request.Repository, c.request.TimeoutMS = &spec, secretTimeout.Milliseconds()
	if _, err := s.ask(ctx, h, c.request, secretTimeout); err != nil {
		return err
	}
	// The agent has done it: what a client that hangs up now would miss must be noted all the same.
	ctx = context.WithoutCancel(ctx)
	return s.update(ctx, func(w Writer) error {
		fresh, err := w.Host(ctx, h.ID)
		if err != nil {
			return err
		}
		if _, err := w.Repository(ctx, v.ID); err != nil {
			return err
		}
		if slices.Contains(fresh.Secrets, v.ID) != c.holds {
			fresh.Secrets = slices.DeleteFunc(fresh.Secrets, func(id fleet.RepositoryID) bool { return id == v.ID })
			if c.holds {
				fresh.Secrets = append(fresh.Secrets, v.ID)
			}
			if err := w.PutHost(ctx, &fresh); err != nil {
				return err
			}
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, c.action, string(h.ID), "repository " + string(v.ID)})
	})
}

// ask sends a request to a host's agent and waits for the answer. An answer with a code is that fault.
func (s *Service) ask(ctx context.Context, h fleet.Host, req agentwire.Request, limit time.Duration) (agentwire.Reply, error) {
	if err := checkTrusted(h); err != nil {
		return agentwire.Reply{}, err
	}
	d := s.dispatcher()
	if d == nil || !d.Online(h.ID) {
		return agentwire.Reply{}, fault.New(fault.HostOffline, "Host %s is not connected. Start its agent, or wait until it is back, and try again.", shown(h.Name))
	}
	ctx, cancel := context.WithTimeout(ctx, limit+5*time.Second) // the agent's own limit comes first
	defer cancel()
	reply, err := d.Request(ctx, h.ID, req)
	if errors.Is(err, context.DeadlineExceeded) {
		return agentwire.Reply{}, fault.Wrap(fault.Timeout, err, "Host %s did not answer in time. Look whether its agent is well (`backstay-agent doctor`) and try again.", shown(h.Name))
	}
	if err != nil {
		return agentwire.Reply{}, err
	}
	if reply.Code != "" {
		return agentwire.Reply{}, fault.New(agentCode(reply.Code), "%s", cut(reply.Message, maxMessage))
	}
	return reply, nil
}

// agentCode lets through only codes that speak of the host: an agent must not be able to say that a person is signed out.
func agentCode(code fault.Code) fault.Code {
	switch code {
	case fault.InvalidInput, fault.NoSecret, fault.SecretStore, fault.PolicyDenied, fault.ResticMissing, fault.ResticTooOld,
		fault.InvalidRepositoryURL, fault.InvalidPath, fault.Timeout, fault.StorageFull, fault.UnknownRepository, fault.Conflict:
		return code
	}
	return fault.Unavailable
}
