package svc

import (
	"fmt"
	"strings"
	"time"
)

// WindowsService is what is registered with Windows' service manager.
type WindowsService struct {
	Name        string
	DisplayName string
	Description string
	Executable  string
	Arguments   []string
	Account     string
	Delayed     bool            // starts a little after the system
	Restart     []time.Duration // waits before the starts after a first, second and every later failure
	ResetAfter  time.Duration   // without a failure, the count begins anew
}

// Windows is d as a Windows service. It runs as LocalSystem, whose Credential Manager has the secrets.
func Windows(d Definition) WindowsService {
	return WindowsService{Name: d.Name, DisplayName: d.Title, Description: d.Description, Executable: d.Executable, Arguments: d.Arguments,
		Account: "LocalSystem", Delayed: true, Restart: []time.Duration{time.Second, time.Second, 5 * time.Second}, ResetAfter: time.Hour}
}

// String shows it as people and golden files read it.
func (w WindowsService) String() string {
	var waits []string
	for _, r := range w.Restart {
		waits = append(waits, "restart after "+r.String())
	}
	start := "automatic"
	if w.Delayed {
		start = "automatic, delayed"
	}
	return fmt.Sprintf("name:        %s\ndisplay:     %s\ndescription: %s\ncommand:     %s\naccount:     %s\nstart:       %s\non failure:  %s; counted for %v\n",
		w.Name, w.DisplayName, w.Description, strings.Join(append([]string{w.Executable}, w.Arguments...), " | "), w.Account, start,
		strings.Join(waits, ", "), w.ResetAfter)
}
