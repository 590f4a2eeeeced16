package vm

import (
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/plaintext"
)

// Face is which of its faces a page shows.
type Face string

// The faces.
const (
	Loading Face = "loading"
	Empty   Face = "empty"    // there is nothing at all: one sentence, one button
	NoMatch Face = "no-match" // there is something, and the filter leaves nothing of it
	Failed  Face = "failed"   // what, why, retry
	Full    Face = "full"
)

// FaceOf is the face of a page whose rows come from the watch: total of them, shown ones pass the filter.
func FaceOf(m *model.Fleet, total, shown int) Face {
	switch {
	case !m.Listed() && (m.Connection().Link == model.Lost || m.Connection().Link == model.SignedOut):
		return Failed
	case !m.Listed():
		return Loading
	case total == 0:
		return Empty
	case shown == 0:
		return NoMatch
	}
	return Full
}

// Refresh is how much of a page changed.
type Refresh int

// The refreshes, each with what the ones before it need.
const (
	Nothing Refresh = iota
	Cells           // what rows show: bind those that are visible anew
	Rows            // which rows there are, or their order
)

// field makes text of a host safe for a label.
func field(s string) string { return plaintext.Field(s) }

func fields(all []string) []string {
	out := make([]string, 0, len(all))
	for _, s := range all {
		out = append(out, field(s))
	}
	return out
}
