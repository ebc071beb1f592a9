package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The kinds of spans.
const (
	spanMarked = "condemned" // as stored; subject: the ID of the tag, value: its digest
	spanHeld   = "held"      // subject: the action, value: the guard
)

// span is a fact that holds for a time. Another value is another span.
type span struct {
	ref, subject, value string
	detail              string
	reasons             []registry.Reason
}

type spanKey struct{ ref, subject string }

// openSpan is a span without a recorded end.
type openSpan struct {
	id    int64
	value string
	since int64
	seen  bool
}

func heldSpans(held []actions.Held) []span {
	spans := make([]span, len(held))
	for i := range held {
		h := &held[i]
		spans[i] = span{ref: h.Ref, subject: string(h.Action), value: string(h.Guard), detail: h.Detail, reasons: h.Reasons}
	}
	return spans
}

// observe records the facts of one time. A new fact starts a span, a fact with
// another value starts another span, and a span ends if its fact no longer holds
// although the run covered it. Only changes are written.
func (r *Run) observe(ctx context.Context, tx *sql.Tx, kind string, at time.Time, now []span, covered func(registry.Ref) bool) error {
	if err := r.ledger.engine.Serialize(ctx, tx); err != nil {
		return err
	}
	open, err := openSpans(ctx, tx, kind)
	if err != nil {
		return err
	}
	var fresh []span
	var ended []any // IDs
	for _, s := range now {
		s.ref, s.subject, s.value = text(s.ref), text(s.subject), text(s.value)
		key := spanKey{s.ref, s.subject}
		o := open[key]
		switch {
		case o != nil && (o.seen || o.value == s.value):
			o.seen = true
			continue
		case o != nil:
			ended = append(ended, o.id)
		}
		fresh = append(fresh, s)
		open[key] = &openSpan{value: s.value, since: micros(at), seen: true}
	}
	for key, o := range open {
		if o.seen {
			continue
		}
		// A reference that cannot be parsed is in no scope.
		if ref, err := registry.ParseRef(key.ref); err != nil || covered(ref) {
			ended = append(ended, o.id)
		}
	}
	if err := endSpans(ctx, tx, ended, micros(at), r.id); err != nil {
		return err
	}
	return startSpans(ctx, tx, kind, fresh, micros(at), r.id)
}

func openSpans(ctx context.Context, q querier, kind string) (map[spanKey]*openSpan, error) {
	open := make(map[spanKey]*openSpan)
	err := eachRow(ctx, q, func(rows *sql.Rows) error {
		var key spanKey
		var o openSpan
		err := rows.Scan(&o.id, &key.ref, &key.subject, &o.value, &o.since)
		open[key] = &o
		return err
	}, `SELECT id, ref, subject, value, since FROM janitor_spans WHERE kind = $1 AND ended IS NULL`, kind)
	return open, err
}

// chunk is how many rows one statement writes. With more, SQLite spends more time
// on the parameters than the statement saves.
const chunk = 50

func endSpans(ctx context.Context, tx *sql.Tx, ids []any, at, run int64) error {
	for some := range slices.Chunk(ids, chunk) {
		args := append([]any{at, run}, some...)
		// A span must not end before it starts, even if the clock was set back.
		//nolint:gosec // G202: only placeholders are added
		if _, err := tx.ExecContext(ctx, `UPDATE janitor_spans SET ended = CASE WHEN since > $1 THEN since ELSE $1 END, ended_run = $2 WHERE id IN (`+
			placeholders(3, len(some))+`)`, args...); err != nil {
			return err
		}
	}
	return nil
}

func startSpans(ctx context.Context, tx *sql.Tx, kind string, spans []span, at, run int64) error {
	return inChunks(spans, 8, func(values string, some []span) error {
		var args []any
		for _, s := range some {
			reasons, err := json.Marshal(s.reasons)
			if err != nil {
				return err
			}
			args = append(args, kind, s.ref, s.subject, s.value, text(s.detail), string(reasons), at, run)
		}
		//nolint:gosec // G202: values has only placeholders
		_, err := tx.ExecContext(ctx, `INSERT INTO janitor_spans (kind, ref, subject, value, detail, reasons, since, since_run) VALUES `+values, args...)
		return err
	})
}

// inChunks calls write for some rows at a time, with the VALUES of their columns:
// "($1, $2), ($3, $4)".
func inChunks[T any](rows []T, columns int, write func(values string, some []T) error) error {
	for some := range slices.Chunk(rows, chunk) {
		values := make([]string, len(some))
		for i := range some {
			values[i] = "(" + placeholders(i*columns+1, columns) + ")"
		}
		if err := write(strings.Join(values, ", "), some); err != nil {
			return err
		}
	}
	return nil
}

// placeholders returns n placeholders from a number on: "$3, $4, $5".
func placeholders(from, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(all, ", ")
}

// endDeleted ends the spans of the objects that a run deleted or found gone.
func endDeleted(ctx context.Context, tx *sql.Tx, run, at int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE janitor_spans SET ended = CASE WHEN since > $1 THEN since ELSE $1 END, ended_run = $2
		WHERE ended IS NULL AND ref IN (SELECT ref FROM janitor_steps WHERE run_id = $2 AND result IN ($3, $4) AND action IN ($5, $6, $7))`,
		at, run, string(actions.ResultDone), string(actions.ResultGone), string(actions.DeleteTag), string(actions.DeleteImage), string(actions.DeleteNamespace))
	return err
}
