package systemd

import (
	"context"

	"github.com/godbus/dbus/v5"
)

type execStart struct {
	Path          string
	Words         []string
	IgnoreFailure bool
}

// Run has systemd run one of its own programs to its end, as the unit name: no process of ours starts a program.
func (m *Manager) Run(ctx context.Context, name, program string, args ...string) error {
	command := execStart{Path: program, Words: append([]string{program}, args...)}
	properties := []property{
		{"Type", dbus.MakeVariant("oneshot")},
		{"CollectMode", dbus.MakeVariant("inactive-or-failed")},
		{"ExecStart", dbus.MakeVariant([]execStart{command})},
	}
	return m.await(ctx, name, "StartTransientUnit", name, "fail", properties, []auxiliary{})
}
