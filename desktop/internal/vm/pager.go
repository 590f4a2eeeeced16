package vm

// pager collects a list that comes page by page. Answers to what was asked before a reset are passed over.
type pager[T any] struct {
	gen      int
	items    []T
	cursor   string
	loading  bool
	begun    bool
	complete bool
	err      error
}

// reset begins anew.
func (p *pager[T]) reset() { *p = pager[T]{gen: p.gen + 1} }

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
	p.begun = true
	p.items = append(p.items, items...)
	p.complete, p.cursor = next == "", next
	return true
}
