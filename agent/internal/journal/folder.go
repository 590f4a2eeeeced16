package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fleet"
)

// Folder is the path of one job's folder.
type Folder string

func (f Folder) file(name string) string { return filepath.Join(string(f), name) }

// Spool is the path of the job's log.
func (f Folder) Spool() string { return f.file("log.spool") }

// BellPath is the doorbell that the shim rings and the agent hears; CtlPath is the other way round.
func (f Folder) BellPath() string { return f.file("bell") }

// CtlPath is the doorbell that the agent rings and the shim hears.
func (f Folder) CtlPath() string { return f.file("ctl") }

// Output is where the shim's own standard output and error go; empty unless something is wrong with it.
func (f Folder) Output() string { return f.file("shim.log") }

// CACert is where the shim puts the repository's CA certificate for restic.
func (f Folder) CACert() string { return f.file("ca.pem") }

// Temp is a folder for restic's temporary files.
func (f Folder) Temp() string { return f.file("tmp") }

// Secret is the path of a file with a secret where the system has no better way; the shim removes it at the end.
func (f Folder) Secret(name string) string { return f.file(secretPrefix + name) }

// FolderName is the name of the folder of job id: safe on every file system, also those that do not tell upper from lower case.
func FolderName(id fleet.JobID) string {
	const digest, longest = 6, 100
	sum := sha256.Sum256([]byte(id))
	plain := strings.Map(func(r rune) rune {
		if r == ':' {
			return '_'
		}
		return r
	}, string(id[:min(len(id), longest)]))
	return plain + "-" + hex.EncodeToString(sum[:digest])
}

// RemoveSecrets removes what a shim that was killed may have left; see Secret.
func (f Folder) RemoveSecrets() error {
	names, err := os.ReadDir(string(f))
	for _, d := range names {
		if strings.HasPrefix(d.Name(), secretPrefix) {
			err = errors.Join(err, ignoreMissing(os.Remove(f.file(d.Name()))))
		}
	}
	return err
}

const secretPrefix = "secret-"

// CancelMark says that a job's end is desired.
type CancelMark struct {
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// Cancel marks that the job's end is desired, durably. The first mark stays.
func (f Folder) Cancel(m CancelMark) error {
	if _, marked, err := f.Cancelled(); err != nil || marked {
		return err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode cancel mark: %w", err)
	}
	if err := atomicfile.Write(f.file("cancel"), data, 0o600); err != nil {
		return fmt.Errorf("mark cancel: %w", err)
	}
	return nil
}

// Cancelled tells whether the job's end is desired. It is one look at the folder when not.
func (f Folder) Cancelled() (CancelMark, bool, error) {
	var m CancelMark
	found, err := readJSON(f.file("cancel"), &m)
	return m, found, err
}

// Shim says which processes of a job run; it means something only on the boot it names.
type Shim struct {
	Launch        string         `json:"launch"` // which Launch of the journal it was started for
	Boot          string         `json:"boot"`
	Self          proc.Identity  `json:"self"`
	Child         *proc.Identity `json:"child,omitempty"`      // the restic that runs now: the job's own, or an unlock beside it
	StartedAt     *time.Time     `json:"started_at,omitempty"` // when the job's own restic was started
	ResticVersion string         `json:"restic_version,omitempty"`
}

// WriteShim replaces shim.json. It is not synced: nobody asks for it after the host went down.
func (f Folder) WriteShim(s Shim) error { return writeJSON(f.file("shim.json"), s) }

// ReadShim gives the last WriteShim, and false when there was none or a crash of the host lost it.
func (f Folder) ReadShim() (Shim, bool, error) {
	var s Shim
	found, err := readJSON(f.file("shim.json"), &s)
	return s, found, err
}

// WriteProgress replaces progress.json, unsynced: only the newest counts, and only while the job runs.
func (f Folder) WriteProgress(p fleet.Progress) error { return writeJSON(f.file("progress.json"), p) }

// ReadProgress gives the newest progress, and false when there is none.
func (f Folder) ReadProgress() (fleet.Progress, bool, error) {
	var p fleet.Progress
	found, err := readJSON(f.file("progress.json"), &p)
	return p, found, err
}

// Acked is how much of a job the daemon has on its disk.
type Acked struct {
	Seq      int64     `json:"seq"`
	Finished bool      `json:"finished,omitempty"` // the end too: nothing is left to send
	At       time.Time `json:"at"`
}

// WriteAcked replaces acked.json, unsynced: when it is lost, lines are sent again and the daemon trims them.
func (f Folder) WriteAcked(a Acked) error { return writeJSON(f.file("acked.json"), a) }

// ReadAcked gives the last WriteAcked; the zero value when there is none.
func (f Folder) ReadAcked() (Acked, error) {
	var a Acked
	_, err := readJSON(f.file("acked.json"), &a)
	return a, err
}

// RemoveAcked takes WriteAcked back.
func (f Folder) RemoveAcked() error { return ignoreMissing(os.Remove(f.file("acked.json"))) }

// Size is what the folder's files hold together, in bytes.
func (f Folder) Size() (int64, error) {
	var sum int64
	err := filepath.WalkDir(string(f), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return ignoreMissing(err)
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return ignoreMissing(err)
	})
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", f, err)
	}
	return sum, nil
}

const hidden = ".gone-"

// Remove removes the folder and all in it, as one step for whoever looks at it after a crash.
func (f Folder) Remove() error {
	gone := filepath.Join(filepath.Dir(string(f)), hidden+filepath.Base(string(f)))
	if err := os.Rename(string(f), gone); err != nil {
		return fmt.Errorf("remove job folder: %w", ignoreMissing(err))
	}
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("remove job folder: %w", err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readJSON tells whether path holds a v. A file that is empty or cut off counts as missing: a crash of the host can leave it so.
func readJSON(path string, v any) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return json.Unmarshal(data, v) == nil, nil
}

// writeJSON replaces path so that a reader finds the old content or the new. Each path has one writer.
func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
