//go:build !describe

// Backstay-desktop is the console: Backstay's window for people. It is the only importer of fyne's app, where cgo lives; all that
// the console is and does is in package shell and below.
package main

import "os"

func main() {
	if err := command().Execute(); err != nil {
		complain(os.Stderr, err)
		os.Exit(1)
	}
}
