package vm

import "slices"

// table keeps which rows a table shows, and which one is selected.
type table struct {
	ids      []string
	total    int // rows without the filter
	selected string
}

// set puts new rows in place and says what that changes.
func (t *table) set(ids []string, total int) Refresh {
	same := slices.Equal(ids, t.ids) && (total == 0) == (t.total == 0)
	t.ids, t.total = ids, total
	if same {
		return Nothing
	}
	return Rows
}

// IDs gives the rows in their order.
func (t *table) IDs() []string { return t.ids }

// Total says how many rows there are without the filter.
func (t *table) Total() int { return t.total }

// Select notes the selected row; it stays selected as long as what it stands for exists, shown or not.
func (t *table) Select(id string) { t.selected = id }
