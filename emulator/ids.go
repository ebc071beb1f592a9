package emulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// NamespaceID is the identifier that a namespace of the world has.
func NamespaceID(region, namespace string) string {
	return identify(region, namespace).String()
}

// ImageID is the identifier that an image of the world has.
func ImageID(region, namespace, image string) string {
	return identify(region, namespace, image).String()
}

// TagID is the identifier that a tag of the world has.
func TagID(region, namespace, image, tag string) string {
	return identify(region, namespace, image, tag).String()
}

// Digest is the digest for which a word of the world stands.
func Digest(word string) string { return digestOf(word).String() }

// uuid is an identifier in the 16 bytes that it is.
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

// number is a number that differs from one identifier to another, for what has
// to look arbitrary and stay the same.
func (id uuid) number(below int64) int64 {
	return int64(binary.BigEndian.Uint64(id[8:])&(1<<62-1)) % below
}

// parseUUID reads the only spelling of a UUID that the API takes.
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

// digest is a SHA-256 digest in the 32 bytes that it is.
type digest [sha256.Size]byte

func digestOf(word string) digest { return worlds.Digest(word) }

func (d digest) String() string { return string(d.append(nil)) }

func (d digest) append(b []byte) []byte {
	return hex.AppendEncode(append(b, "sha256:"...), d[:])
}
