package proc

import "testing"

func TestParseStatSurvivesHostileNames(t *testing.T) {
	rest := " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21\n"
	for _, name := range []string{"(sh)", "(a) Z 1 2 (b)", "()", "(\n) R )"} {
		state, start, err := parseStat([]byte("42 " + name + rest))
		if err != nil || state != 'S' || start != 4711 {
			t.Errorf("%q: state %q start %d err %v", name, state, start, err)
		}
	}
	for _, bad := range []string{"", "42 (sh", "42 (sh) S 1 2", "42 (sh) SS" + rest[2:], "42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20\n"} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
