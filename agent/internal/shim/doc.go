// Package shim is the job's own process: `backstay-agent run-job --dir <job folder>`. It owns restic from start to reaping, drains
// both of its pipes for ever, writes every line into the job's spool, keeps the newest progress, carries out a cancel, and says
// durably how the job ended. It outlives the agent, needs no network and waits for nobody: a restic that runs under it is never
// held up by a daemon, an agent or a console.
//
// Its launch data, secrets included, arrive as one JSON object on standard input; nothing of it is in arguments, environment or
// on disk. restic gets the password and the repository's URL (with a REST server's credentials in it) through pipes that are empty
// once read, AWS keys through a sealed memory file. Where a system lacks these (Windows: all; macOS: the memory file) the shim
// writes files of mode 0600 into the job's folder and removes them at the end; see secrets_windows.go.
//
// Goroutines: two pumps that read restic's pipes, one recorder that owns spool, decoder and progress, one that watches for a
// reason to stop. Main waits for them all.
//
// Promises: what restic wrote is in the spool once, in order and byte-identical, or counted there as a gap; restic's status lines
// are progress and never log lines. A cancel ends in bounded time: SIGTERM to restic's group, its grace, SIGKILL, reap, plain
// `restic unlock`, a look at the locks, each step a note in the log. SIGTERM to the shim means that the host goes down.
//
// # Decisions
//
// A pump reads at once while lines are rare, and lets them gather for some milliseconds while they come thick (see pace): wake-ups
// are what lines cost, here and in the agent that follows.
//
// RESTIC_PROGRESS_FPS is 4: the first progress is there after a quarter of a second, and decoding four short lines a second costs
// nothing that can be measured (restic's own default on a pipe is ten).
//
// A repository that does not answer before anything was saved is given up after RetryGiveUp, five minutes: restic itself would go
// on for 15 to 20 (also for a wrong S3 key or a missing bucket), nothing is lost by trying again later, and a server that restarts
// or a line that drops is back sooner. Once restic has made progress, its own patience holds: what was uploaded is worth waiting.
//
// A shim killed in the instant between restic's start and the next write of shim.json leaves a restic that nobody knows of. It has
// no reader any more, so it ends at its next line of output; the lock it leaves is removed by the next job that needs to.
package shim
