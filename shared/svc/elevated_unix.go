//go:build !windows

package svc

import "os"

// Elevated tells whether this process may change the system: its commands are about the system's service then.
func Elevated() bool { return os.Geteuid() == 0 }
