package cli

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/backstay/backstay/shared/fleet"
)

// printer writes a job's log and what happens around it: words for a person, or one JSON object a line.
type printer struct {
	asJSON bool
	view   *logView
	screen *screen
}

func (c *cli) newPrinter(raw bool) *printer {
	width := c.env.Terminal.Width
	if c.json {
		width = func() int { return 0 }
	}
	return &printer{asJSON: c.json, view: newLogView(raw), screen: newScreen(c.env.Out, width)}
}

// terminal tells whether there is a status line.
func (p *printer) terminal() bool { return p.screen.width() > 0 }

// lines prints lines of the log, the first with number first.
func (p *printer) lines(first int64, lines []fleet.LogLine) {
	for i, l := range lines {
		if p.asJSON {
			p.screen.line(string(numbered(first+int64(i), l)))
			continue
		}
		if text, whole := p.view.line(l); whole {
			p.screen.line(text)
		}
	}
}

// numbered is the JSON of a line as an event of the stream.
func numbered(seq int64, l fleet.LogLine) []byte {
	b := append([]byte(`{"type":"line","seq":`), strconv.FormatInt(seq, 10)...)
	b = append(b, ',')
	return append(b, l.AppendJSON(nil)[1:]...)
}

// remark prints a line of ours for a person.
func (p *printer) remark(format string, args ...any) {
	if !p.asJSON {
		p.screen.line(fmt.Sprintf(format, args...))
	}
}

// event prints what happened for a script.
func (p *printer) event(kind string, members map[string]any) {
	if !p.asJSON {
		return
	}
	if members == nil {
		members = map[string]any{}
	}
	members["type"] = kind
	b, err := json.Marshal(members)
	if err != nil {
		panic(err) // our own types: a mistake in this package
	}
	p.screen.line(string(b))
}

// close prints what a cut log left open, and takes the status line away.
func (p *printer) close() {
	if !p.asJSON {
		for _, text := range p.view.rest() {
			p.screen.line(text)
		}
	}
	p.screen.setStatus("")
	p.screen.flush()
}

// failed gives the first error of the output.
func (p *printer) failed() error { return p.screen.err }
