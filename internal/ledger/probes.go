package ledger

import (
	"context"
	"database/sql"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Probe is what a probe of the API of one region found out.
type Probe struct {
	Region   registry.Region
	TakenAt  time.Time
	Document []byte // the report, as the program printed it
}

// RecordProbe records a probe. Earlier ones are kept.
func (l *Ledger) RecordProbe(ctx context.Context, p Probe) error {
	return l.fail("recording a probe in", l.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_probes (region, taken_at, who, document) VALUES ($1, $2, $3, $4)`,
			string(p.Region), micros(p.TakenAt), text(l.who), text(string(p.Document)))
		return err
	}))
}

// Probes are the newest probe of each region.
func (l *Ledger) Probes(ctx context.Context) ([]Probe, error) {
	var probes []Probe
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var p Probe
		var at int64
		var document string
		if err := rows.Scan(&p.Region, &at, &document); err != nil {
			return err
		}
		p.TakenAt, p.Document = fromMicros(at), []byte(document)
		probes = append(probes, p)
		return nil
	}, `SELECT region, taken_at, document FROM janitor_probes p
		WHERE id = (SELECT id FROM janitor_probes WHERE region = p.region ORDER BY taken_at DESC, id DESC LIMIT 1) ORDER BY region`)
	return probes, l.fail("reading the probes from", err)
}
