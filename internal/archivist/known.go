package archivist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// known is what a ledger knows of the tags that runs were to delete, by run and reference.
type known map[string]map[string]deletion

// deletion is what became of one tag.
type deletion struct {
	digest string
	// deleted: the run deleted it, or may have before it was killed.
	deleted bool
	// gone: it deleted it, or found it deleted, or had no proof: a deletion that took too long
	// may have been carried out later.
	gone bool
	// sent is when the run began to delete the tag, if it was killed before the result was known.
	sent time.Time
	// copied is the copy that the run made, and uncopied why it has none.
	copied   *actions.Archived
	uncopied string
}

// add reads a run. One that the ledger does not have, or that only planned, is of another
// ledger, and not in the result: its records are all that there is.
func (k known) add(ctx context.Context, l *ledger.Ledger, run string) error {
	id, err := strconv.ParseInt(run, 10, 64)
	if _, ok := k[run]; ok || err != nil {
		return nil //nolint:nilerr // another program wrote the record
	}
	details, err := l.RunWithPlan(ctx, id)
	if errors.Is(err, ledger.ErrUnknownRun) || err == nil && details.Kind != runs.KindApply {
		return nil
	}
	if err != nil {
		return err
	}
	k[run] = deletionsOf(details)
	return nil
}

// deletionsOf are what became of the tags that a run was to delete.
func deletionsOf(run *ledger.RunDetails) map[string]deletion {
	done := map[actions.ImageDigest]bool{}
	deletions, copies := map[string]deletion{}, copiesIn(run.Outcome)
	steps := slices.DeleteFunc(slices.Clone(run.Steps), func(s ledger.StepRecord) bool { return s.Action != actions.DeleteTag || s.Step == nil })
	for i := range steps {
		s := &steps[i]
		if s.Result == actions.ResultDone {
			done[s.Step.ImageDigest()] = true
		}
		d := deletionOf(s)
		if d.copied = copies[s.Ref]; d.copied == nil {
			d.uncopied = uncopied(s, run)
		}
		deletions[s.Ref] = d
	}
	for i := range steps {
		// The registry deletes a digest with all its tags.
		if s := &steps[i]; s.Result == actions.ResultGone && done[s.Step.ImageDigest()] {
			d := deletions[s.Ref]
			d.deleted = true
			deletions[s.Ref] = d
		}
	}
	return deletions
}

func deletionOf(s *ledger.StepRecord) deletion {
	d := deletion{digest: s.Step.Digest}
	if s.Result == "" {
		d.sent = s.Intended
	}
	d.deleted = s.Result == actions.ResultDone || !d.sent.IsZero()
	d.gone = d.deleted || s.Result == actions.ResultGone || s.Result == actions.ResultFailed
	return d
}

// addAll reads the runs of some records.
func (k known) addAll(ctx context.Context, l *ledger.Ledger, records []archive.Record) error {
	for i := range records {
		if err := k.add(ctx, l, records[i].Run); err != nil {
			return err
		}
	}
	return nil
}

// candidates are the records that a choice can find, and the tags that its run deleted and
// that have none: the ledger knows what a run deleted, and the archive may have less.
func (k known) candidates(ctx context.Context, records []archive.Record, which archive.Choice, l *ledger.Ledger) (of []archive.Record, missing []string, err error) {
	whole := which.WholeRun()
	run := cmp.Or(whole, which.Run)
	if err := k.add(ctx, l, run); err != nil {
		return nil, nil, err
	}
	of = k.claimed(records, run)
	if whole == "" {
		return of, []string{}, nil
	}
	of = slices.DeleteFunc(of, k.left)
	return of, k.missing(of, run), nil
}

// claimed has the records of what a run deleted count as its own: if a later run deleted
// the same content again, its record has replaced that of the first.
func (k known) claimed(records []archive.Record, run string) []archive.Record {
	records = slices.Clone(records)
	for i := range records {
		r := &records[i]
		if d := k[run][r.Ref]; d.gone && d.digest == r.Digest {
			r.Run = run
		}
	}
	return records
}

// left reports whether the ledger knows that the run of a record did not delete its tag.
func (k known) left(r archive.Record) bool {
	d, ok := k[r.Run][r.Ref]
	return ok && !d.gone
}

// differs reports whether the ledger knows another digest of a record.
func (k known) differs(r archive.Record) bool {
	d, ok := k[r.Run][r.Ref]
	return ok && d.digest != r.Digest
}

// contradicts is the error of a record that differs from what the ledger knows; nil if it does
// not.
func (k known) contradicts(r archive.Record) error {
	if !k.differs(r) {
		return nil
	}
	return fmt.Errorf("the archive has %s with the digest %s, and run %s deleted %s: the archive was changed, or has runs of another ledger; if this is the content that you need, name %s",
		r.Ref, r.Digest, r.Run, k[r.Run][r.Ref].digest, r.WithDigest())
}

// deletionTime is how long a tag may take that is being deleted, as for a run that applies.
const deletionTime = 2 * time.Minute

// underWay is the error of tags that were still there, but that the registry may be deleting:
// a run that was killed had sent their deletions.
func (k known) underWay(done []archive.Restored, now time.Time) error {
	var failed error
	for i := range done {
		one := &done[i]
		for run, deletions := range k {
			if sent := deletions[one.As].sent; one.Before != "" && !sent.IsZero() && now.Sub(sent) < deletionTime {
				failed = errors.Join(failed, fmt.Errorf("%s is still there, but run %s was killed while it deleted the tag: the deletion may still be under way: run the same command again in 2 minutes",
					one.As, run))
			}
		}
	}
	return failed
}

// check refuses records that contradict the ledger, unless the operator named the digest:
// either the index of the archive was changed, or another ledger has a run of that number.
func (k known) check(chosen []archive.Record, which archive.Choice) error {
	if strings.Contains(which.Ref, "@") {
		return nil
	}
	var failed error
	for _, r := range chosen {
		failed = errors.Join(failed, k.contradicts(r))
	}
	if run := which.WholeRun(); failed == nil && run != "" {
		return k.checkOneLedger(chosen, run)
	}
	return failed
}

// checkOneLedger refuses to undo a run whose number two ledgers have.
func (k known) checkOneLedger(chosen []archive.Record, run string) error {
	var foreign []string
	for _, r := range chosen {
		if _, ok := k[run][r.Ref]; !ok {
			foreign = append(foreign, r.Ref)
		}
	}
	if len(foreign) == 0 || k[run] == nil { // another ledger may have the run alone
		return nil
	}
	slices.Sort(foreign)
	return fmt.Errorf("run %s of this ledger did not delete %d of these tags, such as %s, but a run of that number in another ledger did: restore tag by tag, with --run %s if a tag has several copies",
		run, len(foreign), foreign[0], run)
}
