// Package sqlite is the daemon's state on disk: state.db with hosts, agents, repositories, plans, jobs, snapshots, users, tokens
// and the audit chain (Store, which implements control.Store), and the way any SQLite file of the daemon is opened (Open). It is
// the only importer of the SQLite driver.
//
// It starts no goroutine. One connection writes, so write transactions queue for it and never meet a busy database; reads run
// beside them on snapshots of their own.
//
// Promises: what Update returned nil for is on disk (synchronous=FULL). The rev of every changed host, repository, plan and job
// is counted inside its transaction, so revs are dense and follow the order of the commits. Lists are read by keyset, never by
// OFFSET, and a page costs the same wherever it lies. Audit rows form a SHA-256 chain whose head and length stand in meta, so an
// edited, removed, inserted or cut-off row is found and located; someone who may write the file can also compute a whole new
// chain, which only a copy of the head kept elsewhere would show.
//
// Decision: a page of jobs whose filters no index covers together looks at a bounded number of rows and may come back short,
// with a cursor to go on. Full-text or more composite indexes would have made every job dearer to write for rare questions.
package sqlite
