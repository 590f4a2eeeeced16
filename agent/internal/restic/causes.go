package restic

import (
	"slices"
	"strings"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// restic's exit code 1 stands for everything from a full disk to a wrong URL, and its words are all it gives beside. This file
// is the only place that reads them. Where a word may come from matters as much as the word: a file can be called
// "401 Unauthorized", so what restic says of items counts for little.

// source says in what kind of line a text stood.
type source uint8

const (
	inFatal   source = 1 << iota // restic's last words
	inRetry                      // an operation that restic still tried when it ended
	inHelper                     // ssh's or rclone's words
	inBackend                    // an operation that failed for good; restic may have gone on
	inItem                       // the error of a single file or of a check
)

// Where a row looks.
const (
	inEnd   = inFatal | inRetry | inHelper
	inStore = inFatal | inRetry | inBackend
	inAny   = inEnd | inBackend
)

// cause is one row: texts that tell why a run ended, and what to say of it. Rows further up win.
type cause struct {
	reason fleet.Reason
	in     source
	kinds  []fleet.JobKind // nil: all
	all    []string        // each must be there
	any    []string        // and one of these
	what   string          // what happened
	next   string          // what to do
}

var noSpace = []string{"no space left on device", "not enough space on the disk", "disk quota exceeded"}

var causes = [...]cause{
	{reason: fleet.ReasonSourceMissing, in: inFatal, kinds: []fleet.JobKind{fleet.KindBackup},
		any:  []string{"all source directories/files do not exist"},
		what: "None of the paths to back up exists on this host", next: "Check the paths, and that the disk they are on is mounted."},
	{reason: fleet.ReasonRepositoryExists, in: inFatal, kinds: []fleet.JobKind{fleet.KindInit},
		any:  []string{"config file already exists", "config already initialized"},
		what: "There is a repository at this place already, and it was left as it is", next: "Use it with its password, or choose another place."},
	{reason: fleet.ReasonWrongPassword, in: inFatal,
		any:  []string{"wrong password or no key found"},
		what: "The password that this host holds does not open the repository", next: "Give this host the right password of the repository."},
	{reason: fleet.ReasonNoSecret, in: inFatal,
		any:  []string{"an empty password is not"},
		what: "The repository's password did not reach restic", next: "Give this host the password of the repository again."},
	{reason: fleet.ReasonUnknownSnapshot, in: inFatal,
		any:  []string{"no matching ID found for prefix", "no snapshot found"},
		what: "The repository holds no such snapshot", next: "List its snapshots anew and choose one of them."},
	{reason: fleet.ReasonUnknownSnapshot, in: inFatal,
		all: []string{"multiple IDs with prefix"}, any: []string{"found"},
		what: "More than one snapshot begins with this id", next: "Give more digits of it."},
	{reason: fleet.ReasonRepositoryLocked, in: inFatal,
		any:  []string{"repository is already locked"},
		what: "Another restic has the repository locked", next: "Wait for it to end and start the job again; a lock whose process is gone is removed by an unlock job."},
	{reason: fleet.ReasonRepositoryDamaged, in: inFatal | inItem,
		any:  []string{"repository contains errors", "ciphertext verification failed", "wrong data returned", "hash does not match id"},
		what: "The repository is damaged", next: "Run no forget or prune on it, check it with all its data, and repair it as the log and restic's troubleshooting guide say."},
	{reason: fleet.ReasonRepositoryDamaged, in: inFatal | inBackend,
		all: []string{"Load(<data/"}, any: []string{"no such file or directory", "does not exist", "cannot find the file", "404 Not Found"},
		what: "Files of the repository are missing", next: "Run no forget or prune on it, check it, and repair it as restic's troubleshooting guide says."},
	{reason: fleet.ReasonDiskFull, in: inStore | inItem,
		all: []string{"restic-temp-pack-"}, any: noSpace,
		what: "The disk of this host that holds temporary files is full", next: "Free some space on it and start the job again."},
	{reason: fleet.ReasonDiskFull, in: inAny | inItem, kinds: []fleet.JobKind{fleet.KindRestore},
		any:  noSpace,
		what: "The disk of this host that the restore writes to is full", next: "Free some space below the restore root, or restore less, and start it again."},
	{reason: fleet.ReasonRepositoryFull, in: inStore, any: append([]string{"507 Insufficient Storage", "QuotaExceeded", "XMinioStorageFull"}, noSpace...),
		what: "The repository's storage is full; no new snapshot was saved", next: "Make its storage larger or forget and prune old snapshots, and start the job again."},
	{reason: fleet.ReasonRepositoryUnreachable, in: inEnd, any: []string{"executable file not found", "file does not exist in %PATH%"},
		what: "restic could not start the program that reaches the repository", next: "Install ssh for sftp: or rclone for rclone: on this host."},
	{reason: fleet.ReasonRepositoryDenied, in: inHelper | inFatal, any: []string{"Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"},
		what: "This host does not know the SSH key of the repository's server", next: "Make sure that it is the right server, then connect to it with ssh once as the user of the agent."},
	{reason: fleet.ReasonRepositoryDenied, in: inHelper, any: []string{"Permission denied (", "Too many authentication failures"},
		what: "The SSH server refused this host", next: "Add the public key of the agent's user to the account on the server."},
	{reason: fleet.ReasonRepositoryDenied, in: inEnd, any: []string{"401 Unauthorized", "403 Forbidden", "Access Denied", "AccessDenied",
		"The request signature we calculated does not match", "SignatureDoesNotMatch", "InvalidAccessKeyId", "The Access Key Id you provided does not exist"},
		what: "The repository's server refused the credentials", next: "Give this host the right credentials of the server, and check that its account may write to this path."},
	{reason: fleet.ReasonNoRepository, in: inEnd, any: []string{"The specified bucket does not exist", "NoSuchBucket"},
		what: "The storage has no such bucket", next: "Create the bucket, or mend the repository's URL."},
	{reason: fleet.ReasonRepositoryUnreachable, in: inEnd, any: []string{"x509: certificate signed by unknown authority"},
		what: "This host does not know the CA of the repository's server", next: "Give the repository its CA certificate; do not switch to http."},
	{reason: fleet.ReasonRepositoryUnreachable, in: inEnd, any: []string{"x509: certificate has expired", "x509: certificate is valid for", "x509: cannot validate certificate", "x509:", "tls: "},
		what: "The TLS certificate of the repository's server is not valid for it", next: "Mend the certificate on the server, and check the clock of this host."},
	{reason: fleet.ReasonRepositoryUnreachable, in: inEnd, any: []string{"server gave HTTP response to HTTPS client"},
		what: "The repository's server speaks http and the URL says https", next: "Switch TLS on at the server, or mend the repository's URL."},
	{reason: fleet.ReasonRepositoryUnreachable, in: inAny, any: []string{"connection refused", "Connection refused", "no route to host", "No route to host",
		"network is unreachable", "Network is unreachable", "no such host", "Could not resolve hostname", "server misbehaving", "i/o timeout", "request timeout",
		"timed out", "context deadline exceeded", "connection reset", "Connection reset", "connection lost", "broken pipe", "use of closed network connection",
		"actively refused", "unexpected HTTP response (5", "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway", "ssh command exited", "server unexpectedly closed connection", "error receiving version packet",
		"error talking HTTP to rclone", "rclone stdio connection already closed", ": EOF"},
		what: "The repository's server does not answer", next: "Check that it runs and that this host reaches it over the network, then start the job again."},
	{reason: fleet.ReasonRepositoryDenied, in: inStore, any: []string{"permission denied", "Access is denied", "read-only file system", "operation not permitted"},
		what: "The repository's storage may not be read or written by the agent's user", next: "Mend the owner and mode of the repository's folder."},
	{reason: fleet.ReasonResticError, in: inItem, kinds: []fleet.JobKind{fleet.KindRestore}, any: []string{"permission denied", "Access is denied", "operation not permitted", "read-only file system"},
		what: "The agent's user may not write what is to be restored", next: "Check the owner and mode of the restore root, or run the agent as root, and start the restore again."},
}

// maxEvidence bounds what is looked at of one text.
const maxEvidence = 4096

// finding is where a row of causes was met first.
type finding struct {
	from source
	text string
}

// evidence is what the lines of a run told so far, by row.
type evidence [len(causes)]finding

// see looks at a text of this source.
func (e *evidence) see(from source, kind fleet.JobKind, text string) {
	text = text[:min(len(text), maxEvidence)]
	for i := range causes {
		if e[i].from&inEnd == 0 && causes[i].matches(from, kind, text) {
			e[i] = finding{from: from, text: text}
		}
	}
}

func (c *cause) matches(from source, kind fleet.JobKind, text string) bool {
	if c.in&from == 0 || c.kinds != nil && !slices.Contains(c.kinds, kind) {
		return false
	}
	for _, s := range c.all {
		if !strings.Contains(text, s) {
			return false
		}
	}
	return slices.ContainsFunc(c.any, func(s string) bool { return strings.Contains(text, s) })
}

// first gives the uppermost row that restic's last words, helpers and unfinished operations point to, and else the uppermost one
// of operations and items that failed on the way.
func (e *evidence) first() (cause, string, bool) {
	for _, from := range []source{inEnd, inBackend | inItem} {
		for i := range causes {
			if e[i].from&from != 0 {
				return causes[i], e[i].text, true
			}
		}
	}
	return cause{}, "", false
}

// words gives restic's own words for a sentence: the first line, without what restic puts before it, cut and harmless to show.
func words(text string) string {
	text = strings.TrimSpace(text)
	text, _, _ = strings.Cut(text, "\n")
	text = strings.ReplaceAll(text, "Fatal: ", "")
	text = strings.TrimRight(strings.TrimSpace(text), ".:")
	if len(text) > maxSentence {
		text = strings.ToValidUTF8(text[:maxSentence], "") + "…"
	}
	return plaintext.Field(text)
}
