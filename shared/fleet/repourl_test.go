package fleet

import (
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

func TestParseRepositoryURL(t *testing.T) {
	tests := []struct {
		in   string
		want RepositoryURL
	}{
		{"/srv/backup", RepositoryURL{Scheme: SchemeLocal, Path: "/srv/backup"}},
		{"/srv/backup/", RepositoryURL{Scheme: SchemeLocal, Path: "/srv/backup/"}},
		{"/srv/a:b,c d", RepositoryURL{Scheme: SchemeLocal, Path: "/srv/a:b,c d"}},
		{`C:\Backup\restic`, RepositoryURL{Scheme: SchemeLocal, Path: `C:\Backup\restic`, Drive: true}},
		{"d:/backup", RepositoryURL{Scheme: SchemeLocal, Path: "d:/backup", Drive: true}},
		{"rest:https://backup.example.org:8000/host1/", RepositoryURL{Scheme: SchemeREST, TLS: true, Host: "backup.example.org:8000", Path: "/host1/"}},
		{"rest:http://127.0.0.1:8000", RepositoryURL{Scheme: SchemeREST, Host: "127.0.0.1:8000"}},
		{"rest:https://[::1]:8000/a/b", RepositoryURL{Scheme: SchemeREST, TLS: true, Host: "[::1]:8000", Path: "/a/b"}},
		{"rest:https://[2001:db8::1]/", RepositoryURL{Scheme: SchemeREST, TLS: true, Host: "[2001:db8::1]", Path: "/"}},
		{"s3:https://s3.example.org/bucket/a/b", RepositoryURL{Scheme: SchemeS3, TLS: true, Host: "s3.example.org", Path: "/bucket/a/b"}},
		{"s3:http://127.0.0.1:9000/bucket", RepositoryURL{Scheme: SchemeS3, Host: "127.0.0.1:9000", Path: "/bucket"}},
		{"s3:s3.eu-central-1.amazonaws.com/bucket", RepositoryURL{Scheme: SchemeS3, TLS: true, Host: "s3.eu-central-1.amazonaws.com", Path: "/bucket"}},
		{"sftp:op@backup.example.org:/srv/restic", RepositoryURL{Scheme: SchemeSFTP, User: "op", Host: "backup.example.org", Path: "/srv/restic"}},
		{"sftp:backup:restic/host1", RepositoryURL{Scheme: SchemeSFTP, Host: "backup", Path: "restic/host1"}},
		{"sftp://op@127.0.0.1:18022//srv/restic", RepositoryURL{Scheme: SchemeSFTP, User: "op", Host: "127.0.0.1:18022", Path: "/srv/restic"}},
		{"sftp://[::1]:22/restic", RepositoryURL{Scheme: SchemeSFTP, Host: "[::1]:22", Path: "restic"}},
		{"rclone:offsite:backup/host 1", RepositoryURL{Scheme: SchemeRclone, Host: "offsite", Path: "backup/host 1"}},
		{"rclone:my remote-2.b:x", RepositoryURL{Scheme: SchemeRclone, Host: "my remote-2.b", Path: "x"}},
	}
	for _, tt := range tests {
		tt.want.Raw = tt.in
		got, err := ParseRepositoryURL(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseRepositoryURL(%q)\n got %+v, %v\nwant %+v", tt.in, got, err, tt.want)
		}
		if got.String() != tt.in {
			t.Errorf("String() of %q is %q", tt.in, got)
		}
	}
}

// refused holds what a tired and what a hostile person might give, each with a word that the answer must have.
var refused = []struct{ in, word string }{
	{"", "empty"},
	{"relative/path", "absolute"},
	{"./x", "absolute"},
	{"/", "folder of its own"},
	{`C:\`, "folder of its own"},
	{"/srv/../etc", "plain"},
	{"/srv//x", "plain"},
	{"/srv/x ", "white space"},
	{`\\server\share\x`, "absolute"},
	{`C:\a\NUL`, "Windows"},
	{`C:\a:stream\x`, "Windows"},
	{"local:/srv/x", "local:"},
	{"local:../../etc", "local:"},
	{"--repo=/tmp", "absolute"},
	{"-r:x", "kind"},
	{"/srv/repo\nRESTIC_PASSWORD_COMMAND=x", "line break"},
	{"/srv/repo\x00", "control"},
	{"/srv/repo\xff", "UTF-8"},
	{"/" + strings.Repeat("x", MaxRepositoryURL), "bytes"},
	{"https://host/x", "rest:https"},
	{"ftp://host/x", "kind"},
	{"b2:bucket:path", "kind"},
	{"azure:x:/", "kind"},
	{"rest:ftp://host/", "http"},
	{"rest:https:/host/", "http"},
	{"rest:http+unix:///tmp/sock:/x", "http"},
	{"rest:https://user:password@host/", "separately"},
	{"rest:https://user@host/", "separately"},
	{"rest:https://host:0/", "port"},
	{"rest:https://host:99999/", "port"},
	{"rest:https://host:/", "port"},
	{"rest:https:///x", "name"},
	{"rest:https://-host/", "name"},
	{"rest:https://ho st/", "name"},
	{"rest:https://[::1%25eth0]/", "name"},
	{"rest:https://host/a/../b", "slashes"},
	{"rest:https://host/a?b=c", "slashes"},
	{"rest:https://host/%2e%2e/", "slashes"},
	{"rest:https://host//x", "slashes"},
	{"s3:", "name"},
	{"s3://host/bucket", "Write it like"},
	{"s3:host", "bucket"},
	{"s3:https://host", "bucket"},
	{"s3:https://host/", "bucket"},
	{"s3:https://host/-bucket", "bucket"},
	{"s3:httpd.example.org/bucket", "Write it like"},
	{"s3:https://AKIA:secret@host/bucket", "separately"},
	{"s3:host/bucket/a b", "slashes"},
	{"sftp:host", "folder"},
	{"sftp:host:", "folder"},
	{"sftp:user@host:/", "folder"},
	{"sftp:-oProxyCommand=touch x:/repo", "name"},
	{"sftp:user@-oProxyCommand=x:/repo", "name"},
	{"sftp:HOST@-E:/tmp/x", "name"},
	{"sftp:-l@host:/x", "user"},
	{"sftp:@host:/x", "user"},
	{"sftp:us er@host:/x", "user"},
	{"sftp:`id`@host:/x", "user"},
	{"sftp:a@b@host:/x", "user"},
	{"sftp:user:password@host:/x", "password"},
	{"sftp://user:password@host/x", "password"},
	{"sftp://-E@host/x", "user"},
	{"sftp://-oProxyCommand=x/y", "name"},
	{"sftp://host", "folder"},
	{"sftp:///x", "missing"},
	{"sftp://host:0/x", "port"},
	{"sftp://host/a%2fb", "form"},
	{"sftp:host:~/x", "~"},
	{"sftp:host:a/../../b", "plain"},
	{`sftp:host:a\b`, "plain"},
	{"rclone:name", "remote"},
	{"rclone:name:", "folder"},
	{"rclone::path", "remote"},
	{"rclone::sftp,ssh='touch x':x", "remote"},
	{`rclone::webdav,bearer_token_command="touch x":x`, "remote"},
	{"rclone:-x:path", "remote"},
	{"rclone: x:path", "remote"},
	{"rclone:name,opt=1:path", "remote"},
	{"rclone:name=1:path", "remote"},
	{"rclone:name:../x", "plain"},
}

func TestParseRepositoryURLRefuses(t *testing.T) {
	for _, tt := range refused {
		u, err := ParseRepositoryURL(tt.in)
		if fault.CodeOf(err) != fault.InvalidRepositoryURL {
			t.Errorf("ParseRepositoryURL(%q) = %+v, %v, want %s", tt.in, u, err, fault.InvalidRepositoryURL)
			continue
		}
		msg, _ := fault.Message(err)
		if !strings.Contains(msg, tt.word) || !strings.HasSuffix(msg, ".") {
			t.Errorf("ParseRepositoryURL(%q): %q, want a sentence with %q", tt.in, msg, tt.word)
		}
		if strings.Contains(msg, "password@") || strings.Contains(msg, ":password") || strings.Contains(msg, "secret") {
			t.Errorf("ParseRepositoryURL(%q) repeats a credential: %q", tt.in, msg)
		}
		if u != (RepositoryURL{}) {
			t.Errorf("ParseRepositoryURL(%q) gives %+v beside its error", tt.in, u)
		}
	}
}

// A slash in a password moves what looks like the host; the answer must not quote it.
func TestParseRepositoryURLQuotesNoPassword(t *testing.T) {
	for _, in := range []string{"rest:https://user:pa/ss@host/", "sftp://user:pa/ss@host/x", "s3:https://id:pa/ss@host/b", "sftp:user:pa/ss@host:/x", "user:pass@host"} {
		_, err := ParseRepositoryURL(in)
		if msg, _ := fault.Message(err); msg == "" || strings.Contains(msg, "pa/") || strings.Contains(msg, ":pa") {
			t.Errorf("ParseRepositoryURL(%q): %q", in, msg)
		}
	}
}

func FuzzParseRepositoryURL(f *testing.F) {
	for _, r := range refused {
		f.Add(r.in)
	}
	for _, s := range []string{"/srv/x", `C:\x`, "rest:https://h:1/x/", "s3:h/bucket", "sftp:u@h:/x", "sftp://u@h:22//x", "rclone:n:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseRepositoryURL(s)
		if err != nil {
			if fault.CodeOf(err) != fault.InvalidRepositoryURL {
				t.Fatalf("%q: code %s", s, fault.CodeOf(err))
			}
			return
		}
		if u.Raw != s || strings.HasPrefix(s, "-") || strings.ContainsAny(s, "\x00\r\n") || len(s) > MaxRepositoryURL {
			t.Fatalf("%q was taken as %+v", s, u)
		}
		if strings.HasPrefix(u.Host, "-") || strings.HasPrefix(u.User, "-") || strings.ContainsAny(u.User, "@: '\"`$;|&<>") {
			t.Fatalf("%q: host %q, user %q", s, u.Host, u.User)
		}
		switch u.Scheme {
		case SchemeLocal:
			if s[0] != '/' && !u.Drive {
				t.Fatalf("%q is no absolute path", s)
			}
		case SchemeREST, SchemeS3:
			if strings.ContainsAny(s, "?#%\\\"' ") || strings.Contains(u.Host, "@") {
				t.Fatalf("%q: %+v", s, u)
			}
		case SchemeSFTP:
			if strings.ContainsAny(u.Host, "@=,'\"` $;|&<>/\\") {
				t.Fatalf("%q: host %q", s, u.Host)
			}
		case SchemeRclone:
			if u.Host == "" || strings.ContainsAny(u.Host, ":,='\"/\\") {
				t.Fatalf("%q: remote %q", s, u.Host)
			}
		default:
			t.Fatalf("%q: scheme %q", s, u.Scheme)
		}
	})
}
