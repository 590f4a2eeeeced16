//go:build !linux && !windows

package journal

// pollMode is blocking: kqueue on macOS does not tell of named pipes reliably, so a listener is a thread in read.
const pollMode = 0
