package planner_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/backstay/backstay/agent/internal/planner"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func TestStateSurvivesARestartAndDamageIsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	c, err := planner.Open(path)
	if err != nil || c.Version() != 0 {
		t.Fatalf("fresh: version %d, err %v", c.Version(), err)
	}
	want := agentwire.ConfigUpdate{Version: 7, Plans: []fleet.Plan{{ID: "p", Name: "daily"}}}
	if err := c.Store(want); err != nil {
		t.Fatal(err)
	}
	again, err := planner.Open(path)
	if err != nil || again.Version() != 7 || again.State().Plans[0].Name != "daily" {
		t.Fatalf("again: %+v, err %v", again.State(), err)
	}
	if err := again.Store(agentwire.ConfigUpdate{Version: 3}); err != nil || again.Version() != 3 {
		t.Fatalf("an older daemon's word: version %d, err %v", again.Version(), err)
	}
	if err := os.WriteFile(path, []byte(`{"version":`), 0o600); err != nil {
		t.Fatal(err)
	}
	torn, err := planner.Open(path)
	if err != nil || torn.Version() != 0 {
		t.Fatalf("torn: version %d, err %v", torn.Version(), err)
	}
}
