package scanner

import (
	"bufio"
	"cmp"
	"context"
	// What a digest in a reference may be of.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/distribution/reference"

	"github.com/registry-janitor/registry-janitor/registry"
)

// UseSource is somebody who may use images, and can be asked about it.
type UseSource struct {
	// Name is the subject of the gap when it cannot be asked: "serverless containers
	// in nl-ams".
	Name string
	// List returns every image that it uses, or fails; what it names although it
	// failed counts too.
	List func(context.Context) ([]registry.Mention, error)
}

// Uses asks all sources, at once: the uses are sorted and each comes once. A
// source that could not be asked, or that uses something that nobody can read,
// is a gap that blinds all: it could have vetoed every deletion.
func Uses(ctx context.Context, sources []UseSource) ([]registry.Use, []registry.Gap) {
	type answer struct {
		at   int
		uses []registry.Use
		err  error
	}
	answers := make(chan answer, len(sources))
	for at, s := range sources {
		go func() {
			uses, err := s.uses(ctx)
			answers <- answer{at, uses, err}
		}()
	}
	var uses []registry.Use
	failed := make([]error, len(sources))
	for range sources {
		a := <-answers
		uses = append(uses, a.uses...)
		failed[a.at] = a.err
	}
	var gaps []registry.Gap
	for at, err := range failed {
		if err != nil {
			gaps = append(gaps, registry.Gap{Subject: sources[at].Name, Error: err.Error(), Blinds: registry.BlindsAll})
		}
	}
	slices.SortFunc(uses, registry.CompareUses)
	return slices.Compact(uses), gaps
}

func (s UseSource) uses(ctx context.Context) (known []registry.Use, err error) {
	defer func() {
		if p := recover(); p != nil { // nobody knows what it uses then
			err = fmt.Errorf("a bug in the program: panic: %v", p)
		}
	}()
	mentions, failed := s.List(ctx)
	var uses []registry.Use
	var errs []error
	for _, m := range mentions {
		use, ours, err := ParseUse(m)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", m.By, err))
		case ours:
			uses = append(uses, use)
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	if more := len(errs) - maxReferenceErrors; more > 0 {
		errs = append(errs[:maxReferenceErrors], fmt.Errorf("and %d more references that cannot be read", more))
	}
	return uses, errors.Join(failed, errors.Join(errs...))
}

// errNoImage is a reference of this registry that stops short of an image.
var errNoImage = errors.New("it names no image: want rg.<region>.scw.cloud/<namespace>/<image>[:<tag>][@<digest>]")

// ParseUse reads a reference as container tools do. It is not ours when it is
// one of another registry, or a short name, which means one. A reference with
// neither tag nor digest means the tag latest; one with both is a use of both. A
// digest alone ("sha256:…") is a use of it in whatever image.
func ParseUse(m registry.Mention) (use registry.Use, ours bool, err error) {
	parsed, err := reference.ParseAnyReference(m.Reference)
	if err != nil {
		return registry.Use{}, false, fmt.Errorf("%s is no valid reference: %w", shown(m.Reference), err)
	}
	use.By = m.By
	if d, ok := parsed.(reference.Digested); ok {
		use.Digest = d.Digest().String()
	}
	named, ok := parsed.(reference.Named)
	if !ok {
		// 64 hexadecimal digits are the ID of a local image in some tools, and not
		// necessarily a digest in a registry; taking them for one only keeps more.
		return use, use.Digest != "", nil
	}
	region, ok := regionOf(reference.Domain(named))
	if !ok {
		return registry.Use{}, false, nil
	}
	use.Ref.Region = region
	use.Ref.Namespace, use.Ref.Image, ok = strings.Cut(reference.Path(named), "/")
	if !ok {
		return registry.Use{}, false, fmt.Errorf("%s: %w", shown(m.Reference), errNoImage)
	}
	if t, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		use.Ref.Tag = t.Tag()
	}
	return use, true, nil
}

// regionOf is the region whose registry has that host, if it is one. Hosts are
// not case sensitive, and the port of HTTPS may be written out.
func regionOf(host string) (registry.Region, bool) {
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	name, ok := strings.CutPrefix(host, "rg.")
	if ok {
		name, ok = strings.CutSuffix(name, ".scw.cloud")
	}
	return registry.Region(name), ok && slices.Contains(registry.Regions(), registry.Region(name))
}

// shown is a reference for an error: quoted, and not for pages.
func shown(text string) string {
	const most = 200
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}

// maxReferenceLine bounds a line of a references file, in bytes. The longest
// reference there can be has a few hundred.
const maxReferenceLine = 64 << 10

// ReadReferences reads references in use, one a line; blank lines and lines that
// begin with # are ignored. Everything else must be a valid reference: the error
// names the file and the line, and what could be read comes with it. The uses are
// sorted and each comes once.
func ReadReferences(name string, r io.Reader, by string) ([]registry.Use, error) {
	var uses []registry.Use
	var errs []error
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxReferenceLine)
	number := 0
	for lines.Scan() {
		number++
		text := lines.Text()
		if number == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // some editors write it
		}
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		use, ours, err := parseLine(text, by)
		switch {
		case err != nil && len(errs) < maxReferenceErrors:
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, number, err))
		case ours:
			uses = append(uses, use)
		}
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, fmt.Errorf("%s:%d: %w", name, number+1, err))
	}
	slices.SortFunc(uses, registry.CompareUses)
	return slices.Compact(uses), errors.Join(errs...)
}

// maxReferenceErrors is how many bad references are shown: a file that holds
// something else altogether has many.
const maxReferenceErrors = 10

func parseLine(text, by string) (registry.Use, bool, error) {
	if !utf8.ValidString(text) {
		return registry.Use{}, false, fmt.Errorf("%s is no text", shown(text))
	}
	return ParseUse(registry.Mention{Reference: text, By: by})
}
