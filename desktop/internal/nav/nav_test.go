package nav

import "testing"

func TestHistoryGoesBackStepByStepAndForgetsTheOldest(t *testing.T) {
	var h History
	for range maxBack + 7 {
		h.Push(Route{Page: Hosts}, nil)
	}
	h.Push(Route{Page: Job, ID: "j1"}, 42)
	if h.Len() != maxBack {
		t.Fatalf("%d steps", h.Len())
	}
	if r, state, ok := h.Pop(); !ok || r != (Route{Page: Job, ID: "j1"}) || state != 42 {
		t.Fatalf("%v %v %v", r, state, ok)
	}
	for range maxBack - 1 {
		if r, _, ok := h.Pop(); !ok || r.Page != Hosts {
			t.Fatalf("%v %v", r, ok)
		}
	}
	if _, _, ok := h.Pop(); ok {
		t.Fatal("a step too many")
	}
	h.Push(Route{Page: Plans}, nil)
	h.Clear()
	if h.Len() != 0 {
		t.Fatal("not cleared")
	}
}

func TestRoutes(t *testing.T) {
	for _, c := range []struct {
		r       Route
		valid   bool
		section Name
	}{{Route{Page: Overview}, true, Overview}, {Route{Page: Host, ID: "h"}, true, Hosts}, {Route{Page: Host}, false, Hosts}, {Route{Page: Job}, false, Jobs},
		{Route{Page: Job, ID: "j"}, true, Jobs}, {Route{Page: "nowhere"}, false, "nowhere"}, {Route{}, false, ""}} {
		if c.r.Valid() != c.valid || c.r.Section() != c.section {
			t.Errorf("%v: valid %v, section %q", c.r, c.r.Valid(), c.r.Section())
		}
	}
}
