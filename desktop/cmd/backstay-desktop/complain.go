//go:build !windows

package main

import (
	"fmt"
	"io"
)

// complain says why the console does not open.
func complain(stderr io.Writer, err error) { fmt.Fprintln(stderr, "backstay-desktop:", err) }
