package report

import (
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// runView is a run as the page shows it.
type runView struct {
	Headline   string // what came of it, in a sentence
	Kicker     string // what it was, and of when
	Notices    []noticeView
	Figures    []figureView
	Balance    *balanceView
	Facts      []factView
	Sources    []factView
	HasPlan    bool
	Outcome    *outcomeView
	Space      *spaceView
	Filters    *filterView
	Namespaces []*goesView
	Held       []*guardView
	Violations []*findingView
	Gaps       []*gapView
	Total      totalsView
}

// totalsView are how many rows each list has.
type totalsView struct{ Steps, Held, Violations, Gaps int }

// Rows are all that the filters look at.
func (t totalsView) Rows() int { return t.Steps + t.Held + t.Violations + t.Gaps }

// noticeView is what nobody may overlook.
type noticeView struct {
	Tone  string // "bad" or "mind"
	Label string
	Text  string
	Items []factView
}

// figureView is a number with its name.
type figureView struct{ Value, Name, Note, Tone, Link string }

// factView is a name with what it has, and a smaller word about that; Code is for
// what machines read.
type factView struct {
	Name, Value, Sub string
	Code             bool
	Bad              bool
}

func newRunView(run *runs.Run) *runView {
	v := &runView{Headline: headline(run), Kicker: kicker(run)}
	v.notices(run)
	v.facts(run)
	if run.Plan == nil {
		return v
	}
	p := run.Plan
	v.HasPlan = true
	v.Total = totalsView{len(p.Steps), len(p.Held), len(p.Violations), len(p.Gaps)}
	v.figures(p)
	v.Balance = newBalance(p)
	v.Space = newSpaceView(p, priceOrDefault(run.Price))
	v.Filters = newFilters(p)
	v.Outcome = newOutcomeView(p)
	groups := groupByNamespace(p)
	v.Namespaces = v.Filters.goes(p, groups)
	v.Held = v.Filters.held(groups)
	v.Violations = v.Filters.violations(p)
	v.Gaps = gapsOf(p)
	return v
}

func headline(run *runs.Run) string {
	p := run.Plan
	if p == nil {
		return "The run failed"
	}
	if o := p.Outcome; o != nil && len(o.Results) > 0 {
		return "Applied: " + outcomeCounts(o)
	}
	s := p.Summary
	deletions := s.Deletions()
	switch {
	case len(p.Steps) == 0:
		return "Nothing to do"
	case p.Refused():
		return "Refused: " + text.Thousands(deletions) + " to delete, " + text.Thousands(s.SetVisibility) + " to change"
	case s.SetVisibility == 0:
		return text.Thousands(deletions) + " to delete"
	default:
		return text.Thousands(deletions) + " to delete, " + text.Thousands(s.SetVisibility) + " to change"
	}
}

func kicker(run *runs.Run) string {
	if run.Plan == nil {
		if run.Started.IsZero() {
			return "Run"
		}
		return "Run of " + moment(run.Started)
	}
	what := "Plan of "
	if run.Plan.Forecast {
		what = "Forecast for "
	}
	return what + moment(run.Plan.TakenAt)
}

// notices are in the order of how much they matter.
func (v *runView) notices(run *runs.Run) {
	add := func(n noticeView) { v.Notices = append(v.Notices, n) }
	if run.Error != "" {
		add(noticeView{Tone: "bad", Label: "Error", Text: clean(run.Error)})
	}
	p := run.Plan
	if p == nil {
		return
	}
	if o := p.Outcome; o != nil {
		v.outcomeNotices(o)
	}
	if p.Refused() {
		n := noticeView{Tone: "bad", Label: "Refused", Text: "The plan exceeds its limits, so nothing of it may be applied."}
		for _, r := range p.Refusals {
			n.Items = append(n.Items, factView{Name: clean(r.Limit), Value: clean(r.Detail)})
		}
		add(n)
	}
	if len(p.Gaps) > 0 {
		add(noticeView{Tone: "bad", Label: "Incomplete", Text: text.Count(len(p.Gaps), "thing") +
			" could not be read or judged. What a gap could have vetoed is held."})
	}
	if p.Forecast {
		add(noticeView{Tone: "mind", Label: "Forecast", Text: "Judged as if it were " + moment(p.TakenAt) + ". A forecast is never applied."})
	}
}

func (v *runView) outcomeNotices(o *actions.Outcome) {
	if len(o.Lost) > 0 {
		n := noticeView{Tone: "bad", Label: "Lost", Text: text.Count(len(o.Lost), "tag") +
			" that should have stayed are gone: the API deletes more than it is asked to. Set shared_digest: protect."}
		for _, ref := range o.Lost {
			n.Items = append(n.Items, factView{Value: clean(ref), Code: true})
		}
		v.Notices = append(v.Notices, n)
	}
	if o.Stopped != "" {
		v.Notices = append(v.Notices, noticeView{Tone: "bad", Label: "Stopped", Text: clean(o.Stopped)})
	}
}

func (v *runView) figures(p *actions.Plan) {
	s := p.Summary
	deletions := s.Deletions()
	v.Figures = []figureView{
		{text.Thousands(deletions), "to delete", listed(
			count{s.DeleteTags, text.Choose(s.DeleteTags, "tag", "tags")}, count{s.DeleteImages, text.Choose(s.DeleteImages, "image", "images")},
			count{s.DeleteNamespaces, text.Choose(s.DeleteNamespaces, "namespace", "namespaces")}), tone(deletions, "goes"), "#goes"},
		{text.Thousands(s.SetVisibility), "to change", "who may pull", tone(s.SetVisibility, "change"), "#goes"},
		{text.Thousands(s.Held), "held", "condemned, and yet they stay", tone(s.Held, "held"), "#held"},
		{text.Thousands(s.Deny + s.Warn), text.Choose(s.Deny+s.Warn, "violation", "violations"), listed(count{s.Deny, "deny"}, count{s.Warn, "warn"}), tone(s.Deny+s.Warn, "held"), "#violations"},
		{text.Thousands(s.Gaps), text.Choose(s.Gaps, "gap", "gaps"), "could not be read or judged", tone(s.Gaps, "goes"), "#gaps"},
	}
}

// tone is nothing where there is nothing to look at.
func tone(n int, tone string) string {
	if n == 0 {
		return "none"
	}
	return tone
}

func (v *runView) facts(run *runs.Run) {
	add := func(name, value string, code bool) {
		if value != "" {
			v.Facts = append(v.Facts, factView{Name: name, Value: clean(value), Code: code})
		}
	}
	exit := string(rune('0'+run.Exit%10)) + ", " + exitWords(run.Exit)
	v.Facts = append(v.Facts, factView{Name: "Exit code", Value: exit, Bad: run.Exit == 1 || run.Exit == 3})
	add("Run", strings.TrimSpace(string(run.Kind)+" "+startedBy(run.Trigger)), false)
	if !run.Started.IsZero() {
		add("Started", moment(run.Started), false)
	}
	add("Took", took(run), false)
	if p := run.Plan; p != nil {
		s := p.Summary
		judged := text.Count(s.Namespaces, "namespace") + ", " + text.Count(s.Images, "image") + ", " + text.Count(s.Tags, "tag")
		if p.Stats != nil {
			judged += ", " + text.Size(p.Stats.Bytes)
		}
		add("Judged", judged, false)
		add("Plan", p.ID, true)
		add("Configuration", p.ConfigDigest, true)
		add("Policies", p.PolicyDigest, true)
	}
	for _, s := range run.Sources {
		v.Sources = append(v.Sources, sourceFact(s))
	}
}

func startedBy(trigger string) string {
	switch trigger {
	case "":
		return ""
	case runs.TriggerCommand:
		return "by hand"
	case runs.TriggerHTTP:
		return "asked for over HTTP"
	case runs.TriggerStart:
		return "at the start of the daemon"
	default:
		return "by schedule " + trigger
	}
}

func took(run *runs.Run) string {
	var parts []string
	if run.Duration > 0 {
		parts = append(parts, text.Elapsed(run.Duration))
	}
	if run.Judging > 0 {
		parts = append(parts, text.Elapsed(run.Judging)+" of policies")
	}
	if run.Calls > 0 {
		parts = append(parts, text.Count(int(run.Calls), "API call"))
	}
	return strings.Join(parts, ", ")
}

func sourceFact(s runs.UseSource) factView {
	f := factView{Name: clean(s.Name), Value: text.Count(s.Uses, "use")}
	if !s.ReadAt.IsZero() {
		f.Value += ", read " + moment(s.ReadAt)
	}
	if s.Error != "" {
		f.Bad = true
		f.Value += "; could not be asked: " + clean(s.Error)
	}
	return f
}

// machineTime is a time for machines, and "" for none.
func machineTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
