// Package secret holds secrets so that they do not show: a Secret prints, encodes and logs as "[redacted]" wherever it stands,
// also inside other values. Credentials are what a repository needs; Seal encrypts them to one agent's key (age, X25519) and
// binds them to that host and repository, Open is the other side. Between the two only ciphertext travels.
//
// The package has no state, no I/O and starts no goroutine.
//
// Decisions. Secret has no decoder of its own: a secret comes from a person, a keyring or a sealed text, never from a document
// that happened to have a field of that name. Sealed texts are padded, so that their length does not tell the password's.
package secret
