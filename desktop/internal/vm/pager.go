package vm

// pager collects a list that comes page by page. Answers to what was asked before a reset are passed over.
type pager[T any] struct {
	gen      int
	items    []T
	old      []T // of before renew, shown until the first page is there
	cursor   string
	loading  bool
	begun    bool
	complete bool
	err      error
}

// reset begins anew.
func (p *pager[T]) reset() { *p = pager[T]{gen: p.gen + 1} }

// renew begins anew and shows what was there until the first page comes.
func (p *pager[T]) renew() { *p = pager[T]{gen: p.gen + 1, old: p.shown()} }

// shown gives the rows.
func (p *pager[T]) shown() []T {
	if p.begun {
		return p.items
	}
	return p.old
}

// short tells whether so few rows are there that another page should be asked for without waiting for a person.
func (p *pager[T]) short(rows int) bool { return p.next() && (rows < few || !p.begun && p.old != nil) }

// next tells whether another page may be asked for.
func (p *pager[T]) next() bool {
	return !p.loading && !p.complete && p.err == nil && len(p.items) < maxPaged
}

// took takes a page and tells whether it is one that was waited for.
func (p *pager[T]) took(gen int, items []T, next string, err error) bool {
	if gen != p.gen || !p.loading {
		return false
	}
	p.loading, p.err = false, err
	if err != nil {
		return true
	}
	p.begun, p.old = true, nil
	p.items = append(p.items, items...)
	p.complete, p.cursor = next == "", next
	return true
}
