package journal

import "os"

// fillFile writes size zeros and waits for the disk, which only then has taken the room for sure.
func fillFile(f *os.File, size int64) error {
	if _, err := f.Write(make([]byte, size)); err != nil {
		return err
	}
	return f.Sync()
}
