package spool

import "os"

// File is what a Writer needs of its file: *os.File, or a stand-in that fails on demand in tests.
type File interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// diskFile syncs data without times where the system can.
type diskFile struct{ *os.File }

var _ File = diskFile{}

func (f diskFile) Sync() error { return syncData(f.File) }

func openFile(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}
