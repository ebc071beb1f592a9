package main

import (
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// next says on standard error what to do next. It belongs to the text for people, so
// the other formats do without it.
func (a *app) next(format report.Format, lines ...string) {
	if format != report.FormatText {
		return
	}
	for i, line := range lines {
		if i == 0 {
			fmt.Fprintln(a.stderr)
		}
		fmt.Fprintln(a.stderr, line)
	}
}

// afterPlan is what to do with a plan.
func afterPlan(f *planFlags, run runs.Run, c *config.Config) []string {
	p := run.Plan
	if p == nil {
		return nil
	}
	var lines []string
	if c.Archive != nil && p.Summary.DeleteTags > 0 {
		lines = append(lines, undoing(c))
	}
	saved := f.out != "" && !isStdout(f.out)
	switch {
	case saved && p.Forecast:
		return []string{"The forecast is in " + f.out + ". It is never applied."}
	case saved:
		lines = append(lines, "The plan is in "+f.out+".")
	}
	switch {
	case len(p.Steps) == 0, p.Refused(), p.Forecast:
		return lines
	case saved:
		return append(lines, "To apply exactly this plan:  "+f.again("apply", f.out))
	case f.inventory != "" || f.out != "":
		return lines
	}
	return append(lines, "Nothing was changed. To apply exactly this plan, save it with -o plan.json first.",
		"To make a plan, read it and apply it:  "+f.again("apply"))
}

// afterApply is where a run that applied is recorded, and what is left to do.
func afterApply(f *applyFlags, run runs.Run, recorded recorder.Place) []string {
	if run.Plan == nil || run.Plan.Outcome == nil || recorded.Run == "" {
		return nil
	}
	show := []string{"history", "show", recorded.Run}
	if f.stateDir != "" && recorded.InStateDir {
		show = append(show, "--state-dir", f.stateDir)
	}
	lines := []string{fmt.Sprintf("Every step is recorded as run %s in %s:  %s", recorded.Run, recorded.Ledger, f.again(show...))}
	if copied := copiedIn(run.Plan.Outcome); copied > 0 {
		restore := append([]string{"restore", recorded.Run}, show[3:]...)
		lines = append(lines, fmt.Sprintf("To bring back what it deleted (%s):  %s", text.Count(copied, "tag"), f.again(restore...)))
	}
	if o := run.Plan.Outcome; o.Failed+o.Skipped > 0 {
		lines = append(lines, "What is left is planned again by:  "+f.again("apply"))
	}
	return lines
}

// copiedIn is how many tags were deleted that the archive has.
func copiedIn(o *actions.Outcome) int {
	n := 0
	for i := range o.Results {
		if o.Results[i].Archived != nil && o.Results[i].Result == actions.ResultDone {
			n++
		}
	}
	return n
}

// again is a command with the same configuration.
func (f *sourceFlags) again(args ...string) string {
	words := append([]string{"registry-janitor"}, args...)
	if f.config != defaultConfig && f.config != "$"+configVariable {
		words = append(words, "-c", f.config)
	}
	for i, word := range words {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word for a shell if that has to be.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+,~", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
