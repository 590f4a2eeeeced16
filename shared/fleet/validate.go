package fleet

import (
	"crypto/x509"
	"encoding/pem"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/backstay/backstay/shared/fault"
)

// Bounds of a job's specification. MaxSpecText keeps a job inside one frame and inside the argument space of every system.
const (
	MaxPaths    = 1000
	MaxExcludes = 1000
	MaxTags     = 50
	MaxIncludes = 1000
	MaxSpecText = 128 << 10 // bytes of all paths and patterns together
	maxPath     = 4096
	maxTag      = 128
	maxFolder   = 100
	maxCACert   = 64 << 10
	maxOptions  = 16
)

// Validate tells whether s may be given to an agent.
func (s RepositorySpec) Validate() error {
	if !ValidID(string(s.ID)) {
		return invalid("The repository's id is missing or malformed. Name a repository that `backstay repo ls` shows.")
	}
	u, err := ParseRepositoryURL(s.URL)
	if err != nil {
		return err
	}
	if err := validCACert(s.CACert, u); err != nil {
		return err
	}
	if len(s.Options) > maxOptions {
		return invalid("There are %d options, the limit is %d. Keep those that this repository needs.", len(s.Options), maxOptions)
	}
	for name, value := range s.Options {
		if err := validOption(u.Scheme, name, value); err != nil {
			return err
		}
	}
	return nil
}

func validCACert(text string, u RepositoryURL) error {
	if text == "" {
		return nil
	}
	if !u.TLS {
		return invalid("A CA certificate is used with https only. Leave it out, or give the repository an https URL.")
	}
	if len(text) > maxCACert {
		return invalid("The CA certificate is %d bytes long, the limit is %d. Give only the certificates of the server's CA.", len(text), maxCACert)
	}
	rest, found := []byte(text), false
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return invalid("The CA file holds a %s. Give the certificate alone and keep keys to yourself.", printable(block.Type))
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fault.Wrap(fault.InvalidInput, err, "The CA certificate cannot be read. Give it in PEM form.")
		}
		found = true
	}
	if !found || strings.TrimSpace(string(rest)) != "" {
		return invalid("The CA certificate is not PEM. It begins with -----BEGIN CERTIFICATE-----; give nothing else.")
	}
	return nil
}

// Validate tells whether s may run on a host with this GOOS. With "" the host is not known yet and paths of either kind pass.
func (s BackupSpec) Validate(goos string) error {
	if len(s.Paths) == 0 {
		return fault.New(fault.InvalidPath, "There is nothing to back up. Give at least one absolute path.")
	}
	if len(s.Paths) > MaxPaths || len(s.Excludes) > MaxExcludes || len(s.Tags) > MaxTags {
		return invalid("A backup takes at most %d paths, %d exclude patterns and %d tags. Use a folder that holds them all, or several plans.", MaxPaths, MaxExcludes, MaxTags)
	}
	total := 0
	for _, p := range s.Paths {
		total += len(p)
		if err := hostPath(p, goos); err != nil {
			return err
		}
	}
	for _, p := range s.Excludes {
		total += len(p)
		if err := validExclude(p, goos); err != nil {
			return err
		}
	}
	if total > MaxSpecText {
		return invalid("The paths and exclude patterns are %d bytes long together, the limit is %d. Use several plans.", total, MaxSpecText)
	}
	for _, t := range s.Tags {
		if err := validTag(t); err != nil {
			return err
		}
	}
	return nil
}

func validExclude(p, goos string) error {
	switch {
	case strings.TrimSpace(p) == "":
		return invalid("An exclude pattern is empty. Remove it.")
	case len(p) > maxPath:
		return invalid("An exclude pattern is longer than %d bytes. Shorten it.", maxPath)
	case garbled(p) || strings.ContainsFunc(p, unicode.IsControl):
		return invalid("The exclude pattern %q holds a control character or is not UTF-8. Use * in its place.", p)
	}
	if goos == "windows" { // there the backslash separates, and path.Match would take it for an escape
		return nil
	}
	if _, err := path.Match(p, ""); err != nil {
		return invalid("The exclude pattern %q is malformed. Close its brackets, or write \\[ for a bracket itself.", p)
	}
	return nil
}

func validTag(t string) error {
	switch {
	case t == "" || len(t) > maxTag || strings.TrimSpace(t) != t:
		return invalid("The tag %q is empty, too long or begins or ends with a space. Give 1 to %d bytes.", printable(t), maxTag)
	case strings.Contains(t, ","):
		return invalid("The tag %q has a comma in it, and restic would make two tags of it. Give them as two.", t)
	case garbled(t) || strings.ContainsFunc(t, unicode.IsControl):
		return invalid("The tag %q holds a control character or is not UTF-8. Remove it.", t)
	case strings.HasPrefix(t, "job:") || strings.HasPrefix(t, "plan:"):
		return invalid("Tags that begin with job: or plan: are Backstay's own, and it sets them itself. Choose another tag.")
	}
	return nil
}

// Validate tells whether s may run.
func (s RestoreSpec) Validate() error {
	if !validSnapshotID(s.SnapshotID) {
		return fault.New(fault.UnknownSnapshot, "%q is not a snapshot id. Give 8 to 64 hexadecimal digits, as `backstay snapshots` shows them.", printable(string(s.SnapshotID)))
	}
	if len(s.Includes) > MaxIncludes {
		return invalid("A restore takes at most %d paths. Include a folder that holds them.", MaxIncludes)
	}
	total := 0
	for _, p := range s.Includes {
		total += len(p)
		// Inside a snapshot all paths have slashes, also those of Windows (/C/Users).
		if err := slashPath(p); err != nil {
			return err
		}
	}
	if total > MaxSpecText {
		return invalid("The included paths are %d bytes long together, the limit is %d. Include a folder that holds them.", total, MaxSpecText)
	}
	if s.Folder != "" && !validFolder(s.Folder) {
		return fault.New(fault.InvalidPath, "%q cannot be the name of the restore's folder. Use up to %d letters, digits, spaces and . _ - and begin with a letter or digit.", printable(s.Folder), maxFolder)
	}
	return nil
}

func validSnapshotID(id SnapshotID) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	return strings.Trim(string(id), "0123456789abcdef") == ""
}

// validFolder tells whether name is one path element on every system.
func validFolder(name string) bool {
	if len(name) > maxFolder || !isAlnum(name[0]) || !only(name, " ._-") {
		return false
	}
	last := name[len(name)-1]
	return last != '.' && last != ' ' && !reservedName(name)
}

// Validate tells whether s may run.
func (s CheckSpec) Validate() error {
	if s.ReadData == "" || s.ReadData == "all" || validPart(s.ReadData) || validPercent(s.ReadData) {
		return nil
	}
	return invalid("%q is not a share of the data to read. Give all, a part such as 1/7 (up to 256 parts) or a percentage such as 5%%.", printable(s.ReadData))
}

func validPart(s string) bool {
	part, of, found := strings.Cut(s, "/")
	if !found {
		return false
	}
	n, err1 := strconv.ParseUint(part, 10, 16)
	m, err2 := strconv.ParseUint(of, 10, 16)
	return err1 == nil && err2 == nil && n >= 1 && n <= m && m <= 256
}

func validPercent(s string) bool {
	digits, found := strings.CutSuffix(s, "%")
	if !found || digits == "" || len(digits) > 6 || strings.Trim(digits, "0123456789.") != "" || digits[0] == '.' {
		return false
	}
	p, err := strconv.ParseFloat(digits, 64)
	return err == nil && p > 0 && p <= 100
}

// Validate tells whether s is whole: valid ids, a valid repository and exactly the member of its kind. It does not know the
// host's system and takes paths of either kind; see ValidateOn.
func (s JobSpec) Validate() error { return s.ValidateOn("") }

// ValidateOn is Validate for a host with this GOOS.
func (s JobSpec) ValidateOn(goos string) error {
	if !ValidID(string(s.JobID)) {
		return invalid("The job's id is missing or malformed. Start the job again.")
	}
	if !s.Kind.Valid() {
		return invalid("There is no kind of job %q. Use init, backup, snapshots, check, unlock or restore.", printable(string(s.Kind)))
	}
	if s.PlanID != "" && !ValidID(string(s.PlanID)) {
		return invalid("The plan's id is malformed. Name a plan that `backstay plan ls` shows.")
	}
	if err := s.Repository.Validate(); err != nil {
		return err
	}
	if u, _ := ParseRepositoryURL(s.Repository.URL); u.Scheme == SchemeLocal && goos != "" && u.Drive != (goos == "windows") {
		return badURL("%s is not a path of this host's system. Give a folder of the host, or a repository that it reaches by network.", u.Raw)
	}
	if (s.Backup != nil) != (s.Kind == KindBackup) || (s.Restore != nil) != (s.Kind == KindRestore) || (s.Check != nil) != (s.Kind == KindCheck) {
		return invalid("The details of the job do not belong to its kind %q. Give those of this kind only.", s.Kind)
	}
	switch s.Kind {
	case KindBackup:
		return s.Backup.Validate(goos)
	case KindRestore:
		return s.Restore.Validate()
	case KindCheck:
		return s.Check.Validate()
	}
	return nil
}

func invalid(format string, args ...any) error { return fault.New(fault.InvalidInput, format, args...) }

// printable cuts what someone typed to a length that fits a sentence.
func printable(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
