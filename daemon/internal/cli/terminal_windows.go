package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableControl makes a console window of older Windows understand control sequences. A stream that is no console is left alone.
func enableControl(f *os.File) {
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) == nil {
		_ = windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) // where it is refused, the line looks worse
	}
}
