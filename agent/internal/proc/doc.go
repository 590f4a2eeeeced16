// Package proc starts, watches and ends other programs; nothing else in Backstay imports os/exec (opening a URL in the console
// excepted). It knows three ways: Detach starts a process that outlives us, in a session of its own; Start runs a child in a
// process group of its own, so that one signal reaches it and its helpers (ssh, rclone); Run runs a short command to its end.
//
// A process is named by Identity: its number and its start time, so that a number that the system gave to another process is
// never signalled and never taken for ours. BootID tells whether the host restarted since, Uptime counts without a clock that
// somebody may set.
//
// Nothing here kills at once: Interrupt asks (SIGTERM), Kill ends (SIGKILL), and whoever calls decides how long lies between;
// Run does so by itself under its context. Run owns two goroutines for its pipes and returns when both are gone; Start owns one
// that waits for the process and ends with it.
//
// # Decisions
//
// Detached processes are not waited for in a blocking call: the agent has to be able to stop while they run. Whoever sees with
// Alive that one is gone calls Reap.
//
// Windows knows neither process groups' signals for a program without a console nor a way to ask it to end that is proven to
// work; Interrupt sends CTRL_BREAK to the group as best effort and Kill terminates. Callers run `restic unlock` after a Kill.
package proc
