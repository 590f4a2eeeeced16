// Package watch is the change feed of the consoles: the last changes of hosts, repositories, plans and jobs in the order of their
// revs, and cursors that read them at their own pace.
//
// It starts no goroutine. Writers ring a doorbell and never wait for a reader; a reader that falls behind the ring, or that was
// away for too long, is told to list again (ErrTooOld). Nothing is queued for a reader, so a stuck one costs nothing.
//
// Promise: with a list that is true for rev R, a cursor from Subscribe(R) gives every change after R once and in order, or
// ErrTooOld. Commits may be published in any order: a change is held back until all those before it are there.
//
// Decision: revs are counted in the store, inside the transaction, so they are dense, and a gap means that a commit is still on
// its way here. Publishing under the store's lock would have been simpler but would hold up the next commit; reading changes
// back from the store, by rev, would have needed rows for what was deleted and a query per console.
package watch
