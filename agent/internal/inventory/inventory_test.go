package inventory_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"testing"

	"github.com/backstay/backstay/agent/internal/inventory"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func config() inventory.Config {
	return inventory.Config{Hostname: func() (string, error) { return "host", nil }, AgentVersion: "1.2.3", SealingKey: "age1x",
		SecretStore: fleet.SecretsSealedFile, RestoreRoot: "/r",
		ListSecrets:   func(context.Context) ([]fleet.RepositoryID, error) { return []fleet.RepositoryID{"a", "b"}, nil },
		ResticVersion: func(context.Context) (string, error) { return "0.19.1", nil }}
}

func facts() agentwire.Facts {
	return agentwire.Facts{Hostname: "host", OS: runtime.GOOS, Arch: runtime.GOARCH, AgentVersion: "1.2.3", ResticVersion: "0.19.1", SealingKey: "age1x",
		SecretStore: fleet.SecretsSealedFile, Secrets: []fleet.RepositoryID{"a", "b"}, RestoreRoot: "/r"}
}

func TestFacts(t *testing.T) {
	if got, err := inventory.Facts(t.Context(), config()); err != nil || !reflect.DeepEqual(got, facts()) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestFactsWithoutResticOrStoreAreStillSent(t *testing.T) {
	c, want := config(), facts()
	missing := fault.New(fault.ResticMissing, "No restic.")
	locked := errors.New("locked")
	c.ResticVersion = func(context.Context) (string, error) { return "0.14.0", missing }
	c.ListSecrets = func(context.Context) ([]fleet.RepositoryID, error) { return nil, locked }
	want.ResticVersion, want.Secrets = "", nil
	got, err := inventory.Facts(t.Context(), c)
	if !errors.Is(err, missing) || !errors.Is(err, locked) || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
}
