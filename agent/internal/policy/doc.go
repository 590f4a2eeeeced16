// Package policy is the ceiling that a host sets for itself: policy.toml says which kinds of jobs run there, which folders may be
// backed up, and where restores may write. Whatever the daemon asks for, nothing above the ceiling is done.
//
// It promises that the file is never written but once, as a commented default at enrolment, and never through the network; that
// a file which cannot be read or understood allows nothing; and that a source is judged by where it really lies, symbolic links
// followed. The package has no state and starts no goroutine: callers load the file for each job, so that an edit holds from
// the next job on.
//
// Decisions. The ceiling is against the daemon and whoever holds it, not against accounts of the host: one of those could turn a
// folder into a link between Check and restic, and gains nothing that restic's own rights do not give it.
package policy
