package archivist

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
)

func TestWhatCannotComeBackSaysWhy(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c, err := config.Parse("janitor.yaml", []byte("timezone: Europe/Paris\narchive: {to: s3://new/reg}\n"))
	if err != nil {
		t.Fatal(err)
	}
	outcome := new(actions.Outcome)
	run := &ledger.RunDetails{Outcome: outcome}
	add := func(name string, r actions.Result, detail string, copied *actions.Archived) {
		ref := "rg.fr-par.scw.cloud/prod/api:" + name
		step := &actions.Step{Region: "fr-par", Namespace: "prod", Image: "api", Tag: name, Digest: "sha256:" + name[:1]}
		run.Steps = append(run.Steps, ledger.StepRecord{Ref: ref, Action: actions.DeleteTag, Step: step, Result: r, Detail: detail})
		outcome.Results = append(outcome.Results, actions.StepResult{Ref: ref, Action: actions.DeleteTag, Archived: copied})
	}
	add("a1", actions.ResultDone, "", &actions.Archived{To: "old", Until: now.Add(2 * time.Hour)})
	add("a2", actions.ResultGone, "it was deleted together with a1", &actions.Archived{To: "old", Until: now.Add(time.Hour)})
	add("b", actions.ResultDone, "", &actions.Archived{To: "old", Until: now})
	add("c", actions.ResultDone, "", &actions.Archived{To: "s3://new/reg", Until: now.Add(time.Hour)})
	add("d1", actions.ResultDone, "", nil)
	add("d2", actions.ResultGone, "it was deleted together with d1; no copy was made: no space left", nil)
	add("e", actions.ResultGone, "", nil) // another program deleted it
	for i := range 11 {
		add(fmt.Sprintf("f%02d", i), actions.ResultDone, "", nil)
	}
	k := known{"1": deletionsOf(run)}
	want := `17 tags of run 1 cannot come back, because the archive s3://new/reg has no copy:
  copied to old, expired on 2026-11-30 13:00:00 CET:
    REF:b@sha256:b
  copied to old, which archive.to no longer names, until 2026-11-30 14:00:00 CET:
    REF:a1@sha256:a
    REF:a2@sha256:a
  copied to s3://new/reg until 2026-11-30 14:00:00 CET:
    REF:c@sha256:c
  its run made none (archive.match or archive.except may leave the tag out):
    REF:d1@sha256:d
    REF:f00@sha256:f
    REF:f01@sha256:f
    REF:f02@sha256:f
    REF:f03@sha256:f
    REF:f04@sha256:f
    REF:f05@sha256:f
    REF:f06@sha256:f
    REF:f07@sha256:f
    REF:f08@sha256:f
    and 2 more: --format json names all
  no copy was made: no space left:
    REF:d2@sha256:d`
	got := k.errMissing(c, k.missing(nil, "1"), "1", now).Error()
	if got = strings.ReplaceAll(got, "rg.fr-par.scw.cloud/prod/api", "REF"); got != want {
		t.Error(got)
	}
	run.Outcome = nil
	for status, want := range map[ledger.Status]string{ledger.StatusInterrupted: "the run was killed", ledger.StatusRunning: "the run has not ended, so"} {
		run.Status = status
		open := known{"1": deletionsOf(run)}
		if err := open.errMissing(c, open.missing(nil, "1"), "1", now); !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
}
