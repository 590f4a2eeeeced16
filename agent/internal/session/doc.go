// Package session keeps the agent's connection to its daemon: it dials, says hello with every job that the host holds, sends each
// job's log from where the daemon stands, its progress and its end, and carries out what the daemon asks.
//
// Promises: lines leave in order and are sent again from the daemon's durable line after every break, so that none is lost or
// doubled; nothing is queued in memory for a daemon that is away (the spool is the queue); a job's end is sent after its last
// line and again in each session until the daemon says that it is on its disk.
//
// Goroutines: Run owns one connection at a time; a connection owns its reader, one heartbeat, one worker for commands, at most
// maxRequests for requests and one pump for each job that has something to send. All are gone when Run returns.
package session
