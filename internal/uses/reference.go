package uses

import (
	// What a digest in a reference may be of.
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
var errNoImage = errors.New("it does not name an image: want rg.<region>.scw.cloud/<namespace>/<image>[:<tag>][@<digest>]")

// parse reads a reference as container tools do. It is not ours when it is of
// another registry, which a short name is too. A reference with neither tag nor
// digest means the tag latest; one with both is a use of both. A digest alone
// ("sha256:…") is a use of it in every image.
func parse(raw registry.RawUse) (use registry.Use, ours bool, err error) {
	parsed, err := reference.ParseAnyReference(raw.Reference)
	if err != nil {
		return registry.Use{}, false, fmt.Errorf("%s is not a valid reference: %w", shown(raw.Reference), err)
	}
	use.By = raw.By
	if d, ok := parsed.(reference.Digested); ok {
		use.Digest = d.Digest().String()
	}
	named, ok := parsed.(reference.Named)
	if !ok {
		// 64 hexadecimal digits are the ID of a local image in some tools, and not
		// necessarily a digest in a registry. Reading them as a digest only keeps more.
		return use, use.Digest != "", nil
	}
	region, ok := regionOf(reference.Domain(named))
	if !ok {
		return registry.Use{}, false, nil
	}
	use.Ref.Region = region
	use.Ref.Namespace, use.Ref.Image, ok = strings.Cut(reference.Path(named), "/")
	if !ok {
		return registry.Use{}, false, fmt.Errorf("%s: %w", shown(raw.Reference), errNoImage)
	}
	if t, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		use.Ref.Tag = t.Tag()
	}
	return use, true, nil
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

// shown is a reference in an error: quoted, and of bounded length.
func shown(reference string) string { return fmt.Sprintf("%q", text.Clip(reference, 200)) }
