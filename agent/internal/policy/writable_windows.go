package policy

// checkWritable has nothing to check on Windows, which has no permission bits: the data folder's access list protects the file.
func checkWritable(string) error { return nil }
