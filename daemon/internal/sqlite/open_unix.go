//go:build unix

package sqlite

import "syscall"

// fullErrnos are what the operating system says when a disk or a quota is used up.
var fullErrnos = [...]syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}
