package feed

import (
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// maxRows is how many objects may wait for the UI, beyond those of a whole list.
const maxRows = 20_000

// pending is what waits for the UI: of each object the newest row, of each job the newest progress.
type pending struct {
	reset    bool
	asOf     int64 // with reset
	rows     map[object]api.Row
	order    []object
	listed   int // of rows: those of the list
	progress map[fleet.JobID]fleet.Progress
	link     *model.Connection
	identity *api.Identity
}

type object struct{ kind, id string }

// list replaces all that waits.
func (p *pending) list(rows []api.Row, asOf int64) {
	p.reset, p.asOf, p.rows, p.order, p.progress = true, asOf, make(map[object]api.Row, len(rows)), nil, nil
	p.change(rows)
	p.listed = len(p.rows)
}

func (p *pending) change(rows []api.Row) {
	if p.rows == nil {
		p.rows = make(map[object]api.Row, len(rows))
	}
	for _, r := range rows {
		k := object{r.Kind, r.ID}
		if _, known := p.rows[k]; !known {
			p.order = append(p.order, k)
		}
		p.rows[k] = r
	}
}

func (p *pending) tick(progress map[fleet.JobID]fleet.Progress) {
	if p.progress == nil && len(progress) > 0 {
		p.progress = make(map[fleet.JobID]fleet.Progress, len(progress))
	}
	for id, v := range progress {
		p.progress[id] = v
	}
}

func (p *pending) full() bool { return len(p.rows)-p.listed >= maxRows }

// batch gives what waits. The order of the rows is that in which the objects first changed, which serves as well as that of the
// revs: what one row says stands in it alone.
func (p *pending) batch() (model.Batch, bool) {
	b := model.Batch{Reset: p.reset, AsOf: p.asOf, Progress: p.progress, Connection: p.link, Identity: p.identity}
	if len(p.order) > 0 {
		b.Rows = make([]api.Row, 0, len(p.order))
		for _, k := range p.order {
			b.Rows = append(b.Rows, p.rows[k])
		}
	}
	return b, b.Reset || len(b.Rows)+len(b.Progress) > 0 || b.Connection != nil || b.Identity != nil
}
