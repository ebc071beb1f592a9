package content

import (
	"bytes"
	"crypto/sha256"
	"regexp"
	"strings"
)

// index makes an index of parts, or of images for platforms, which share the size.
func (m *Maker) index(r *Recipe) *Content {
	c := &Content{MediaType: typeIndex}
	for i, part := range r.parts() {
		made := m.Make(part)
		if len(r.Platforms) > 0 {
			made.Platform = r.Platforms[i]
		}
		c.Parts = append(c.Parts, made)
	}
	m.manifest = append(m.manifest[:0], `{"schemaVersion":2,"mediaType":"`+typeIndex+`","manifests":[`...)
	for i, part := range c.Parts {
		if i > 0 {
			m.manifest = append(m.manifest, ',')
		}
		m.descriptor(part.MediaType, Blob{Digest: part.Digest, Size: int64(len(part.Manifest))})
		m.manifest = append(append(m.manifest, platformField(part.Platform)...), '}')
	}
	m.manifest = append(m.manifest, ']')
	m.annotations(r)
	c.Manifest = bytes.Clone(append(m.manifest, '}'))
	c.Digest = sha256.Sum256(c.Manifest)
	return c
}

// parts are the recipes of what an index has.
func (r *Recipe) parts() []*Recipe {
	if len(r.Parts) > 0 {
		return r.Parts
	}
	parts := make([]*Recipe, len(r.Platforms))
	each := r.Size / int64(len(parts))
	for i, platform := range r.Platforms {
		p := &Recipe{Seed: sha256.Sum256(append(r.Seed[:], platform...)), Size: each, image: platform, Labels: r.Labels, Built: r.Built}
		if i == 0 {
			p.Size += r.Size % int64(len(parts))
		}
		parts[i] = p
	}
	return parts
}

// platformField is the field of a descriptor that names a platform.
func platformField(platform string) string {
	if platform == "" {
		return ""
	}
	parts := append(strings.SplitN(platform, "/", 3), "")
	field := `,"platform":{"architecture":"` + parts[1] + `","os":"` + parts[0] + `"`
	if parts[2] != "" {
		field += `,"variant":"` + parts[2] + `"`
	}
	return field + "}"
}

// attachmentName is the form of the names of signatures, attestations and bills of
// materials: the digest that they are attached to, and a suffix.
var attachmentName = regexp.MustCompile(`^sha256-([0-9a-f]{64})(\.[a-z]+)`)

// Attaches reports whether a tag of that name is an attachment of another one.
func Attaches(name string) bool {
	return strings.HasPrefix(name, "sha256-") && attachmentName.MatchString(name)
}

// attachment makes the blobs of what cosign makes: a config, and one layer of JSON, whose
// media type it returns.
func (m *Maker) attachment(r *Recipe) (mediaType string) {
	name := attachmentName.FindStringSubmatch(r.Name)
	payload := []byte(`{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":"sha256:` + name[1] +
		`"},"type":"cosign container image signature"},"optional":{"seed":"` + r.Seed.String() + `"}}`)
	const config = `{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":["`
	configLen := int64(len(config)) + 7 + 64 + 4
	if more := r.Size - configLen - int64(len(payload)); more > 0 {
		payload = append(payload, bytes.Repeat([]byte(" "), int(more))...)
	}
	layer := Blob{Digest: sha256.Sum256(payload), Size: int64(len(payload)), own: payload}
	own := append(layer.Digest.Append([]byte(config)), `"]}}`...)
	m.blobs = append(m.blobs[:0], Blob{Digest: sha256.Sum256(own), Size: int64(len(own)), own: own}, layer)
	return payloadType(name[2])
}

// payloadType is the media type of the layer of an attachment.
func payloadType(suffix string) string {
	switch suffix {
	case ".att":
		return "application/vnd.dsse.envelope.v1+json"
	case ".sbom":
		return "application/vnd.cyclonedx+json"
	}
	return "application/vnd.dev.cosign.simplesigning.v1+json"
}
