package atomicfile

import (
	"io/fs"
	"os"
)

// Windows has no permission bits; the folder's access list protects the file.
func chmod(*os.File, fs.FileMode) error { return nil }

// SyncDir does nothing on Windows, where a folder cannot be synced: NTFS journals the rename itself.
func SyncDir(string) error { return nil }
