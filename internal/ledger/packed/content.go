package packed

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// contentForm is the first byte of a packed content. A content of another form is read
// again from the registry.
const contentForm = 1

// maxContent bounds what a packed content unpacks to, in bytes: far more than a manifest
// and a config that were read may have.
const maxContent = 64 << 20

// PackContent encodes what a digest holds: the texts as JSON, compressed, and the digests,
// which no compression makes shorter, as their bytes. UnpackContent decodes it.
func PackContent(c *registry.Content) ([]byte, error) {
	texts := *c
	texts.Blobs, texts.Parts = nil, nil
	body, err := json.Marshal(texts)
	if err != nil {
		return nil, err
	}
	var short bytes.Buffer
	z, err := flate.NewWriterDict(&short, flate.BestCompression, []byte(usualTexts))
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	packed := appendText([]byte{contentForm}, short.String())
	packed = binary.AppendUvarint(packed, uint64(len(c.Blobs)))
	for _, b := range c.Blobs {
		packed = binary.AppendUvarint(appendDigest(packed, b.Digest), b.Size)
	}
	packed = binary.AppendUvarint(packed, uint64(len(c.Parts)))
	for _, digest := range c.Parts {
		packed = appendDigest(packed, digest)
	}
	return packed, nil
}

// UnpackContent decodes what PackContent has encoded.
func UnpackContent(packed []byte) (*registry.Content, error) {
	u := unpacker{rest: string(packed)}
	if u.bytes(1)[0] != contentForm {
		return nil, errPacked
	}
	z := flate.NewReaderDict(strings.NewReader(u.text()), []byte(usualTexts))
	c := new(registry.Content)
	if body, err := io.ReadAll(io.LimitReader(z, maxContent)); err != nil || json.Unmarshal(body, c) != nil {
		return nil, errPacked
	}
	for range u.count() {
		c.Blobs = append(c.Blobs, registry.Blob{Digest: u.digest(), Size: u.number()})
	}
	for range u.count() {
		c.Parts = append(c.Parts, u.digest())
	}
	if u.err == nil && u.rest != "" {
		u.err = errPacked
	}
	return c, u.err
}

// PackDigest encodes a digest alone.
func PackDigest(digest string) []byte { return appendDigest(nil, digest) }

// UnpackDigest decodes what PackDigest has encoded.
func UnpackDigest(packed []byte) string {
	u := unpacker{rest: string(packed)}
	return u.digest()
}

// appendDigest packs a digest as its bytes after a 0, or as a text.
func appendDigest(packed []byte, digest string) []byte {
	if sum, err := hex.DecodeString(strings.TrimPrefix(digest, sha256Prefix)); err == nil && len(sum) == 32 && digest == sha256Prefix+hex.EncodeToString(sum) {
		return append(append(packed, 0), sum...)
	}
	return appendText(append(packed, 1), digest)
}

func (u *unpacker) digest() string {
	if u.bytes(1)[0] == 0 {
		return sha256Prefix + hex.EncodeToString([]byte(u.bytes(32)))
	}
	return u.text()
}

// count reads the length of a list, each entry of which has at least two bytes.
func (u *unpacker) count() uint64 {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.err = errPacked
		return 0
	}
	return n
}

// usualTexts are what most contents have, the most usual last. It must never change: what
// was packed with it could not be unpacked any more.
const usualTexts = `"https://github.com/"annotations":{"org.label-schema.` +
	`"org.opencontainers.image.documentation":"org.opencontainers.image.authors":"org.opencontainers.image.base.digest":"sha256:"org.opencontainers.image.base.name":"docker.io/library/` +
	`"org.opencontainers.image.vendor":"org.opencontainers.image.ref.name":"org.opencontainers.image.url":"org.opencontainers.image.description":"org.opencontainers.image.licenses":"Apache-2.0","org.opencontainers.image.title":"` +
	`"org.opencontainers.image.version":"org.opencontainers.image.source":"org.opencontainers.image.revision":"org.opencontainers.image.created":"2026-` +
	`{"kind":"attachment","media_type":"application/vnd.oci.image.index.v1+json","platforms":["linux/amd64","linux/arm64"],"part_labels":[{"built_at":"2026-"size_bytes":` +
	`{"kind":"image","media_type":"application/vnd.docker.distribution.manifest.v2+json","media_type":"application/vnd.oci.image.manifest.v1+json","platforms":["linux/amd64"],"labels":{"`
