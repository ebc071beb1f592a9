package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// EventKind is the kind of an event.
type EventKind string

// The kinds of events.
const (
	// EventMarked: the policies began to mark the tag for deletion.
	EventMarked EventKind = "marked"
	// EventUnmarked: they no longer mark it, it has another digest, or it is gone.
	EventUnmarked EventKind = "unmarked"
	// EventHeld: a guard began to hold a step.
	EventHeld EventKind = "held"
	// EventReleased: the guard no longer holds it, or that step no longer exists.
	EventReleased EventKind = "released"
	// EventIntended: a step was about to be sent.
	EventIntended EventKind = "intended"
	// EventResult: the result of a step became known.
	EventResult EventKind = "result"
	// EventRestored: the tag was restored from the archive.
	EventRestored EventKind = "restored"
	// EventNotRestored: a restoration failed.
	EventNotRestored EventKind = "not_restored"
	// EventArchived: the tag was copied into the archive, which has the event; a ledger
	// does not.
	EventArchived EventKind = "archived"
)

// Event is one event in the history of an object. Fields that its kind does not use
// are empty.
type Event struct {
	At           time.Time         `json:"at"`  // UTC
	Ref          string            `json:"ref"` // of the object
	Kind         EventKind         `json:"event"`
	Run          int64             `json:"run"` // the run that found or caused it
	Who          string            `json:"by"`
	PolicyDigest string            `json:"policy_digest"`     // of that run
	PlanID       string            `json:"plan_id,omitempty"` // of that run
	Digest       string            `json:"digest,omitempty"`  // of the tag
	Action       actions.Action    `json:"action,omitempty"`
	Guard        actions.Guard     `json:"guard,omitempty"`
	Result       actions.Result    `json:"result,omitempty"`
	Detail       string            `json:"detail,omitempty"`
	Reasons      []registry.Reason `json:"reasons,omitempty"`
	Until        time.Time         `json:"until,omitzero"` // when the copy may be purged
}

// History returns every event of a tag, of an image and its tags, or of a namespace and
// all that is in it, oldest first.
func (l *Ledger) History(ctx context.Context, ref string) ([]Event, error) {
	events, err := l.spanEvents(ctx, ref)
	if err != nil {
		return nil, l.fail("reading the history from", err)
	}
	steps, err := l.stepEvents(ctx, ref)
	if err != nil {
		return nil, l.fail("reading the history from", err)
	}
	restores, err := l.restoreEvents(ctx, ref)
	if err != nil {
		return nil, l.fail("reading the history from", err)
	}
	events = append(append(events, steps...), restores...)
	SortEvents(events)
	return events, nil
}

// SortEvents puts events in their order: the oldest first.
func SortEvents(events []Event) {
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Run, b.Run), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Kind.order(), b.Kind.order()))
	})
}

// order is the order of events of one run at the same time: a guard releases a step
// before the next guard holds it.
func (k EventKind) order() int {
	return slices.Index([]EventKind{EventUnmarked, EventReleased, EventMarked, EventHeld, EventArchived, EventIntended, EventResult, EventNotRestored, EventRestored}, k)
}

func (l *Ledger) spanEvents(ctx context.Context, ref string) ([]Event, error) {
	var events []Event
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var kind, subject, value, reasons string
		var start, end Event
		var since int64
		var ended sql.NullInt64
		if err := rows.Scan(&start.Ref, &kind, &subject, &value, &start.Detail, &reasons, &since, &start.Run, &start.Who, &start.PolicyDigest, &start.PlanID,
			&ended, &end.Run, &end.Who, &end.PolicyDigest, &end.PlanID); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(reasons), &start.Reasons); err != nil {
			return fmt.Errorf("reading reasons: %w", err)
		}
		end.Ref = start.Ref
		start.At, end.At = fromMicros(since), fromNullMicros(ended)
		switch kind {
		case spanMarked:
			start.Kind, end.Kind = EventMarked, EventUnmarked
			start.Digest, end.Digest = value, value
		default:
			start.Kind, end.Kind = EventHeld, EventReleased
			start.Action, end.Action = actions.Action(subject), actions.Action(subject)
			start.Guard, end.Guard = actions.Guard(value), actions.Guard(value)
		}
		events = append(events, start)
		if ended.Valid {
			events = append(events, end)
		}
		return nil
	}, `SELECT s.ref, s.kind, s.subject, s.value, s.detail, s.reasons,
		s.since, s.since_run, r.who, r.policy_digest, r.plan_id,
		s.ended, COALESCE(s.ended_run, 0), COALESCE(e.who, ''), COALESCE(e.policy_digest, ''), COALESCE(e.plan_id, '')
		FROM janitor_spans s JOIN janitor_runs r ON r.id = s.since_run LEFT JOIN janitor_runs e ON e.id = s.ended_run
		WHERE `+inRef+` ORDER BY s.id`, inside(ref)...)
	return events, err
}

func (l *Ledger) stepEvents(ctx context.Context, ref string) ([]Event, error) {
	var events []Event
	err := eachRow(ctx, l.db, func(rows *sql.Rows) error {
		var e Event
		var encoded, detail string
		var result actions.Result
		var intended, done sql.NullInt64
		if err := rows.Scan(&e.Ref, &e.Action, &encoded, &intended, &done, &result, &detail, &e.Run, &e.Who, &e.PolicyDigest, &e.PlanID); err != nil {
			return err
		}
		if encoded != "" {
			var s actions.Step
			if err := json.Unmarshal([]byte(encoded), &s); err != nil {
				return fmt.Errorf("reading a step of run %d: %w", e.Run, err)
			}
			e.Digest, e.Reasons = s.Digest, s.Reasons
		}
		if intended.Valid {
			e.At, e.Kind = fromNullMicros(intended), EventIntended
			events = append(events, e)
		}
		if done.Valid {
			e.At, e.Kind, e.Result, e.Detail = fromNullMicros(done), EventResult, result, detail
			events = append(events, e)
		}
		return nil
	}, `SELECT s.ref, s.action, s.step, s.intended, s.done, COALESCE(s.result, ''), COALESCE(s.detail, ''),
		r.id, r.who, r.policy_digest, r.plan_id
		FROM janitor_steps s JOIN janitor_runs r ON r.id = s.run_id WHERE `+inRef+` ORDER BY r.id, s.ref, s.action`, inside(ref)...)
	return events, err
}

// inRef selects what is about a reference, or about something in it.
const inRef = `(s.ref = $1 OR substr(s.ref, 1, $3) = $2)`

// inside are the arguments of inRef. A tag has the reference of its image, and then a
// colon; an image has the text of its namespace, and then a slash, which an image may have too.
func inside(ref string) []any {
	separator := ":"
	if r, err := registry.ParseRef(ref); err == nil && r.Image == "" {
		separator = "/"
	}
	ref = text(ref)
	return []any{ref, ref + separator, utf8.RuneCountInString(ref) + 1}
}
