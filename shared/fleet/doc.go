// Package fleet is Backstay's domain: typed ids, hosts, repositories, plans, jobs, their states, outcomes, progress, snapshots
// and log lines, with the rules that hold between them. The daemon, the agent, the console and the CLI all speak these types,
// and their JSON form is the same on every wire and in every answer.
//
// It has no I/O, no clock, no goroutine and no state.
package fleet
