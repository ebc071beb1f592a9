package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/files"
)

// What a command reads is bounded, so that a wrong name does not fill the memory.
const (
	maxPlan   = 1024 * files.MiB // room for more than a million steps
	maxConfig = 4 * files.MiB
	maxWorld  = 64 * files.MiB
	// An inventory is read record by record, so the limit only ends what has no end.
	maxInventory = 16 * 1024 * files.MiB
)

// standard is "-" for standard input or output, as everywhere.
const standard = "-"

// isStdin and isStdout report whether a file is a standard stream of this process. By
// its other names it could be opened again, at another position.
func isStdin(path string) bool {
	return slices.Contains([]string{standard, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}, path)
}

func isStdout(path string) bool {
	return slices.Contains([]string{standard, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, path)
}

// takeStdin gives standard input to what is called so: it can be read once.
func (a *app) takeStdin(name string) error {
	if a.stdinOf != "" && a.stdinOf != name {
		return fmt.Errorf("%s and %s both read standard input: name a file for one of them", a.stdinOf, name)
	}
	a.stdinOf = name
	return nil
}

// takeStdout gives standard output to the flag that names a file so. The report then
// goes to standard error.
func (a *app) takeStdout(flag, path string) error {
	if !isStdout(path) {
		return nil
	}
	if a.stdoutOf != "" {
		return fmt.Errorf("%s and %s both write to standard output: name a file for one of them", a.stdoutOf, flag)
	}
	a.stdoutOf = flag
	return nil
}

// reports is where reports go.
func (a *app) reports() io.Writer {
	if a.stdoutOf != "" {
		return a.stderr
	}
	return a.stdout
}

// openFile opens the file that is called name on the command line. Besides a regular
// file it may be a named pipe, such as that of a process substitution, or "-".
func (a *app) openFile(ctx context.Context, name, path string, limit int64) (io.ReadCloser, error) {
	if !isStdin(path) {
		return files.Stream(ctx, path, limit)
	}
	if err := a.takeStdin(name); err != nil {
		return nil, err
	}
	return io.NopCloser(files.Limit(a.stdin, "standard input", limit)), nil
}

// copyFile copies an inventory; see openFile.
func (a *app) copyFile(ctx context.Context, name, path string, to io.Writer) error {
	from, err := a.openFile(ctx, name, path, maxInventory)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// readFile reads a whole file; see openFile.
func (a *app) readFile(ctx context.Context, name, path string, limit int64) ([]byte, error) {
	file, err := a.openFile(ctx, name, path, limit)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// writeFile writes the file that a flag names; see files.Write. Only its owner may read
// a new one.
func (a *app) writeFile(ctx context.Context, path string, write func(io.Writer) error) error {
	if isStdout(path) {
		return write(a.stdout)
	}
	if err := files.Write(ctx, path, 0o600, write); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// readPlan reads a saved plan.
func (a *app) readPlan(ctx context.Context, path string) (*actions.Plan, error) {
	file, err := a.openFile(ctx, "the plan", path, maxPlan)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer file.Close()
	plan, err := actions.Decode(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plan, nil
}

// loadConfig reads a configuration, which flag names.
func (a *app) loadConfig(ctx context.Context, flag, path string, unneeded ...string) (*config.Config, error) {
	c, err := a.readConfig(ctx, flag, path, unneeded)
	if err == nil && c.Protect.ReferencesFile == config.StandardInput {
		err = a.takeStdin("protect.references_file")
	}
	return c, err
}

func (a *app) readConfig(ctx context.Context, flag, path string, unneeded []string) (*config.Config, error) {
	if !isStdin(path) {
		return loadConfig(path, unneeded...)
	}
	data, err := a.readFile(ctx, flag, path, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return config.Read("<stdin>", data, unneeded...)
}

// isStream reports whether a file is a standard stream, or is not a regular one.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return isStdin(path) || err == nil && !info.Mode().IsRegular() && !info.IsDir()
}
