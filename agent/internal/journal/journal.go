package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Accepted is a job as the agent promised to run it.
type Accepted struct {
	Spec          fleet.JobSpec `json:"spec"`
	At            time.Time     `json:"at"`
	StartWithinMS int64         `json:"start_within_ms,omitempty"` // counted from receipt; 0: no limit
	Boot          string        `json:"boot"`
	UptimeMS      int64         `json:"uptime_ms"` // the host's at receipt: no clock that somebody sets moves the limit
}

// Entry is what the journal of one job says.
type Entry struct {
	Folder   Folder
	Accepted Accepted
	Launch   string // id of the launch that stands; "" when the job was never launched, or no shim came of it
	Boot     string // of the host when it was launched
}

// Journal is the folder of all jobs.
type Journal struct{ dir string }

// words is one line of journal.ndjson; one member is set, Boot beside Launch.
type words struct {
	Accepted  *Accepted `json:"accepted,omitempty"`
	Launch    string    `json:"launch,omitempty"`
	Boot      string    `json:"boot,omitempty"` // with Launch
	Withdrawn string    `json:"withdrawn,omitempty"`
}

const journalFile = "journal.ndjson"

// Open makes the folder dir (mode 0700) when it is missing.
func Open(dir string) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make jobs folder: %w", err)
	}
	return &Journal{dir: dir}, nil
}

// Create takes up a job: once it returns, the job is on disk and everything its end needs has its room there. A full disk gives a
// fault with code StorageFull, and nothing is left.
func (j *Journal) Create(a Accepted) (Folder, error) {
	f := Folder(filepath.Join(j.dir, FolderName(a.Spec.JobID)))
	err := os.Mkdir(string(f), 0o700)
	if err != nil {
		err = fmt.Errorf("make job folder: %w", err)
	} else if err = j.fill(f, a); err != nil {
		err = errors.Join(err, os.RemoveAll(string(f)))
	}
	if IsFull(err) {
		err = fault.Wrap(fault.StorageFull, err, "The disk of this host is full, so the job cannot be recorded. Free some space below %s.", j.dir)
	}
	return f, err
}

// fill makes the files of a new job's folder.
func (j *Journal) fill(f Folder, a Accepted) error {
	for name, size := range map[string]int64{"outcome.json": outcomeSize, "spare": spareSize} {
		if err := reserve(f.file(name), size); err != nil {
			return fmt.Errorf("reserve room: %w", err)
		}
	}
	if err := makeBells(f); err != nil {
		return fmt.Errorf("make doorbells: %w", err)
	}
	if err := f.say(words{Accepted: &a}, os.O_CREATE|os.O_EXCL); err != nil {
		return err
	}
	// The file's name, then the folder's.
	if err := errors.Join(atomicfile.SyncDir(string(f)), atomicfile.SyncDir(j.dir)); err != nil {
		return fmt.Errorf("sync job folder: %w", err)
	}
	return nil
}

// Launch says that launch id of the job is about to begin, on this boot of the host. A job whose journal ends with it is never
// launched again unless Withdraw took it back.
func (f Folder) Launch(id, boot string) error { return f.say(words{Launch: id, Boot: boot}, 0) }

// Withdraw says that launch id came to nothing: no shim ran, and one that is late must not. Call it under the folder's lock.
func (f Folder) Withdraw(id string) error { return f.say(words{Withdrawn: id}, 0) }

// say appends one line to the journal and returns once it is on disk.
func (f Folder) say(w words, flags int) error {
	line, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encode journal: %w", err)
	}
	file, err := os.OpenFile(f.file(journalFile), os.O_WRONLY|os.O_APPEND|flags, 0o600)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	// The newline in front ends a line that a crash tore.
	_, err = file.Write(slices.Concat([]byte("\n"), line, []byte("\n")))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// Read gives what the journal of folder f says, and false when it does not even say that the job was accepted.
func (f Folder) Read() (Entry, bool, error) {
	e := Entry{Folder: f}
	data, err := os.ReadFile(f.file(journalFile))
	if ignoreMissing(err) != nil {
		return e, false, fmt.Errorf("read journal: %w", err)
	}
	known := false
	for line := range bytes.Lines(data) {
		var w words
		if json.Unmarshal(line, &w) != nil {
			continue // empty, or torn: then nobody was told that it holds
		}
		switch {
		case w.Accepted != nil && !known:
			e.Accepted, known = *w.Accepted, true
		case w.Launch != "":
			e.Launch, e.Boot = w.Launch, w.Boot
		case w.Withdrawn != "" && w.Withdrawn == e.Launch:
			e.Launch, e.Boot = "", ""
		}
	}
	return e, known, nil
}

// Scratch makes a folder for restic commands that belong to no job. Remove it afterwards; a crash leaves that to Load.
func (j *Journal) Scratch() (Folder, error) {
	dir, err := os.MkdirTemp(j.dir, hidden+"scratch-")
	if err != nil {
		return "", fmt.Errorf("make scratch folder: %w", err)
	}
	return Folder(dir), nil
}

// Load gives every job in the order of acceptance, and removes what never was one or is being removed.
func (j *Journal) Load() ([]Entry, error) {
	names, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, fmt.Errorf("read jobs folder: %w", err)
	}
	var all []Entry
	for _, d := range names {
		f := Folder(filepath.Join(j.dir, d.Name()))
		if strings.HasPrefix(d.Name(), hidden) {
			if err := os.RemoveAll(string(f)); err != nil {
				return nil, fmt.Errorf("remove job folder: %w", err)
			}
			continue
		}
		if !d.IsDir() {
			continue
		}
		e, known, err := f.Read()
		if err != nil {
			return nil, err
		}
		if !known || FolderName(e.Accepted.Spec.JobID) != d.Name() {
			if err := f.Remove(); err != nil {
				return nil, err
			}
			continue
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return a.Accepted.At.Compare(b.Accepted.At) })
	return all, nil
}
