package fleet

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/backstay/backstay/shared/fault"
)

// A repository URL is code: restic starts ssh and rclone from it, and both can be talked into running anything. So it is not
// searched for known attacks but must fit a small grammar in which each part has its own short list of characters. Messages
// quote no part of a URL with a server in it: what stands there may be a password in the wrong place.

// RepositoryScheme names the way that restic reaches a repository.
type RepositoryScheme string

// The schemes that Backstay lets restic use.
const (
	SchemeLocal  RepositoryScheme = "local"
	SchemeREST   RepositoryScheme = "rest"
	SchemeS3     RepositoryScheme = "s3"
	SchemeSFTP   RepositoryScheme = "sftp"
	SchemeRclone RepositoryScheme = "rclone"
)

// MaxRepositoryURL bounds a repository URL in bytes.
const MaxRepositoryURL = 2048

// RepositoryURL is a repository's place, taken apart. It never holds a credential.
type RepositoryURL struct {
	Scheme RepositoryScheme
	Raw    string // as given; what restic is told
	TLS    bool   // https
	User   string // sftp only
	Host   string // host, host:port or [address]:port; the remote's name for rclone; empty for a local folder
	Path   string // folder, path of the URL, or bucket and prefix
	Drive  bool   // a local path of Windows, with a drive letter
}

// String gives the URL as it was parsed.
func (u RepositoryURL) String() string { return u.Raw }

// ParseRepositoryURL takes a repository URL apart:
//
//	/folder  C:\folder                             a folder of the host
//	rest:https://host[:port]/path/  rest:http://…  a rest-server
//	s3:https://host[:port]/bucket[/prefix]  s3:host/bucket[/prefix]  s3:http://…
//	sftp:[user@]host:path  sftp://[user@]host[:port]/path
//	rclone:NAME:path                               NAME is a remote configured on the host
//
// Anything else is a fault.InvalidRepositoryURL that says what to write instead.
func ParseRepositoryURL(s string) (RepositoryURL, error) {
	if err := repositoryText(s); err != nil {
		return RepositoryURL{}, err
	}
	if strings.HasPrefix(s, "/") || isDrivePath(s) {
		return parseLocal(s)
	}
	scheme, rest, found := strings.Cut(s, ":")
	if !found {
		return RepositoryURL{}, badURL("%q is not an absolute path. Give the whole path, such as /srv/backup, or a URL such as rest:https://host:8000/name/.", printable(s))
	}
	u := RepositoryURL{Scheme: RepositoryScheme(scheme), Raw: s}
	switch u.Scheme {
	case SchemeREST:
		return parseREST(u, rest)
	case SchemeS3:
		return parseS3(u, rest)
	case SchemeSFTP:
		return parseSFTP(u, rest)
	case SchemeRclone:
		return parseRclone(u, rest)
	case SchemeLocal:
		return RepositoryURL{}, badURL("Leave out the prefix local: and give the absolute path alone, such as /srv/backup.")
	case "http", "https":
		return RepositoryURL{}, badURL("Say what kind of server this is: write rest:%s for a rest-server or s3:%s for S3 storage.", scheme, scheme)
	}
	return RepositoryURL{}, badURL("Backstay does not know the kind %q of repository. Use an absolute path, rest:, s3:, sftp: or rclone:.", printable(scheme))
}

func badURL(format string, args ...any) error {
	return fault.New(fault.InvalidRepositoryURL, format, args...)
}

// repositoryText checks what holds for every kind: restic reads the URL from a file, trims it and takes one line.
func repositoryText(s string) error {
	switch {
	case s == "":
		return badURL("The repository URL is empty. Give an absolute path or a URL such as rest:https://host:8000/name/.")
	case len(s) > MaxRepositoryURL:
		return badURL("The repository URL is %d bytes long. Give one of at most %d bytes.", len(s), MaxRepositoryURL)
	case garbled(s):
		return badURL("The repository URL is not valid UTF-8. Give it in UTF-8.")
	case strings.ContainsFunc(s, unicode.IsControl):
		return badURL("The repository URL holds a line break or another control character. Remove it.")
	case strings.TrimSpace(s) != s:
		return badURL("The repository URL begins or ends with white space. Remove it.")
	}
	return nil
}

func parseLocal(s string) (RepositoryURL, error) {
	u := RepositoryURL{Scheme: SchemeLocal, Raw: s, Path: s, Drive: isDrivePath(s)}
	goos := "linux"
	if u.Drive {
		goos = "windows"
	}
	// A trailing slash is what a shell's completion leaves; it names the same folder.
	trimmed := strings.TrimRight(s, `/`)
	if u.Drive {
		trimmed = strings.TrimRight(s, `/\`)
	}
	if trimmed == "" || len(trimmed) == 2 && u.Drive {
		return RepositoryURL{}, badURL("A repository needs a folder of its own. Give a path below %s.", s)
	}
	if err := hostPath(trimmed, goos); err != nil {
		msg, _ := fault.Message(err)
		return RepositoryURL{}, badURL("%s", msg)
	}
	return u, nil
}

func parseREST(u RepositoryURL, rest string) (RepositoryURL, error) {
	const example = "rest:https://host:8000/name/"
	scheme, rest, found := strings.Cut(rest, "://")
	if !found || scheme != "https" && scheme != "http" {
		return RepositoryURL{}, badURL("A rest-server is reached by http or https. Write it like %s.", example)
	}
	u.TLS = scheme == "https"
	var err error
	if u.Host, u.Path, err = hostAndPath(rest, example); err != nil {
		return RepositoryURL{}, err
	}
	if u.Path != "" && u.Path != "/" {
		if err := urlPath(strings.TrimSuffix(u.Path[1:], "/"), example); err != nil {
			return RepositoryURL{}, err
		}
	}
	return u, nil
}

func parseS3(u RepositoryURL, rest string) (RepositoryURL, error) {
	const example = "s3:https://host/bucket/folder"
	u.TLS = true
	if after, ok := strings.CutPrefix(rest, "https://"); ok {
		rest = after
	} else if after, ok := strings.CutPrefix(rest, "http://"); ok {
		rest, u.TLS = after, false
	} else if strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "http") {
		return RepositoryURL{}, badURL("This is not an address of S3 storage. Write it like %s or s3:host/bucket.", example)
	}
	var err error
	if u.Host, u.Path, err = hostAndPath(rest, example); err != nil {
		return RepositoryURL{}, err
	}
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if len(bucket) < 3 || len(bucket) > 63 || !isAlnum(bucket[0]) || !only(bucket, "._-") {
		return RepositoryURL{}, badURL("The bucket's name is missing or not one that S3 knows. Write the URL like %s.", example)
	}
	if prefix = strings.TrimSuffix(prefix, "/"); prefix != "" {
		if err := urlPath(prefix, example); err != nil {
			return RepositoryURL{}, err
		}
	}
	return u, nil
}

func parseSFTP(u RepositoryURL, rest string) (RepositoryURL, error) {
	const example = "sftp:user@host:/folder or sftp://user@host:22//folder"
	var login, host string
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		authority, folder, found := strings.Cut(after, "/")
		if !found {
			return RepositoryURL{}, badURL("The folder on the SFTP server is missing. Write the URL like %s.", example)
		}
		login, host, u.Path = splitUser(authority), afterUser(authority), folder
		if strings.ContainsAny(folder, "?#%") {
			return RepositoryURL{}, badURL("The folder on the SFTP server may not hold ? # or %% in this form. Write the URL like sftp:user@host:/folder.")
		}
		if host != "" && !validHostPort(host) {
			return RepositoryURL{}, badURL("The server's name or port is missing or malformed. Write the URL like %s.", example)
		}
	} else {
		authority, folder, found := strings.Cut(rest, ":")
		if !found {
			return RepositoryURL{}, badURL("The folder on the SFTP server is missing. Write the URL like %s.", example)
		}
		login, host, u.Path = splitUser(authority), afterUser(authority), folder
		if _, after, at := strings.Cut(folder, "@"); at && strings.Contains(after, ":") {
			login = ":" // sftp:user:password@host:folder, which restic would read as host "user"
		} else if !validHost(host) || strings.HasPrefix(host, "[") {
			return RepositoryURL{}, badURL("The SFTP server's name is missing or malformed. Write the URL like %s.", example)
		}
	}
	if strings.Contains(login, ":") {
		return RepositoryURL{}, badURL("Leave the password out of the URL: SFTP signs in with the SSH key of the host's agent. Write it like %s.", example)
	}
	if strings.Contains(rest[:len(rest)-len(u.Path)], "@") && !validLogin(login) {
		return RepositoryURL{}, badURL("The user name for SFTP may hold letters, digits, dots, hyphens and underscores, and no hyphen first. Write the URL like %s.", example)
	}
	if host == "" {
		return RepositoryURL{}, badURL("The SFTP server's host is missing. Write the URL like %s.", example)
	}
	u.User, u.Host = login, host
	// restic takes what follows host:port/ as a path, which is absolute when it begins with a second slash.
	if err := remotePath(strings.TrimPrefix(u.Path, "/"), example); err != nil {
		return RepositoryURL{}, err
	}
	return u, nil
}

func splitUser(authority string) string {
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return authority[:i]
	}
	return ""
}

func afterUser(authority string) string { return authority[strings.LastIndexByte(authority, '@')+1:] }

func parseRclone(u RepositoryURL, rest string) (RepositoryURL, error) {
	const example = "rclone:NAME:folder"
	name, folder, found := strings.Cut(rest, ":")
	if !found || !validRemote(name) {
		return RepositoryURL{}, badURL("Only a remote that is configured on the host may be used, by its plain name. Set it up there with `rclone config` and write the URL like %s.", example)
	}
	u.Host, u.Path = name, folder
	if err := remotePath(strings.TrimPrefix(folder, "/"), example); err != nil {
		return RepositoryURL{}, err
	}
	return u, nil
}

// validRemote tells whether name is the plain name of an rclone remote. A comma or an equals sign would begin options of the
// connection, a leading colon a remote made up on the spot; both can name programs to run.
func validRemote(name string) bool {
	if name == "" || len(name) > 100 || !isAlnum(name[0]) && name[0] != '_' || name[len(name)-1] == ' ' {
		return false
	}
	return only(name, "_ .-")
}

// validLogin tells whether user may be handed to ssh.
func validLogin(user string) bool {
	return user != "" && len(user) <= 64 && (isAlnum(user[0]) || user[0] == '_') && only(user, "_.-")
}

// hostAndPath cuts "host[:port][/path]".
func hostAndPath(s, example string) (host, rest string, err error) {
	host, rest = s, ""
	if i := strings.IndexByte(s, '/'); i >= 0 {
		host, rest = s[:i], s[i:]
	}
	if strings.Contains(host, "@") {
		return "", "", badURL("Leave the user name and the password out of the URL: credentials are given separately with `backstay repo add`, which seals them to the host. Write it like %s.", example)
	}
	if !validHostPort(host) {
		return "", "", badURL("The server's name or port is missing or malformed. Write the URL like %s.", example)
	}
	return host, rest, nil
}

func validHostPort(s string) bool {
	if strings.HasSuffix(s, "]") {
		return validHost(s)
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return validHost(s)
	}
	return validHost(s[:i]) && validPort(s[i+1:])
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s == strconv.FormatUint(n, 10)
}

// validHost tells whether s is a host name, an IPv4 address, or an IPv6 address in brackets. A label never begins with a
// hyphen, so a host is never taken for an option of ssh.
func validHost(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || !isAlnum(label[0]) || !isAlnum(label[len(label)-1]) || !only(label, "-_") {
			return false
		}
	}
	return true
}

// urlPath checks a path of an http URL or of S3: no part of it may need escaping, so that all who read it read the same.
func urlPath(s, example string) error {
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || part == "." || part == ".." || !only(part, "._~+=@-") {
			return badURL("The path in the URL may hold letters, digits and . _ ~ + = @ - between single slashes. Write it like %s.", example)
		}
	}
	return nil
}

// remotePath checks a path on an SFTP server or rclone remote: any text, but clean.
func remotePath(s, example string) error {
	trimmed := strings.TrimSuffix(s, "/")
	switch {
	case strings.Trim(s, "/") == "":
		return badURL("The folder of the repository is missing. Write the URL like %s.", example)
	case strings.HasPrefix(trimmed, "~"):
		return badURL("A server does not know ~ in a path. Leave it out: a path without a leading slash begins in the home folder.")
	case strings.Contains(s, `\`) || path.Clean(trimmed) != trimmed || trimmed == ".." || strings.HasPrefix(trimmed, "../"):
		return badURL("The folder of the repository has empty parts, . or .. or a backslash in it. Write it plainly, like %s.", example)
	}
	return nil
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// only tells whether s consists of ASCII letters, digits and the characters of extra.
func only(s, extra string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte(extra, s[i]) < 0 {
			return false
		}
	}
	return true
}
