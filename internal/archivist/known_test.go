package archivist

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
)

func TestRecordsAreComparedWithTheLedger(t *testing.T) {
	ledger := known{"42": {"prod/api:a": {digest: "sha256:aa", deleted: true, gone: true}, "prod/api:b": {digest: "sha256:bb", deleted: true, gone: true}}}
	record := func(ref, digest, run string) archive.Record {
		return archive.Record{Ref: ref, Digest: "sha256:" + digest, Run: run}
	}
	a, b := record("prod/api:a", "aa", "42"), record("prod/api:b", "bb", "42")
	for name, row := range map[string]struct {
		chosen []archive.Record
		which  archive.Choice
		err    string
	}{
		"what the ledger knows":         {[]archive.Record{a, b}, archive.Choice{Ref: "42"}, ""},
		"the digest of another record":  {[]archive.Record{record("prod/api:a", "bb", "42")}, archive.Choice{Ref: "prod/api:a"}, "the archive was changed"},
		"a changed record of a run":     {[]archive.Record{record("prod/api:a", "bb", "42"), b}, archive.Choice{Ref: "42"}, "the archive was changed"},
		"a digest that is named":        {[]archive.Record{record("prod/api:a", "bb", "42")}, archive.Choice{Ref: "prod/api:a@sha256:bb"}, ""},
		"a run that it does not have":   {[]archive.Record{record("prod/api:a", "bb", "7")}, archive.Choice{Ref: "7"}, ""},
		"a run of two ledgers":          {[]archive.Record{a, record("prod/web:c", "cc", "42")}, archive.Choice{Ref: "42"}, "another ledger"},
		"a run of two ledgers, by flag": {[]archive.Record{a, record("prod/web:c", "cc", "42")}, archive.Choice{Run: "42"}, "another ledger"},
		"a tag of another ledger":       {[]archive.Record{record("prod/web:c", "cc", "42")}, archive.Choice{Ref: "prod/web:c", Run: "42"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := ledger.check(row.chosen, row.which)
			if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Error(err)
			}
		})
	}
}

func TestWhatARunDeletedIsWhatTheLedgerKnows(t *testing.T) {
	ledger := known{"1": {"prod/api:a": {digest: "sha256:aa", deleted: true, gone: true}, "prod/api:b": {digest: "sha256:bb", deleted: true, gone: true}, "prod/api:kept": {digest: "sha256:cc"}, "prod/api:gone": {digest: "sha256:ee", gone: true}}}
	record := func(ref, digest, run string) archive.Record {
		return archive.Record{Ref: ref, Digest: "sha256:" + digest, Run: run}
	}
	for name, row := range map[string]struct {
		records []archive.Record
		missing []string
	}{
		"all have a copy":                         {[]archive.Record{record("prod/api:a", "aa", "1"), record("prod/api:b", "bb", "1")}, nil},
		"a later run deleted one again":           {[]archive.Record{record("prod/api:a", "aa", "2"), record("prod/api:b", "bb", "1")}, nil},
		"one was not archived, or was purged":     {[]archive.Record{record("prod/api:a", "aa", "1")}, []string{"prod/api:b@sha256:bb"}},
		"one has a copy of another content alone": {[]archive.Record{record("prod/api:a", "aa", "1"), record("prod/api:b", "dd", "2")}, []string{"prod/api:b@sha256:bb"}},
		"what was not deleted needs none":         {[]archive.Record{record("prod/api:a", "aa", "1"), record("prod/api:b", "bb", "1"), record("prod/api:kept", "cc", "1")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			of := func(records []archive.Record) (refs []string) {
				for _, r := range slices.DeleteFunc(records, func(r archive.Record) bool { return r.Run != "1" || ledger.left(r) }) {
					refs = append(refs, r.WithDigest())
				}
				return refs
			}
			want := slices.DeleteFunc([]string{"prod/api:a@sha256:aa", "prod/api:b@sha256:bb"}, func(ref string) bool { return slices.Contains(row.missing, ref) })
			if diff := cmp.Diff(want, of(ledger.claimed(row.records, "1"))); diff != "" {
				t.Error(diff)
			}
			if got := ledger.missing(row.records, "1"); !slices.Equal(row.missing, got) {
				t.Error(got)
			}
		})
	}
}

func TestWhichStepsCountAsDeleted(t *testing.T) {
	sent := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		step          ledger.StepRecord
		deleted, gone bool
		sent          time.Time
	}{
		"one that was done":                   {ledger.StepRecord{Intended: sent, Result: actions.ResultDone}, true, true, time.Time{}},
		"one that was gone already":           {ledger.StepRecord{Result: actions.ResultGone}, false, true, time.Time{}},
		"one that was sent by a killed run":   {ledger.StepRecord{Intended: sent}, true, true, sent},
		"one that a killed run did not reach": {ledger.StepRecord{}, false, false, time.Time{}},
		"one that failed, and may go later":   {ledger.StepRecord{Intended: sent, Result: actions.ResultFailed}, false, true, time.Time{}},
		"one that was skipped":                {ledger.StepRecord{Result: actions.ResultSkipped}, false, false, time.Time{}},
		"one that was blocked":                {ledger.StepRecord{Intended: sent, Result: actions.ResultBlocked}, false, false, time.Time{}},
		"one of a tag that had changed":       {ledger.StepRecord{Result: actions.ResultChanged}, false, false, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			row.step.Step = new(actions.Step)
			if got := deletionOf(&row.step); got != (deletion{deleted: row.deleted, gone: row.gone, sent: row.sent}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestADeletionMayStillBeUnderWay(t *testing.T) {
	sent := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	ledger := known{"1": {"prod/api:a": {digest: "sha256:aa", deleted: true, gone: true, sent: sent}, "prod/api:b": {digest: "sha256:bb", deleted: true, gone: true}}}
	for name, row := range map[string]struct {
		as, before string
		after      time.Duration
		may        bool
	}{
		"a tag that is still there":                   {"prod/api:a", "sha256:aa", time.Second, true},
		"one that another client has moved meanwhile": {"prod/api:a", "sha256:cc", time.Second, true},
		"one that is gone":                            {"prod/api:a", "", time.Second, false},
		"one that is still there two minutes later":   {"prod/api:a", "sha256:aa", 2 * time.Minute, false},
		"one of which the result is known":            {"prod/api:b", "sha256:bb", time.Second, false},
		"one that no run was to delete":               {"prod/api:c", "sha256:aa", time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			done := []archive.Restored{{Record: archive.Record{Ref: "prod/api:a", Digest: "sha256:aa"}, As: row.as, Before: row.before}}
			if err := ledger.underWay(done, sent.Add(row.after)); (err != nil) != row.may {
				t.Error(err)
			}
		})
	}
}
