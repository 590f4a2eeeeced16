package journal

import "golang.org/x/sys/unix"

// pollMode lets the runtime's poller wait for the pipe, so that a listener costs no thread.
const pollMode = unix.O_NONBLOCK
