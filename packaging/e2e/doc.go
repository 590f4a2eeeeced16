// Package e2e runs the programs as people run them: real backstayd, backstay-agent and backstay binaries, real sockets, real SQLite,
// real restic and rest-server (and the fake restic of package sharedtest where every line must be provable). Nothing inside the
// programs is reached but through their command lines, the HTTP API and the files that they document.
package e2e
