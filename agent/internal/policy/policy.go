package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Everywhere, as the one source root, allows every absolute path.
const Everywhere = "*"

const (
	defaultParallel = 2
	maxParallel     = 64
)

// Policy is a host's ceiling.
type Policy struct {
	Kinds           []fleet.JobKind `toml:"allowed_kinds"`
	SourceRoots     []string        `toml:"source_roots"`
	RestoreRoots    []string        `toml:"restore_roots"` // the first is where restores go
	MaxParallelJobs int             `toml:"max_parallel_jobs"`
}

// Default is the policy of a host without policy.toml: every kind, every source, restores below the agent's data folder.
func Default(dataDir string) Policy {
	// A copy: the TOML decoder writes into the slices that it finds.
	return Policy{Kinds: slices.Clone(fleet.JobKinds[:]), SourceRoots: []string{Everywhere}, RestoreRoots: []string{filepath.Join(dataDir, "restore")},
		MaxParallelJobs: defaultParallel}
}

// Load reads policy.toml at path. A setting that the file leaves out has its default; a missing file is all defaults; any
// other trouble is fault.PolicyDenied, and nothing may run.
func Load(path, dataDir string) (Policy, error) {
	p := Default(dataDir)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return Policy{}, fault.Wrap(fault.PolicyDenied, err, "This host's policy file %s cannot be read, so no job may run. Check its permissions.", path)
	}
	if err := checkWritable(path); err != nil {
		return Policy{}, err
	}
	meta, err := toml.Decode(string(b), &p)
	if err != nil {
		return Policy{}, fault.Wrap(fault.PolicyDenied, err, "This host's policy file %s is not valid TOML, so no job may run. Correct it.", path)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return Policy{}, fault.New(fault.PolicyDenied, "This host's policy file %s has an unknown setting %q, so no job may run. Correct or remove it.", path, unknown[0].String())
	}
	if err := p.validate(); err != nil {
		return Policy{}, fault.Wrap(fault.PolicyDenied, err, "This host's policy file %s has a setting that is not valid, so no job may run: %v. Correct it.", path, err)
	}
	return p, nil
}

func (p Policy) validate() error {
	for _, k := range p.Kinds {
		if !k.Valid() {
			return fmt.Errorf("allowed_kinds has the unknown kind %q", k)
		}
	}
	if len(p.SourceRoots) != 1 || p.SourceRoots[0] != Everywhere {
		for _, r := range p.SourceRoots {
			if !filepath.IsAbs(r) {
				return fmt.Errorf("source_roots has %q, which is not an absolute path", r)
			}
		}
	}
	if len(p.RestoreRoots) == 0 && p.allows(fleet.KindRestore) {
		return errors.New("restore is allowed but restore_roots is empty")
	}
	for _, r := range p.RestoreRoots {
		if !filepath.IsAbs(r) || filepath.Clean(r) == filepath.Dir(filepath.Clean(r)) {
			return fmt.Errorf("restore_roots has %q, which is not an absolute path below the root folder", r)
		}
	}
	if p.MaxParallelJobs < 1 || p.MaxParallelJobs > maxParallel {
		return fmt.Errorf("max_parallel_jobs is %d and must be 1 to %d", p.MaxParallelJobs, maxParallel)
	}
	return nil
}

func (p Policy) allows(k fleet.JobKind) bool { return slices.Contains(p.Kinds, k) }

// Check tells whether the host allows the job; the error is fault.PolicyDenied. It does not validate the job otherwise.
func (p Policy) Check(spec fleet.JobSpec) error {
	if !p.allows(spec.Kind) {
		return fault.New(fault.PolicyDenied, "This host's own policy does not allow %s jobs. Allow the kind in policy.toml on the host if it should.", spec.Kind)
	}
	switch spec.Kind {
	case fleet.KindBackup:
		if spec.Backup == nil {
			return fault.New(fault.PolicyDenied, "The backup names no paths, so this host's policy cannot allow it. Update the daemon.")
		}
		for _, path := range spec.Backup.Paths {
			if err := p.checkSource(path); err != nil {
				return err
			}
		}
	case fleet.KindRestore:
		_, err := p.RestoreTarget(spec)
		return err
	case fleet.KindInit, fleet.KindSnapshots, fleet.KindCheck, fleet.KindUnlock:
	}
	return nil
}

func (p Policy) checkSource(path string) error {
	denied := func() error {
		return fault.New(fault.PolicyDenied, "This host's own policy does not allow to back up %s. Add its folder to source_roots in policy.toml on the host if it should.", path)
	}
	if !filepath.IsAbs(path) {
		return denied()
	}
	if slices.Equal(p.SourceRoots, []string{Everywhere}) {
		return nil
	}
	real, err := realPath(path)
	if err != nil {
		return fault.Wrap(fault.PolicyDenied, err, "This host cannot tell where %s really lies, so its policy does not allow to back it up. Check the path on the host.", path)
	}
	for _, root := range p.SourceRoots {
		realRoot, err := realPath(root)
		if err == nil && inside(realRoot, real) && (inside(root, path) || inside(realRoot, path)) {
			return nil
		}
	}
	return denied()
}

// RestoreRoot is the folder below which restores write; empty when the host allows none.
func (p Policy) RestoreRoot() string {
	if len(p.RestoreRoots) == 0 {
		return ""
	}
	return filepath.Clean(p.RestoreRoots[0])
}

// RestoreTarget gives the absolute folder that a restore job writes, directly below the restore root. It does not make it.
func (p Policy) RestoreTarget(spec fleet.JobSpec) (string, error) {
	root := p.RestoreRoot()
	if root == "" || !p.allows(fleet.KindRestore) || spec.Restore == nil {
		return "", fault.New(fault.PolicyDenied, "This host's own policy does not allow restores. Name a folder in restore_roots of policy.toml on the host if it should.")
	}
	name := spec.Restore.Folder
	if name == "" {
		name = fileName(spec.JobID)
	}
	if !plainName(name) {
		return "", fault.New(fault.PolicyDenied, "The restore folder %q is not a plain folder name. Choose a name of letters, digits, dots, hyphens and underscores.", name)
	}
	return filepath.Join(root, name), nil
}

// fileName is id as one file name on every system; only ids of scheduled runs have colons.
func fileName(id fleet.JobID) string { return strings.ReplaceAll(string(id), ":", "_") }

func plainName(name string) bool {
	return fleet.ValidID(name) && !strings.Contains(name, ":") && !strings.HasSuffix(name, ".") && filepath.IsLocal(name)
}

// realPath follows the symbolic links of path; of one that is not there, those of the part that is.
func realPath(path string) (string, error) {
	path = filepath.Clean(path)
	rest := ""
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		parent := filepath.Dir(path)
		if !errors.Is(err, os.ErrNotExist) || parent == path {
			return "", fmt.Errorf("follow links of %s: %w", path, err)
		}
		// A link to nowhere is not a missing file: where it leads may be made a moment later.
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("follow links of %s: %w", path, errors.Join(errDangling, err))
		}
		rest = filepath.Join(filepath.Base(path), rest)
		path = parent
	}
}

var errDangling = errors.New("a symbolic link leads nowhere")

// inside tells whether path is root or lies below it, by name.
func inside(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rel)
}

// WriteDefault writes a commented default to path unless a file is there, and tells whether it did.
func WriteDefault(path, dataDir string) (bool, error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	p := Default(dataDir)
	quote := func(s string) string { return "\"" + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + "\"" }
	var kinds []string
	for _, k := range p.Kinds {
		kinds = append(kinds, quote(string(k)))
	}
	example := `["/home", "/etc"]`
	if runtime.GOOS == "windows" {
		example = `['C:\Users', 'D:\']`
	}
	text := fmt.Sprintf(`# What this host allows, whoever asks. Only people on this host can change this file; an edit holds from the next job on.
# A line that begins with # is a comment; the values shown are the ones in use while the line is one.

# The kinds of jobs that may run.
# allowed_kinds = [%s]

# Folders that may be backed up. "*" is every folder; for some only: source_roots = %s
# source_roots = ["*"]

# Restores write a fresh folder below the first of these, and nowhere else.
# restore_roots = [%s]

# Jobs that run at once; more of them wait. The jobs of one repository always run one after the other.
# max_parallel_jobs = %d
`, strings.Join(kinds, ", "), example, quote(p.RestoreRoots[0]), p.MaxParallelJobs)
	if err := atomicfile.Write(path, []byte(text), 0o600); err != nil {
		return false, fmt.Errorf("write default policy: %w", err)
	}
	return true, nil
}
