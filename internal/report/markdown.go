package report

import (
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// writeMarkdown writes the run as GitHub and GitLab render it in the summary of a
// job and in a comment on a pull request: the totals first, then what an operator
// has to read (errors, refusals, failed steps, gaps, deny violations), then
// namespace by namespace what is deleted, changed and held, folded.
//
// It has at most 60,000 bytes. If that is too little, every namespace has a row for
// each of its rules before any details. It leaves out entries that do not fit, one by one,
// is counted in its place, and is announced at the top.
func writeMarkdown(w io.Writer, run runs.Run) error {
	m := &runPage{run: run, plan: run.Plan}
	text, err := m.render()
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// What each part of a page may take, in bytes. The namespaces have what the
// others leave.
const (
	pageTail    = 1_200 // for the notice of what is left out, and the last line
	urgentMax   = 7_000 // each list of what has to be looked at
	ordinaryMax = 4_000 // each other list
	fillNote    = 100   // of a list, for the count of what is left out
)

// runPage is a run in Markdown.
type runPage struct {
	run  runs.Run
	plan *actions.Plan // nil if the run failed before it had one

	namespacesCut int // that are not even named
	entriesCut    int // of namespaces and lists
}

func (m *runPage) render() (string, error) {
	head, err := m.head()
	if err != nil {
		return "", err
	}
	urgent, ordinary := "", ""
	if m.plan != nil {
		failures := m.results(actions.ResultFailed, actions.ResultSkipped)
		urgent = m.list("Failed and skipped steps", failures, urgentMax) + m.gaps() + m.violations()
		leftAlone := m.results(actions.ResultBlocked, actions.ResultChanged, actions.ResultGone)
		ordinary = m.warnings() + m.list("Steps that were no longer needed, or no longer safe", leftAlone, ordinaryMax)
		ordinary += m.list("What the deletions free, by rule", m.freedByRule(), ordinaryMax)
		urgent += m.namespaces(markdownMax - pageTail - len(head) - len(urgent) - len(ordinary))
	}
	return head + m.notice() + urgent + ordinary + m.foot(), nil
}

// notice announces that the page is not complete.
func (m *runPage) notice() string {
	if m.entriesCut == 0 {
		return ""
	}
	what := entries(m.entriesCut)
	if m.namespacesCut > 0 {
		what += ", among them all of " + text.Count(m.namespacesCut, "namespace")
	}
	return "\n> **CUT**: this page leaves out " + what + ". `--format text` and `--format json` have all of it.\n"
}

// head is the totals, and what must not be missed.
func (m *runPage) head() (string, error) {
	var b strings.Builder
	err := TextOptions{}.execute(&b, "run.md", m.run, template.FuncMap{
		"prose":      prose,
		"escape":     escape,
		"n":          text.Thousands,
		"moment":     momentIn(m.run.Zone),
		"judged":     outline.Judged,
		"deleted":    outline.Deleted,
		"severities": severities,
		"summary":    summaryOf,
		"applied":    appliedIn(m.run.Zone),
		"lost":       describeLost,
		"noCopy":     outline.Unarchived,
		"freed":      func() string { return escape(outline.Freed(m.plan.Summary.Frees, m.run.Price)) },
		"archives":   func() string { return escape(outline.Archiving(m.plan, m.run.Price)) },
		"uncopied":   func() string { return escape(outline.Uncopied(m.plan)) },
		"onHold":     func() string { return onHold },
		"refusals":   m.refusals,
		"lostTags":   func(refs []string) string { return m.fill(named("> - lost", refs), urgentMax-fillNote, "> - ", "") },
	})
	return b.String(), err
}

func (m *runPage) refusals(all []actions.Refusal) string {
	entries := entriesOf(all, func(r actions.Refusal) string { return "> - " + name(r.Limit) + ": " + prose(r.Detail) })
	return m.fill(entries, urgentMax-fillNote, "> - ", "")
}

// entry is one line of a page, which stands for some steps, held entries or
// findings.
type entry struct {
	line string
	n    int
}

// entriesOf are the lines of some things, one for each.
func entriesOf[T any](all []T, line func(T) string) []entry {
	entries := make([]entry, len(all))
	for i, one := range all {
		entries[i] = entry{line(one), 1}
	}
	return entries
}

// fill writes the entries that fit into a number of bytes, and counts the others on a
// line between two marks, which comes on top.
func (m *runPage) fill(entries []entry, most int, mark, end string) string {
	var b strings.Builder
	left := 0
	for _, e := range entries {
		left += e.n
	}
	for _, e := range entries {
		if b.Len()+len(e.line)+1 > most {
			b.WriteString(mark + "… and " + text.Thousands(left) + " more" + end + "\n")
			m.entriesCut += left
			break
		}
		left -= e.n
		b.WriteString(e.line + "\n")
	}
	return b.String()
}

func entries(n int) string { return text.Thousands(n) + text.Choose(n, " entry", " entries") }

// list is a list under a title; "" without entries.
func (m *runPage) list(title string, entries []entry, most int) string {
	if len(entries) == 0 {
		return ""
	}
	return "\n#### " + title + "\n\n" + m.fill(entries, most-fillNote, "- ", "")
}

// freedByRule are what the tags that each rule marks free.
func (m *runPage) freedByRule() []entry {
	return entriesOf(m.plan.FreesByRule, func(r actions.RuleFrees) string {
		return "- " + prose(r.Rule) + ": " + escape(outline.Freed(r.Frees, m.run.Price))
	})
}

// named lists names, some on a line.
func named(what string, names []string) []entry {
	var out []entry
	for some := range slices.Chunk(names, alikeMax) {
		out = append(out, entry{what + " " + outline.Each(some, " ", name), len(some)})
	}
	return out
}

// results lists the steps with some results, those with the same reason together.
func (m *runPage) results(of ...actions.Result) []entry {
	if m.plan.Outcome == nil {
		return nil
	}
	var out []entry
	for _, result := range of {
		for _, a := range outline.Results(m.plan.Outcome, result) {
			for _, b := range outline.GroupBy(a.Entries, func(r actions.StepResult) string { return string(r.Action) }) {
				first := b.First()
				what := "- **" + string(result) + "** " + escape(actionName(first.Action, len(b.Entries)))
				if first.Detail != "" {
					what += ": " + prose(first.Detail)
				}
				refs := make([]string, len(b.Entries))
				for i, r := range b.Entries {
					refs[i] = r.Ref
				}
				out = append(out, named(what, refs)...)
			}
		}
	}
	return out
}

// actionName is what steps do to a number of objects.
func actionName(a actions.Action, n int) string {
	if noun, ok := strings.CutPrefix(subjectOf(a), "visibility of "); ok {
		return "change the visibility of " + text.Count(n, noun)
	}
	return "delete " + text.Count(n, subjectOf(a))
}

func (m *runPage) gaps() string {
	entries := entriesOf(m.plan.Gaps, func(g registry.Gap) string { return "- " + name(g.Subject) + ": " + prose(g.Error) })
	return m.list("Gaps: "+text.Count(len(entries), "thing")+" could not be read or judged", entries, urgentMax)
}

// warnings are the violations that do not count for the exit code, folded away.
func (m *runPage) warnings() string {
	entries := m.found(false)
	if len(entries) == 0 {
		return ""
	}
	waived := m.plan.Summary.Waived
	title := "Violations: " + outline.Join(outline.As(len(entries)-waived, "warn"), outline.As(waived, "waived"))
	return "\n<details><summary>" + title + "</summary>\n\n" + m.fill(entries, ordinaryMax-fillNote, "- ", "") + "\n</details>\n"
}

func (m *runPage) violations() string {
	entries := m.found(true)
	return m.list("Violations: "+text.Thousands(len(entries))+" deny", entries, urgentMax)
}

// found lists the violations by rule: those that count for the exit code, or the others.
// An unknown severity counts.
func (m *runPage) found(counts bool) []entry {
	list := slices.DeleteFunc(outline.Violations(m.plan), func(v registry.Violation) bool {
		quiet := v.Severity == registry.Warn || v.Severity == registry.Waived
		return quiet == counts
	})
	return entriesOf(list, func(v registry.Violation) string {
		return "- " + name(v.Ref) + " " + prose(outline.Rule(v.Reason)) + ": " + prose(v.Text)
	})
}

func (m *runPage) foot() string {
	var facts []string
	if m.plan != nil && m.plan.ID != "" {
		facts = append(facts, code(short(m.plan.ID, 80)))
	}
	facts = append(facts, effort(m.run)...)
	if len(facts) == 0 {
		return ""
	}
	return "\n<sub>" + strings.Join(facts, " · ") + "</sub>\n"
}
