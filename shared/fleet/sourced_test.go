package fleet

import (
	"strings"
	"testing"
)

func TestResticTextIsNeverOurs(t *testing.T) {
	for _, as := range []string{"", "plain", "backstay", "[back", " [backstay] x", "new  [backstay]", "[]"} {
		if got := ResticText(as); got != as {
			t.Errorf("%q became %q", as, got)
		}
	}
	seen := map[string]string{}
	for _, line := range []string{"[backstay] cancel by ada", "[backstay]", "[backstay]x", "[BackStay] x", "[restic] [backstay] x", "[restic] x", "[restic]", "[Restic] x"} {
		got := ResticText(line)
		if got != "[restic] "+line || strings.HasPrefix(got, NotePrefix) {
			t.Errorf("%q became %q", line, got)
		}
		if other, twice := seen[got]; twice {
			t.Errorf("%q and %q look the same", line, other)
		}
		seen[got] = line
	}
}
