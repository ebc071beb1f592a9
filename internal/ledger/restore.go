package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Restore is a tag that was restored from the archive, or that could not be.
type Restore struct {
	Ref    string // that has the digest again, or was to have it
	Digest string
	From   string         // the reference in the archive
	Run    int64          // the run that deleted it; 0 if that is not a number
	Result actions.Result // done or failed
	Detail string         // why it failed, or what the tag was before
}

// Restored records a restoration, or that one failed.
func (l *Ledger) Restored(ctx context.Context, r Restore) error {
	return l.fail("recording a restoration in", l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_restores (ref, digest, origin, run_id, who, at, result, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			text(r.Ref), text(r.Digest), text(r.From), r.Run, text(l.who), micros(l.now()), r.Result, text(r.Detail))
		return err
	}))
}

// Restores counts the restorations by their result: done or failed.
func (l *Ledger) Restores(ctx context.Context) (map[actions.Result]int64, error) {
	counts := map[actions.Result]int64{actions.ResultDone: 0, actions.ResultFailed: 0}
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var result actions.Result
		var n int64
		err := rows.Scan(&result, &n)
		counts[result] = n
		return err
	}, `SELECT result, count(*) FROM janitor_restores GROUP BY result`)
	return counts, l.fail("counting restorations in", err)
}

// RestoredSince are the restorations since a time, without those that failed.
func (l *Ledger) RestoredSince(ctx context.Context, since time.Time) ([]Event, error) {
	events, err := l.restorations(ctx, `s.at >= $1 AND s.result = $2`, micros(since), string(actions.ResultDone))
	return events, l.fail("reading restorations from", err)
}

// restoreEvents are the restorations of a tag, or of what is in an image or a namespace.
func (l *Ledger) restoreEvents(ctx context.Context, ref string) ([]Event, error) {
	return l.restorations(ctx, inRef, inside(ref)...)
}

func (l *Ledger) restorations(ctx context.Context, where string, args ...any) ([]Event, error) {
	var events []Event
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		e := Event{Kind: EventRestored}
		var origin string
		var result actions.Result
		var at int64
		if err := rows.Scan(&e.Ref, &e.Digest, &origin, &e.Run, &e.Who, &at, &result, &e.Detail); err != nil {
			return err
		}
		e.At = fromMicros(at)
		switch {
		case result != actions.ResultDone:
			e.Kind = EventNotRestored
		case origin != e.Ref:
			e.Detail = strings.TrimSuffix(fmt.Sprintf("from the copy of %s; %s", origin, e.Detail), "; ")
		}
		events = append(events, e)
		return nil
	}, `SELECT s.ref, s.digest, s.origin, s.run_id, s.who, s.at, s.result, s.detail FROM janitor_restores s WHERE `+where+` ORDER BY s.at`, args...)
	return events, err
}
