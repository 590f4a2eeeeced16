// Package spool is a job's log on the agent's own disk: an append-only file of numbered lines, each with its own CRC-32C. The job's
// shim writes it (Writer), the agent reads it at the same time from another process (Reader) and sends it to the daemon.
//
// Form: an 8-byte magic, then records. A record is length u32, CRC-32C of the body u32, body (all little endian); a body is
// seq u64, unix microseconds i64, stream byte, flag byte (1: the line goes on), text. seq counts from 1 without a hole.
//
// Promises: lines come back byte-identical and in order. One write call a batch, no sync per line: what the last second before
// a power loss wrote may be missing, never torn or altered. A disk that is full costs lines but neither order nor truth: the
// writer counts what it could not keep and says so in a gap line as soon as writing works again. A reader stops at the first
// record that is not whole, and goes on there when asked again.
//
// Goroutines: a Writer owns one, which syncs the file about once a second while lines come and sleeps otherwise; Close waits for it. A Writer belongs to one goroutine,
// a Reader too.
//
// # Decisions
//
// Records are written at known offsets rather than with O_APPEND, so that a part left by a full disk is overwritten.
package spool
