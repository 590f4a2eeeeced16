// Package model is what the console knows of one daemon: its hosts, repositories, plans and jobs, the progress of what runs, and
// how the connection stands, with what follows from them (the state of each host, what needs attention, the order of lists).
//
// Batches come from package feed; Apply takes one and says what changed, so that a page refreshes the smallest thing. Everything
// derived is kept up incrementally: a change costs what belongs to its host, not what the fleet is large.
//
// All of it lives on the UI goroutine: no locks, no goroutine, no clock, no I/O. What the getters give is the model's own: read it,
// do not write to it, and do not keep it beyond the next Apply; keep ids instead.
//
// Decisions. The daemon lists every job that has not ended and the newest ended ones, so the model is no history: it keeps at most
// MaxEnded ended jobs, and older ones are read page by page where somebody looks for them.
package model
