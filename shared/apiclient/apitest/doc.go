// Package apitest is a daemon for tests of clients: the HTTP API of shared/api over real TLS and real WebSockets on loopback,
// with a fleet in memory that the test arranges, and connections that break on purpose (Chaos). It decides nothing, keeps
// nothing and promises nothing; what the real daemon does is tested with the real daemon.
//
// Goroutines: those of its HTTP server, and one reader for each open stream, which ends with it. Close waits for all.
package apitest
