package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// Restore is a tag that was restored from the archive.
type Restore struct {
	Ref    string // that has the digest again
	Digest string
	From   string // the reference in the archive
	Run    int64  // the run that deleted it; 0 if that is not a number
}

// Restored records a restoration.
func (l *Ledger) Restored(ctx context.Context, r Restore) error {
	return l.fail("recording a restoration in", l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_restores (ref, digest, origin, run_id, who, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			text(r.Ref), text(r.Digest), text(r.From), r.Run, text(l.who), micros(l.now()))
		return err
	}))
}

// restoreEvents are the restorations of a tag, or of what is in an image or a namespace.
func (l *Ledger) restoreEvents(ctx context.Context, ref string) ([]Event, error) {
	var events []Event
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		e := Event{Kind: EventRestored}
		var origin string
		var at int64
		if err := rows.Scan(&e.Ref, &e.Digest, &origin, &e.Run, &e.Who, &at); err != nil {
			return err
		}
		e.At = fromMicros(at)
		if origin != e.Ref {
			e.Detail = fmt.Sprintf("from the copy of %s", origin)
		}
		events = append(events, e)
		return nil
	}, `SELECT s.ref, s.digest, s.origin, s.run_id, s.who, s.at FROM janitor_restores s WHERE `+inRef+` ORDER BY s.at`, inside(ref)...)
	return events, err
}
