package sqlite

import "golang.org/x/sys/windows"

// fullErrnos are what the operating system says when a disk or a quota is used up.
var fullErrnos = [...]windows.Errno{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}
