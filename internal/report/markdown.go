package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Markdown writes the run as GitHub and GitLab render it in a job's summary and
// in a comment on a request to merge: what counts first, then what an operator has
// to look at (errors, refusals, failed steps, gaps, deny violations), then
// namespace by namespace what goes, changes and is held, folded away.
//
// It has at most 60,000 bytes. What does not fit is left out whole, piece by
// piece, is counted where it would stand, and is announced at the top.
func Markdown(w io.Writer, run runs.Run) error {
	m := &runPage{run: run, plan: run.Plan}
	_, err := io.WriteString(w, m.render())
	return err
}

// What each part of a page may take, in bytes. The namespaces have what the
// others leave.
const (
	pageTail    = 1_200 // for the notice of what is left out, and the last line
	urgentMax   = 7_000 // each list of what has to be looked at
	ordinaryMax = 4_000 // each other list
)

// runPage is a run in Markdown.
type runPage struct {
	run  runs.Run
	plan *actions.Plan // nil where the run failed before there was one

	namespacesCut int // that are not even named
	entriesCut    int // of namespaces and lists
}

func (m *runPage) render() string {
	head, urgent, ordinary := m.head(), "", ""
	if m.plan != nil {
		urgent = m.failures() + m.gaps() + m.violations(registry.Deny)
		ordinary = m.warnings() + m.leftAlone()
		urgent += m.namespaces(markdownMax - pageTail - len(head) - len(urgent) - len(ordinary))
	}
	return head + m.notice() + urgent + ordinary + m.foot()
}

// notice says that the page is not whole.
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

func (m *runPage) head() string {
	var b strings.Builder
	if m.plan == nil {
		b.WriteString("### registry-janitor: no plan\n")
		m.loud(&b, "FAILED", prose(cmp.Or(m.run.Error, "the run ended before there was a plan")))
		return b.String()
	}
	what := "Plan of "
	if m.plan.Outcome != nil {
		what = "Applied plan of "
	}
	words := m.words()
	b.WriteString("### " + what + moment(m.plan.TakenAt) + "\n\n**" + escape(words.summary()) + "**\n")
	if o := m.plan.Outcome; o != nil && len(o.Results) > 0 {
		b.WriteString("\n**" + escape(words.applied()) + "**\n")
	}
	m.alarms(&b)
	m.totals(&b)
	return b.String()
}

// words are those of the text report.
func (m *runPage) words() *textReport { return &textReport{printer: &printer{}, plan: m.plan} }

func (m *runPage) loud(b *strings.Builder, word, what string) {
	b.WriteString("\n> **" + word + "**: " + what + "\n")
}

// alarms are what nobody may miss.
func (m *runPage) alarms(b *strings.Builder) {
	p := m.plan
	if m.run.Error != "" {
		m.loud(b, "FAILED", prose(m.run.Error))
	}
	if p.Refused() {
		m.loud(b, "REFUSED", "the plan exceeds its limits, so nothing of it may be applied")
		entries := make([]entry, len(p.Refusals))
		for i, r := range p.Refusals {
			entries[i] = entry{"> - " + name(r.Limit) + ": " + prose(r.Detail), 1}
		}
		b.WriteString(">\n" + m.fill(entries, urgentMax, "> - "))
	}
	if p.Forecast {
		m.loud(b, "FORECAST", "judged as if it were "+moment(p.TakenAt)+". A forecast is never applied.")
	}
	if n := len(p.Gaps); n > 0 {
		m.loud(b, "INCOMPLETE", text.Count(n, "gap")+", listed below. What a gap could have vetoed is held.")
	}
	o := p.Outcome
	if o == nil {
		return
	}
	if o.Stopped != "" {
		m.loud(b, "STOPPED", prose(o.Stopped))
	}
	if len(o.Lost) > 0 {
		m.loud(b, "LOST", text.Count(len(o.Lost), "tag")+" that should have stayed are gone: the API deletes more than it is asked to; set <code>shared&#95;digest: protect</code>")
		b.WriteString(">\n" + m.fill(named("> - lost", o.Lost), urgentMax, "> - "))
	}
}

func (m *runPage) totals(b *strings.Builder) {
	p, s := m.plan, m.plan.Summary
	judged := text.Count(s.Namespaces, "namespace") + ", " + text.Count(s.Images, "image") + ", " + text.Count(s.Tags, "tag")
	if p.Stats != nil {
		judged += ", " + text.Size(p.Stats.Bytes)
	}
	b.WriteString("\n| | |\n|---|---:|\n")
	for _, row := range [][2]string{
		{"judged", judged},
		{"to delete", listed(count{s.DeleteTags, text.Choose(s.DeleteTags, "tag", "tags")}, count{s.DeleteImages, text.Choose(s.DeleteImages, "image", "images")}, count{s.DeleteNamespaces, text.Choose(s.DeleteNamespaces, "namespace", "namespaces")})},
		{"visibility to change", text.Thousands(s.SetVisibility)},
		{"held", text.Thousands(s.Held)},
		{"violations", listed(count{s.Deny, "deny"}, count{s.Warn, "warn"})},
		{"gaps", text.Thousands(s.Gaps)},
		{"refused by", listed(count{len(p.Refusals), text.Choose(len(p.Refusals), "limit", "limits")})},
	} {
		if row[0] == "refused by" && row[1] == "" {
			continue
		}
		b.WriteString("| " + row[0] + " | " + cmp.Or(row[1], "0") + " |\n")
	}
}

// entry is one line of a page, which stands for some steps, held entries or
// findings.
type entry struct {
	line string
	n    int
}

// fill writes the entries that fit into a number of bytes, and counts the others
// on a line that begins with the mark.
func (m *runPage) fill(entries []entry, most int, mark string) string {
	const note = 100
	var b strings.Builder
	left := 0
	for _, e := range entries {
		left += e.n
	}
	for _, e := range entries {
		if b.Len()+len(e.line)+1 > most-note {
			b.WriteString(mark + "… and " + text.Thousands(left) + " more\n")
			m.entriesCut += left
			break
		}
		left -= e.n
		b.WriteString(e.line + "\n")
	}
	return b.String()
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return text.Thousands(n) + " entries"
}

// list is a list under a title; "" where it has no entries.
func (m *runPage) list(title string, entries []entry, most int) string {
	if len(entries) == 0 {
		return ""
	}
	return "\n#### " + title + "\n\n" + m.fill(entries, most, "- ")
}

// named lists names, some on a line.
func named(what string, names []string) []entry {
	var out []entry
	for some := range slices.Chunk(names, alikeMax) {
		shown := make([]string, len(some))
		for i, n := range some {
			shown[i] = name(n)
		}
		out = append(out, entry{what + " " + strings.Join(shown, " "), len(some)})
	}
	return out
}

// failures are the steps that are left for the next run.
func (m *runPage) failures() string {
	return m.list("Failed and skipped steps", m.results(actions.ResultFailed, actions.ResultSkipped), urgentMax)
}

// leftAlone are the steps that something spoke against when their turn came.
func (m *runPage) leftAlone() string {
	return m.list("Steps that were not needed, or not safe any more", m.results(actions.ResultBlocked, actions.ResultChanged, actions.ResultGone), ordinaryMax)
}

// results lists the steps with some results, those with the same reason together.
func (m *runPage) results(of ...actions.Result) []entry {
	if m.plan.Outcome == nil {
		return nil
	}
	var out []entry
	for _, result := range of {
		var some []actions.StepResult
		for _, r := range m.plan.Outcome.Results {
			if r.Result == result {
				some = append(some, r)
			}
		}
		for _, a := range groupBy(some, func(r actions.StepResult) string { return string(r.Action) + "\x00" + r.Detail }) {
			first := a.entries[0]
			what := "- **" + string(result) + "** " + escape(actionName(first.Action, len(a.entries)))
			if first.Detail != "" {
				what += ": " + prose(first.Detail)
			}
			refs := make([]string, len(a.entries))
			for i, r := range a.entries {
				refs[i] = r.Ref
			}
			out = append(out, named(what, refs)...)
		}
	}
	return out
}

// actionName words what a step does, to one object or to some.
func actionName(a actions.Action, n int) string {
	switch a {
	case actions.DeleteTag:
		return "delete " + text.Count(n, "tag")
	case actions.DeleteImage:
		return "delete " + text.Count(n, "image")
	case actions.DeleteNamespace:
		return "delete " + text.Count(n, "namespace")
	case actions.SetImageVisibility:
		return "change the visibility of " + text.Count(n, "image")
	default:
		return "change the visibility of " + text.Count(n, "namespace")
	}
}

func (m *runPage) gaps() string {
	entries := make([]entry, len(m.plan.Gaps))
	for i, g := range m.plan.Gaps {
		entries[i] = entry{"- " + name(g.Subject) + ": " + prose(g.Error), 1}
	}
	return m.list("Gaps: "+text.Count(len(entries), "thing")+" could not be read or judged", entries, urgentMax)
}

// warnings are the violations that do not count for the exit code, folded away.
func (m *runPage) warnings() string {
	entries := m.found(registry.Warn)
	if len(entries) == 0 {
		return ""
	}
	title := "Violations: " + text.Thousands(len(entries)) + " warn"
	return "\n<details><summary>" + title + "</summary>\n\n" + m.fill(entries, ordinaryMax, "- ") + "\n</details>\n"
}

func (m *runPage) violations(severity registry.Severity) string {
	entries := m.found(severity)
	return m.list("Violations: "+text.Thousands(len(entries))+" deny", entries, urgentMax)
}

// found lists the violations of a severity by rule; whatever is no warning is
// shown as deny is.
func (m *runPage) found(severity registry.Severity) []entry {
	var list []registry.Violation
	for _, v := range m.plan.Violations {
		if (v.Severity == registry.Warn) == (severity == registry.Warn) {
			list = append(list, v)
		}
	}
	slices.SortStableFunc(list, func(a, b registry.Violation) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Ref, b.Ref))
	})
	entries := make([]entry, len(list))
	for i, v := range list {
		entries[i] = entry{"- " + name(v.Ref) + " " + prose(v.Rule+place(v.Source, v.CustomSeverity)) + ": " + prose(v.Text), 1}
	}
	return entries
}

func (m *runPage) foot() string {
	var facts []string
	if m.plan != nil && m.plan.ID != "" {
		facts = append(facts, code(short(m.plan.ID, 80)))
	}
	if m.run.Duration > 0 {
		facts = append(facts, m.run.Duration.Round(10*time.Millisecond).String())
	}
	if m.run.Calls > 0 {
		facts = append(facts, text.Count(int(m.run.Calls), "API call"))
	}
	if len(facts) == 0 {
		return ""
	}
	return fmt.Sprintf("\n<sub>%s</sub>\n", strings.Join(facts, " · "))
}
