package main

// actAsOwner has nothing to do: files in the data folder inherit the folder's access list.
func actAsOwner(string) error { return nil }
