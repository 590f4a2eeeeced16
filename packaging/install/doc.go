// Package install has the scripts that install an agent by one line, for people to run; its tests run the one for Unix against packages
// behind a server on loopback. It starts no goroutine.
package install
