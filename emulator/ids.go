package emulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
)

// NamespaceID is the identifier of a namespace of the world.
func NamespaceID(region, namespace string) string {
	return identify(region, namespace).String()
}

// ImageID is the identifier of an image of the world.
func ImageID(region, namespace, image string) string {
	return identify(region, namespace, image).String()
}

// TagID is the identifier of a tag of the world.
func TagID(region, namespace, image, tag string) string {
	return identify(region, namespace, image, tag).String()
}

// uuid is an identifier as 16 bytes.
type uuid [16]byte

// identify derives an identifier from names, so that it is the same on every
// start. It has the version and the variant of a random UUID, as the real ones.
func identify(names ...string) uuid {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	var id uuid
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (id uuid) String() string { return string(id.append(nil)) }

func (id uuid) append(b []byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	return hex.AppendEncode(append(b, '-'), id[10:])
}

// number is a number that depends on the identifier only, for values that look
// arbitrary.
func (id uuid) number(below int64) int64 {
	return int64(binary.BigEndian.Uint64(id[8:])&(1<<62-1)) % below
}

// parseUUID reads the only spelling of a UUID that the API accepts.
func parseUUID(s string) (uuid, bool) {
	var id uuid
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	digits := make([]byte, 0, 32)
	for _, part := range [...]string{s[:8], s[9:13], s[14:18], s[19:23], s[24:]} {
		digits = append(digits, part...)
	}
	_, err := hex.Decode(id[:], digits)
	return id, err == nil
}

// digest is a SHA-256 digest as 32 bytes.
type digest = content.Digest
