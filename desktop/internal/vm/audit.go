package vm

import (
	"slices"
	"time"

	"github.com/backstay/backstay/shared/api"
)

// auditPage is how many rows are read at a time; the daemon gives no more at once.
const auditPage = 500

// Audit is the audit log, newest first. The daemon gives it oldest first only, so its end is looked for: the rows are numbered without
// a gap, and a page that is not full is the last one. Even of a million rows the end is found with about twenty requests.
type Audit struct {
	rows    []api.AuditRow // oldest first, without a gap
	found   bool           // rows reach the end
	loading bool
	again   bool
	low     int64 // there is a row with this number
	high    int64 // there is no row after this one; 0: not known
	err     error
}

// AuditQuery asks Daemon.Audit for rows.
type AuditQuery struct {
	After int64
	Limit int
}

// Next gives the query that finds the end of the log, or what came to it after Again; false when nothing is to be asked. One query
// follows on another, until it gives false: hand each answer to Took.
func (a *Audit) Next() (AuditQuery, bool) {
	if a.loading || a.err != nil || a.found && !a.again {
		return AuditQuery{}, false
	}
	a.loading = true
	switch {
	case a.found:
		return AuditQuery{a.last(), auditPage}, true
	case a.low == 0:
		return AuditQuery{0, auditPage}, true
	case a.high == 0:
		return AuditQuery{a.low * 2, auditPage}, true
	case a.high <= a.low: // the last row is that of a full page
		return AuditQuery{max(a.low-auditPage, 0), auditPage}, true
	}
	return AuditQuery{(a.low + a.high) / 2, auditPage}, true
}

// Older gives the query for the rows before those that are there, false when there are none or one is under way.
func (a *Audit) Older() (AuditQuery, bool) {
	if a.loading || a.err != nil || !a.found || a.Complete() {
		return AuditQuery{}, false
	}
	a.loading = true
	after := max(a.rows[0].Seq-1-auditPage, 0)
	return AuditQuery{after, int(a.rows[0].Seq - 1 - after)}, true
}

// Took takes the answer to a query and tells whether the rows changed.
func (a *Audit) Took(q AuditQuery, page api.Page[api.AuditRow], err error) bool {
	a.loading, a.err = false, err
	n := len(page.Items)
	switch {
	case err != nil:
		return true
	case !a.found:
		return a.search(q, page.Items)
	case n > 0 && len(a.rows) > 0 && page.Items[n-1].Seq < a.rows[0].Seq:
		a.rows = append(slices.Clone(page.Items), a.rows...)
		return true
	}
	a.again = n == q.Limit
	if n > 0 && (len(a.rows) == 0 || page.Items[0].Seq > a.last()) {
		a.rows = append(a.rows, page.Items...)
	}
	return n > 0
}

// search takes an answer while the end is not found.
func (a *Audit) search(q AuditQuery, items []api.AuditRow) bool {
	n := len(items)
	switch {
	case n == 0 && q.After > 0:
		a.high = q.After
		return false
	case n == q.Limit && (a.high == 0 || items[n-1].Seq < a.high):
		a.low = items[n-1].Seq
		return false
	}
	a.rows, a.found, a.again = items, true, n == q.Limit
	return true
}

func (a *Audit) last() int64 {
	if len(a.rows) == 0 {
		return 0
	}
	return a.rows[len(a.rows)-1].Seq
}

// Again lets Next ask for what came since.
func (a *Audit) Again() { a.again, a.err = true, nil }

// Complete tells whether the first row is there.
func (a *Audit) Complete() bool { return a.found && (len(a.rows) == 0 || a.rows[0].Seq <= 1) }

// Err is why rows could not be read; Again forgets it.
func (a *Audit) Err() error { return a.err }

// Face tells which face to show.
func (a *Audit) Face() Face {
	switch {
	case len(a.rows) > 0:
		return Full
	case a.err != nil:
		return Failed
	case a.found:
		return Empty
	}
	return Loading
}

// AuditLine is a row of the audit log.
type AuditLine struct {
	Seq    int64
	At     time.Time
	Actor  string
	Action string // "job.create", "host.revoke", …
	Object string
	Detail string
}

// Len is how many rows are there.
func (a *Audit) Len() int { return len(a.rows) }

// Line gives row i, the newest first.
func (a *Audit) Line(i int) AuditLine {
	r := a.rows[len(a.rows)-1-i]
	return AuditLine{r.Seq, r.At, field(r.Actor), field(r.Action), field(r.Object), field(r.Detail)}
}
