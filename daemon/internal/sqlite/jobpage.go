package sqlite

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// scanWindow is how many jobs a page looks at, at most, when no index covers all its filters together.
const scanWindow = 1500

// JobPage reads a page of jobs, newest first, in the order of jobs.n. One index gives the candidates in that order; filters
// that it does not cover are checked on a bounded window of them, so a page may come back short with a cursor to go on.
func (r *reader) JobPage(ctx context.Context, q control.JobQuery) (api.Page[fleet.Job], error) {
	before, err := jobCursor(q.Cursor)
	if err != nil {
		return api.Page[fleet.Job]{}, err
	}
	if q.Text != "" && q.Cursor == "" {
		page, err := r.jobsByID(ctx, q)
		if err != nil || len(page.Items) > 0 {
			return page, err
		}
	}
	p := planJobPage(q, before)
	type numbered struct {
		n   int64
		job control.JobRecord
	}
	found, err := many(ctx, r.q, "read jobs", func(s scanner) (v numbered, err error) {
		v.job, err = scanJob(firstColumn{s, &v.n})
		return v, err
	}, p.sql, p.args...)
	if err != nil {
		return api.Page[fleet.Job]{}, err
	}
	page := api.Page[fleet.Job]{Items: []fleet.Job{}}
	for _, v := range found[:min(len(found), q.Limit)] {
		page.Items = append(page.Items, v.job.Job)
	}
	switch {
	case len(found) > q.Limit:
		page.Next = strconv.FormatInt(found[q.Limit-1].n, 10)
	case p.windowed:
		page.Next, err = r.windowEnd(ctx, p)
	}
	return page, err
}

func jobCursor(cursor string) (int64, error) {
	if cursor == "" {
		return math.MaxInt64, nil
	}
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.InvalidInput, "The cursor is not one of a list of jobs. Take it from the page before, or leave it out.")
	}
	return n, nil
}

// firstColumn scans a number before the columns that follow.
type firstColumn struct {
	scanner
	n *int64
}

func (r firstColumn) Scan(dest ...any) error { return r.scanner.Scan(append([]any{r.n}, dest...)...) }

// jobPagePlan is the query of a page, and that of its candidates alone.
type jobPagePlan struct {
	sql           string
	args          []any
	windowed      bool
	candidates    string
	candidateArgs []any
}

// planJobPage chooses the index and writes the query.
func planJobPage(q control.JobQuery, before int64) jobPagePlan {
	d := driveJobs(q)
	rest, restArgs := jobRest(q, d)
	p := jobPagePlan{windowed: rest != ""}
	window := q.Limit + 1
	if p.windowed {
		window = scanWindow
	}
	one := "SELECT n FROM jobs WHERE "
	if d.column != "" {
		one += d.column + " = ? AND "
	}
	if d.byState {
		one += "state = ? AND "
	}
	one = "SELECT n FROM (" + one + "n < ? ORDER BY n DESC LIMIT ?)"
	for i := range max(1, len(d.states)) {
		if i > 0 {
			p.candidates += " UNION ALL "
		}
		p.candidates += one
		if d.column != "" {
			p.candidateArgs = append(p.candidateArgs, d.value)
		}
		if d.byState {
			p.candidateArgs = append(p.candidateArgs, string(d.states[i]))
		}
		p.candidateArgs = append(p.candidateArgs, before, window)
	}
	p.candidates = "SELECT n FROM (" + p.candidates + ") ORDER BY n DESC LIMIT ?"
	p.candidateArgs = append(p.candidateArgs, window)
	p.sql = "SELECT n, " + jobColumns + " FROM jobs WHERE n IN (" + p.candidates + ")" + rest + " ORDER BY n DESC LIMIT ?"
	p.args = append(append(slices.Clone(p.candidateArgs), restArgs...), q.Limit+1)
	return p
}

// drive is the index that a page is read by: equality on column, when there is one, and on state, when byState.
type drive struct {
	column  string
	value   string
	byState bool
	states  []fleet.JobState
}

func driveJobs(q control.JobQuery) drive {
	d := drive{states: q.States, byState: len(q.States) > 0}
	switch {
	case q.HostID != "":
		d.column, d.value = "host_id", string(q.HostID)
	case q.PlanID != "":
		d.column, d.value = "plan_id", string(q.PlanID)
	case q.RepositoryID != "":
		d.column, d.value = "repository_id", string(q.RepositoryID)
	case q.Kind != "" && q.Text == "":
		d.column, d.value = "kind", string(q.Kind)
		if !d.byState { // its index has the state in between
			d.byState, d.states = true, fleet.JobStates[:]
		}
	}
	if len(d.states) > 3 && d.column != "kind" && windowed(q) { // each state would get a window of its own
		d.byState, d.states = false, nil
	}
	return d
}

// windowed tells whether no index covers all filters of q.
func windowed(q control.JobQuery) bool {
	n := 0
	for _, id := range []string{string(q.HostID), string(q.PlanID), string(q.RepositoryID), string(q.Kind)} {
		if id != "" {
			n++
		}
	}
	return n > 1 || q.Text != ""
}

// jobRest gives the conditions that the index does not cover. The plus keeps SQLite from looking for rows by them, which would
// turn the bounded window into all jobs of a kind.
func jobRest(q control.JobQuery, d drive) (string, []any) {
	var where strings.Builder
	var args []any
	for _, f := range []struct{ column, value string }{
		{"host_id", string(q.HostID)}, {"plan_id", string(q.PlanID)},
		{"repository_id", string(q.RepositoryID)}, {"kind", string(q.Kind)},
	} {
		if f.value != "" && f.column != d.column {
			where.WriteString(" AND +" + f.column + " = ?")
			args = append(args, f.value)
		}
	}
	if len(q.States) > 0 && !d.byState {
		where.WriteString(" AND +state IN (" + marks(len(q.States)) + ")")
		for _, state := range q.States {
			args = append(args, string(state))
		}
	}
	if q.Text != "" {
		like := "%" + escapeLike(q.Text) + "%"
		where.WriteString(` AND (created_by LIKE ? ESCAPE '\' OR +host_id IN (SELECT id FROM hosts WHERE name LIKE ? ESCAPE '\')
			OR +plan_id IN (SELECT id FROM plans WHERE name LIKE ? ESCAPE '\')
			OR +repository_id IN (SELECT id FROM repositories WHERE name LIKE ? ESCAPE '\'))`)
		args = append(args, like, like, like, like)
	}
	return where.String(), args
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// windowEnd gives the cursor behind the last candidate that was looked at, "" when there are no more.
func (r *reader) windowEnd(ctx context.Context, p jobPagePlan) (string, error) {
	var seen, last int64
	err := r.q.QueryRowContext(ctx, "SELECT count(*), coalesce(min(n), 0) FROM ("+p.candidates+")", p.candidateArgs...).Scan(&seen, &last)
	if err != nil {
		return "", fmt.Errorf("read end of window: %w", err)
	}
	if seen < scanWindow || last <= 1 {
		return "", nil
	}
	return strconv.FormatInt(last, 10), nil
}

// minIDText is the length from which a text is also looked up as the beginning of a job's id.
const minIDText = 8

// jobsByID finds the few jobs whose id begins with the text, under the other filters. They are all on one page.
func (r *reader) jobsByID(ctx context.Context, q control.JobQuery) (api.Page[fleet.Job], error) {
	page := api.Page[fleet.Job]{Items: []fleet.Job{}}
	if len(q.Text) < minIDText || !fleet.ValidID(q.Text) {
		return page, nil
	}
	found, err := many(ctx, r.q, "read jobs by id", scanJob, "SELECT "+jobColumns+
		" FROM (SELECT * FROM jobs WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?) ORDER BY n DESC",
		q.Text, q.Text+"\x7f", control.MaxPage)
	if err != nil {
		return page, err
	}
	for _, j := range found {
		if matches(q, j) && len(page.Items) < q.Limit {
			page.Items = append(page.Items, j.Job)
		}
	}
	return page, nil
}

func matches(q control.JobQuery, j control.JobRecord) bool {
	return (len(q.States) == 0 || slices.Contains(q.States, j.State)) && (q.Kind == "" || q.Kind == j.Kind) &&
		(q.HostID == "" || q.HostID == j.HostID) && (q.PlanID == "" || q.PlanID == j.PlanID) &&
		(q.RepositoryID == "" || q.RepositoryID == j.RepositoryID)
}
