// Package logview is the console's view of a job's log: a widget that shows a million lines, follows the newest, searches, filters
// and lets text be selected, at a few milliseconds a frame.
//
// The lines are painted into one raster from an atlas of glyphs; Fyne sees a picture and a button. What is shown is held by
// logstore, which also knows where everything is. All methods of View belong to the UI goroutine. The one goroutine that the
// package starts is a search; it reports through Config.Post, and Close stops it and waits. Timers fire through Post as well.
//
// Promises. Nothing of a log is drawn raw, see shared/plaintext. However fast lines arrive, the view repaints at most twenty times
// a second; what a person does shows at once; nothing moves by itself. The place that is read stays where it is through new lines,
// older lines, filters, wrapping, a change of the theme and of the screen's scale.
//
// Decisions. Glyphs are painted here and not by canvas.Text, because Fyne makes a texture of every string and keeps it for a
// minute: five thousand lines a second are 50 MB a second. Columns are whole pixels, so that a column is the same everywhere.
// Characters that JetBrains Mono lacks are shaped by the library that Fyne itself uses, with the system's fonts and Fyne's emoji,
// and kept in the same atlas. Text is laid out from left to right in the order of its bytes: a file's name can then not pretend to
// be another; within one word, scripts that join or run leftwards are shaped as they should be.
package logview
