package restic

import (
	"hash/maphash"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Event is what one line of restic means.
type Event struct {
	Keep     bool            // the line belongs into the log; restic's figures of progress do not
	Progress *fleet.Progress // the newest figures, or nil
	Retry    bool            // the repository did not answer and restic tries again
	Moved    bool            // restic got somewhere: the repository answers
}

// Exit is how restic's process ended.
type Exit struct {
	Code      int    // exit status; ignored with Signal
	Signal    string // name of the signal that ended it, empty when it exited
	Cancelled bool   // we were asked to end it and did
	GaveUp    bool   // we ended it because the repository did not answer
}

// Bounds of what a Decoder keeps of a run, however long and noisy it is.
const (
	maxSeen     = 100_000 // items whose errors are told apart; beyond, restic's double reports of one folder count twice
	maxRetrying = 64      // operations; restic has a handful at once
	maxSentence = 300     // bytes of restic's own words in a message
	maxIDs      = 1000    // damaged packs named
)

// Decoder reads the lines of one run of restic. It is not safe for concurrent use.
type Decoder struct {
	kind    fleet.JobKind
	now     func() time.Time
	started time.Time

	progress fleet.Progress
	scanned  bool                // totals do not grow any more
	retrying map[string]string   // operations that did not go well yet, with the cause
	seen     map[uint64]struct{} // items counted in errors
	seed     maphash.Seed

	errors     int64
	unreadable []string // at most fleet.MaxUnreadable
	missing    int64    // of them: paths of the job that are not there
	firstError string   // of an item, in restic's words

	summary   fleet.Summary
	snapshots arrayCounter
	config    strings.Builder // of StepTest
	problems  int64           // lines of a text check that tell of an error
	packs     []string        // damaged, of a text check
	removed   string          // what unlock says it did
	fatal     string          // restic's last words
	found     evidence
}

// NewDecoder begins a run of a job of this kind, or of KindTest.
func NewDecoder(kind fleet.JobKind, now func() time.Time) *Decoder {
	d := &Decoder{kind: kind, now: now, started: now(), retrying: map[string]string{}, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	d.progress = fleet.Progress{Phase: fleet.PhaseStarting, At: d.started.UTC()}
	return d
}

// verboseStatus begins the lines that a verbose backup prints by the thousand; they are known without reading them.
const verboseStatus = `{"message_type":"verbose_status",`

// Line takes the next line of a stream, whole and without its newline. It never fails: what it does not know is kept.
func (d *Decoder) Line(stream fleet.LogStream, text string) Event {
	if strings.HasPrefix(text, verboseStatus) {
		d.scanned = d.scanned || strings.HasPrefix(text[len(verboseStatus):], `"action":"scan_finished"`)
		return Event{Keep: true, Moved: true}
	}
	if m, ok := parseMessage(text); ok {
		return d.message(m)
	}
	if stream == fleet.StreamErr {
		return d.errText(text)
	}
	return d.outText(text)
}

func (d *Decoder) message(m message) Event {
	switch m.Type {
	case "status":
		return d.status(m)
	case "summary":
		d.summarize(m)
		return Event{Keep: true, Moved: true}
	case "initialized":
		d.summary.Init = &fleet.InitSummary{ResticID: m.ID}
		return Event{Keep: true, Moved: true}
	case "error":
		d.itemError(m)
	case "exit_error":
		d.fatal = m.Message
		d.found.see(inFatal, d.kind, m.Message)
	}
	return Event{Keep: true}
}

func (d *Decoder) summarize(m message) {
	switch d.kind {
	case fleet.KindBackup:
		d.summary.Backup = m.backupSummary()
	case fleet.KindRestore:
		d.summary.Restore = m.restoreSummary()
	case fleet.KindCheck:
		d.summary.Check = m.checkSummary()
	}
}

func (d *Decoder) status(m message) Event {
	p := &d.progress
	grew := m.TotalFiles != p.FilesTotal || m.TotalBytes != p.BytesTotal
	p.Percent = clamp(m.PercentDone)
	p.FilesTotal, p.BytesTotal = m.TotalFiles, m.TotalBytes
	p.FilesDone, p.BytesDone = m.FilesDone, m.BytesDone
	if d.kind == fleet.KindRestore {
		p.FilesDone, p.BytesDone = m.FilesRestored+m.FilesSkipped, m.BytesRestored+m.BytesSkipped
	}
	p.RemainingMS = milliseconds(m.SecondsRemaining)
	p.CurrentFiles = m.CurrentFiles
	d.scanned = d.scanned || p.RemainingMS > 0 || d.kind == fleet.KindRestore
	phase := fleet.PhaseReading
	if grew && !d.scanned {
		phase = fleet.PhaseScanning
	}
	return Event{Progress: d.snapshotProgress(phase), Moved: true}
}

// snapshotProgress gives a copy of the progress in this phase, for now.
func (d *Decoder) snapshotProgress(phase fleet.Phase) *fleet.Progress {
	if len(d.retrying) > 0 {
		phase = fleet.PhaseRetrying
	}
	now := d.now()
	d.progress.Phase, d.progress.Errors = phase, d.errors
	d.progress.ElapsedMS, d.progress.At = now.Sub(d.started).Milliseconds(), now.UTC()
	p := d.progress
	return &p
}

// outText takes a line of standard output that is no message.
func (d *Decoder) outText(text string) Event {
	switch d.kind {
	case fleet.KindSnapshots:
		d.snapshots.feed(text)
		return Event{Keep: true, Moved: true}
	case fleet.KindUnlock:
		if strings.HasPrefix(text, "successfully removed ") {
			d.removed = text
		}
	case KindTest:
		if d.config.Len()+len(text) < 4096 {
			d.config.WriteString(text)
		}
		return Event{Keep: true, Moved: true}
	}
	c, ok := parseCounter(text)
	if !ok {
		return Event{Keep: true} // a check says some words before it has asked the repository anything
	}
	phase := fleet.PhaseScanning
	if c.what == "packs" {
		phase = fleet.PhaseReading
	}
	d.progress.Percent = c.percent
	return Event{Keep: c.percent == 1, Progress: d.snapshotProgress(phase), Moved: true}
}

// errText takes a line of standard error that is no message.
func (d *Decoder) errText(text string) Event {
	if r, ok := parseRetry(text); ok {
		return d.retry(r)
	}
	if d.kind == fleet.KindBackup && d.missingPath(text) {
		return Event{Keep: true}
	}
	if strings.HasPrefix(text, "Fatal: ") || strings.HasPrefix(text, "unable to create lock ") {
		d.fatal = text
		d.found.see(inFatal, d.kind, text)
		return Event{Keep: true}
	}
	if strings.HasPrefix(text, "subprocess ") || strings.HasPrefix(text, "rclone: ") {
		d.found.see(inHelper, d.kind, text)
	}
	if d.kind == fleet.KindCheck {
		d.checkText(text)
	}
	return Event{Keep: true}
}

func (d *Decoder) retry(r retryLine) Event {
	delete(d.retrying, r.op)
	switch {
	case r.again:
		if len(d.retrying) < maxRetrying {
			d.retrying[r.op] = r.cause
		}
		return Event{Keep: true, Retry: true}
	case r.cause != "":
		d.found.see(inBackend, d.kind, r.op+" failed: "+r.cause)
	}
	return Event{Keep: true}
}

// missingPath tells whether text says that a path of the job is not there. restic 0.18 still exits with 0 then.
func (d *Decoder) missingPath(text string) bool {
	item, found := strings.CutSuffix(text, " does not exist, skipping")
	if !found {
		if item, found = strings.CutSuffix(text, " cannot be accessed, skipping"); !found {
			return false
		}
	}
	d.missing++
	d.countItem(item, text, false)
	return true
}

// Missing takes the paths of a restore that are not in the folder it wrote. restic says nothing of a path that the snapshot does not
// hold; one that it could not write it has named already.
func (d *Decoder) Missing(paths []string) {
	for _, p := range paths {
		before := d.errors
		d.countItem(p, "the snapshot does not hold it", false)
		d.missing += d.errors - before
	}
}

// checkText reads the complaints of a check without --json.
func (d *Decoder) checkText(text string) {
	if ids, found := strings.CutPrefix(text, "restic repair packs "); found {
		for id := range strings.FieldsSeq(ids) {
			if hexID(id) && len(d.packs) < maxIDs {
				d.packs = append(d.packs, id)
			}
		}
		return
	}
	for _, start := range []string{"error", "pack ", "Pack ", "  "} {
		if strings.HasPrefix(text, start) {
			d.problems++
			return
		}
	}
}

func (d *Decoder) itemError(m message) {
	text := m.Error.Message
	if text == "" {
		text = m.Message // a check's complaint
	}
	d.found.see(inItem, d.kind, text)
	if d.kind == fleet.KindCheck || m.Item == "" {
		return
	}
	d.countItem(m.Item, text, m.During == "scan")
}

// countItem counts an item once: restic reports an unreadable folder when it scans and again when it reads.
func (d *Decoder) countItem(item, text string, scan bool) {
	key := maphash.String(d.seed, item)
	if _, known := d.seen[key]; known {
		return
	}
	if len(d.seen) < maxSeen {
		d.seen[key] = struct{}{}
	} else if scan {
		return // the same item comes again when it is read
	}
	d.errors++
	if d.firstError == "" {
		d.firstError = text
	}
	if len(d.unreadable) < fleet.MaxUnreadable {
		d.unreadable = append(d.unreadable, item)
	}
}
