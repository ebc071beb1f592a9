package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Cache is the complete tag listings of earlier runs. An image is found as long as all
// that the listing of images shows of it is what it was.
type Cache struct {
	ledger *Ledger
	now    time.Time
	maxAge time.Duration
	judge  func(*registry.Namespace) []byte
	loud   atomic.Int64 // how many tags of quiet images are still found with their tags

	distrusted bool // whether what is quiet is to be judged again

	mu      sync.Mutex
	pending []listing
	judges  map[string]bool // of the images that this run keeps
	failed  error
}

// listing is one row of the cache.
type listing struct {
	image int64
	quiet int64 // until when; 0 if it is not
	judge []byte
	looks []byte // empty: only quiet and judge are new
	tags  []byte
	count int
}

// keepTogether is how many listings are written in one transaction.
const keepTogether = 200

// Cache returns the cache for a run that starts now. It finds no listing that is older
// than maxAge, or from the future: then a clock is, or was, wrong. An image is quiet only
// as long as judge, which stands for everything that judging depends on beside the image
// and the time, returns the same for its namespace. Close it.
func (l *Ledger) Cache(now time.Time, maxAge time.Duration, judge func(*registry.Namespace) []byte) *Cache {
	return &Cache{ledger: l, now: now, maxAge: maxAge, judge: judge, judges: map[string]bool{}}
}

// FindTags lets the cache find the first images with their tags although they are quiet,
// up to so many tags.
func (c *Cache) FindTags(most int) { c.loud.Store(int64(most)) }

// Find returns what the cache knows of each image, and nil for those that it does not
// know.
func (c *Cache) Find(ctx context.Context, images []*registry.Image) []*scanner.Known {
	found := make([]*scanner.Known, len(images))
	at := make(map[int64]int, len(images))
	var keys, loud []any
	judges := map[*registry.Namespace][]byte{}
	for i, image := range images {
		key := packed.Key(image)
		at[key] = i
		keys = append(keys, key)
		if judges[image.Namespace] == nil {
			judges[image.Namespace] = c.judge(image.Namespace)
		}
	}
	c.query(ctx, `SELECT image, looks, listed, count, quiet, judge FROM janitor_listings WHERE image IN `, keys, func(rows *sql.Rows) error {
		var key, listed, quiet int64
		var looks, judge sql.RawBytes
		known := new(scanner.Known)
		if err := rows.Scan(&key, &looks, &listed, &known.Count, &quiet, &judge); err != nil {
			return err
		}
		i, from := at[key], fromMicros(listed)
		image := images[i]
		if string(looks) != string(packed.Looks(image)) || from.After(c.now) || !c.now.Before(c.due(key, from)) {
			return nil
		}
		known.Quiet = micros(c.now) < quiet && string(judge) == string(judges[image.Namespace])
		if known.Quiet && c.loud.Add(-int64(known.Count)) < 0 {
			found[i] = known
		} else {
			loud = append(loud, key)
		}
		return nil
	})
	c.query(ctx, `SELECT image, tags FROM janitor_listings WHERE image IN `, loud, func(rows *sql.Rows) error {
		var key int64
		var tags sql.RawBytes
		if err := rows.Scan(&key, &tags); err != nil {
			return err
		}
		all, err := packed.Unpack(tags)
		if err == nil {
			found[at[key]] = &scanner.Known{Count: len(all), Tags: all}
		}
		return err
	})
	return found
}

// query reads rows of images, of which the query lacks the keys.
func (c *Cache) query(ctx context.Context, query string, keys []any, scan func(*sql.Rows) error) {
	for some := range slices.Chunk(keys, chunk) {
		c.fail("reading the cache in", eachRow(ctx, c.ledger.db, scan, query+"("+placeholders(1, len(some))+")", some...))
	}
}

// due is when a listing is renewed: at a time of day, so to speak, that each image has
// separately, so that no run renews all of them. A listing that was just made is not
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

// Keep remembers an image that was just listed, and until when it is quiet; zero if it
// is not. It is written later.
func (c *Cache) Keep(ctx context.Context, image *registry.Image, quiet time.Time) {
	c.add(ctx, listing{looks: packed.Looks(image), tags: packed.Pack(image.Tags), count: len(image.Tags)}, image, quiet)
}

// KeepQuiet remembers until when an image stays quiet. The cache must have the image already.
func (c *Cache) KeepQuiet(ctx context.Context, image *registry.Image, quiet time.Time) {
	c.add(ctx, listing{}, image, quiet)
}

func (c *Cache) add(ctx context.Context, row listing, image *registry.Image, quiet time.Time) {
	row.image, row.judge = packed.Key(image), c.judge(image.Namespace)
	if !quiet.IsZero() {
		row.quiet = micros(quiet)
	}
	c.mu.Lock()
	c.pending = append(c.pending, row)
	c.judges[string(row.judge)] = true
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
		var listed []listing
		for _, r := range rows {
			if len(r.looks) > 0 {
				listed = append(listed, r)
			} else if _, err := tx.ExecContext(ctx, `UPDATE janitor_listings SET quiet = $1, judge = $2 WHERE image = $3`, r.quiet, r.judge, r.image); err != nil {
				return err
			}
		}
		return inChunks(listed, 7, func(values string, some []listing) error {
			var args []any
			for _, r := range some {
				args = append(args, r.image, r.looks, micros(c.now), r.tags, r.count, r.quiet, r.judge)
			}
			//nolint:gosec // G202: values has only placeholders
			_, err := tx.ExecContext(ctx, `INSERT INTO janitor_listings (image, looks, listed, tags, count, quiet, judge) VALUES `+values+
				` ON CONFLICT (image) DO UPDATE SET looks = excluded.looks, listed = excluded.listed, tags = excluded.tags,
				count = excluded.count, quiet = excluded.quiet, judge = excluded.judge`, args...)
			return err
		})
	}))
}

// Distrust has the images that this run keeps, and those beside them, judged again by the
// next run, although they are quiet.
func (c *Cache) Distrust() { c.distrusted = true }

// Close writes what is not written yet, and deletes the listings that no run has
// renewed: their images are gone. It returns the first error of the cache.
func (c *Cache) Close(ctx context.Context) error {
	c.mu.Lock()
	rest := c.pending
	c.pending = nil
	c.mu.Unlock()
	c.write(ctx, rest)
	if c.distrusted {
		c.wake(ctx)
	}
	c.fail("writing the cache in", c.ledger.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM janitor_listings WHERE listed < $1`, micros(c.now.Add(-2*c.maxAge)))
		return err
	}))
	return c.failed
}

// wake makes the images of this run not quiet.
func (c *Cache) wake(ctx context.Context) {
	var judges []any
	for judge := range c.judges {
		judges = append(judges, []byte(judge))
	}
	c.fail("writing the cache in", c.ledger.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for some := range slices.Chunk(judges, chunk) {
			//nolint:gosec // G202: only placeholders
			if _, err := tx.ExecContext(ctx, `UPDATE janitor_listings SET quiet = 0 WHERE quiet > 0 AND judge IN (`+placeholders(1, len(some))+`)`, some...); err != nil {
				return err
			}
		}
		return nil
	}))
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
