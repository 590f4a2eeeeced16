// Package logstore holds the lines of a log view in little memory and answers where they are: by line, by row when lines wrap, by
// number, by search. A million lines of a hundred bytes take about 125 MB; nothing is kept per line but sixteen bytes and its text.
//
// A line has an ID that stays while the line is held, whatever is added before or after it, filtered or wrapped otherwise; IDs of
// neighbours differ by one. A place in the log is a line, a row of it and a part of that row (Anchor), never one number for the
// whole log: a float loses rows in a log of a million, and a count of rows changes its meaning with every line that is added above.
//
// Promises. What is stored is safe to show (shared/plaintext is applied here again, whatever the caller did). Lines and bytes are
// bounded by Limits; what is dropped is the end that is farthest from the one being read. A Snapshot may be searched by another
// goroutine while the store goes on; everything else belongs to one goroutine. The package starts none.
//
// Decisions. Blocks of 1024 lines carry sums (lines, rows by level, where errors are), so that a question about a million lines
// looks at a thousand blocks, microseconds; a tree would be quicker and is not needed. A wide character that would straddle the
// end of a wrapped row hangs over it by one column, so that the rows of a line follow from its width alone.
package logstore
