// Package restic knows restic: which arguments and environment a typed job becomes, what its output lines mean, and what its
// end tells. It runs nothing itself (package proc does) and holds no secret longer than a call.
//
// Command makes an argument vector from a job by a table of flags, each with a validator; nothing that someone typed stands
// before "--" except as the value of a --flag=value. Env makes restic's environment from empty. Find picks a restic that is new
// enough. A Decoder reads the lines of one run, both streams, in the order they were read, and in the end gives the Outcome;
// it never fails on a line that it does not know. ParseSnapshots reads the list of a snapshots job.
//
// The package has no state and starts no goroutine. A Decoder belongs to one goroutine at a time.
//
// # Decisions
//
// --retry-lock: whoever holds an exclusive lock (forget, a check that begins) often holds it for seconds, so a job waits
// 15 seconds for it. It waits no longer, because restic says nothing meanwhile and a stale lock would only be found later.
// init takes no lock; unlock, list and the test run without one, so that they work exactly when a lock is in the way.
//
// A check that reads data runs without --json: restic then counts the packs it has read, which is the only progress of something
// that takes hours; with --json it says nothing until the end. What is lost is the exact number of errors; the exit code, the
// damaged packs and the fatal sentence are in the text too. A check of the structure alone keeps --json.
//
// unlock runs without --json, because with it restic does not say how many locks it removed.
package restic
