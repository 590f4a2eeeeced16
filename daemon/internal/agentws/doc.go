// Package agentws is where agents come in: the endpoints for enrolment, for renewal of a certificate, and the WebSocket over which
// a session runs. It turns frames into use cases (package control), lines into the job log, and what the daemon wants
// (package dispatch) and what is on its disk into frames.
//
// Promises: a line is acknowledged when it is on disk, a job's end when it is committed, both never before. The read loop waits
// for no disk: lines go to the log's memory, everything that writes to the store goes to the session's lane. Memory is bounded:
// an agent may have Config.Window bytes of log text under way, all agents together Config.Budget; above it frames are dropped and
// asked for again later, for the agent has them on its disk. Every message about a job is checked to come from the job's host.
//
// Goroutines: each session has a reader, started by the handler, which then returns so that the memory of the handshake is freed;
// a writer, a lane and a closer run only while they have something to do. The reader ends last, and Handler.Close waits for all
// readers. An idle session is one goroutine.
package agentws
