package archivist

import (
	"context"
	"slices"
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
	// Notes say what of a run cannot come back, and why.
	Notes []error `json:"-"`
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
	k := known{}
	var lost error
	if which.Run != "" || which.WholeRun() != "" {
		l, err := recorder.LedgerOf(ctx, c, state)
		switch {
		case err == nil:
			defer l.Close()
			if records, out.Missing, err = k.candidates(ctx, records, which, l); err != nil {
				return out, err
			}
			lost = k.errMissing(c, out.Missing, which.WholeRun(), now)
		case c.LedgerDSN() != "":
			return out, err
		}
	}
	found, err := archive.Listed(records, which)
	if len(found) == 0 && len(out.Missing) > 0 {
		err = nil
	}
	out.Records = append(out.Records, found...)
	if which.WholeRun() != "" {
		out.Notes = slices.DeleteFunc([]error{lost, k.check(found, which)}, func(e error) bool { return e == nil })
	}
	return out, err
}
