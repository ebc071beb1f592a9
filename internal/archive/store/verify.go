package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// Verify reads r to its end, which is an error that wraps ErrDamaged if what was read
// is not the blob.
func Verify(r io.Reader, b Blob) io.Reader {
	return &verifier{from: r, hash: sha256.New(), blob: b}
}

type verifier struct {
	from io.Reader
	hash hash.Hash
	n    int64
	blob Blob
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.from.Read(p)
	v.hash.Write(p[:n])
	v.n += int64(n)
	switch {
	case v.n > v.blob.Size:
		return n, fmt.Errorf("%s has more than its %d bytes: it %w", v.blob.Digest, v.blob.Size, ErrDamaged)
	case err == io.EOF && (v.n != v.blob.Size || hex.EncodeToString(v.hash.Sum(nil)) != v.blob.Digest.Hex):
		return n, fmt.Errorf("%s of %d bytes is %d bytes with sha256:%x: it %w", v.blob.Digest, v.blob.Size, v.n, v.hash.Sum(nil), ErrDamaged)
	}
	return n, err
}
