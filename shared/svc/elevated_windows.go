package svc

import "golang.org/x/sys/windows"

// Elevated tells whether this process may change the system: its commands are about the system's service then.
func Elevated() bool { return windows.GetCurrentProcessToken().IsElevated() }
