package apitest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func (s *Server) handler() http.Handler {
	m := http.NewServeMux()
	on := func(pattern string, h http.HandlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		m.HandleFunc(method+" "+api.Base+path, s.guarded(h))
	}
	m.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	m.HandleFunc("POST "+api.Base+"/session", s.signIn)
	on("GET /session", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.Identity{User: "admin", Role: fleet.RoleAdmin, Daemon: api.DaemonInfo{Version: "1.2.3", Epoch: s.epoch()}})
	})
	on("DELETE /session", s.signOut)
	on("POST /session/password", s.changePassword)
	on("GET /overview", s.getOverview)
	on("GET /hosts", pageOf(s, &s.Hosts))
	on("GET /hosts/{host}", one(s, &s.Hosts, "host", hostNames))
	on("PATCH /hosts/{host}", s.renameHost)
	on("DELETE /hosts/{host}", done)
	on("POST /hosts/{host}/jobs", s.postJob)
	on("PUT /hosts/{host}/secrets/{repository}", s.putSecret)
	on("DELETE /hosts/{host}/secrets/{repository}", done)
	on("GET /enrolment-tokens", pageOf(s, &s.Enrolments))
	on("POST /enrolment-tokens", s.postEnrolment)
	on("DELETE /enrolment-tokens/{token}", s.deleteEnrolment)
	on("GET /repositories", pageOf(s, &s.Repositories))
	on("GET /repositories/{repository}", one(s, &s.Repositories, "repository", repositoryNames))
	on("POST /repositories", s.postRepository)
	on("DELETE /repositories/{repository}", done)
	on("POST /repositories/{repository}/test", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.TestResult{OK: true, Message: "The repository opened.", ResticID: "3c52ecbd", ElapsedMS: 421})
	})
	on("GET /plans", pageOf(s, &s.Plans))
	on("GET /plans/{plan}", one(s, &s.Plans, "plan", planNames))
	on("POST /plans", s.postPlan)
	on("DELETE /plans/{plan}", done)
	on("GET /jobs", s.getJobs)
	on("GET /jobs/{job}", s.getJob)
	on("POST /jobs/{job}/cancel", s.cancelJob)
	on("GET /jobs/{job}/log", s.getLog)
	on("GET /jobs/{job}/stream", s.stream)
	on("GET /watch", s.watch)
	on("GET /snapshots", s.getSnapshots)
	on("GET /users", pageOf(s, &s.Users))
	on("POST /users", created(func(r api.UserRequest) any {
		return api.User{ID: "u9", Name: r.Name, Role: r.Role, CreatedAt: time.Now()}
	}))
	on("PATCH /users/{user}", s.patchUser)
	on("DELETE /users/{user}", done)
	on("GET /tokens", pageOf(s, &s.Tokens))
	on("POST /tokens", created(func(r api.TokenRequest) any {
		return api.Token{ID: "t9", Name: r.Name, Role: r.Role, CreatedBy: "admin", CreatedAt: time.Now(), Secret: "bst_new"}
	}))
	on("DELETE /tokens/{token}", done)
	on("GET /audit", s.getAudit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.OnRequest == nil || !s.OnRequest(w, r) {
			m.ServeHTTP(w, r)
		}
	})
}

func (s *Server) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		known := s.sessions[token]
		s.mu.Unlock()
		if !known {
			Problem(w, http.StatusUnauthorized, fault.Unauthenticated, "The token is not valid. Sign in again.")
			return
		}
		h(w, r)
	}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	req, ok := body[api.SessionRequest](w, r)
	if !ok {
		return
	}
	if req.Password != Password {
		Problem(w, http.StatusUnauthorized, fault.Unauthenticated, "The user or the password is wrong. Try again.")
		return
	}
	token := "bss_" + rand.Text()
	s.mu.Lock()
	s.sessions[token] = true
	s.mu.Unlock()
	answer(w, http.StatusOK, api.Session{Token: token, User: req.User, Role: fleet.RoleAdmin, ExpiresAt: time.Now().Add(time.Hour)})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.sessions, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	s.mu.Unlock()
	done(w, r)
}

func (s *Server) postJob(w http.ResponseWriter, r *http.Request) {
	host, ok := find(copied(s, &s.Hosts), r.PathValue("host"), hostNames)
	if !ok {
		unknown(w, "host")
		return
	}
	if req, ok := body[api.JobRequest](w, r); ok {
		answer(w, http.StatusAccepted, s.newJob(host, req, r.Header.Get("Idempotency-Key")))
	}
}

func (s *Server) putSecret(w http.ResponseWriter, r *http.Request) {
	host, ok := find(copied(s, &s.Hosts), r.PathValue("host"), hostNames)
	if !ok {
		unknown(w, "host")
		return
	}
	if !host.Online {
		Problem(w, http.StatusConflict, fault.HostOffline, host.Name+" is not connected. Start its agent and try again.")
		return
	}
	if req, ok := body[api.SecretRequest](w, r); ok {
		s.mu.Lock()
		s.secrets[string(host.ID)+"/"+r.PathValue("repository")] = req.Sealed
		s.mu.Unlock()
		done(w, r)
	}
}

func (s *Server) postRepository(w http.ResponseWriter, r *http.Request) {
	req, ok := body[api.RepositoryRequest](w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := fleet.Repository{ID: fleet.RepositoryID("r" + strconv.Itoa(len(s.Repositories)+1)), Name: req.Name, URL: req.URL, CACert: req.CACert, Options: req.Options, CreatedAt: time.Now()}
	s.Repositories = append(s.Repositories, repo)
	answer(w, http.StatusCreated, repo)
}

func (s *Server) postPlan(w http.ResponseWriter, r *http.Request) {
	req, ok := body[api.PlanRequest](w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	plan := fleet.Plan{ID: fleet.PlanID("p" + strconv.Itoa(len(s.Plans)+1)), Name: req.Name, RepositoryID: req.RepositoryID, Hosts: req.Hosts, Backup: req.Backup, CreatedAt: time.Now()}
	s.Plans = append(s.Plans, plan)
	answer(w, http.StatusCreated, plan)
}

// getJobs gives pages of two jobs by default, newest first.
func (s *Server) getJobs(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := r.URL.Query()["state"]
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		limit = 2
	}
	page := api.Page[fleet.Job]{Items: []fleet.Job{}}
	cursor := r.URL.Query().Get("cursor")
	skipping := cursor != ""
	for i := len(s.order) - 1; i >= 0; i-- {
		j := s.jobs[s.order[i]].Job
		switch {
		case skipping:
			skipping = string(j.ID) != cursor
		case len(states) > 0 && !slices.Contains(states, string(j.State)):
		case len(page.Items) == limit:
			page.Next = string(page.Items[limit-1].ID)
			answer(w, http.StatusOK, page)
			return
		default:
			page.Items = append(page.Items, j)
		}
	}
	answer(w, http.StatusOK, page)
}

func (s *Server) getJob(w http.ResponseWriter, r *http.Request) {
	j, ok := s.Job(fleet.JobID(r.PathValue("job")))
	if !ok {
		unknown(w, "job")
		return
	}
	answer(w, http.StatusOK, j)
}

func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request) {
	j, ok := s.Job(fleet.JobID(r.PathValue("job")))
	switch {
	case !ok:
		unknown(w, "job")
	case j.State.Ended():
		Problem(w, http.StatusConflict, fault.JobEnded, "The job has ended already. There is nothing to cancel.")
	default:
		s.mu.Lock()
		s.jobs[j.ID].CancelRequested = true
		s.touchLocked(s.jobs[j.ID])
		s.mu.Unlock()
		j.CancelRequested = true
		answer(w, http.StatusAccepted, j)
	}
}

func (s *Server) getLog(w http.ResponseWriter, r *http.Request) {
	id := fleet.JobID(r.PathValue("job"))
	if _, ok := s.Job(id); !ok {
		unknown(w, "job")
		return
	}
	s.mu.Lock()
	lines := s.jobs[id].lines
	s.mu.Unlock()
	after, err := strconv.ParseInt(r.URL.Query().Get("after_seq"), 10, 64)
	if err != nil {
		after = 0
	}
	text := r.URL.Query().Get("format") == "text"
	for i := after; i < int64(len(lines)); i++ {
		b := []byte(lines[i].Text)
		if !text {
			b = append([]byte(`{"seq":`+strconv.FormatInt(i+1, 10)+`,`), lines[i].AppendJSON(nil)[1:]...)
		}
		if !text || !lines[i].Cont {
			b = append(b, '\n')
		}
		if _, err := w.Write(b); err != nil {
			return
		}
		if s.Chaos.happens(s.Chaos.Cut) {
			_ = http.NewResponseController(w).Flush() // what came before the cut arrives
			panic(http.ErrAbortHandler)
		}
	}
}

func (s *Server) getAudit(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		after = 0
	}
	page := api.Page[api.AuditRow]{Items: []api.AuditRow{}}
	rows, newest := copied(s, &s.Audit), r.URL.Query().Get("order") == "newest"
	if newest {
		slices.Reverse(rows)
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		limit = len(rows)
	}
	for _, row := range rows {
		switch {
		case !newest && row.Seq <= after, newest && after > 0 && row.Seq >= after:
		case len(page.Items) == limit:
			page.Next = strconv.FormatInt(page.Items[limit-1].Seq, 10)
		default:
			page.Items = append(page.Items, row)
		}
	}
	answer(w, http.StatusOK, page)
}

// Problem writes an error answer.
func Problem(w http.ResponseWriter, status int, code fault.Code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(api.Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail}) // the client sees a cut answer
}

func unknown(w http.ResponseWriter, what string) {
	codes := map[string]fault.Code{"user": fault.NotFound, "enrolment token": fault.NotFound,
		"host": fault.UnknownHost, "repository": fault.UnknownRepository, "plan": fault.UnknownPlan, "job": fault.UnknownJob}
	Problem(w, http.StatusNotFound, codes[what], "There is no such "+what+". Look at the list and try again.")
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client sees a cut answer
}

func done(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func body[T any](w http.ResponseWriter, r *http.Request) (T, bool) {
	var v T
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		Problem(w, http.StatusUnprocessableEntity, fault.InvalidInput, "The request is not valid.")
		return v, false
	}
	return v, true
}

func created[T any](f func(T) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if req, ok := body[T](w, r); ok {
			answer(w, http.StatusCreated, f(req))
		}
	}
}

func pageOf[T any](s *Server, items *[]T) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, api.Page[T]{Items: copied(s, items)})
	}
}

// copied is a list as it is now, never nil.
func copied[T any](s *Server, items *[]T) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]T{}, *items...)
}

func one[T any](s *Server, items *[]T, what string, names func(T) [2]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := find(copied(s, items), r.PathValue(what), names)
		if !ok {
			unknown(w, what)
			return
		}
		answer(w, http.StatusOK, v)
	}
}

func find[T any](items []T, idOrName string, names func(T) [2]string) (T, bool) {
	for _, v := range items {
		if n := names(v); n[0] == idOrName || n[1] == idOrName {
			return v, true
		}
	}
	var none T
	return none, false
}

func hostNames(h fleet.Host) [2]string             { return [2]string{string(h.ID), h.Name} }
func repositoryNames(r fleet.Repository) [2]string { return [2]string{string(r.ID), r.Name} }
func planNames(p fleet.Plan) [2]string             { return [2]string{string(p.ID), p.Name} }
