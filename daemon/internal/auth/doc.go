// Package auth holds what sign-in is made of: password hashes (argon2id), random tokens of which only the SHA-256 is kept, and
// a limiter by key. Who may do what is decided elsewhere: roles in package fleet, routes in package httpapi.
//
// Promises: at most hashSlots passwords are hashed at a time in the whole process, so a flood of sign-ins takes neither the
// memory nor the second core of the daemon; a wrong user name costs what a wrong password costs; no password and no token is
// ever in an error. The package starts no goroutine. Its one piece of package state is the slots and the queue before them,
// because the bound is one of the process.
//
// # Decisions
//
// Parameters: m = 7 MiB, t = 5, p = 1 is one of the equally strong sets that OWASP names. Those with more memory would be as
// good against guessing and as slow, but the garbage of three sign-ins stays in an otherwise idle daemon for some minutes: 45 MB
// with this set, 50 MB with 12 MiB and t = 3.
//
// API tokens and sessions are 256 random bits, so a plain SHA-256 is enough to store them: there is nothing to guess.
package auth
