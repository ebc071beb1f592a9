package content

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/registry"
)

// manifest is all that is read of a manifest or an index, whatever its type.
type manifest struct {
	MediaType    types.MediaType   `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       descriptor        `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Blobs        []descriptor      `json:"blobs"`     // of an artifact manifest
	FSLayers     []schema1Layer    `json:"fsLayers"`  // of a manifest of schema 1
	History      []schema1Config   `json:"history"`   // of such a manifest, that of the image first
	Manifests    []descriptor      `json:"manifests"` // of an index
	Subject      *descriptor       `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

// descriptor names something by its digest.
type descriptor struct {
	MediaType    types.MediaType   `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Platform     *platform         `json:"platform"`
	Annotations  map[string]string `json:"annotations"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

type schema1Layer struct {
	BlobSum string `json:"blobSum"`
}

// schema1Config has the config of an image, or of a layer, as text.
type schema1Config struct {
	V1Compatibility string `json:"v1Compatibility"`
}

// parseManifest reads a manifest of the type that the registry says it has.
func parseManifest(body []byte, served string) (*manifest, error) {
	m := new(manifest)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("its manifest is not valid: %w", err)
	}
	if m.MediaType == "" {
		served, _, _ = strings.Cut(served, ";")
		m.MediaType = types.MediaType(strings.TrimSpace(served))
	}
	return m, nil
}

func (m *manifest) isIndex() bool {
	return m.MediaType.IsIndex() || len(m.Manifests) > 0 && !m.MediaType.IsImage()
}

// isManifest reports whether a part of an index is itself a manifest. A cache of a build
// has layers in its place.
func (d *descriptor) isManifest() bool {
	return d.MediaType == "" || d.MediaType.IsImage() || d.MediaType.IsIndex() || d.MediaType.IsSchema1() || d.MediaType == artifactManifest
}

// artifactManifest is the type of manifests that version 1.1 of the specification of images
// had for a while.
const artifactManifest = "application/vnd.oci.artifact.manifest.v1+json"

// content is what a manifest that is not an index says; of an image, the config has the rest.
func (m *manifest) content() *registry.Content {
	c := &registry.Content{Kind: m.kind(), MediaType: string(m.MediaType), Annotations: m.Annotations}
	if m.Subject != nil {
		c.Subject = m.Subject.Digest
	}
	blobs := newBlobs()
	if m.Config.Digest != "" {
		blobs.add(m.Config.Digest, m.Config.Size)
	}
	for _, d := range slices.Concat(m.Layers, m.Blobs) {
		if d.MediaType.IsDistributable() { // the registry does not have the others
			blobs.add(d.Digest, d.Size)
		}
	}
	for _, l := range m.FSLayers {
		blobs.add(l.BlobSum, 0)
	}
	c.Blobs, c.SizeBytes = blobs.list, blobs.size
	return c
}

func (m *manifest) kind() registry.ContentKind {
	switch {
	case m.Subject != nil, m.isAttachment():
		return registry.ContentAttachment
	case m.MediaType.IsImage() && m.Config.MediaType.IsConfig() && (m.ArtifactType == "" || types.MediaType(m.ArtifactType).IsConfig()):
		return registry.ContentImage
	}
	return registry.ContentArtifact
}

// isRunnable reports whether a container runtime can run it, whatever it is about: then it
// has labels.
func (m *manifest) isRunnable() bool {
	return m.Config.MediaType.IsConfig() && len(m.Layers) > 0 && !m.isAttachment()
}

// isAttachment reports whether the manifest says that it is about something else, by its
// own type or by the type of all its layers.
func (m *manifest) isAttachment() bool {
	if isAttachmentType(m.ArtifactType) || isAttachmentType(string(m.Config.MediaType)) {
		return true
	}
	return len(m.Layers) > 0 && !slices.ContainsFunc(m.Layers, func(d descriptor) bool { return !isAttachmentType(string(d.MediaType)) })
}

// isAttachmentType reports whether a media type belongs to a signature, an attestation or a
// bill of materials: of cosign and sigstore, notation, BuildKit, CycloneDX, SPDX and Syft.
func isAttachmentType(mediaType string) bool {
	return slices.ContainsFunc([]string{
		"application/vnd.dev.cosign.", "application/vnd.dev.sigstore.", "application/vnd.dsse.", "application/vnd.in-toto",
		"application/vnd.cncf.notary.", "application/vnd.cyclonedx", "application/vnd.syft", "application/spdx", "text/spdx", "spdx+",
	}, func(prefix string) bool { return strings.HasPrefix(mediaType, prefix) })
}

// index joins an index with its parts, which are nil for parts that are not manifests.
func (m *manifest) index(parts []*registry.Content) *registry.Content {
	c := &registry.Content{Kind: registry.ContentIndex, MediaType: string(m.MediaType), Annotations: m.Annotations}
	if m.Subject != nil {
		c.Subject = m.Subject.Digest
	}
	blobs, undated := newBlobs(), false
	for i, part := range parts {
		d := &m.Manifests[i]
		c.Parts = append(c.Parts, d.Digest)
		if part == nil {
			blobs.add(d.Digest, d.Size)
			continue
		}
		for _, b := range part.Blobs {
			blobs.add(b.Digest, int64(b.Size)) //nolint:gosec // G115: it was one
		}
		switch {
		case part.Kind == registry.ContentIndex:
			c.Parts = append(c.Parts, part.Parts...)
			c.Platforms = append(c.Platforms, part.Platforms...)
			c.PartLabels = append(c.PartLabels, part.PartLabels...)
		case part.Kind == registry.ContentImage, len(part.Platforms)+len(part.Labels) > 0: // only what can be run has these
			if named := d.Platform.name(); named != "" {
				c.Platforms = append(c.Platforms, named)
			} else {
				c.Platforms = append(c.Platforms, part.Platforms...)
			}
			c.PartLabels = append(c.PartLabels, part.Labels)
		default:
			continue
		}
		undated = undated || part.BuiltAt.IsZero()
		if part.BuiltAt.After(c.BuiltAt) {
			c.BuiltAt = part.BuiltAt
		}
	}
	if undated { // that part may be newer
		c.BuiltAt = time.Time{}
	}
	c.Parts, c.Platforms = unique(c.Parts), unique(slices.Sorted(slices.Values(c.Platforms)))
	c.Labels = common(c.PartLabels)
	c.Blobs, c.SizeBytes = blobs.list, blobs.size
	return c
}

// unique removes what comes again, and keeps the order.
func unique(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s string) bool {
		before := seen[s]
		seen[s] = true
		return before
	})
}

// common are the labels that all have with the same value.
func common(labels []map[string]string) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	shared := maps.Clone(labels[0])
	for _, other := range labels[1:] {
		maps.DeleteFunc(shared, func(key, value string) bool {
			others, ok := other[key]
			return !ok || others != value
		})
	}
	if len(shared) == 0 {
		return nil
	}
	return shared
}

// name is "os/architecture" or "os/architecture/variant"; "" if that is not known, as of an
// attestation, whose platform is "unknown/unknown".
func (p *platform) name() string {
	if p == nil || p.OS == "" || p.Architecture == "" || p.OS == "unknown" || p.Architecture == "unknown" {
		return ""
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// config is what is read of the config of an image.
type config struct {
	platform
	Created string `json:"created"`
	Config  struct {
		Labels map[string]string `json:"Labels"`
	} `json:"config"`
}

func parseConfig(body []byte) (*config, error) {
	c := new(config)
	if err := json.Unmarshal(body, c); err != nil {
		return nil, fmt.Errorf("its config is not valid: %w", err)
	}
	return c, nil
}

// complete adds to the content of an image what the config has.
func (c *config) complete(to *registry.Content) {
	if name := c.name(); name != "" {
		to.Platforms = []string{name}
	}
	to.Labels = c.Config.Labels
	// Reproducible builds have the first day that Unix or the format of ZIP files can express.
	if at, err := time.Parse(time.RFC3339, c.Created); err == nil && at.UTC().Year() > 1980 {
		to.BuiltAt = at.UTC()
	}
}

// blobs counts each blob once.
type blobs struct {
	list []registry.Blob
	size uint64
	seen map[string]bool
}

func newBlobs() *blobs { return &blobs{seen: map[string]bool{}} }

func (b *blobs) add(digest string, size int64) {
	if digest == "" || b.seen[digest] {
		return
	}
	b.seen[digest] = true
	bytes := uint64(max(0, size))
	b.list = append(b.list, registry.Blob{Digest: digest, Size: bytes})
	b.size += bytes
}
