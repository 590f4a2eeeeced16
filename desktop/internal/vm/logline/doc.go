// Package logline turns the lines of a job's log into lines for a person's eyes: a level, a source, and text with restic's JSON
// put into words, the same words that `backstay logs` uses. It is pure: no clock, no I/O, no goroutines, no window.
//
// Promises. The text of a Line is one line of valid UTF-8 without anything that a screen would obey (shared/plaintext), and at
// most MaxText bytes before escaping; what is not known shows as restic wrote it. The log's bytes themselves are not here: who
// saves a log takes them from the daemon.
//
// Decisions. A JSON line that comes in pieces shows once, when it is complete, under its last piece's number, so that numbers
// grow; other long lines show piece by piece. Lines of a verbose backup come by the thousand per second, so their fixed form is
// read without encoding/json; anything that departs from it takes the slow road, and a fuzz test holds both to the same answer.
package logline
