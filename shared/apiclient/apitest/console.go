package apitest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// getOverview gives the newest days of Overview, as many as are asked for.
func (s *Server) getOverview(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	o := s.Overview
	s.mu.Unlock()
	days, err := strconv.Atoi(r.URL.Query().Get("days"))
	if err != nil {
		days = 30
	}
	o.Days = append([]api.BackupDay{}, o.Days[max(0, len(o.Days)-days):]...)
	answer(w, http.StatusOK, o)
}

// SetHost stores a host, and shows it to the watch.
func (s *Server) SetHost(h fleet.Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Rev = int64(len(s.rows)) + 1
	i := slices.IndexFunc(s.Hosts, func(v fleet.Host) bool { return v.ID == h.ID })
	if i < 0 {
		s.Hosts = append(s.Hosts, h)
	} else {
		s.Hosts[i] = h
	}
	s.changedLocked(api.Row{Kind: "host", ID: string(h.ID), Host: &h})
}

func (s *Server) renameHost(w http.ResponseWriter, r *http.Request) {
	hosts := copied(s, &s.Hosts)
	h, ok := find(hosts, r.PathValue("host"), hostNames)
	if !ok {
		unknown(w, "host")
		return
	}
	req, ok := body[api.HostChange](w, r)
	if !ok {
		return
	}
	if slices.ContainsFunc(hosts, func(v fleet.Host) bool { return v.Name == req.Name && v.ID != h.ID }) {
		Problem(w, http.StatusConflict, fault.Conflict, "There is a host called "+req.Name+" already. Choose another name.")
		return
	}
	h.Name = req.Name
	s.SetHost(h)
	h, _ = find(copied(s, &s.Hosts), string(h.ID), hostNames)
	answer(w, http.StatusOK, h)
}

func (s *Server) postEnrolment(w http.ResponseWriter, r *http.Request) {
	req, ok := body[api.EnrolmentTokenRequest](w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	e := api.Enrolment{ID: fmt.Sprint("e", len(s.Enrolments)+1), HostID: req.HostID, CreatedBy: "admin", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	s.Enrolments = append([]api.Enrolment{e}, s.Enrolments...)
	answer(w, http.StatusCreated, api.EnrolmentToken{ID: e.ID, Token: "bse_x", Address: s.Address(), ExpiresAt: e.ExpiresAt,
		Command: "backstay-agent enrol --address " + s.Address() + " --token bse_x"})
}

func (s *Server) deleteEnrolment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.Enrolments, func(e api.Enrolment) bool { return e.ID == r.PathValue("token") })
	switch {
	case i < 0:
		unknown(w, "enrolment token")
	case s.Enrolments[i].UsedAt != nil:
		Problem(w, http.StatusConflict, fault.Conflict, "The enrolment token was used. Revoke its host if that must not be trusted.")
	default:
		s.Enrolments = slices.Delete(slices.Clone(s.Enrolments), i, i+1)
		done(w, r)
	}
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) {
	req, ok := body[api.PasswordChange](w, r)
	switch {
	case !ok:
	case req.Old != Password:
		Problem(w, http.StatusForbidden, fault.Forbidden, "The old password is wrong. Try again.")
	default:
		done(w, r)
	}
}

func (s *Server) patchUser(w http.ResponseWriter, r *http.Request) {
	req, ok := body[api.UserChange](w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.Users, func(u api.User) bool { return string(u.ID) == r.PathValue("user") || u.Name == r.PathValue("user") })
	if i < 0 {
		unknown(w, "user")
		return
	}
	admins := 0
	for _, u := range s.Users {
		if u.Role == fleet.RoleAdmin {
			admins++
		}
	}
	if req.Role != "" && req.Role != s.Users[i].Role && s.Users[i].Role == fleet.RoleAdmin && admins == 1 {
		Problem(w, http.StatusConflict, fault.Conflict, s.Users[i].Name+" is the last admin. Add another admin first.")
		return
	}
	if req.Role != "" {
		s.Users[i].Role = req.Role
	}
	answer(w, http.StatusOK, s.Users[i])
}

// getSnapshots filters as the daemon does, and gives pages by their number.
func (s *Server) getSnapshots(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	is := func(name string, values ...string) bool {
		return q.Get(name) == "" || slices.Contains(values, q.Get(name))
	}
	hosts, plans, repositories := copied(s, &s.Hosts), copied(s, &s.Plans), copied(s, &s.Repositories)
	found := []fleet.Snapshot{}
	for _, v := range copied(s, &s.Snapshots) {
		host, _ := find(hosts, string(v.HostID), hostNames)
		plan, _ := find(plans, string(v.PlanID), planNames)
		repository, _ := find(repositories, string(v.RepositoryID), repositoryNames)
		if is("host", string(v.HostID), host.Name) && is("plan", string(v.PlanID), plan.Name) && is("hostname", v.Hostname) &&
			is("repository", string(v.RepositoryID), repository.Name) && is("tag", v.Tags...) {
			found = append(found, v)
		}
	}
	first, err := strconv.Atoi(q.Get("cursor"))
	if err != nil {
		first = 0
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		limit = math.MaxInt32
	}
	first = min(max(first, 0), len(found))
	last := min(first+limit, len(found))
	page := api.Page[fleet.Snapshot]{Items: found[first:last]}
	if last < len(found) {
		page.Next = strconv.Itoa(last)
	}
	answer(w, http.StatusOK, page)
}
