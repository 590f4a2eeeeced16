// Package feed brings what a daemon says to the UI goroutine. A Session watches the fleet, Follow streams one job, Call carries out a
// request; Contact and SignIn make the connection. What they hand over is data (model.Batch, model.JobBatch, an answer); what it
// means is decided by models and view models.
//
// Promises. Everything is handed over through Config.Post, which runs a function on the UI goroutine. Of each stream at most one
// batch is on its way: it is posted, waited for until it is applied, and the interval is waited out, so a stream posts at most ten
// batches a second (with DefaultInterval) and a slow UI is never pushed. Once Close was called nothing is handed over any more, also
// not what was posted before: each posted function first looks whether its session, stream or request is still wanted.
//
// Memory is bounded while the UI is busy. A session coalesces: of each object only the newest row waits, of each job the newest
// progress. Should more than maxRows objects wait, the watch is not read on until the UI took them. A job's stream keeps at most
// maxLines lines and maxLineBytes of text waiting; then it is not read on either. Of figures only the newest count when too many wait. In both cases the connection fills, the daemon
// may hang up on a reader that slow, and apiclient resumes by cursor: nothing is dropped.
//
// Goroutines: each Session, JobFeed and Runner has its own and Close waits for them. Close may be called on the UI goroutine: it never
// waits for something that only the UI goroutine can do.
package feed
