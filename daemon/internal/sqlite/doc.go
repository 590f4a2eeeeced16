// Package sqlite is the daemon's state on disk: state.db with hosts, agents, repositories, plans, jobs, snapshots, users, tokens
// and the audit chain (Store, which implements control.Store), and the way any SQLite file of the daemon is opened (Open). It is
// the only importer of the SQLite driver.
//
// It starts no goroutine. One connection writes, so writers queue for it and never meet a busy database; reads run beside them on
// snapshots of their own. Updates that wait for the writer while one works share its transaction and its commit: each runs in turn,
// on its caller's goroutine, and the last one commits for all. What is asked again and again is compiled once for each connection.
//
// Promises: what Update returned nil for is on disk (synchronous=FULL); an Update that fails leaves nothing and costs those that
// share its commit nothing, unless SQLite undoes the whole transaction, as it may when the disk is full: then all of them fail.
// The rev of every changed host, repository, plan and job
// is counted inside its transaction, so revs are dense and follow the order of the commits. Lists are read by keyset, never by
// OFFSET, and a page costs the same wherever it lies. Audit rows form a SHA-256 chain whose head and length stand in meta, so an
// edited, removed, inserted or cut-off row is found and located; someone who may write the file can also compute a whole new
// chain, which only a copy of the head kept elsewhere would show.
//
// Decision: a page of jobs whose filters no index covers together looks at a bounded number of rows and may come back short,
// with a cursor to go on. Full-text or more composite indexes would have made every job dearer to write for rare questions.
package sqlite
