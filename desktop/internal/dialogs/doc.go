// Package dialogs holds the console's larger dialogs. Each takes a Config with all that it needs and calls back; none knows a page,
// asks the daemon by itself, or starts a goroutine. Everything runs on the UI goroutine.
package dialogs
