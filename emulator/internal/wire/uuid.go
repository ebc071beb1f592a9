package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// UUID is an identifier as 16 bytes.
type UUID [16]byte

// Identify derives an identifier from names, so that it is the same on every
// start. It has the version and the variant of a random UUID, as the real ones.
func Identify(names ...string) UUID {
	sum := sha256.Sum256([]byte(strings.Join(names, "\x00")))
	var id UUID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func (id UUID) String() string { return string(id.Append(nil)) }

// Append appends the identifier as a text.
func (id UUID) Append(b []byte) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	return hex.AppendEncode(append(b, '-'), id[10:])
}

// Number is a number that depends on the identifier only, for values that look
// arbitrary.
func (id UUID) Number(below int64) int64 {
	return int64(binary.BigEndian.Uint64(id[8:])&(1<<62-1)) % below
}

// ParseUUID reads the only spelling of a UUID that the API accepts.
func ParseUUID(s string) (UUID, bool) {
	var id UUID
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
