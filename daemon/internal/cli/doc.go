// Package cli is the command line `backstay`: every command over the public HTTP API, as shared/apiclient speaks it. It knows no
// store and no other part of the daemon.
//
// Everything a person sees goes through two faces: aligned text with hostile characters escaped (package plaintext), or, with
// --json, the API's own types, compact, one document or one event a line. Commands end with exit codes that tell success,
// warning, failure, cancel and lost contact apart (exit.go; `backstay help exit-codes`).
//
// Secrets: a password is read from the terminal without echo, or from standard input, never from an argument; repository
// credentials are sealed to the host's key here and leave this process as ciphertext only. The session's token lies in the OS
// keyring, or in a file only where --credentials=file was chosen; there is no silent step from one to the other.
//
// Goroutines: reading a password has one, so that Ctrl-C works while it waits. Following a job has none: the stream calls
// the printer.
//
// # Decisions
//
// The profile holds one daemon. Who works with several gives each its own folder by BACKSTAY_CONFIG_DIR; profiles with names
// would put "which fleet was that?" into every command.
//
// Ctrl-C while following leaves the job alone: a backup must not die because someone closed a laptop. It is said so, with the
// command that cancels.
package cli
