package svc

// View is what a person wants to see of a log.
type View struct {
	Lines  int // the last ones
	Follow bool
}
