package archivist

import (
	"context"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
)

// Listing is what can be restored.
type Listing struct {
	Archive string           `json:"archive"`
	Records []archive.Record `json:"records"`
	// Missing are the tags of the run, each with its digest, of which the archive has no copy.
	Missing []string `json:"missing"`
	// Lost says what of a run cannot come back, and why; nil if all can.
	Lost error `json:"-"`
}

// List finds what a choice could restore. With a run, it reads the ledger, if there is one.
func List(ctx context.Context, c *config.Config, connection scaleway.Options, which archive.Choice, state recorder.State, now time.Time) (Listing, error) {
	a, err := Open(c, connection)
	if err != nil {
		return Listing{}, err
	}
	out := Listing{Archive: a.To, Records: []archive.Record{}, Missing: []string{}}
	records, err := a.Records(ctx)
	if err != nil {
		return out, err
	}
	if which.Run != "" || which.WholeRun() != "" {
		l, err := recorder.LedgerOf(ctx, c, state)
		switch {
		case err == nil:
			defer l.Close()
			k := known{}
			if records, out.Missing, err = k.candidates(ctx, records, which, l); err != nil {
				return out, err
			}
			out.Lost = k.errMissing(c, out.Missing, which.WholeRun(), now)
		case c.LedgerDSN() != "":
			return out, err
		}
	}
	found, err := archive.Listed(records, which)
	if len(found) == 0 && len(out.Missing) > 0 {
		err = nil
	}
	out.Records = append(out.Records, found...)
	return out, err
}
