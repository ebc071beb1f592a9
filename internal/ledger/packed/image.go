package packed

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Key is a hash of the ID of an image. If two images had the same, they would look
// different.
func Key(image *registry.Image) int64 {
	sum := sha256.Sum256([]byte(image.ID))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // G115: any number will do
}

// Looks is a hash of all that the listing of images shows of an image.
func Looks(image *registry.Image) []byte {
	names := slices.Sorted(slices.Values(image.TagNames))
	var row strings.Builder
	for _, word := range append([]string{
		image.ID, image.NamespaceID, image.Name, string(image.Status), string(image.Visibility),
		image.CreatedAt.UTC().Format(time.RFC3339Nano), image.UpdatedAt.UTC().Format(time.RFC3339Nano),
	}, names...) {
		row.WriteString(word)
		row.WriteByte(0)
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(row.String()), image.SizeBytes))
	return sum[:16]
}
