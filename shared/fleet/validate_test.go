package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

// want checks code ("" for none) and that what is said is whole sentences.
func want(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("%s: %v, want code %q", what, err, code)
		return
	}
	if msg, ok := fault.Message(err); err != nil && (!ok || !strings.HasSuffix(msg, ".") || len(msg) < 20 || len(msg) > 400) {
		t.Errorf("%s: not a sentence for a person: %q", what, msg)
	}
}

func TestBackupPaths(t *testing.T) {
	tests := []struct {
		path, goos string
		code       fault.Code
	}{
		{"/", "linux", ""},
		{"/etc", "linux", ""},
		{"/etc", "darwin", ""},
		{"/srv/with space and ünïcode", "linux", ""},
		{"/-x", "linux", ""},
		{"/a\tb", "linux", ""},
		{"/etc", "", ""},
		{`C:\Users`, "", ""},
		{`C:\`, "windows", ""},
		{`C:\Users\op`, "windows", ""},
		{"c:/Users/op", "windows", ""},
		{"", "linux", fault.InvalidPath},
		{"etc", "linux", fault.InvalidPath},
		{"--password-command=x", "linux", fault.InvalidPath},
		{"~/x", "linux", fault.InvalidPath},
		{"/etc/", "linux", fault.InvalidPath},
		{"//etc", "linux", fault.InvalidPath},
		{"/etc/../root", "linux", fault.InvalidPath},
		{"/etc/./x", "linux", fault.InvalidPath},
		{"/a\nb", "linux", fault.InvalidPath},
		{"/a\rb", "linux", fault.InvalidPath},
		{"/a\x00b", "linux", fault.InvalidPath},
		{"/a\xffb", "linux", fault.InvalidPath},
		{"/a\ufffdb", "linux", fault.InvalidPath}, // what JSON makes of it
		{"C:\\a\ufffdb", "windows", fault.InvalidPath},
		{"/" + strings.Repeat("a", maxPath), "linux", fault.InvalidPath},
		{`C:\Users`, "linux", fault.InvalidPath},
		{"/etc", "windows", fault.InvalidPath},
		{`C:`, "windows", fault.InvalidPath},
		{`C:x`, "windows", fault.InvalidPath},
		{`1:\x`, "windows", fault.InvalidPath},
		{`\Users`, "windows", fault.InvalidPath},
		{`\\server\share`, "windows", fault.InvalidPath},
		{`\\?\C:\x`, "windows", fault.InvalidPath},
		{`C:\a\`, "windows", fault.InvalidPath},
		{`C:\a\..\b`, "windows", fault.InvalidPath},
		{`C:\a:b`, "windows", fault.InvalidPath},
		{`C:\a*`, "windows", fault.InvalidPath},
		{"C:\\a\tb", "windows", fault.InvalidPath},
		{`C:\a.`, "windows", fault.InvalidPath},
		{`C:\a \b`, "windows", fault.InvalidPath},
		{`C:\com1.txt`, "windows", fault.InvalidPath},
	}
	for _, tt := range tests {
		want(t, fmt.Sprintf("%q on %q", tt.path, tt.goos), BackupSpec{Paths: []string{tt.path}}.Validate(tt.goos), tt.code)
	}
}

func TestBackupSpec(t *testing.T) {
	with := func(change func(*BackupSpec)) BackupSpec {
		s := BackupSpec{Paths: []string{"/srv"}}
		change(&s)
		return s
	}
	many := func(n int, s string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = s
		}
		return out
	}
	tests := []struct {
		name string
		spec BackupSpec
		goos string
		code fault.Code
	}{
		{"all set", with(func(s *BackupSpec) {
			s.Excludes, s.Tags, s.Verbose, s.ExcludeCaches, s.OneFileSystem = []string{"*.tmp", "!/srv/keep", "-x"}, []string{"daily", "a=b c"}, true, true, true
		}), "linux", ""},
		{"no path", BackupSpec{}, "linux", fault.InvalidPath},
		{"too many paths", with(func(s *BackupSpec) { s.Paths = many(MaxPaths+1, "/x") }), "linux", fault.InvalidInput},
		{"too many excludes", with(func(s *BackupSpec) { s.Excludes = many(MaxExcludes+1, "x") }), "linux", fault.InvalidInput},
		{"too many tags", with(func(s *BackupSpec) { s.Tags = many(MaxTags+1, "x") }), "linux", fault.InvalidInput},
		{"too much text", with(func(s *BackupSpec) { s.Paths = many(500, "/"+strings.Repeat("x", 500)) }), "linux", fault.InvalidInput},
		{"empty exclude", with(func(s *BackupSpec) { s.Excludes = []string{" "} }), "linux", fault.InvalidInput},
		{"long exclude", with(func(s *BackupSpec) { s.Excludes = []string{strings.Repeat("x", maxPath+1)} }), "linux", fault.InvalidInput},
		{"exclude with newline", with(func(s *BackupSpec) { s.Excludes = []string{"a\nb"} }), "linux", fault.InvalidInput},
		{"exclude that was not UTF-8", with(func(s *BackupSpec) { s.Excludes = []string{"a\ufffdb"} }), "linux", fault.InvalidInput},
		{"tag that was not UTF-8", with(func(s *BackupSpec) { s.Tags = []string{"a\ufffdb"} }), "linux", fault.InvalidInput},
		{"malformed exclude", with(func(s *BackupSpec) { s.Excludes = []string{"/srv/[a"} }), "linux", fault.InvalidInput},
		{"backslash on Windows", with(func(s *BackupSpec) { s.Paths, s.Excludes = []string{`C:\x`}, []string{`C:\x\y\`} }), "windows", ""},
		{"empty tag", with(func(s *BackupSpec) { s.Tags = []string{""} }), "linux", fault.InvalidInput},
		{"tag with comma", with(func(s *BackupSpec) { s.Tags = []string{"a,b"} }), "linux", fault.InvalidInput},
		{"tag with space around", with(func(s *BackupSpec) { s.Tags = []string{" a"} }), "linux", fault.InvalidInput},
		{"tag with newline", with(func(s *BackupSpec) { s.Tags = []string{"a\nb"} }), "linux", fault.InvalidInput},
		{"long tag", with(func(s *BackupSpec) { s.Tags = []string{strings.Repeat("x", maxTag+1)} }), "linux", fault.InvalidInput},
		{"forged job tag", with(func(s *BackupSpec) { s.Tags = []string{"job:x"} }), "linux", fault.InvalidInput},
		{"forged plan tag", with(func(s *BackupSpec) { s.Tags = []string{"plan:x"} }), "linux", fault.InvalidInput},
	}
	for _, tt := range tests {
		want(t, tt.name, tt.spec.Validate(tt.goos), tt.code)
	}
}

func TestRestoreSpec(t *testing.T) {
	id := SnapshotID(strings.Repeat("0123456789abcdef", 4))
	tests := []struct {
		name string
		spec RestoreSpec
		code fault.Code
	}{
		{"whole", RestoreSpec{SnapshotID: id}, ""},
		{"prefix", RestoreSpec{SnapshotID: id[:8], Includes: []string{"/", "/etc/*[x]", "/C/Users"}, Folder: "rescue 2026-11.23"}, ""},
		{"latest", RestoreSpec{SnapshotID: "latest"}, fault.UnknownSnapshot},
		{"empty", RestoreSpec{}, fault.UnknownSnapshot},
		{"short", RestoreSpec{SnapshotID: id[:7]}, fault.UnknownSnapshot},
		{"long", RestoreSpec{SnapshotID: id + "0"}, fault.UnknownSnapshot},
		{"upper case", RestoreSpec{SnapshotID: "ABCDEF0123"}, fault.UnknownSnapshot},
		{"subfolder", RestoreSpec{SnapshotID: "abcdef01:/etc"}, fault.UnknownSnapshot},
		{"option", RestoreSpec{SnapshotID: "--target=/"}, fault.UnknownSnapshot},
		{"relative include", RestoreSpec{SnapshotID: id, Includes: []string{"etc"}}, fault.InvalidPath},
		{"include above", RestoreSpec{SnapshotID: id, Includes: []string{"/etc/../root"}}, fault.InvalidPath},
		{"drive include", RestoreSpec{SnapshotID: id, Includes: []string{`C:\Users`}}, fault.InvalidPath},
		{"empty include", RestoreSpec{SnapshotID: id, Includes: []string{""}}, fault.InvalidPath},
		{"too many includes", RestoreSpec{SnapshotID: id, Includes: make([]string, MaxIncludes+1)}, fault.InvalidInput},
		{"too much text", RestoreSpec{SnapshotID: id, Includes: []string{"/" + strings.Repeat("x", 4000), "/" + strings.Repeat("y", 4000)}}, ""},
	}
	for _, folder := range []string{".", "..", "a/b", `a\b`, "-x", ".x", "x.", "x ", "a:b", "NUL", "con.txt", "ü", "a\nb", strings.Repeat("x", maxFolder+1)} {
		tests = append(tests, struct {
			name string
			spec RestoreSpec
			code fault.Code
		}{"folder " + folder, RestoreSpec{SnapshotID: id, Folder: folder}, fault.InvalidPath})
	}
	for _, tt := range tests {
		want(t, tt.name, tt.spec.Validate(), tt.code)
	}
}

func TestCheckSpec(t *testing.T) {
	for _, s := range []string{"", "all", "1/1", "3/7", "256/256", "5%", "0.5%", "100%"} {
		want(t, s, CheckSpec{ReadData: s}.Validate(), "")
	}
	for _, s := range []string{"ALL", "0/1", "2/1", "1/257", "1/", "/2", "1/2/3", "-1/2", "0%", "101%", "%", ".5%", "1e2%", "NaN%", "5", "5M", " 5%", "--read-data"} {
		want(t, s, CheckSpec{ReadData: s}.Validate(), fault.InvalidInput)
	}
}

func TestRepositoryOptions(t *testing.T) {
	spec := func(url, name, value string) RepositorySpec {
		return RepositorySpec{ID: "r1", URL: url, Options: map[string]string{name: value}}
	}
	good := []RepositorySpec{
		spec("s3:host/bucket", "s3.region", "eu-central-1"),
		spec("s3:host/bucket", "s3.bucket-lookup", "path"),
		spec("s3:host/bucket", "s3.storage-class", "STANDARD_IA"),
		spec("s3:host/bucket", "s3.list-objects-v1", "true"),
		spec("rest:https://h/x", "rest.connections", "20"),
		spec("/srv/x", "local.connections", "1"),
		spec("sftp:h:x", "sftp.connections", "64"),
		spec("rclone:n:x", "rclone.connections", "3"),
	}
	for _, s := range good {
		want(t, fmt.Sprint(s), s.Validate(), "")
	}
	bad := []RepositorySpec{
		spec("sftp:h:x", "sftp.command", "touch x"),
		spec("sftp:h:x", "sftp.args", "-oProxyCommand=x"),
		spec("rclone:n:x", "rclone.program", "sh"),
		spec("rclone:n:x", "rclone.args", "x"),
		spec("s3:host/bucket", "s3.unsafe-anonymous-auth", "true"),
		spec("s3:host/bucket", "S3.region", "x"),
		spec("s3:host/bucket", "", "x"),
		spec("s3:host/bucket", "s3.region", "x,sftp.command=touch y"),
		spec("s3:host/bucket", "s3.region", `"x"`),
		spec("s3:host/bucket", "s3.region", ""),
		spec("s3:host/bucket", "s3.region", "-x"),
		spec("s3:host/bucket", "s3.storage-class", "GLACIER"),
		spec("s3:host/bucket", "s3.connections", "0"),
		spec("s3:host/bucket", "s3.connections", "65"),
		spec("s3:host/bucket", "s3.connections", "05"),
		spec("s3:host/bucket", "rest.connections", "5"),
	}
	for _, s := range bad {
		want(t, fmt.Sprint(s), s.Validate(), fault.InvalidInput)
	}
	for _, o := range RepositoryOptions {
		for _, program := range []string{"command", "args", "program"} {
			if strings.HasSuffix(o.Name, program) {
				t.Errorf("the option %s names a program to run", o.Name)
			}
		}
		if o.valid("1,x") || o.valid(`"1"`) || o.valid("") || o.valid("1 ") || o.valid("1\n") {
			t.Errorf("the option %s takes a value that restic would split or misread", o.Name)
		}
	}
}

func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestRepositoryCACert(t *testing.T) {
	cert := certificate(t)
	key := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte("x")}))
	garbled := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))
	tests := []struct {
		name, url, cert string
		code            fault.Code
	}{
		{"one", "rest:https://h/x", cert, ""},
		{"two", "s3:h/bucket", cert + "\n" + cert, ""},
		{"none", "rest:https://h/x", "", ""},
		{"without TLS", "rest:http://h/x", cert, fault.InvalidInput},
		{"local", "/srv/x", cert, fault.InvalidInput},
		{"no PEM", "rest:https://h/x", "hello", fault.InvalidInput},
		{"text after", "rest:https://h/x", cert + "hello", fault.InvalidInput},
		{"a key", "rest:https://h/x", cert + key, fault.InvalidInput},
		{"garbled", "rest:https://h/x", garbled, fault.InvalidInput},
		{"too long", "rest:https://h/x", strings.Repeat(cert, maxCACert/len(cert)+1), fault.InvalidInput},
	}
	for _, tt := range tests {
		want(t, tt.name, RepositorySpec{ID: "r1", URL: tt.url, CACert: tt.cert}.Validate(), tt.code)
	}
}

func TestJobSpec(t *testing.T) {
	with := func(kind JobKind, change func(*JobSpec)) JobSpec {
		s := JobSpec{JobID: "01J", Kind: kind, Repository: RepositorySpec{ID: "r1", URL: "rest:https://h/x"}}
		switch kind {
		case KindBackup:
			s.Backup = &BackupSpec{Paths: []string{"/srv"}}
		case KindRestore:
			s.Restore = &RestoreSpec{SnapshotID: "0123abcd"}
		case KindCheck:
			s.Check = &CheckSpec{}
		}
		if change != nil {
			change(&s)
		}
		return s
	}
	for _, k := range JobKinds {
		want(t, string(k), with(k, nil).ValidateOn("linux"), "")
		want(t, string(k)+" of a plan", with(k, func(s *JobSpec) { s.PlanID = "p1" }).Validate(), "")
		want(t, string(k)+" with a member too many", with(k, func(s *JobSpec) {
			s.Backup, s.Restore = &BackupSpec{Paths: []string{"/srv"}}, &RestoreSpec{SnapshotID: "0123abcd"}
		}).Validate(), fault.InvalidInput)
		want(t, string(k)+" without id", with(k, func(s *JobSpec) { s.JobID = "" }).Validate(), fault.InvalidInput)
		want(t, string(k)+" with a bad plan", with(k, func(s *JobSpec) { s.PlanID = "-p" }).Validate(), fault.InvalidInput)
		want(t, string(k)+" without repository", with(k, func(s *JobSpec) { s.Repository = RepositorySpec{} }).Validate(), fault.InvalidInput)
		want(t, string(k)+" with a bad URL", with(k, func(s *JobSpec) { s.Repository.URL = "rclone::x:" }).Validate(), fault.InvalidRepositoryURL)
		want(t, string(k)+" with too many options", with(k, func(s *JobSpec) {
			s.Repository.Options = map[string]string{}
			for i := range maxOptions + 1 {
				s.Repository.Options[fmt.Sprint(i)] = "x"
			}
		}).Validate(), fault.InvalidInput)
	}
	for _, k := range []JobKind{KindBackup, KindRestore, KindCheck} {
		want(t, string(k)+" without member", with(k, func(s *JobSpec) { s.Backup, s.Restore, s.Check = nil, nil, nil }).Validate(), fault.InvalidInput)
	}
	for _, k := range []JobKind{"", "prune", "BACKUP"} {
		want(t, "kind "+string(k), with(k, nil).Validate(), fault.InvalidInput)
	}
	want(t, "bad path", with(KindBackup, func(s *JobSpec) { s.Backup.Paths = []string{"x"} }).Validate(), fault.InvalidPath)
	want(t, "bad snapshot", with(KindRestore, func(s *JobSpec) { s.Restore.SnapshotID = "latest" }).Validate(), fault.UnknownSnapshot)
	want(t, "bad check", with(KindCheck, func(s *JobSpec) { s.Check.ReadData = "x" }).Validate(), fault.InvalidInput)
	drive := with(KindInit, func(s *JobSpec) { s.Repository.URL = `C:\backup` })
	want(t, "drive on any", drive.Validate(), "")
	want(t, "drive on Windows", drive.ValidateOn("windows"), "")
	want(t, "drive on Linux", drive.ValidateOn("linux"), fault.InvalidRepositoryURL)
	slash := with(KindInit, func(s *JobSpec) { s.Repository.URL = "/backup" })
	want(t, "slash on Windows", slash.ValidateOn("windows"), fault.InvalidRepositoryURL)
	want(t, "Windows path on Linux", with(KindBackup, func(s *JobSpec) { s.Backup.Paths = []string{`C:\x`} }).ValidateOn("linux"), fault.InvalidPath)
}

func TestValidID(t *testing.T) {
	for _, id := range []string{"a", "01JQ0000000000000000000000", "slot:p1:h1:2026-11-23T00:00:00Z", "_x", ":x", strings.Repeat("x", MaxIDLength)} {
		if !ValidID(id) {
			t.Errorf("%q is refused", id)
		}
	}
	for _, id := range []string{"", "-x", ".x", "..", "a/b", `a\b`, "a b", "a,b", "ü", "a\n", "a\x00", "%2e", strings.Repeat("x", MaxIDLength+1)} {
		if ValidID(id) {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestRoles(t *testing.T) {
	roles := []Role{RoleViewer, RoleOperator, RoleAdmin}
	for i, have := range roles {
		if !have.Valid() {
			t.Errorf("%s is not valid", have)
		}
		for j, need := range roles {
			if have.Allows(need) != (i >= j) {
				t.Errorf("%s allows %s: %v", have, need, have.Allows(need))
			}
		}
		for _, none := range []Role{"", "root", "Admin"} {
			if have.Allows(none) || none.Allows(have) || none.Allows(none) || none.Valid() {
				t.Errorf("the role %q counts as one", none)
			}
		}
	}
}
