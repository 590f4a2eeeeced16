package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/backstay/backstay/shared/plaintext"
)

// say writes one line for a person. What is not ours in args must be escaped already: see show.
func (c *cli) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(c.env.Out, format+"\n", args...); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// tell writes one line beside the output: prompts and remarks.
func (c *cli) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(c.env.Err, format+"\n", args...) // a remark that cannot be made changes nothing
}

// show makes text from elsewhere fit for a terminal.
func show[T ~string](s T) string { return plaintext.Field(string(s)) }

// writeJSON writes one JSON document on one line.
func (c *cli) writeJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	if _, err := c.env.Out.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// list writes items as a JSON array, [] when there are none.
func writeList[T any](c *cli, items []T) error {
	if items == nil {
		items = []T{}
	}
	return c.writeJSON(items)
}

// table is rows of cells that are escaped already, columns aligned.
type table struct {
	head  []string
	right map[int]bool // columns of numbers
	rows  [][]string
}

func newTable(head ...string) *table { return &table{head: head, right: map[int]bool{}} }

// numbers aligns columns to the right.
func (t *table) numbers(columns ...int) *table {
	for _, i := range columns {
		t.right[i] = true
	}
	return t
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table, or nothing but empty when it has no rows.
func (t *table) write(w io.Writer, empty string) error {
	if len(t.rows) == 0 {
		return writeText(w, empty+"\n")
	}
	widths := make([]int, len(t.head))
	all := append([][]string{t.head}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], plaintext.Width(cell))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-plaintext.Width(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if t.right[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return writeText(w, b.String())
}

func writeText(w io.Writer, s string) error {
	if _, err := io.WriteString(w, s); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// facts is names and values of one thing, one a line, values escaped already. Empty values are left out.
type facts struct {
	names, values []string
}

func (f *facts) add(name, value string) {
	if value != "" {
		f.names, f.values = append(f.names, name), append(f.values, value)
	}
}

func (f *facts) write(w io.Writer) error {
	width := 0
	for _, n := range f.names {
		width = max(width, plaintext.Width(n))
	}
	var b strings.Builder
	for i, n := range f.names {
		b.WriteString(n + strings.Repeat(" ", width-plaintext.Width(n)) + "  " + f.values[i] + "\n")
	}
	return writeText(w, b.String())
}

// shownAll escapes and joins.
func shownAll[T ~string](items []T) string {
	var all []string
	for _, s := range items {
		all = append(all, show(s))
	}
	return strings.Join(all, ", ")
}
