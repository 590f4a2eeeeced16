// Package sample is a made-up fleet for pictures and tests of pages: about thirty hosts with their plans, repositories, sixty days of
// backups, jobs in every state with logs, snapshots, people and an audit log. It is a feed.Daemon in memory that streams as the real
// one does.
//
// It is deterministic: the same time gives the same fleet. Nothing moves by itself; Advance lets time pass, and with it jobs run, log
// lines come and ticks are sent. Cut, Heal, Fail and SignOutAll make the trouble that pages must show.
//
// Crowd and Flood are for measurements: a fleet of thousands, and a job whose log grows faster than anybody reads.
//
// It starts no goroutine. Watch and Follow run in their caller's, all methods may be called from any.
package sample
