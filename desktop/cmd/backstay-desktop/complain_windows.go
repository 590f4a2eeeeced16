package main

import (
	"fmt"
	"io"

	"golang.org/x/sys/windows"
)

// complain says why the console does not open. A program with windows has nowhere to write to when it was not started from a command
// line, so it is said in a box as well.
func complain(stderr io.Writer, err error) {
	fmt.Fprintln(stderr, "backstay-desktop:", err)
	text, err1 := windows.UTF16PtrFromString(err.Error())
	title, err2 := windows.UTF16PtrFromString("Backstay")
	if err1 != nil || err2 != nil {
		return // a zero byte in it
	}
	_, _ = windows.MessageBox(0, text, title, windows.MB_ICONERROR) // nothing is left to be told if even that fails
}
