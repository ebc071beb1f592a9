package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// shows checks what a page has, and what it lacks: the words after "!".
func shows(t *testing.T, page string, want ...string) {
	t.Helper()
	for _, w := range want {
		word, absent := strings.CutPrefix(w, "!")
		if strings.Contains(page, word) == absent {
			t.Errorf("the page has %q: %v", word, absent)
		}
	}
}

func TestThePageOfADaemonBeginsWithItsState(t *testing.T) {
	calm := leader()
	calm.Running, calm.Reload.Error, calm.Schedules[0].LastRun = nil, "", "4"
	good := &runs.Run{ID: "4", Plan: world(noLimits), Kind: "plan", Started: scanTime.Add(-3 * time.Minute)}
	trouble := leader()
	trouble.Runs[1].Kept = true // whose exit code is 1
	for name, tt := range map[string]struct {
		d      runs.Daemon
		latest *runs.Run
		want   []string
	}{
		"a good run": {calm, good, []string{
			fmt.Sprintf(`id="headline">%d to delete, %d to change</h1>`, good.Plan.Summary.Deletions(), good.Plan.Summary.SetVisibility), "3 min ago", "Nothing needs attention.", "!Needs attention",
			"plan in 15 h", "!Applying now", "!disabled", `id="running" aria-label="The run in progress" hidden`,
		}},
		"a bad run": {calm, &runs.Run{ID: "5", Plan: withGaps(noLimits), Exit: 1}, []string{"Needs attention: an error, or the run was incomplete", "!Nothing needs attention"}},
		"a good run, a bad configuration, and a schedule whose last run failed": {trouble, good, []string{
			"Needs attention</p>", "<strong>Configuration not loaded</strong> janitor.yaml:3: unknown key", "still in force",
			"<strong>Schedule nightly</strong> Its last run, 1 h ago, ended with an error, or the run was incomplete.", `<a href="/runs/1">See that run</a>`,
		}},
		"a run in progress": {trouble, good, []string{"Applying now", "30 of 120 steps (25 %), 1 failed, about 2 min left", "disabled>Plan now", "A run is in progress."}},
	} {
		t.Run(name, func(t *testing.T) {
			shows(t, strings.ReplaceAll(daemonOf(t, tt.d, tt.latest), "apply in", "plan in"), tt.want...)
		})
	}
}

func TestAPlanInProgressIsComparedWithTheOneBefore(t *testing.T) {
	for want, r := range map[string]runs.Running{
		"Planning now|12 of 48 images judged (25 %), 345 tags, about 3 min left": {Kind: "plan", Images: 12, Tags: 345, Expected: 48},
		"Planning now, to apply it then|12 images and 345 tags judged so far":    {Kind: "apply", Images: 12, Tags: 345},
		"Planning now|50 images and 345 tags judged so far":                      {Kind: "plan", Images: 50, Tags: 345, Expected: 48},
		"Planning now|0 of 48 images judged (0 %), 0 tags</p>":                   {Kind: "plan", Expected: 48},
	} {
		r.Started = scanTime.Add(-time.Minute)
		shows(t, daemonOf(t, runs.Daemon{Now: scanTime, Running: &r}, nil), strings.Split(want, "|")...)
	}
}

func TestFewRunsAreATable(t *testing.T) {
	d := runs.Daemon{Now: scanTime}
	for i := range 10 {
		if i > 0 {
			shows(t, daemonOf(t, d, nil), "!<svg class=\"chart history\"", "<caption class=\"vh\">The latest runs", "!The runs as a table</summary>", `href="/runs/0"`, "!href=\"/runs/1\"")
		}
		d.Runs = append(d.Runs, runs.Summary{ID: fmt.Sprint(i), Kind: "plan", Started: scanTime.Add(-time.Duration(i) * time.Hour), Steps: i, Kept: i == 0})
	}
	shows(t, daemonOf(t, d, nil), "<svg class=\"chart history\"", "The runs as a table</summary>")
}

func TestTimesOfThePageAreInItsZone(t *testing.T) {
	d := leader()
	d.Zone = time.FixedZone("CET", 3600)
	run := runs.Run{Plan: carriedOut(world(noLimits)), Started: scanTime, Kind: "apply", Zone: d.Zone, Sources: []runs.UseSource{{Name: "serverless", ReadAt: scanTime}}}
	d.Schedules[1].Timezone = "Europe/Paris"
	for name, page := range map[string]string{"the daemon": daemonOf(t, d, &run), "the report": htmlOf(t, run)} {
		if strings.Contains(page, "UTC") || strings.Contains(page, "00Z") || !strings.Contains(page, "2026-11-22 13:00:00 CET") || !strings.Contains(page, "&#43;01:00") {
			t.Errorf("%s shows times in another zone", name)
		}
	}
}

func TestAnAppliedReportSaysWhatWasDone(t *testing.T) {
	p := carriedOut(world(noLimits))
	page := htmlOf(t, runs.Run{Plan: p, Kind: "apply", Started: scanTime})
	shows(t, page, "What was deleted and changed", "!>to delete", "!>to change", "!>Delete ", "Apply of 2026-11-22 12:00:00 UTC", "not done", "tags not deleted",
		">Deleted ", "Not deleted: ")
	p.Outcome.Results = p.Outcome.Results[:0]
	for i := range p.Steps {
		p.Outcome.Results = append(p.Outcome.Results, actions.StepResult{Ref: p.Steps[i].Ref, Action: p.Steps[i].Action, Result: actions.ResultDone})
	}
	page = htmlOf(t, runs.Run{Plan: p})
	shows(t, page, fmt.Sprintf("%d deleted, %d changed</h1>", p.Summary.Deletions(), p.Summary.SetVisibility))
	shows(t, sectionOf(t, page, "steps"), ">Deleted ", "!Not deleted")
}

func TestADeclinedRunNeedsNoAttention(t *testing.T) {
	d := runs.Daemon{Now: scanTime, Leads: true, Runs: []runs.Summary{{ID: "1", Kind: "apply", Started: scanTime, Exit: 1, Declined: true}}}
	shows(t, daemonOf(t, d, &runs.Run{ID: "1", Kind: "apply", Started: scanTime, Exit: 1, Declined: true}),
		"Declined: nothing was changed</h1>", "Nothing needs attention.", "!Needs attention", "<td>declined</td>")
}

func TestAnExplanationKeepsItsLines(t *testing.T) {
	var b strings.Builder
	if err := page.Daemon(&b, runs.Overview{Daemon: leader(), Explained: "<a>", Explanation: "<b>\n  kept\x1b[31m\n"}, "/assets/"); err != nil {
		t.Fatal(err)
	}
	shows(t, b.String(), `value="&lt;a&gt;"`, "&lt;b&gt;\n  kept", "!\x1b")
}

func TestNothingToDoIsOnlyCertainIfEverythingWasRead(t *testing.T) {
	d := newDraft(noLimits)
	p := d.plan()
	p.Gaps = []registry.Gap{{Subject: "rg.fr-par.scw.cloud/prod", Error: "403 Forbidden"}}
	shows(t, htmlOf(t, runs.Run{Plan: p, Exit: 1}), "!Nothing to do", "Incomplete, and nothing to delete")
}

func TestThePageTellsWhatKeepsATag(t *testing.T) {
	p := world(noLimits)
	shows(t, htmlOf(t, runs.Run{Plan: p}), "This plan was read back", "registry-janitor explain REF", "data-unlisted")
	shows(t, daemonOf(t, leader(), &runs.Run{Plan: p}), `<a href="/#explain">Explain</a> answers`)
	large := *p
	large.Summary.Tags = 5001
	shows(t, htmlOf(t, runs.Run{Plan: &large}), "more than 5,000 tags", "registry-janitor explain REF", "data-unlisted")
	releases := []registry.Reason{{Rule: "retention/releases", Text: "kept"}}
	p.Stats.Kept = map[string][]actions.KeptTag{"rg.fr-par.scw.cloud/prod/api": {
		{Name: "v1", Reasons: releases}, {Name: "v2", Reasons: releases}, {Name: "latest"}, {Name: "used", InUse: []string{"kubernetes prod"}},
		{Name: "both", Reasons: releases, InUse: []string{"kubernetes prod", "serverless"}},
	}}
	kept := sectionOf(t, htmlOf(t, runs.Run{Plan: p}), "kept")
	shows(t, kept, "<strong>2 tags kept by</strong>", "<strong>1 tag kept: no rule marks it</strong>", "<strong>1 tag kept: used by kubernetes prod</strong>",
		"<strong>1 tag used by kubernetes prod and serverless, and kept by</strong>", `<span class="rule">retention/releases</span>: kept`)
	if rows := strings.Count(kept, "<li>"); rows != 5 {
		t.Errorf("%d rows, want 5: %s", rows, kept)
	}
}
