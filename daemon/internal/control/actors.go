package control

import (
	"sync"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func notBuilt() error { return fault.New(fault.Unavailable, "Not there yet.") }

func enrolCommand(address, token, pin string) string {
	return "backstay-agent enrol --daemon " + address + " --token " + token + " --ca-pin " + pin
}

type actorCache struct{}

func newActorCache() *actorCache { return &actorCache{} }

type seenHosts struct {
	mu   sync.Mutex
	seen map[fleet.HostID]time.Time
}

func newSeenHosts() *seenHosts { return &seenHosts{seen: map[fleet.HostID]time.Time{}} }
