package modules

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/files"
)

// list names the policy and data files that a path stands for, in lexical order.
// Files and folders that begin with a dot are left out: volumes of a cluster
// keep every file there a second time.
func list(files fs.FS, path string) ([]string, error) {
	info, err := stat(files, path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if isPolicyFile(info.Name()) {
			return []string{path}, nil
		}
		return nil, nil
	}
	root := os.DirFS(path)
	if files != nil {
		if root, err = fs.Sub(files, path); err != nil {
			return nil, err
		}
	}
	var out []string
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case !d.IsDir() && isPolicyFile(d.Name()):
			out = append(out, filepath.Join(path, filepath.FromSlash(name)))
		}
		return nil
	})
	return out, err
}

func stat(files fs.FS, path string) (fs.FileInfo, error) {
	if files != nil {
		return fs.Stat(files, path)
	}
	return os.Stat(path)
}

// maxFile bounds one file of a policy set, in bytes.
const maxFile = 64 * files.MiB

// readFile reads a file of the disk, or of a file system in memory.
func readFile(within fs.FS, path string) ([]byte, error) {
	if within != nil {
		return fs.ReadFile(within, path)
	}
	return files.Read(path, maxFile)
}

// checkFile is for a file that OPA reads itself.
func checkFile(within fs.FS, path string) error {
	if within != nil {
		return nil
	}
	return files.Check(path, maxFile)
}

// isPolicyFile reports whether a file is Rego, a bundle, or a data file of the
// names that OPA bundles use.
func isPolicyFile(name string) bool {
	return strings.HasSuffix(name, ".rego") || strings.HasSuffix(name, ".tar.gz") || isDataFile(name)
}

func isDataFile(name string) bool {
	return name == "data.json" || name == "data.yaml" || name == "data.yml"
}

func notData(_ string, info fs.FileInfo, _ int) bool {
	if info.IsDir() {
		return strings.HasPrefix(info.Name(), ".") && info.Name() != "." && info.Name() != ".."
	}
	return !isDataFile(info.Name())
}

// relative is how a file is reported.
func relative(file, dir string) string {
	if dir == "" {
		return filepath.ToSlash(filepath.Clean(file))
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(file)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	rel, err := filepath.Rel(base, abs)
	if err != nil || strings.HasPrefix(rel, ".."+string(os.PathSeparator)) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}
