package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Cache is the complete tag listings of earlier runs. An image is found as long as all
// that the listing of images shows of it is what it was.
type Cache struct {
	ledger *Ledger
	now    time.Time
	maxAge time.Duration

	mu      sync.Mutex
	pending []listing
	failed  error
}

// listing is one row of the cache.
type listing struct {
	image int64
	looks []byte
	tags  []byte
}

// keepTogether is how many listings are written in one transaction.
const keepTogether = 200

// Cache returns the cache for a run that starts now. It finds no listing that is older
// than maxAge. Close it.
func (l *Ledger) Cache(now time.Time, maxAge time.Duration) *Cache {
	return &Cache{ledger: l, now: now, maxAge: maxAge}
}

// Find returns the tags of each image that the cache has, and nil for the others.
func (c *Cache) Find(ctx context.Context, images []*registry.Image) [][]registry.Tag {
	found := make([][]registry.Tag, len(images))
	at := make(map[int64]int, len(images))
	var keys []any
	for i, image := range images {
		at[keyOf(image)] = i
		keys = append(keys, keyOf(image))
	}
	for some := range slices.Chunk(keys, chunk) {
		//nolint:gosec // G202: only placeholders are added
		c.fail("reading the cache in", eachRow(ctx, c.ledger.db, func(rows *sql.Rows) error {
			var key, listed int64
			var looks, tags sql.RawBytes
			if err := rows.Scan(&key, &looks, &listed, &tags); err != nil {
				return err
			}
			image := images[at[key]]
			if string(looks) != string(looksOf(image)) || !c.now.Before(c.due(key, fromMicros(listed))) {
				return nil
			}
			var err error
			found[at[key]], err = packed.Unpack(tags)
			return err
		}, `SELECT image, looks, listed, tags FROM janitor_listings WHERE image IN (`+placeholders(1, len(some))+`)`, some...))
	}
	return found
}

// due is when a listing is renewed: at a time of day, so to speak, that each image has
// for itself, so that no run renews all of them. A listing that is just made is not
// renewed soon.
func (c *Cache) due(key int64, listed time.Time) time.Time {
	//nolint:gosec // G115: any number will do
	phase := time.Duration(uint64(key) % uint64(c.maxAge))
	next := listed.Truncate(c.maxAge).Add(phase)
	if !next.After(listed) {
		next = next.Add(c.maxAge)
	}
	if next.Sub(listed) < c.maxAge/24 {
		next = next.Add(c.maxAge / 2)
	}
	return next
}

// Keep remembers an image that was just listed. It is written later.
func (c *Cache) Keep(ctx context.Context, image *registry.Image) {
	row := listing{keyOf(image), looksOf(image), packed.Pack(image.Tags)}
	c.mu.Lock()
	c.pending = append(c.pending, row)
	var full []listing
	if len(c.pending) >= keepTogether {
		full, c.pending = c.pending, nil
	}
	c.mu.Unlock()
	c.write(ctx, full)
}

func (c *Cache) write(ctx context.Context, rows []listing) {
	if len(rows) == 0 {
		return
	}
	// The context of a scan ends with it, and what was read is still worth remembering.
	c.fail("writing the cache in", c.ledger.writeMuch(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error {
		return inChunks(rows, 4, func(values string, some []listing) error {
			var args []any
			for _, r := range some {
				args = append(args, r.image, r.looks, micros(c.now), r.tags)
			}
			//nolint:gosec // G202: values has only placeholders
			_, err := tx.ExecContext(ctx, `INSERT INTO janitor_listings (image, looks, listed, tags) VALUES `+values+
				` ON CONFLICT (image) DO UPDATE SET looks = excluded.looks, listed = excluded.listed, tags = excluded.tags`, args...)
			return err
		})
	}))
}

// Close writes what is not written yet, and deletes the listings that no run has
// renewed: their images are gone. It returns the first error of the cache.
func (c *Cache) Close(ctx context.Context) error {
	c.mu.Lock()
	rest := c.pending
	c.pending = nil
	c.mu.Unlock()
	c.write(ctx, rest)
	c.fail("writing the cache in", c.ledger.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM janitor_listings WHERE listed < $1`, micros(c.now.Add(-2*c.maxAge)))
		return err
	}))
	return c.failed
}

// fail notes the first error. A cache that cannot be read or written costs calls, and
// nothing else.
func (c *Cache) fail(doing string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil && !errors.Is(err, context.Canceled) {
		c.failed = c.ledger.fail(doing, err)
	}
}

// keyOf is a hash of the ID of an image. If two images had the same, they would look
// different.
func keyOf(image *registry.Image) int64 {
	sum := sha256.Sum256([]byte(image.ID))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // G115: any number will do
}

// looksOf is a hash of all that the listing of images shows of an image.
func looksOf(image *registry.Image) []byte {
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
