// Package journal keeps what an agent knows of its jobs on disk, one folder a job, so that no crash starts a job twice or forgets
// one. It defines every file of such a folder and who writes it:
//
//	journal.ndjson  agent  the accepted job, then each launch; appended and synced before the deed
//	cancel          agent  there when the job's end is desired, and who asked
//	acked.json      agent  how much of the job the daemon has on disk
//	log.spool       shim   the log, see package spool
//	shim.json       shim   which processes run
//	progress.json   shim   the newest progress
//	outcome.json    shim   how the job ended; its room is taken when the job is accepted, so that a full disk cannot lose it
//	spare           -      room for the log's last words on a full disk
//	lock            shim   held while the shim lives
//	bell, ctl       both   doorbells: named pipes in which a byte says "look"
//
// When a shim dies without an outcome, the agent takes over its files under the lock.
//
// Promises: Create and Launch return once their words are on disk. A folder without a readable journal was never acknowledged to
// anybody and is removed; removal hides the whole folder first, so half a folder never looks like a job. A doorbell never blocks
// the one who rings, whether anybody listens or not, and either side may be killed at any time.
//
// Goroutines: a Bell owns one; Close waits for it.
//
// # Decisions
//
// Doorbells are named pipes opened for reading and writing by both sides: opening never waits, writing never fails for want of a
// reader, and a killed side leaves nothing behind. Windows has no such thing; there a Bell looks every few milliseconds.
package journal
