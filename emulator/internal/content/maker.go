package content

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"strconv"
	"strings"
	"time"
)

// The media types of what a Maker makes.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// Maker makes contents. It uses its memory again, so it serves one caller at a time; the
// zero value is ready.
type Maker struct {
	hash     hash.Hash
	state    []byte
	config   []byte
	manifest []byte
	own      []byte
	blobs    []Blob // the config first
}

// Digest is the digest of what a recipe makes. It keeps nothing, except of an index.
func (m *Maker) Digest(r *Recipe) Digest {
	if r.isIndex() {
		return m.index(r).Digest
	}
	m.single(r)
	return sha256.Sum256(m.manifest)
}

// Make makes the content of a recipe.
func (m *Maker) Make(r *Recipe) *Content {
	if r.isIndex() {
		return m.index(r)
	}
	c := &Content{MediaType: typeManifest, Platform: m.single(r)}
	c.Digest, c.Manifest = sha256.Sum256(m.manifest), bytes.Clone(m.manifest)
	for _, b := range m.blobs {
		b.own = bytes.Clone(b.own)
		c.Blobs = append(c.Blobs, b)
	}
	return c
}

func (r *Recipe) isIndex() bool { return len(r.Parts) > 0 || len(r.Platforms) > 0 }

// single makes an image or an attachment in the memory of the maker. It returns the
// platform; an attachment has none.
func (m *Maker) single(r *Recipe) (platform string) {
	layer := typeLayer
	if Attaches(r.Name) {
		layer = m.attachment(r)
	} else {
		platform = r.platform()
		m.image(r)
	}
	m.manifest = append(m.manifest[:0], `{"schemaVersion":2,"mediaType":"`+typeManifest+`","config":`...)
	m.descriptor(typeConfig, m.blobs[0])
	m.manifest = append(m.manifest, `},"layers":[`...)
	for i, b := range m.blobs[1:] {
		if i > 0 {
			m.manifest = append(m.manifest, ',')
		}
		m.descriptor(layer, b)
		m.manifest = append(m.manifest, '}')
	}
	m.manifest = append(m.manifest, ']')
	m.annotations(r)
	m.manifest = append(m.manifest, '}')
	return platform
}

// platform is the platform of an image.
func (r *Recipe) platform() string {
	if r.image != "" {
		return r.image
	}
	for _, p := range []string{"arm64", "arm", "386", "ppc64le", "riscv64", "s390x"} {
		at := strings.Index(r.Name, p)
		if at < 0 || at > 0 && isWord(r.Name[at-1]) {
			continue
		}
		rest := r.Name[at+len(p):]
		if rest == "" || !isWord(rest[0]) {
			return "linux/" + p
		}
		if variant, _, _ := strings.Cut(rest, "-"); len(variant) == 2 && variant[0] == 'v' && strings.HasPrefix(p, "arm") {
			return "linux/" + p + "/" + variant
		}
	}
	return "linux/amd64"
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// image makes the blobs of an image.
func (m *Maker) image(r *Recipe) {
	m.beginConfig(r)
	m.blobs = append(m.blobs[:0], Blob{})
	m.own = m.own[:0]
	m.layers(r)
	m.config = append(m.config, `]}}`...)
	m.blobs[0] = Blob{Digest: sha256.Sum256(m.config), Size: int64(len(m.config)), own: m.config}
}

// beginConfig writes the config up to the digests of the layers.
func (m *Maker) beginConfig(r *Recipe) {
	system, architecture, _ := strings.Cut(r.platform(), "/")
	architecture, variant, _ := strings.Cut(architecture, "/")
	m.config = append(m.config[:0], `{"architecture":"`+architecture+`",`...)
	if variant != "" {
		m.config = append(m.config, `"variant":"`+variant+`",`...)
	}
	m.config = append(m.config, `"os":"`+system+`","author":"`...)
	m.config = hex.AppendEncode(m.config, r.Seed[:])
	m.config = append(m.config, `",`...)
	if !r.Built.IsZero() {
		m.config = append(r.Built.UTC().AppendFormat(append(m.config, `"created":"`...), time.RFC3339), `",`...)
	}
	m.config = append(m.config, `"config":{`...)
	if len(r.Labels) > 0 {
		m.config = append(append(m.config, `"Labels":`...), object(r.Labels)...)
	}
	m.config = append(m.config, `},"rootfs":{"type":"layers","diff_ids":[`...)
}

// object is a map as JSON, sorted by its keys.
func object(texts map[string]string) []byte {
	b, err := json.Marshal(texts)
	if err != nil {
		return []byte("{}") // strings always encode
	}
	return b
}

const (
	bareLayer  = headerLen + endLen + int64(ownLen)
	diffIDLen  = int64(len(`"sha256:",`)) + 64
	leastLayer = bareLayer + 5*smallBlock // the archive needs 1,024 zeros
	configEnd  = int64(len(`]}}`)) - 1    // without the comma behind the last digest
)

// layers makes as many layers as the size needs: of large blocks while those fit, and a
// last one of small blocks.
func (m *Maker) layers(r *Recipe) {
	rest := r.Size - int64(len(m.config)) - configEnd
	const room = leastLayer + bareLayer + 2*diffIDLen // for the last layer, and what another one adds
	for _, of := range []int{2, 1} {
		u := units()[of]
		for n := min(steps, (rest-room)/u.len()); n > 0; n = min(steps, (rest-room)/u.len()) {
			rest -= m.layer(r, of, n, 0) + diffIDLen
		}
	}
	rest = max(rest-diffIDLen, leastLayer) - bareLayer
	n := min(steps, rest/smallBlock)
	m.layer(r, 0, n, rest-n*smallBlock)
}

// layer makes a layer of n units, with some bytes more. It returns its length.
func (m *Maker) layer(r *Recipe, of int, n, more int64) int64 {
	z := zeros{units()[of], n}
	known := row(of, n)
	if len(m.blobs) > 1 {
		m.config = append(m.config, ',')
	}
	m.config = append(m.config, `"sha256:`...)
	m.config = append(hex.AppendEncode(m.config, []byte(known[32:64])), '"')

	from := len(m.own)
	m.own = append(m.own, 1, 0, 0, 0xff, 0xff)
	m.own = append(m.own, known[64:]...)
	m.own = binary.LittleEndian.AppendUint32(m.own, uint32(z.unpacked()&math.MaxUint32))
	m.own = gzipHeader(m.own, len(r.Seed)+1+int(more))
	m.own = append(append(m.own, r.Seed[:]...), byte(len(m.blobs)&0xff))
	m.own = append(m.own, make([]byte, more)...)
	m.own = append(m.own, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b := Blob{zeros: z, own: m.own[from:]}
	b.Size = z.len() + int64(len(b.own))
	b.Digest = m.resume(known[:32], z.len(), b.own)
	m.blobs = append(m.blobs, b)
	return b.Size
}

// resume hashes what follows n bytes that left SHA-256 in a state.
func (m *Maker) resume(state string, n int64, rest []byte) (d Digest) {
	if m.hash == nil {
		m.hash = sha256.New()
	}
	m.state = append(append(append(m.state[:0], "sha\x03"...), state...), make([]byte, sha256.BlockSize)...)
	m.state = binary.BigEndian.AppendUint64(m.state, uint64(n)) //nolint:gosec // a length
	if err := m.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(m.state); err != nil {
		panic("the table of zeros is damaged: " + err.Error()) // its test compares every row
	}
	m.hash.Write(rest)
	m.hash.Sum(d[:0])
	return d
}

// descriptor writes the descriptor of a blob, without its last brace.
func (m *Maker) descriptor(mediaType string, b Blob) {
	m.manifest = append(append(m.manifest, `{"mediaType":"`...), mediaType...)
	m.manifest = b.Digest.Append(append(m.manifest, `","digest":"`...))
	m.manifest = strconv.AppendInt(append(m.manifest, `","size":`...), b.Size, 10)
}

func (m *Maker) annotations(r *Recipe) {
	if len(r.Annotations) > 0 {
		m.manifest = append(append(m.manifest, `,"annotations":`...), object(r.Annotations)...)
	}
}
