package uses

import (
	"cmp"
	// The algorithms that the digest of a reference may have.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// errNoImage is a reference of this registry that ends before an image.
var errNoImage = errors.New("does not name an image: want rg.<region>.scw.cloud/<namespace>/<image>[:<tag>][@<digest>]")

// Reference is what a text names: a namespace, an image, a tag, a digest in an image,
// or, if it has nothing else, a digest in every image.
type Reference struct {
	Ref    registry.Ref
	Digest string
}

// ParseReference reads a text as container tools do. It is not ours when it is of
// another registry, which a name without a host is too. A digest alone may be written
// "sha256:…" or "@sha256:…".
func ParseReference(written string) (r Reference, ours bool, err error) {
	r, ours, err = read(written)
	if err != nil {
		err = fmt.Errorf("%s %w", shown(written), err)
	}
	return r, ours, err
}

// read returns errors without the text.
func read(written string) (r Reference, ours bool, err error) {
	parsed, err := reference.ParseAnyReference(strings.TrimPrefix(written, "@"))
	if err != nil {
		return Reference{}, false, fmt.Errorf("is not a valid reference: %w", err)
	}
	if d, ok := parsed.(reference.Digested); ok {
		r.Digest = d.Digest().String()
	}
	named, ok := parsed.(reference.Named)
	if !ok {
		// 64 hexadecimal digits are the ID of a local image in some tools, and not
		// necessarily a digest in a registry. Reading them as a digest only keeps more.
		return r, r.Digest != "", nil
	}
	region, ok := regionOf(reference.Domain(named))
	if !ok {
		return Reference{}, false, nil
	}
	r.Ref.Region = region
	r.Ref.Namespace, r.Ref.Image, _ = strings.Cut(reference.Path(named), "/")
	if t, ok := named.(reference.Tagged); ok {
		r.Ref.Tag = t.Tag()
	}
	if r.Ref.Image == "" && (r.Ref.Tag != "" || r.Digest != "") {
		return Reference{}, false, errNoImage
	}
	return r, true, nil
}

// Candidates are what a person can mean by a text: what ParseReference reads, and, for
// a name without a host, that name in each of the regions.
func Candidates(written string, regions []string) ([]Reference, error) {
	r, ours, err := ParseReference(written)
	switch {
	case ours:
		return []Reference{r}, nil
	case !isShort(written):
		return nil, cmp.Or(err, fmt.Errorf("%s is not a reference of this registry: want [rg.<region>.scw.cloud/]<namespace>[/<image>[:<tag>][@<digest>]]", shown(written)))
	}
	var all []Reference
	for _, region := range regions {
		r, _, err := read(registry.Ref{Region: registry.Region(region)}.String() + "/" + written)
		if err != nil {
			return nil, fmt.Errorf("%s %w", shown(written), err)
		}
		all = append(all, r)
	}
	return all, nil
}

// isShort reports whether a name has no host: what comes before its first slash is not
// one by the rules of container tools, nor that of a registry without anything after it.
func isShort(written string) bool {
	first, _, slash := strings.Cut(written, "/")
	if _, host := regionOf(first); host || first == "" {
		return false
	}
	return !slash || first != "localhost" && !strings.ContainsAny(first, ".:")
}

// parse reads a use. A reference with neither tag nor digest means the tag latest; one
// with both is a use of both.
func parse(raw registry.RawUse) (use registry.Use, ours bool, err error) {
	r, ours, err := ParseReference(raw.Reference)
	if !ours || err != nil {
		return registry.Use{}, false, err
	}
	if r.Ref != (registry.Ref{}) {
		if r.Ref.Image == "" {
			return registry.Use{}, false, fmt.Errorf("%s %w", shown(raw.Reference), errNoImage)
		}
		if r.Ref.Tag == "" && r.Digest == "" {
			r.Ref.Tag = "latest"
		}
	}
	return registry.Use{Ref: r.Ref, Digest: r.Digest, By: raw.By}, true, nil
}

// regionOf returns the region whose registry has that host, if there is one. Hosts
// are not case sensitive, and may have the port of HTTPS.
func regionOf(host string) (registry.Region, bool) {
	host = strings.TrimSuffix(strings.ToLower(host), ":443")
	name, ok := strings.CutPrefix(host, "rg.")
	if ok {
		name, ok = strings.CutSuffix(name, ".scw.cloud")
	}
	return registry.Region(name), ok && slices.Contains(registry.Regions(), registry.Region(name))
}

// wrongHost is the error of a reference that is most likely meant to be one of this
// registry. Without it, a typing error in a host would protect nothing.
func wrongHost(line string) error {
	host, found := hostOf(line)
	if !found {
		return nil
	}
	var hosts, regions []string
	for _, region := range registry.Regions() {
		hosts, regions = append(hosts, registry.Ref{Region: region}.String()), append(regions, string(region))
	}
	meant := text.Nearest(host, hosts)
	if strings.HasPrefix(host, "rg.") && strings.HasSuffix(host, ".scw.cloud") {
		meant = text.Nearest(host[len("rg."):len(host)-len(".scw.cloud")], regions)
		if meant != "" {
			meant = "rg." + meant + ".scw.cloud"
		}
	} else if meant == "" {
		return nil
	}
	hint := "want " + text.List(hosts, "or")
	if meant != "" {
		hint = "did you mean " + meant + "?"
	}
	return fmt.Errorf("%s is not the host of a Scaleway registry: %s", host, hint)
}

// hostOf is the host of a reference, in lower case.
func hostOf(line string) (string, bool) {
	parsed, err := reference.ParseNormalizedNamed(line)
	if err != nil {
		return "", false
	}
	return strings.ToLower(reference.Domain(parsed)), true
}

// shown is a reference in an error: quoted, and of bounded length.
func shown(reference string) string { return fmt.Sprintf("%q", text.Clip(reference, 200)) }
