package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/backstay/backstay/shared/fault"
)

// makeTarget makes the fresh folder of a restore, directly below the restore root, and gives its path with all links resolved. A
// folder that is there already is refused, whatever it holds: a restore overwrites nothing.
func makeTarget(target string) (string, error) {
	root, name := filepath.Dir(target), filepath.Base(target)
	if !filepath.IsAbs(target) || !filepath.IsLocal(name) || name == "." {
		return "", fault.New(fault.InvalidPath, "%q cannot be the folder of a restore. Give one plain name.", target)
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fault.Wrap(fault.InvalidPath, err, "The restore root %s cannot be made on this host. Make it by hand, or name another in policy.toml.", root)
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", fmt.Errorf("resolve restore root: %w", err)
	}
	dir, err := os.OpenRoot(real)
	if err != nil {
		return "", fmt.Errorf("open restore root: %w", err)
	}
	defer dir.Close()
	err = dir.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return "", fault.Wrap(fault.InvalidPath, err, "The folder %s is there already, and a restore overwrites nothing. Choose another folder name.", target)
	}
	if err != nil {
		return "", fault.Wrap(fault.InvalidPath, err, "The folder %s cannot be made on this host. Check the restore root's permissions and free space.", target)
	}
	return filepath.Join(real, name), nil
}

// missing gives those of the paths in a snapshot that a restore did not bring into its folder target. The folder was fresh, so what
// is in it came with the restore; a link that was restored leads out of it and is not followed.
func missing(target string, includes []string) (paths []string, err error) {
	dir, err := os.OpenRoot(target)
	if err != nil {
		return nil, fmt.Errorf("open the restore's folder: %w", err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	for _, p := range includes {
		there, lookErr := restored(dir, strings.Split(strings.TrimPrefix(p, "/"), "/"))
		if err = errors.Join(err, lookErr); lookErr == nil && !there {
			paths = append(paths, p)
		}
	}
	return paths, err
}

// restored tells whether the path of these names is in dir, through real folders only.
func restored(dir *os.Root, names []string) (bool, error) {
	at := ""
	for i, name := range names {
		at = filepath.Join(at, name)
		info, err := dir.Lstat(filepath.Join(".", at))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("look for what was restored: %w", err)
		case i < len(names)-1 && !info.IsDir():
			return false, nil
		}
	}
	return true, nil
}
