package store

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestVerify(t *testing.T) {
	for name, row := range map[string]struct {
		blob, read string
		good       bool
	}{
		"the blob":           {"content", "content", true},
		"an empty blob":      {"", "", true},
		"another content":    {"content", "CONTENT", false},
		"too much":           {"content", "contents", false},
		"too little":         {"content", "conten", false},
		"nothing":            {"content", "", false},
		"more than an empty": {"", "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []io.Reader{strings.NewReader(row.read), iotest.OneByteReader(strings.NewReader(row.read)), iotest.DataErrReader(strings.NewReader(row.read))} {
				content, err := io.ReadAll(Verify(from, blobOf(row.blob)))
				if row.good && (err != nil || string(content) != row.blob) || !row.good && !errors.Is(err, ErrDamaged) {
					t.Errorf("%q, %v", content, err)
				}
			}
			// Who knows the size reads no further than that.
			size := int64(len(row.blob))
			_, err := io.Copy(io.Discard, io.LimitReader(Verify(strings.NewReader(row.read), blobOf(row.blob)), size))
			if len(row.read) == len(row.blob) && size > 0 && (err == nil) != row.good {
				t.Errorf("up to its size: %v", err)
			}
		})
	}
}
