package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Digests is what was read of digests by all runs. Since that never changes, it is kept for
// ever. It is safe for concurrent use.
type Digests struct {
	ledger *Ledger

	mu      sync.Mutex
	pending map[string]*registry.Content
	failed  error
}

// Digests returns what the ledger knows of digests. Close it.
func (l *Ledger) Digests() *Digests {
	return &Digests{ledger: l, pending: map[string]*registry.Content{}}
}

// Find returns those of the digests that are known.
func (d *Digests) Find(ctx context.Context, digests []string) map[string]*registry.Content {
	found := map[string]*registry.Content{}
	var keys []any
	d.mu.Lock()
	for _, digest := range digests {
		if c := d.pending[digest]; c != nil {
			found[digest] = c
		} else {
			keys = append(keys, packed.PackDigest(digest))
		}
	}
	d.mu.Unlock()
	for some := range slices.Chunk(keys, chunk) {
		d.fail("reading contents from", eachRow(ctx, d.ledger.db, func(rows *sql.Rows) error {
			var digest, body sql.RawBytes
			if err := rows.Scan(&digest, &body); err != nil {
				return err
			}
			if c, err := packed.UnpackContent(body); err == nil { // one that is damaged is read again
				found[packed.UnpackDigest(digest)] = c
			}
			return nil
		}, `SELECT digest, content FROM janitor_digests WHERE digest IN (`+placeholders(1, len(some))+`)`, some...))
	}
	return found
}

// Keep remembers the content of a digest. It is written later.
func (d *Digests) Keep(ctx context.Context, digest string, c *registry.Content) {
	d.mu.Lock()
	d.pending[digest] = c
	var full map[string]*registry.Content
	if len(d.pending) >= keepTogether {
		full, d.pending = d.pending, map[string]*registry.Content{}
	}
	d.mu.Unlock()
	d.write(ctx, full)
}

func (d *Digests) write(ctx context.Context, contents map[string]*registry.Content) {
	if len(contents) == 0 {
		return
	}
	type row struct{ digest, content []byte }
	var rows []row
	for digest, c := range contents {
		body, err := packed.PackContent(c)
		d.fail("packing a content for", err)
		if err == nil {
			rows = append(rows, row{packed.PackDigest(digest), body})
		}
	}
	// The context of a scan ends with it, and what was read is still worth remembering.
	d.fail("writing contents to", d.ledger.writeMuch(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error {
		return inChunks(rows, 2, func(values string, some []row) error {
			var args []any
			for _, r := range some {
				args = append(args, r.digest, r.content)
			}
			//nolint:gosec // G202: values has only placeholders
			_, err := tx.ExecContext(ctx, `INSERT INTO janitor_digests (digest, content) VALUES `+values+
				` ON CONFLICT (digest) DO UPDATE SET content = excluded.content`, args...)
			return err
		})
	}))
}

// Close writes what is not written yet. It returns the first error: what cannot be read or
// written costs calls, and nothing else.
func (d *Digests) Close(ctx context.Context) error {
	d.mu.Lock()
	rest := d.pending
	d.pending = map[string]*registry.Content{}
	d.mu.Unlock()
	d.write(ctx, rest)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// fail notes the first error.
func (d *Digests) fail(doing string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed == nil && !errors.Is(err, context.Canceled) {
		d.failed = d.ledger.fail(doing, err)
	}
}
