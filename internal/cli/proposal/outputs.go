package proposal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/propose"
)

// outputs are the files that init writes.
type outputs struct {
	config string // - is standard output
	schema string
	force  bool
	extra  bool // the schema is written too
}

// outputs refuses to write over files before anything is read.
func (f *flags) outputs() (*outputs, error) {
	o := &outputs{config: f.out, schema: "janitor.schema.json", force: f.force, extra: f.schema}
	stream := terminal.IsStdout(f.out) || terminal.IsStream(f.out)
	switch {
	case f.out == "":
		return nil, errors.New("-o is empty: name the file to write, or - for standard output")
	case stream && f.schema:
		return nil, fmt.Errorf("--schema writes beside the configuration, and -o %s is not a regular file: name another one, or write the schema with config schema", f.out)
	case stream:
		return o, nil
	}
	o.schema = strings.TrimSuffix(f.out, filepath.Ext(f.out)) + ".schema.json"
	if folder := filepath.Dir(f.out); !isFolder(folder) {
		return nil, fmt.Errorf("%s cannot be written: there is no folder %s", f.out, folder)
	}
	if f.force {
		return o, nil
	}
	names := []string{o.config}
	if o.extra {
		names = append(names, o.schema)
	}
	for _, file := range names {
		if _, err := os.Lstat(file); err == nil {
			return nil, existing(file)
		}
	}
	return o, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func existing(file string) error {
	return fmt.Errorf("%s exists, and is left as it is: name another file with -o, or overwrite it with --force", file)
}

// options are those of the first line.
func (o *outputs) options() propose.Options {
	exists := o.extra
	if !exists {
		_, err := os.Stat(o.schema)
		exists = err == nil
	}
	return propose.Options{Schema: filepath.Base(o.schema), SchemaExists: exists}
}

func (o *outputs) write(ctx context.Context, stdout io.Writer, text string) error {
	if terminal.IsStdout(o.config) {
		_, err := io.WriteString(stdout, text)
		return err
	}
	if o.extra {
		if err := o.file(ctx, o.schema, config.Schema()); err != nil {
			return err
		}
	}
	return o.file(ctx, o.config, []byte(text))
}

// file writes one file. Without --force it fails if the file appeared in the meantime.
func (o *outputs) file(ctx context.Context, path string, content []byte) error {
	if o.force || terminal.IsStream(path) {
		if err := files.Write(ctx, path, 0o644, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // G302: others may read a configuration, which has no secret
	if errors.Is(err, os.ErrExist) {
		return existing(path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
