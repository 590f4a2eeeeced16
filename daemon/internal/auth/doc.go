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
// Parameters: m = 12 MiB, t = 3, p = 1 is one of the equally strong sets that OWASP names. The one with 19 MiB would be as
// good against guessing, but its garbage stays in an otherwise idle daemon's 45 MB until the next collection.
//
// API tokens and sessions are 256 random bits, so a plain SHA-256 is enough to store them: there is nothing to guess.
package auth
