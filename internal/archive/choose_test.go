package archive_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/archive"
)

func TestWhatIsChosen(t *testing.T) {
	record := func(ref, digest, run string, age time.Duration) archive.Record {
		return archive.Record{Ref: "rg.fr-par.scw.cloud/" + ref, Digest: "sha256:" + digest, Run: run, DeletedAt: now.Add(-age)}
	}
	overwritten := func(ref, digest string, age time.Duration) archive.Record {
		r := record(ref, digest, "", age)
		r.Rule = archive.RuleOverwritten
		return r
	}
	records := []archive.Record{ // the latest first, as an archive has them
		record("prod/api:pr-1", "aa", "9", time.Hour),
		record("prod/api:pr-2", "aa", "9", time.Hour),
		record("prod/api:pr-1", "bb", "7", 48*time.Hour),
		record("prod/api/base:pr-1", "cc", "7", 48*time.Hour),
		overwritten("prod/api:moved", "ee", time.Minute),
		record("prod/api:moved", "dd", "7", 48*time.Hour),
		overwritten("prod/api:only", "ff", time.Minute),
	}
	for name, row := range map[string]struct {
		choice archive.Choice
		want   []string
		err    string
	}{
		"the latest of a tag":              {archive.Choice{Ref: "rg.fr-par.scw.cloud/prod/api:pr-1"}, []string{"prod/api:pr-1@aa"}, ""},
		"a tag without its host":           {archive.Choice{Ref: "prod/api:pr-1"}, []string{"prod/api:pr-1@aa"}, ""},
		"a tag of an earlier run":          {archive.Choice{Ref: "prod/api:pr-1", Run: "7"}, []string{"prod/api:pr-1@bb"}, ""},
		"a tag with a digest":              {archive.Choice{Ref: "prod/api:pr-1@sha256:bb"}, []string{"prod/api:pr-1@bb"}, ""},
		"an image with a digest":           {archive.Choice{Ref: "rg.fr-par.scw.cloud/prod/api@sha256:bb"}, []string{"prod/api:pr-1@bb"}, ""},
		"a digest of several tags":         {archive.Choice{Ref: "prod/api@sha256:aa"}, []string{"prod/api:pr-1@aa", "prod/api:pr-2@aa"}, ""},
		"a run":                            {archive.Choice{Ref: "7"}, []string{"prod/api:pr-1@bb", "prod/api/base:pr-1@cc", "prod/api:moved@dd"}, ""},
		"a tag that was restored, again":   {archive.Choice{Ref: "prod/api:moved"}, []string{"prod/api:moved@dd"}, ""},
		"what a restoration moved it from": {archive.Choice{Ref: "prod/api:moved@sha256:ee"}, []string{"prod/api:moved@ee"}, ""},
		"a tag that was only moved":        {archive.Choice{Ref: "prod/api:only"}, []string{"prod/api:only@ff"}, ""},
		"the run of a flag":                {archive.Choice{Run: "9"}, []string{"prod/api:pr-1@aa", "prod/api:pr-2@aa"}, ""},
		"an image alone":                   {archive.Choice{Ref: "prod/api"}, nil, "is not a tag"},
		"a tag that was never deleted":     {archive.Choice{Ref: "prod/api:pr-3"}, nil, "no record of prod/api:pr-3"},
		"a run that deleted nothing":       {archive.Choice{Ref: "8"}, nil, "no record of run 8"},
		"a tag that a run did not delete":  {archive.Choice{Ref: "prod/api:pr-2", Run: "7"}, nil, "no record of prod/api:pr-2 deleted by run 7: archive list"},
		"a digest that another image has":  {archive.Choice{Ref: "prod/api@sha256:cc"}, nil, "no record"},
	} {
		t.Run(name, func(t *testing.T) {
			chosen, err := archive.Choose(records, row.choice)
			var got []string
			for _, r := range chosen {
				got = append(got, strings.TrimPrefix(r.Ref, "rg.fr-par.scw.cloud/")+"@"+strings.TrimPrefix(r.Digest, "sha256:"))
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestWhatIsListed(t *testing.T) {
	record := func(ref, run string) archive.Record {
		return archive.Record{Ref: "rg.fr-par.scw.cloud/" + ref, Run: run}
	}
	records := []archive.Record{record("prod/api:pr-1", "9"), record("prod/web:pr-1", "9"), record("prod/api:pr-1", "7")}
	for name, row := range map[string]struct {
		choice archive.Choice
		want   int
		err    string
	}{
		"everything":                 {archive.Choice{}, 3, ""},
		"an image":                   {archive.Choice{Ref: "prod/api"}, 2, ""},
		"an image of a run":          {archive.Choice{Ref: "prod/api", Run: "9"}, 1, ""},
		"a namespace of a run":       {archive.Choice{Ref: "prod", Run: "9"}, 2, ""},
		"a run":                      {archive.Choice{Ref: "9"}, 2, ""},
		"an image without records":   {archive.Choice{Ref: "prod/none"}, 0, ""},
		"an image that a run spared": {archive.Choice{Ref: "prod/web", Run: "7"}, 0, "no record of prod/web deleted by run 7"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := archive.Listed(records, row.choice)
			if len(found) != row.want || row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Errorf("%v, %v", found, err)
			}
		})
	}
}
