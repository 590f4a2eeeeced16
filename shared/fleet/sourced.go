package fleet

import "strings"

// NotePrefix begins a line of ours where a log is one text, restic's lines as they are beside notes and gaps.
const NotePrefix = "[backstay] "

const resticPrefix = "[restic] "

// ResticText is a line of restic, or the beginning of one, in such a text. What would pass for a line of ours, or for one that was
// marked here, is marked as restic's: a file may have any name, and restic prints it.
func ResticText(line string) string {
	for _, p := range []string{strings.TrimSpace(NotePrefix), strings.TrimSpace(resticPrefix)} {
		if len(line) >= len(p) && strings.EqualFold(line[:len(p)], p) {
			return resticPrefix + line
		}
	}
	return line
}
