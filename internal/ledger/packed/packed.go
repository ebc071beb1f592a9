// Package packed encodes what a ledger stores: the tags of an image in about 80 bytes each,
// most of which are the ID and the digest, which no compression makes shorter; what a digest
// holds; the parts of a plan; and the looks of an image, a hash. It knows nothing of what is
// done with them.
//
// It must never decode what is damaged into something else than what it was.
package packed

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/registry-janitor/registry-janitor/registry"
)

// The tags are packed one after another: a byte that tells which fields have their usual
// form, then the fields.
const (
	usualID     = 1 << iota // a UUID: 16 bytes
	usualDigest             // sha256: 32 bytes
	usualStatus             // ready: left out
	wholeMicros             // no time is finer than a microsecond
)

var errPacked = errors.New("the packed tags are damaged")

const sha256Prefix = "sha256:"

// Pack encodes tags; Unpack decodes them.
func Pack(tags []registry.Tag) []byte {
	packed := binary.AppendUvarint(make([]byte, 0, 80*len(tags)+4), uint64(len(tags)))
	last := time.Unix(0, 0)
	for i := range tags {
		t := &tags[i]
		at := len(packed)
		packed = appendText(append(packed, 0), t.Name)
		form := byte(0)
		if id, err := uuid.Parse(t.ID); err == nil && id.String() == t.ID {
			form |= usualID
			packed = append(packed, id[:]...)
		} else {
			packed = appendText(packed, t.ID)
		}
		if digest, err := hex.DecodeString(strings.TrimPrefix(t.Digest, sha256Prefix)); err == nil && len(digest) == 32 && t.Digest == sha256Prefix+hex.EncodeToString(digest) {
			form |= usualDigest
			packed = append(packed, digest...)
		} else {
			packed = appendText(packed, t.Digest)
		}
		if t.Status == registry.StatusReady {
			form |= usualStatus
		} else {
			packed = appendText(packed, string(t.Status))
		}
		if t.UpdatedAt.Nanosecond()%1000+t.CreatedAt.Nanosecond()%1000 == 0 {
			form |= wholeMicros
		}
		packed[at] = form
		packed = appendTime(packed, t.UpdatedAt, last, form)
		packed = appendTime(packed, t.CreatedAt, t.UpdatedAt, form)
		last = t.UpdatedAt
	}
	return packed
}

func appendText(packed []byte, s string) []byte {
	return append(binary.AppendUvarint(packed, uint64(len(s))), s...)
}

// appendTime packs a time by its distance from another one.
func appendTime(packed []byte, t, from time.Time, form byte) []byte {
	packed = binary.AppendVarint(packed, t.Unix()-from.Unix())
	nanos := uint64(t.Nanosecond()) //nolint:gosec // G115: never negative
	if form&wholeMicros != 0 {
		nanos /= 1000
	}
	return binary.AppendUvarint(packed, nanos)
}

// Unpack decodes what Pack has encoded, and never returns nil without an error. It does
// not keep the bytes.
func Unpack(packed []byte) ([]registry.Tag, error) {
	u := unpacker{rest: string(packed)}
	count := u.number()
	if count > uint64(len(packed)) {
		return nil, errPacked
	}
	tags := make([]registry.Tag, count)
	u.texts.Grow(len(tags) * (36 + len(sha256Prefix) + 64))
	last := time.Unix(0, 0)
	for i := range tags {
		u.tag(&tags[i], last)
		last = tags[i].UpdatedAt
	}
	if u.err == nil && u.rest != "" {
		u.err = errPacked
	}
	return tags, u.err
}

// unpacker reads packed tags. Once it has an error, it reads zeros.
type unpacker struct {
	rest  string
	texts strings.Builder // the IDs and digests, of which the tags have slices
	err   error
}

func (u *unpacker) tag(t *registry.Tag, last time.Time) {
	form := u.bytes(1)[0]
	t.Name, t.Status = u.text(), registry.StatusReady
	if form&usualID != 0 {
		t.ID = u.hex("", 16, uuidDashes)
	} else {
		t.ID = u.text()
	}
	if form&usualDigest != 0 {
		t.Digest = u.hex(sha256Prefix, 32, 0)
	} else {
		t.Digest = u.text()
	}
	if form&usualStatus == 0 {
		t.Status = registry.Status(u.text())
	}
	t.UpdatedAt = u.time(last, form)
	t.CreatedAt = u.time(t.UpdatedAt, form)
}

func (u *unpacker) bytes(n uint64) string {
	if u.err != nil || n > uint64(len(u.rest)) {
		const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		u.err = errPacked
		return zeros[:min(n, uint64(len(zeros)))]
	}
	some := u.rest[:n]
	u.rest = u.rest[n:]
	return some
}

func (u *unpacker) text() string { return u.bytes(u.number()) }

// number reads what binary.AppendUvarint has written.
func (u *unpacker) number() (n uint64) {
	for shift := 0; shift < 64; shift += 7 {
		b := u.bytes(1)[0]
		if n |= uint64(b&0x7f) << shift; b < 0x80 {
			return n
		}
	}
	u.err = errPacked
	return 0
}

// time reads what appendTime has written.
func (u *unpacker) time(from time.Time, form byte) time.Time {
	zigzag, nanos := u.number(), u.number()
	if form&wholeMicros != 0 {
		nanos *= 1000
	}
	seconds := int64(zigzag>>1) ^ -int64(zigzag&1)
	return time.Unix(from.Unix()+seconds, int64(nanos%1_000_000_000)).UTC()
}

// uuidDashes are the bytes of a UUID that follow a dash, a bit for each.
const uuidDashes = 1<<4 | 1<<6 | 1<<8 | 1<<10

// hex writes n bytes in hexadecimal after a prefix.
func (u *unpacker) hex(prefix string, n uint64, dashes uint64) string {
	const digits = "0123456789abcdef"
	from, some := u.texts.Len(), u.bytes(n)
	u.texts.WriteString(prefix)
	for i := range len(some) {
		if dashes>>i&1 != 0 {
			u.texts.WriteByte('-')
		}
		u.texts.WriteByte(digits[some[i]>>4])
		u.texts.WriteByte(digits[some[i]&15])
	}
	return u.texts.String()[from:]
}
