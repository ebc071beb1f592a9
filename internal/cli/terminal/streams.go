package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/registry"
)

// standard is "-" for standard input or output, as everywhere.
const standard = "-"

// IsStdin reports whether a file is standard input. By its other names it could be opened
// again, at another position.
func IsStdin(path string) bool {
	return slices.Contains([]string{standard, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}, path)
}

// IsStdout reports whether a file is standard output.
func IsStdout(path string) bool {
	return slices.Contains([]string{standard, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, path)
}

// ClaimStdin gives standard input to what is called so: it can be read once.
func (t *Terminal) ClaimStdin(name string) error {
	if t.stdinOf != "" && t.stdinOf != name {
		return fmt.Errorf("%s and %s both read standard input: name a file for one of them", t.stdinOf, name)
	}
	t.stdinOf = name
	return nil
}

// StdinOf is what has taken standard input; "" for nothing.
func (t *Terminal) StdinOf() string { return t.stdinOf }

// ClaimStdout gives standard output to the flag that names a file so. The report then
// goes to standard error.
func (t *Terminal) ClaimStdout(flag, path string) error {
	if !IsStdout(path) {
		return nil
	}
	if t.stdoutOf != "" {
		return fmt.Errorf("%s and %s both write to standard output: name a file for one of them", t.stdoutOf, flag)
	}
	t.stdoutOf = flag
	return nil
}

// Reports is where reports go.
func (t *Terminal) Reports() io.Writer {
	if t.stdoutOf != "" {
		return t.Stderr
	}
	return t.Stdout
}

// OpenFile opens the file that is called name on the command line. Besides a regular
// file it may be a named pipe, such as that of a process substitution, or "-".
func (t *Terminal) OpenFile(ctx context.Context, name, path string, limit int64) (io.ReadCloser, error) {
	if !IsStdin(path) {
		return files.Stream(ctx, path, limit)
	}
	if err := t.ClaimStdin(name); err != nil {
		return nil, err
	}
	return io.NopCloser(files.Limit(t.Stdin, "standard input", limit)), nil
}

// ReadFile reads a whole file; see OpenFile.
func (t *Terminal) ReadFile(ctx context.Context, name, path string, limit int64) ([]byte, error) {
	file, err := t.OpenFile(ctx, name, path, limit)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// WriteFile writes the file that a flag names; see files.Write. Only its owner may read
// a new one.
func (t *Terminal) WriteFile(ctx context.Context, path string, write func(io.Writer) error) error {
	if IsStdout(path) {
		return write(t.Stdout)
	}
	if err := files.Write(ctx, path, 0o600, write); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// IsStream reports whether a file is a standard stream, or is not a regular one.
func IsStream(path string) bool {
	info, err := os.Stat(path)
	return IsStdin(path) || err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// ListGaps writes what could not be read to standard error.
func (t *Terminal) ListGaps(gaps []registry.Gap) {
	for _, g := range gaps {
		fmt.Fprintf(t.Stderr, "registry-janitor: gap: %s: %s\n", g.Subject, g.Error)
	}
}
