package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// Verify reads r to its end. If that is not the blob, the error wraps
// ErrDamaged, at the last byte of a blob already: who sends it reads no further.
func Verify(r io.Reader, b Blob) io.Reader {
	return &verifier{from: r, hash: sha256.New(), blob: b}
}

type verifier struct {
	from io.Reader
	hash hash.Hash
	n    int64
	blob Blob
	good bool // all bytes were read, and have the digest
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.from.Read(p)
	v.hash.Write(p[:n])
	v.n += int64(n)
	switch {
	case v.n > v.blob.Size:
		return n, fmt.Errorf("%s has more than its %d bytes: it %w", v.blob.Digest, v.blob.Size, ErrDamaged)
	case v.n == v.blob.Size && !v.good:
		v.good = hex.EncodeToString(v.hash.Sum(nil)) == v.blob.Digest.Hex
		if !v.good {
			return n, fmt.Errorf("%s is sha256:%x: it %w", v.blob.Digest, v.hash.Sum(nil), ErrDamaged)
		}
	case v.n < v.blob.Size && err == io.EOF:
		return n, fmt.Errorf("%s has only %d of its %d bytes: it %w", v.blob.Digest, v.n, v.blob.Size, ErrDamaged)
	}
	return n, err
}
