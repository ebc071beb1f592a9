package archivist

import (
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/archive"
)

func TestRecordsAreComparedWithTheLedger(t *testing.T) {
	ledger := known{"42": {"prod/api:a": "sha256:aa", "prod/api:b": "sha256:bb"}}
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
