package fleet

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fault"
)

// The daemon checks paths of hosts whose system is not its own, so nothing here asks path/filepath.

// hostPath checks a path of a host with this GOOS ("": of either kind): absolute and in its plainest form.
func hostPath(p, goos string) error {
	switch {
	case goos == "windows" || goos == "" && isDrivePath(p):
		return drivePath(p)
	case goos != "" && isDrivePath(p):
		return badPath("%q is a path of Windows, and this host runs %s. Give a path of this host.", printable(p), goos)
	}
	return slashPath(p)
}

// slashPath checks an absolute path with slashes.
func slashPath(p string) error {
	if err := pathText(p); err != nil {
		return err
	}
	if p[0] != '/' {
		return badPath("%q is not an absolute path. Give the whole path, beginning with a slash.", printable(p))
	}
	if clean := path.Clean(p); clean != p {
		return badPath("%q is not in its plain form. Write %q.", printable(p), printable(clean))
	}
	return nil
}

// isDrivePath tells whether p begins like an absolute path of Windows: C:\ or C:/.
func isDrivePath(p string) bool {
	return len(p) >= 3 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') && isAlnum(p[0]) && !(p[0] >= '0' && p[0] <= '9')
}

// drivePath checks an absolute path of Windows. Device paths (\\?\), shares (\\host\) and streams (file:name) are refused:
// they have other rules, and a share would make the host sign in to a server of somebody's choice.
func drivePath(p string) error {
	if err := pathText(p); err != nil {
		return err
	}
	if !isDrivePath(p) {
		return badPath("%q is not an absolute path with a drive letter. Give the whole path, such as C:\\Users.", printable(p))
	}
	rest := strings.ReplaceAll(p[3:], `\`, "/")
	if rest == "" {
		return nil
	}
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" || part == "." || part == ".." {
			return badPath("%q is not in its plain form. Leave out . and .. and write single separators, none at the end.", printable(p))
		}
		if strings.ContainsAny(part, `<>:"|?*`) || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' }) ||
			strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || reservedName(part) {
			return badPath("%q has a part that Windows does not allow in a path. Give the path as Explorer shows it.", printable(p))
		}
	}
	return nil
}

func pathText(p string) error {
	switch {
	case p == "":
		return badPath("A path is empty. Give an absolute path.")
	case len(p) > maxPath:
		return badPath("A path is longer than %d bytes. Give the folder above it.", maxPath)
	case garbled(p):
		return badPath("The path %q has a character in it that is not UTF-8, or was not when it was typed. Give the folder above it.", printable(p))
	case strings.ContainsAny(p, "\x00\n\r"):
		return badPath("The path %q holds a NUL or a line break. Give the folder above it.", printable(p))
	}
	return nil
}

// garbled tells whether s is not UTF-8, or was not before it came here: JSON has no way to say other bytes, so its writers and
// readers put U+FFFD in their place, and the path would be another one.
func garbled(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) }

// reservedName tells whether Windows takes name for a device, whatever its extension.
func reservedName(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}

func badPath(format string, args ...any) error {
	return fault.New(fault.InvalidPath, format, args...)
}
