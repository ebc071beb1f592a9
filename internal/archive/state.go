package archive

import (
	"context"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// State counts what the archive holds.
func (a *Archive) State(ctx context.Context) (runs.Archive, error) {
	records, err := a.Records(ctx)
	if err != nil {
		return runs.Archive{}, err
	}
	stored, err := a.store.Stored(ctx)
	if err != nil {
		return runs.Archive{}, a.fail("listing the blobs of", err)
	}
	out := runs.Archive{Tags: len(records), Blobs: len(stored)}
	for i := range stored {
		out.Bytes += stored[i].Size
	}
	for i := range records {
		r := &records[i]
		if !r.RestoredAt.IsZero() {
			out.Restored++
		}
		if out.Oldest.IsZero() || r.DeletedAt.Before(out.Oldest) {
			out.Oldest = r.DeletedAt
		}
		if out.NextExpiry.IsZero() || r.Until.Before(out.NextExpiry) {
			out.NextExpiry = r.Until
		}
	}
	return out, nil
}
