package restic

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Step says which of a job's commands is wanted.
type Step string

// The steps.
const (
	StepJob       Step = "job"        // what the job is there for
	StepUnlock    Step = "unlock"     // remove stale locks, before an exclusive job and after a kill
	StepListLocks Step = "list-locks" // one id a line
	StepTest      Step = "test"       // open the repository and change nothing
	StepSaved     Step = "saved"      // which snapshots the job saved, asked when nobody saw its end
)

// KindTest is the kind under which NewDecoder reads StepTest. It is no kind of job.
const KindTest fleet.JobKind = "test"

// retryLock: see the package's Decisions.
const retryLock = "15s"

// maxWindowsCommand bounds a command line on Windows, in UTF-16 units at worst; the system's limit is 32,767 with quotes.
const maxWindowsCommand = 24_000

// CommandInput is what an argument vector is made from.
type CommandInput struct {
	Spec       fleet.JobSpec
	Step       Step
	Target     string // restore: the fresh, empty, absolute folder
	CACertFile string // where the repository's CA certificate was written, or empty
}

// Command gives the arguments that follow restic's own name. The repository and every secret go by environment; see Env. Of
// the steps other than StepJob only the repository in Spec, and of StepSaved the job's id, is looked at.
func Command(in CommandInput) ([]string, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	v := &vector{}
	switch in.Step {
	case StepUnlock:
		v.words("unlock")
	case StepListLocks:
		v.words("list", "locks")
		v.flag("--no-lock")
	case StepSaved:
		v.words("snapshots")
		v.flag("--json")
		v.flag("--no-lock") // a lock of the backup that died does not matter, and an append-only server keeps none of ours
		v.flag("--tag", jobTag(in.Spec.JobID))
	case StepTest:
		v.words("cat", "config")
		v.flag("--json")
		v.flag("--no-lock")
	default:
		v.job(in)
	}
	v.common(in)
	return v.finish()
}

func (in CommandInput) validate() error {
	switch in.Step {
	case StepJob:
		if err := in.Spec.ValidateOn(runtime.GOOS); err != nil {
			return err
		}
	case StepSaved:
		if !fleet.ValidID(string(in.Spec.JobID)) {
			return fault.New(fault.InvalidInput, "The job's id is not valid, so its snapshots cannot be looked for.")
		}
		fallthrough
	case StepUnlock, StepListLocks, StepTest:
		if err := in.Spec.Repository.Validate(); err != nil {
			return err
		}
	default:
		return fault.New(fault.Internal, "There is no step %q.", in.Step)
	}
	restore := in.Step == StepJob && in.Spec.Kind == fleet.KindRestore
	if restore != (in.Target != "") || restore && !absolute(in.Target) {
		return fault.New(fault.InvalidPath, "A restore needs an absolute folder to write to, and nothing else does. Check the host's restore root.")
	}
	if restore && runtime.GOOS == "windows" && slices.ContainsFunc(in.Spec.Restore.Includes, func(p string) bool { return strings.Contains(p, `\`) }) {
		return fault.New(fault.InvalidPath, "Paths inside a snapshot are written with slashes, such as /C/Users. Write the included paths so.")
	}
	// restic splits --cacert at commas.
	if in.CACertFile != "" && (!absolute(in.CACertFile) || strings.ContainsAny(in.CACertFile, `,"`)) {
		return fault.New(fault.InvalidPath, "The agent's data folder has a comma or a quote in its name, which restic cannot take. Move it.")
	}
	return nil
}

// vector is an argument vector in the making.
type vector struct {
	list     []string // up to "--"
	operands []string
	err      error // first one
}

func (v *vector) words(w ...string) { v.list = append(v.list, w...) }

func (v *vector) flag(name string, value ...string) {
	s := name
	if len(value) > 0 {
		s += "=" + value[0]
	}
	if !allowedFlag(s) && v.err == nil {
		v.err = fault.New(fault.InvalidInput, "The value of restic's %s is not allowed. Mend the job and start it again.", name)
	}
	v.list = append(v.list, s)
}

func (v *vector) finish() ([]string, error) {
	if v.err != nil {
		return nil, v.err
	}
	out := v.list
	if len(v.operands) > 0 {
		out = append(append(out, "--"), v.operands...)
	}
	total := 0
	for _, a := range out {
		if strings.ContainsRune(a, 0) {
			return nil, fault.New(fault.InvalidInput, "An argument for restic holds a NUL. Mend the job and start it again.")
		}
		total += len(a) + 3
	}
	if runtime.GOOS == "windows" && total > maxWindowsCommand {
		return nil, fault.New(fault.InvalidInput, "The paths and patterns are too long for one Windows command line. Use several plans.")
	}
	return out, nil
}

func (v *vector) job(in CommandInput) {
	switch s := in.Spec; s.Kind {
	case fleet.KindInit:
		v.words("init")
		v.flag("--json")
	case fleet.KindBackup:
		v.backup(s)
	case fleet.KindSnapshots:
		v.words("snapshots")
		v.flag("--json")
		v.flag("--retry-lock", retryLock)
	case fleet.KindCheck:
		v.check(*s.Check)
	case fleet.KindUnlock:
		v.words("unlock")
	case fleet.KindRestore:
		v.restore(*s.Restore, in.Target)
	}
}

// jobTag is what every snapshot of a job carries.
func jobTag(id fleet.JobID) string { return "job:" + string(id) }

func (v *vector) backup(s fleet.JobSpec) {
	v.words("backup")
	v.flag("--json")
	v.flag("--retry-lock", retryLock)
	v.flag("--tag", jobTag(s.JobID))
	if s.PlanID != "" {
		v.flag("--tag", "plan:"+string(s.PlanID))
	}
	for _, t := range s.Backup.Tags {
		v.flag("--tag", t)
	}
	for _, p := range s.Backup.Excludes {
		v.flag("--exclude", p)
	}
	if s.Backup.ExcludeCaches {
		v.flag("--exclude-caches")
	}
	if s.Backup.OneFileSystem {
		v.flag("--one-file-system")
	}
	if s.Backup.Verbose {
		v.flag("--verbose", "2")
	}
	v.operands = s.Backup.Paths
}

func (v *vector) check(s fleet.CheckSpec) {
	v.words("check")
	v.flag("--retry-lock", retryLock)
	switch s.ReadData {
	case "":
		v.flag("--json")
	case "all":
		v.flag("--read-data")
	default:
		v.flag("--read-data-subset", s.ReadData)
	}
}

func (v *vector) restore(s fleet.RestoreSpec, target string) {
	v.words("restore")
	v.flag("--json")
	v.flag("--retry-lock", retryLock)
	v.flag("--target", target)
	v.flag("--overwrite", "never") // the folder is fresh and empty; should it not be, nothing in it is touched
	for _, p := range s.Includes {
		v.flag("--include", literalPattern(p))
	}
	v.operands = []string{string(s.SnapshotID)}
}

func (v *vector) common(in CommandInput) {
	names := make([]string, 0, len(in.Spec.Repository.Options))
	for name := range in.Spec.Repository.Options {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v.flag("--option", name+"="+in.Spec.Repository.Options[name])
	}
	if in.CACertFile != "" {
		v.flag("--cacert", in.CACertFile)
	}
}

// literalPattern gives the pattern of restic's --include that matches path p and nothing else. A class of one character is
// understood on every system; the backslash is a separator on Windows, where no file can have it in its name.
func literalPattern(p string) string {
	var b strings.Builder
	for _, r := range p {
		switch r {
		case '*', '?', '[':
			b.WriteString("[" + string(r) + "]")
		case '\\':
			b.WriteString(`\\`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// flagRule is a flag that restic may be given, and what its value may be; nil for a flag without one.
type flagRule struct {
	name  string
	value func(string) bool
}

// flags is every flag that Backstay uses. Flags that name programs or files to read (--password-command, --files-from,
// --exclude-file, --option sftp.command …) are not in it and must not come in.
var flags = [...]flagRule{
	{"--cacert", absolute},
	{"--exclude", oneLine},
	{"--exclude-caches", nil},
	{"--include", absolutePattern},
	{"--json", nil},
	{"--no-lock", nil},
	{"--one-file-system", nil},
	{"--option", plainOption},
	{"--overwrite", func(s string) bool { return s == "never" }},
	{"--read-data", nil},
	{"--read-data-subset", func(s string) bool { return s != "" && strings.Trim(s, "0123456789./%") == "" }},
	{"--retry-lock", func(s string) bool { return s == retryLock }},
	{"--tag", func(s string) bool { return oneLine(s) && !strings.Contains(s, ",") }},
	{"--target", absolute},
	{"--verbose", func(s string) bool { return s == "2" }},
}

// allowedFlag tells whether s, as restic would get it, fits the table.
func allowedFlag(s string) bool {
	name, value, hasValue := strings.Cut(s, "=")
	i := slices.IndexFunc(flags[:], func(r flagRule) bool { return r.name == name })
	if i < 0 || hasValue != (flags[i].value != nil) {
		return false
	}
	return !hasValue || flags[i].value(value)
}

func absolute(s string) bool { return filepath.IsAbs(s) && !strings.ContainsAny(s, "\x00\n\r") }

func oneLine(s string) bool { return s != "" && !strings.ContainsFunc(s, unicode.IsControl) }

func absolutePattern(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.ContainsAny(s, "\x00\n\r")
}

// plainOption takes name=value of the domain's table only, so that an option which names a program cannot come this way either.
func plainOption(s string) bool {
	name, value, found := strings.Cut(s, "=")
	known := slices.ContainsFunc(fleet.RepositoryOptions[:], func(o fleet.RepositoryOption) bool { return o.Name == name })
	return found && known && value != "" && !strings.ContainsAny(value, `,"`) && oneLine(value)
}
