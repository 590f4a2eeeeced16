// Package session keeps the agent's connection to its daemon: it dials, says hello with every job that the host holds, sends each
// job's log from where the daemon stands, its progress and its end, and carries out what the daemon asks.
//
// Promises: lines leave in order and are sent again from the daemon's durable line after every break, so that none is lost or
// doubled; nothing is queued in memory for a daemon that is away or behind (the spool is the queue, and at most maxBacklog ended
// jobs are read at a time); a job's end is sent after its last line and again in each session until the daemon says that it is on
// its disk; no frame is larger than the daemon takes; a job, a plan or a disk of this host that is broken does not end the
// connection.
//
// Goroutines: Run owns one connection at a time; a connection owns its reader, one heartbeat, one for the inventory, one worker for
// commands, at most maxRequests for requests, one that starts pumps and one pump for each job that the daemon does not have whole.
// All are gone when Run returns.
//
// # Decisions
//
// A batch of lines is sent when any credit is left, however little, and the next one waits longer: cutting a batch to the rest
// would make ever smaller frames, and a window smaller than one line would never move.
//
// A pump notes lines as sent before it writes them: the daemon's nack may be here before Write returns, and must find them sent.
//
// An identity that the daemon refuses is not tried again once the former one was taken: identity.Settle puts the former one back,
// and the renewal is made anew.
package session
