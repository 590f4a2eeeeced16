// Package vm says what each page of the console shows, without showing it: which of its four faces, which rows in which order, which
// figures, which actions. It gives values (enums, numbers, times, names), never sentences; words are the pages' job.
//
// A view model is made for a page over a model.Fleet. The page hands it what happens (a model.Change after each batch, pages of a list,
// batches of a job's stream) with the time it is, and gets told how much to refresh. Requests are the page's too: where a view model
// needs something of the daemon it gives a query, and takes the answer with that query, so that an answer to an earlier question
// is passed over.
//
// Rows are named by id, never by place, so a selection and the place of a row survive every update. Text from hosts (names, paths,
// messages) is escaped by package plaintext: it is safe in a label.
//
// Like model it lives on the UI goroutine: no locks, no goroutine, no clock, no I/O.
package vm
