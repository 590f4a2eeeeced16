// Package dispatch knows which agents are connected and brings each host to what the daemon wants of it: jobs to run, jobs to
// cancel, its configuration. It implements control.Dispatcher.
//
// The store is the truth. What is to be sent is read from control each time (PendingJobs, HostConfig), so nothing that was
// committed is lost with a queue: a doorbell says that a host needs a look, and whatever was not confirmed is sent again every
// few seconds and in each new session. Agents take a command that comes again for what it is.
//
// A newer session of a host closes the older. A process that comes back after another one had taken over means that two agents
// use one identity (a cloned machine): it is logged, and when it goes on the host's sessions are refused for a while, so that
// jobs do not flap between the two.
//
// Goroutines: Run owns a few workers, which look after hosts, and the ticker, which sends again and closes sessions that have
// gone silent. No other method starts any, and none but Request waits for anything.
//
// # Decisions
//
// No goroutine and no queue a session: ten thousand idle agents would pay for them. Hosts that need a look stand in one list,
// each once.
package dispatch
