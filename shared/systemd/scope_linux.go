package systemd

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

type property struct {
	Name  string
	Value dbus.Variant
}

type auxiliary struct {
	Name       string
	Properties []property
}

// arrivalEvery is how often Scope looks where the process is; systemd takes a millisecond or two.
const arrivalEvery = time.Millisecond

// Scope puts a running process, and all that it will start, into a unit of its own, and returns when it is there. The unit ends with
// its last process; when the host goes down it is asked to end before the network goes.
func (m *Manager) Scope(ctx context.Context, s Scope) error {
	of := func(name string, v any) property { return property{name, dbus.MakeVariant(v)} }
	properties := []property{
		of("Description", s.Description),
		of("PIDs", []uint32{uint32(s.PID)}),
		of("CollectMode", "inactive-or-failed"),
		of("TimeoutStopUSec", uint64(s.StopTimeout.Microseconds())),
		of("After", []string{"network.target", "network-online.target", "remote-fs.target"}),
	}
	var job dbus.ObjectPath
	if err := m.call(ctx, "StartTransientUnit", []any{&job}, s.Name, "fail", properties, []auxiliary{}); err != nil {
		return err
	}
	tick := time.NewTicker(arrivalEvery)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", s.PID))
		if err != nil {
			return fmt.Errorf("look where process %d is: %w", s.PID, err)
		}
		if strings.Contains(string(text), "/"+s.Name+"\n") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", s.Name, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
