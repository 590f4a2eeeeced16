// Package joblog keeps the log of every job: durable in chunks on disk, and live in memory for any number of readers.
//
// Lines come in by Append, numbered from 1 without a hole. They go into the job's ring in memory, from which readers (Tail) take
// them at once, and to the writer, which commits what gathered and then calls the durable callbacks. An acknowledged line is on
// disk: the commit is synchronous. A reader holds a cursor and a doorbell, never a queue; one that falls behind the ring reads on
// from the store.
//
// Files: logs-YYYYMM.db, by the UTC month of the job's creation as its id tells it (the time in a ULID, the instant of a slot's
// id). A job with another kind of id lives in the month of its first line and is found by looking into the files, the newest
// first. Retention removes whole files (DropBefore). Opening the store reads nothing; files and jobs are looked up when first used.
//
// Goroutines, all ended by Close: the writer (write), the acker, which calls the callbacks (callBack), and the maintainer, which
// rewrites sealed logs into longer chunks and forgets idle jobs (maintain).
//
// Memory is bounded: lines on disk by Config.RingPerJob and RingTotal, lines not yet on disk by Config.MaxPending, behind which
// Append refuses (the daemon's credit to its agents keeps it from coming to that). A full disk loses nothing: lines wait in memory,
// unacknowledged, and the writer tries again.
//
// # Decisions
//
// Chunks, not a row a line: an eighth of the disk and a twentieth of the CPU. Within a chunk streams, times, lengths and texts lie
// each together.
//
// No index file beside the months for ids that tell no time: it would be a second file to commit to with each such job, and one
// that could disagree with the first.
package joblog
