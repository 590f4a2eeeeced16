// Package control holds the daemon's use cases: everything that an operator, a script or an agent may ask of the daemon, with
// its rules, and the interfaces of what it needs for that (store, logs, dispatch, change feed). It knows no HTTP and no SQL.
//
// It starts no goroutine of its own. Each use case commits first and publishes (feed, doorbell, dispatch) afterwards.
package control
