// Package apiclient is the typed client of the daemon's HTTP API: one method for each route, the live stream of a job (Follow)
// and the watch (Watch). The desktop console, the CLI and the end-to-end tests use it.
//
// Errors are fault errors with the code and sentence that the daemon sent, or with a code of this side: fault.Unavailable and
// fault.Timeout when the daemon does not answer, fault.PinMismatch when somebody else does. The end of a caller's ctx is given
// as ctx's own error.
//
// Every request has a deadline of its own. Requests that may be repeated without harm (GET, and StartJob, which carries an
// Idempotency-Key) are tried again a few times when the connection fails or the daemon is overloaded; all others are tried once.
//
// Promises. Follow gives every line of a job's log once and in order, across broken connections and restarts of the daemon: it
// resumes by the number of the last line it gave, trims what comes twice, and takes a hole for a broken connection. At the end
// of a log that was followed whole it compares the checksum. Watch gives the whole state and then every change once and in
// order, or the whole state anew.
//
// A Client starts no goroutine of its own and is safe for concurrent use. Follow and Watch run in the caller's goroutine and call
// the handler from it; a handler that blocks costs the daemon nothing, the stream resumes when it is done.
package apiclient
