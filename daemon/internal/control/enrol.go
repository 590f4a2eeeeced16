package control

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Lives of enrolment tokens.
const (
	enrolmentLife    = time.Hour
	maxEnrolmentLife = 24 * time.Hour
)

func enrolCommand(address, token, pin string) string {
	return "backstay-agent enrol --server " + address + " --token " + token + " --pin " + pin
}

// CreateEnrolmentToken makes a single-use token for an agent.
func (s *Service) CreateEnrolmentToken(ctx context.Context, actor Actor, req api.EnrolmentTokenRequest) (api.EnrolmentToken, error) {
	life := time.Duration(req.ValidForMS) * time.Millisecond
	switch {
	case req.ValidForMS == 0:
		life = enrolmentLife
	case req.ValidForMS < 0 || req.ValidForMS > maxEnrolmentLife.Milliseconds():
		return api.EnrolmentToken{}, fault.New(fault.InvalidInput, "An enrolment token cannot be valid for %d ms. Use at most 24 hours, or 0 for one hour.", req.ValidForMS)
	}
	value, hash := auth.NewToken(auth.PrefixEnrolment)
	now := s.now()
	e := EnrolmentRecord{ID: s.newID(), Hash: hash, CreatedBy: actor.Name, CreatedAt: now, ExpiresAt: now.Add(life)}
	err := s.update(ctx, func(w Writer) error {
		if err := stillThere(ctx, w, actor); err != nil {
			return err
		}
		detail := "for a new host"
		if req.HostID != "" {
			h, err := findHost(ctx, w, string(req.HostID))
			if err != nil {
				return err
			}
			e.HostID = h.ID
			detail = "for host " + string(h.ID)
		}
		if err := w.PutEnrolment(ctx, e); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{now, actor.Name, "enrolment_token.create", e.ID, detail})
	})
	if err != nil {
		return api.EnrolmentToken{}, err
	}
	command := s.cfg.EnrolCommand(s.cfg.Address, value, s.cfg.CAPin)
	if e.HostID != "" {
		command += " --again"
	}
	return api.EnrolmentToken{ID: e.ID, Token: value, CAPin: s.cfg.CAPin, Address: s.cfg.Address, Command: command, ExpiresAt: e.ExpiresAt}, nil
}

// EnrolmentTokens gives a page of enrolment tokens, newest first, without what they are spent with. Those that ended a week ago
// are no longer there.
func (s *Service) EnrolmentTokens(ctx context.Context, cursor string, limit int) (page api.Page[api.Enrolment], err error) {
	if limit, err = pageLimit(limit); err != nil {
		return page, err
	}
	if cursor != "" && !fleet.ValidID(cursor) {
		return page, fault.New(fault.InvalidInput, "The cursor is not one of a list of enrolment tokens. Take it from the page before, or leave it out.")
	}
	err = s.store.View(ctx, func(r Reader) error {
		found, err := r.Enrolments(ctx, cursor, limit+1)
		if len(found) > limit {
			found = found[:limit]
			page.Next = found[limit-1].ID
		}
		for _, e := range found {
			page.Items = append(page.Items, api.Enrolment{ID: e.ID, HostID: e.HostID, CreatedBy: e.CreatedBy, CreatedAt: e.CreatedAt,
				ExpiresAt: e.ExpiresAt, UsedAt: e.UsedAt})
		}
		return err
	})
	return page, err
}

// RevokeEnrolmentToken makes a token that was not used one that never was. One that was used stays, as the record of that.
func (s *Service) RevokeEnrolmentToken(ctx context.Context, actor Actor, id string) error {
	return s.update(ctx, func(w Writer) error {
		e, err := w.Enrolment(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			return fault.New(fault.NotFound, "There is no enrolment token %s. `backstay enrol-token ls` lists them.", shown(id))
		case err != nil:
			return err
		case e.UsedAt != nil:
			return fault.New(fault.Conflict, "The enrolment token was used. Revoke its host (`backstay hosts revoke`) if that must not be trusted.")
		}
		if err := w.DeleteEnrolment(ctx, e.ID); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "enrolment_token.revoke", e.ID, "made by " + e.CreatedBy})
	})
}

// Enrol spends a token for the identity of an agent: Host.AgentID is what its certificate must say. Check everything else of
// the request (the CSR) before: a spent token stays spent. A host that is enrolled anew loses its former agent.
func (s *Service) Enrol(ctx context.Context, token string, facts agentwire.Facts) (fleet.Host, error) {
	if err := checkFacts(facts); err != nil {
		return fleet.Host{}, err
	}
	if len(token) > maxBearer {
		return fleet.Host{}, badEnrolment()
	}
	var h fleet.Host
	anew := false
	err := s.update(ctx, func(w Writer) error {
		now := s.now()
		e, err := readyEnrolment(ctx, w, token, now)
		if err != nil {
			return err
		}
		if anew = e.HostID != ""; anew {
			h, err = w.Host(ctx, e.HostID)
		} else {
			h.ID = fleet.HostID(s.newID())
			h.Name, err = freeHostName(ctx, w, facts.Hostname, h.ID)
		}
		if err != nil {
			return err
		}
		h.AgentID, h.EnrolledAt, h.RevokedAt, h.ClonedAt, h.Online = fleet.AgentID(s.newID()), now, nil, nil, false
		if err := setFacts(ctx, w, &h, facts); err != nil {
			return err
		}
		if err := w.PutHost(ctx, &h); err != nil {
			return err
		}
		if err := w.RevokeAgents(ctx, h.ID, now); err != nil {
			return err
		}
		if err := w.PutAgent(ctx, h.AgentID, h.ID, now); err != nil {
			return err
		}
		if err := w.AdoptSnapshots(ctx, h.ID); err != nil {
			return err
		}
		e.UsedAt, e.HostID = &now, h.ID
		if err := w.PutEnrolment(ctx, e); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{now, "enrolment:" + e.ID, "host.enrol", string(h.ID), h.Name + " with agent " + string(h.AgentID)})
	})
	if err != nil {
		return fleet.Host{}, err
	}
	if d := s.dispatcher(); anew && d != nil {
		d.Disconnect(h.ID) // the former agent
	}
	return h, nil
}

func badEnrolment() error {
	return fault.New(fault.TokenInvalid, "The enrolment token is not one of this daemon. Copy it whole, or make a new one (`backstayd enrol-token`).")
}

// readyEnrolment finds the token that may be spent.
func readyEnrolment(ctx context.Context, r AccessReader, token string, now time.Time) (EnrolmentRecord, error) {
	e, err := r.EnrolmentByHash(ctx, auth.HashToken(token))
	switch {
	case errors.Is(err, ErrNotFound):
		return e, badEnrolment()
	case err != nil:
		return e, err
	case e.UsedAt != nil:
		return e, fault.New(fault.TokenUsed, "The enrolment token was used before; each is good for one host. Make a new one (`backstayd enrol-token`).")
	case !now.Before(e.ExpiresAt):
		return e, fault.New(fault.TokenExpired, "The enrolment token has expired. Make a new one (`backstayd enrol-token`).")
	}
	return e, nil
}

// freeHostName makes a name for a new host from its host name, with a number behind it when another host has that already, or
// its id when many have.
func freeHostName(ctx context.Context, r HostReader, hostname string, id fleet.HostID) (string, error) {
	base := strings.TrimLeft(cut(hostname, maxName-8), "-")
	if checkName("host", base) != nil {
		base = "host"
	}
	name := base
	for n := 2; n < 100; n++ {
		_, err := r.HostByName(ctx, name)
		if errors.Is(err, ErrNotFound) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		name = base + "-" + strconv.Itoa(n)
	}
	return string(id), nil
}
