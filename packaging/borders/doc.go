// Package borders holds the tests of how the code is laid out: which package may import what, on every system, how long files
// are, and that each package says what it is for. It has no code of its own. Its tests read the source through the go command,
// whose work the test cache does not see: run them with -count=1, as `make test` does.
package borders
