// Package runner is the life of this host's jobs: it takes them up (once, however often they are asked for), lets those of one
// repository wait for each other, starts a shim for each, watches it, and keeps how it ended until the daemon has it, and 72 hours
// beyond for a daemon that is restored from an older copy.
//
// The agent may stop, crash or be replaced at any time: the shims run on, and the next Runner adopts them. A shim that died without
// a word is cleaned up after: what is left of restic is ended, the repository unlocked, the torn end of the log cut, and the job
// ends as interrupted. A backup's repository is asked whether its snapshot had been saved: then the backup counts, as succeeded, or as
// a warning when what is left of its log names files that could not be read.
//
//	New, Start, Close                  a Runner; Close stops watching and waits, running shims run on
//	Run, Cancel, Held, Changed, Open, Acked   what package session asks for (session.Jobs; Open gives a *Job, a session.Job)
//	Test                               opens a repository once, for the daemon's request
//	Busy                               how many jobs wait or run here
//
// Promises: Run returns once the job is on disk, and a job is launched at most once, at whatever point agent, shim or host die;
// Cancel is durable before it returns and works in every state; one job a repository, and MaxParallel in all, run at a time, others
// wait in the order of acceptance; a job that could not begin within its time ends as expired.
//
// Goroutines: one for each job that waits or runs and one for the doorbell of each that runs, one that forgets old jobs; Close waits
// for them all.
//
// # Decisions
//
// A running shim is looked at every second beside its doorbell, rather than waited for: a wait cannot be given up when the
// agent stops, and a shim that another agent started is not our child. Every shim that ended is reaped, ours or not: an agent that
// is process 1 of a container inherits them.
//
// A launch is in the journal before the shim starts, and the shim obeys no other. A shim that never came to life (the agent died
// between both) holds no lock; its launch is withdrawn under that lock, so that if it is only late it will find itself unwanted,
// and the job is launched anew.
package runner
