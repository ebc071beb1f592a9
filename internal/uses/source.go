package uses

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// source is a Source made of a function.
type source struct {
	name string
	uses func(context.Context) ([]registry.Use, error)
}

func (s source) Name() string                                     { return s.name }
func (s source) Uses(ctx context.Context) ([]registry.Use, error) { return s.uses(ctx) }

// Parsed is a source of references as they are written there. If one is not a valid
// reference, the source fails: what it uses is not known then.
func Parsed(name string, list func(context.Context) ([]registry.RawUse, error)) Source {
	return source{name, func(ctx context.Context) ([]registry.Use, error) {
		listed, failed := list(ctx)
		var uses []registry.Use
		var errs []error
		for _, raw := range listed {
			use, ours, err := parse(raw)
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("%s: %w", raw.By, err))
			case ours:
				uses = append(uses, use)
			}
		}
		slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
		if more := len(errs) - maxErrors; more > 0 {
			errs = append(errs[:maxErrors], fmt.Errorf("and %s that cannot be read", text.Count(more, "more reference")))
		}
		return uses, errors.Join(failed, errors.Join(errs...))
	}}
}

// Unread is a source that cannot be read here.
func Unread(name string, err error) Source {
	return source{name, func(context.Context) ([]registry.Use, error) { return nil, err }}
}

// File is the references file that the configuration names so, at a path. It is
// read each time.
func File(name, path string) Source {
	s := source{name: "references file " + name}
	s.uses = func(context.Context) ([]registry.Use, error) {
		data, err := files.Read(path, maxFile)
		if err != nil {
			return nil, fmt.Errorf("reading protect.references_file: %w", err)
		}
		uses, err := readReferences(path, bytes.NewReader(data), s.name)
		if err != nil {
			return uses, fmt.Errorf("reading protect.references_file: %w", err)
		}
		return uses, nil
	}
	return s
}

// Stdin reads references from standard input, once. A nil reader is an error.
func Stdin(r io.Reader) Source {
	const name = "references on standard input"
	read := sync.OnceValues(func() ([]registry.Use, error) {
		if r == nil {
			return nil, errors.New("protect.references_file reads standard input, but the program has none")
		}
		return readReferences("standard input", r, name)
	})
	return source{name, func(context.Context) ([]registry.Use, error) { return read() }}
}

const (
	// maxFile bounds a references file, in bytes: room for a million references.
	maxFile = 256 * files.MiB
	// maxLine bounds a line of a references file, in bytes. The longest possible
	// reference has a few hundred.
	maxLine = 64 << 10
	// maxErrors is how many bad references are shown: a file that holds something
	// else altogether has many.
	maxErrors = 10
)

// readReferences reads references in use, one a line; blank lines and lines that
// begin with # are ignored. Everything else must be a valid reference: the error
// names the file and the line, and what could be read comes with it.
func readReferences(file string, r io.Reader, by string) ([]registry.Use, error) {
	var uses []registry.Use
	var errs []error
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // some editors write it
		}
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		use, ours, err := parseLine(line, by)
		if err == nil && !ours {
			err = wrongHost(line)
		}
		switch {
		case err != nil && len(errs) < maxErrors:
			errs = append(errs, fmt.Errorf("%s:%d: %w", file, number, err))
		case ours:
			uses = append(uses, use)
		}
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, fmt.Errorf("%s:%d: %w", file, number+1, err))
	}
	return uses, errors.Join(errs...)
}

func parseLine(line, by string) (registry.Use, bool, error) {
	if !utf8.ValidString(line) {
		return registry.Use{}, false, fmt.Errorf("%s is not text", shown(line))
	}
	return parse(registry.RawUse{Reference: line, By: by})
}
