package archivist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
)

// known are the digests that a ledger knows of what runs deleted, by run and reference.
type known map[string]map[string]string

// knownOf reads the runs of some records. A run that the ledger does not have is not in
// the result: its records are all that there is.
func knownOf(ctx context.Context, l *ledger.Ledger, records []archive.Record) (known, error) {
	all := known{}
	for i := range records {
		run := records[i].Run
		id, err := strconv.ParseInt(run, 10, 64)
		if _, ok := all[run]; ok || err != nil {
			continue
		}
		details, err := l.RunWithPlan(ctx, id)
		if errors.Is(err, ledger.ErrUnknownRun) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[run] = map[string]string{}
		for _, s := range details.Steps {
			if s.Action == actions.DeleteTag && s.Step != nil {
				all[run][s.Ref] = s.Step.Digest
			}
		}
	}
	return all, nil
}

// differs reports whether the ledger knows another digest of a record.
func (k known) differs(r archive.Record) bool {
	digest, ok := k[r.Run][r.Ref]
	return ok && digest != r.Digest
}

// check refuses records that contradict the ledger, unless the operator named the digest:
// either the index of the archive was changed, or another ledger has a run of that number.
func (k known) check(chosen []archive.Record, which archive.Choice) error {
	if strings.Contains(which.Ref, "@") {
		return nil
	}
	var failed error
	for _, r := range chosen {
		if k.differs(r) {
			failed = errors.Join(failed, fmt.Errorf("the archive has %s with the digest %s, and run %s deleted %s: the archive was changed, or has runs of another ledger; if this is the content that you need, name %s@%s",
				r.Ref, r.Digest, r.Run, k[r.Run][r.Ref], r.Ref, r.Digest))
		}
	}
	if failed != nil || which.Ref != "" && !which.IsRun() {
		return failed
	}
	return k.checkOneLedger(chosen)
}

// checkOneLedger refuses to undo a run whose number two ledgers have.
func (k known) checkOneLedger(chosen []archive.Record) error {
	var foreign []string
	for _, r := range chosen {
		if _, ok := k[r.Run][r.Ref]; !ok {
			foreign = append(foreign, r.Ref)
		}
	}
	if len(foreign) == 0 || len(foreign) == len(chosen) { // another ledger may have the run alone
		return nil
	}
	slices.Sort(foreign)
	return fmt.Errorf("run %s of this ledger did not delete %d of these tags, such as %s, but a run of that number in another ledger did: restore tag by tag, with --run %s if a tag has several copies",
		chosen[0].Run, len(foreign), foreign[0], chosen[0].Run)
}
