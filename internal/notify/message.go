package notify

import (
	"cmp"
	_ "embed"
	"errors"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Message is the data of a template: .Headline, {{range .Gaps.Items}} and so on.
// Every text in it is one line, shortened if it is long.
type Message struct {
	Name          string // of the notification
	Kind, Trigger string // of the run: "apply", "nightly"
	Started       time.Time
	Duration      time.Duration
	Headline      string   // the result on one line, also the title of the message
	Occasions     []string // the occasions of "on" in this run
	Link          string
	PlanID        string

	// Counts of what was judged.
	Namespaces, Images, Tags int
	// Counts of the plan.
	ToDelete, ToChange, Held, Deny, Warn int
	// Results of the steps of a run that applied.
	Applied                                       bool
	Done, Gone, Changed, Blocked, Failed, Skipped int
	// Rules are the rules with the most steps; in a run that applied, with the most
	// steps done.
	Rules []Rule

	Error      string // why the run ended early
	Stopped    string // why apply ended before the last step
	Lost       List   // kept tags that are gone
	Refusals   List   // "max_deletions: 1,200 deletions planned, …"
	Failures   List   // "delete_tag rg.fr-par.scw.cloud/prod/api:pr-1: 500 …"
	Gaps       List   // "rg.nl-ams.scw.cloud/prod/api: page 3 of its tags: …"
	Waivers    List   // that end soon or have ended: "team-data: the waiver for …"
	Violations List   // with severity deny: "rg…/prod/api: naming/kebab case: …"
}

// Rule is a rule and the number of its steps.
type Rule struct {
	Rule  string
	Steps int
}

// List is the beginning of a list, and how long it is.
type List struct {
	Items []string
	Total int
}

// More is the number of items that are left out.
func (l List) More() int { return l.Total - len(l.Items) }

// Limits of a message.
const (
	shownMax = 5     // items of a list
	lineMax  = 300   // characters of a text
	textMax  = 3_500 // bytes of a message; every service accepts that
)

// DefaultTemplate is the template of a notification that has none.
//
//go:embed message.tmpl
var DefaultTemplate string

func parseTemplate(text string) (*template.Template, error) {
	if text == "" {
		text = DefaultTemplate
	}
	t, err := template.New("template").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	// Only execution finds an unknown field, and only if every list has items.
	for _, m := range []Message{{}, sample()} {
		if err := t.Execute(&limited{}, m); err != nil && !errors.Is(err, errTooLong) {
			return nil, err
		}
	}
	return t, nil
}

func sample() Message {
	list := List{Items: []string{"a", "b"}, Total: 3}
	return Message{
		Name: "ops", Kind: "apply", Trigger: "nightly", Headline: "h", Occasions: []string{"gap"}, Link: "https://janitor.example.com", PlanID: "sha256:0",
		Namespaces: 1, Images: 1, Tags: 1, ToDelete: 1, ToChange: 1, Held: 1, Deny: 1, Warn: 1,
		Applied: true, Done: 1, Gone: 1, Changed: 1, Blocked: 1, Failed: 1, Skipped: 1, Rules: []Rule{{"r", 1}},
		Error: "e", Stopped: "s", Lost: list, Refusals: list, Failures: list, Gaps: list, Violations: list, Waivers: list,
	}
}

// limited keeps the beginning of a text.
type limited struct{ b strings.Builder }

var errTooLong = errors.New("the message is too long")

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), 4*textMax-l.b.Len())
	l.b.Write(p[:n])
	if n < len(p) {
		return n, errTooLong
	}
	return n, nil
}

func (t *target) render(m Message) (string, error) {
	var out limited
	err := t.template.Execute(&out, m)
	if err != nil && !errors.Is(err, errTooLong) {
		return "", err
	}
	text := strings.TrimSpace(out.b.String())
	if err == nil && len(text) <= textMax {
		return strings.ToValidUTF8(text, "?"), nil
	}
	return cut(text), nil
}

// cut shortens a message to whole lines, and notes that.
func cut(text string) string {
	const note = "\n… (the message is cut)"
	text = text[:min(len(text), textMax-len(note))]
	if end := strings.LastIndexByte(text, '\n'); end > 0 {
		text = text[:end]
	}
	return strings.ToValidUTF8(text, "") + note
}

// line makes one short line of a text from elsewhere.
func line(s string) string { return text.Clip(text.Clean(s), lineMax) }

func (l *List) add(text string) {
	l.Total++
	if len(l.Items) < shownMax {
		l.Items = append(l.Items, line(text))
	}
}

func newMessage(n Notification, run runs.Run, found []occurrence) Message {
	m := Message{
		Name: n.Name, Kind: line(string(run.Kind)), Trigger: line(run.Trigger), Started: run.Began(), Duration: run.Duration.Round(time.Second / 10),
		Headline: headline(run), Link: n.Link, Error: line(run.Error),
	}
	for _, o := range found {
		m.Occasions = append(m.Occasions, string(o.occasion))
	}
	p := run.Plan
	if p == nil {
		return m
	}
	s := p.Summary
	m.PlanID = p.ID
	for _, v := range endingWaivers(p, n.Owners) {
		m.Waivers.add(v.Owner + ": " + v.Text)
	}
	if len(n.Owners) > 0 {
		m.Headline = "registry-janitor: " + text.Count(m.Waivers.Total, "waiver") + " to look at"
		return m
	}
	m.Namespaces, m.Images, m.Tags = s.Namespaces, s.Images, s.Tags
	m.ToDelete, m.ToChange, m.Held, m.Deny, m.Warn = s.Deletions(), s.SetVisibility, s.Held, s.Deny, s.Warn
	m.Rules = rulesOf(p)
	for _, r := range p.Refusals {
		m.Refusals.add(r.Limit + ": " + r.Detail)
	}
	for _, g := range p.Gaps {
		m.Gaps.add(g.Subject + ": " + g.Error)
	}
	for _, h := range p.Held {
		if h.Guard == actions.GuardPolicyError {
			m.Gaps.add(h.Ref + ": " + h.Detail)
		}
	}
	for _, v := range p.Violations {
		if v.Severity == registry.Deny {
			m.Violations.add(v.Ref + ": " + v.Rule + ": " + v.Text)
		}
	}
	m.outcome(p.Outcome)
	return m
}

func (m *Message) outcome(o *actions.Outcome) {
	if o == nil {
		return
	}
	m.Applied = true
	m.Done, m.Gone, m.Changed, m.Blocked, m.Failed, m.Skipped = o.Done, o.Gone, o.Changed, o.Blocked, o.Failed, o.Skipped
	m.Stopped = line(o.Stopped)
	for _, ref := range o.Lost {
		m.Lost.add(ref)
	}
	for _, result := range []actions.Result{actions.ResultFailed, actions.ResultSkipped} {
		for _, r := range o.Results {
			if r.Result == result {
				m.Failures.add(strings.TrimSuffix(string(r.Action)+" "+r.Ref+": "+cmp.Or(r.Detail, string(r.Result)), ": "))
			}
		}
	}
}

// rulesOf counts the steps of each rule, the most first.
func rulesOf(p *actions.Plan) []Rule {
	counts := map[string]int{}
	for i, s := range p.Steps {
		if p.Outcome != nil && (i >= len(p.Outcome.Results) || p.Outcome.Results[i].Result != actions.ResultDone) {
			continue
		}
		rules := map[string]bool{}
		for _, r := range s.Reasons {
			rules[line(r.Rule)] = true
		}
		for rule := range rules {
			counts[rule]++
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var out []Rule
	for _, name := range names[:min(shownMax, len(names))] {
		out = append(out, Rule{name, counts[name]})
	}
	return out
}

// headline is the result of a run on one line.
func headline(run runs.Run) string {
	kind := cmp.Or(line(string(run.Kind)), "run")
	what := "registry-janitor: " + kind
	p := run.Plan
	switch {
	case p == nil:
		return what + " failed"
	case p.Refused():
		return what + " refused by its limits: " + planCounts(p)
	case run.Error != "":
		what += " failed"
	case p.Outcome != nil && len(p.Outcome.Lost) > 0:
		what += " lost " + text.Count(len(p.Outcome.Lost), "tag") + " that should have been kept"
	}
	if p.Outcome == nil {
		return what + ": " + planCounts(p)
	}
	var counts []string
	for _, r := range actions.Results() {
		if n := p.Outcome.Count(r); n > 0 {
			counts = append(counts, text.Thousands(n)+" "+string(r))
		}
	}
	return what + ": " + strings.Join(append(counts, findings(p)...), ", ")
}

func planCounts(p *actions.Plan) string {
	words := []string{text.Thousands(p.Summary.Deletions()) + " to delete", text.Thousands(p.Summary.SetVisibility) + " to change"}
	return strings.Join(append(words, findings(p)...), ", ")
}

func findings(p *actions.Plan) []string {
	var words []string
	if p.Summary.Deny > 0 {
		words = append(words, text.Thousands(p.Summary.Deny)+" deny")
	}
	if n := len(p.Gaps); n > 0 {
		words = append(words, text.Count(n, "gap"))
	}
	if p.Outcome != nil && len(p.Outcome.Results) == 0 && len(words) == 0 && !p.Incomplete() {
		words = append(words, "nothing to do")
	}
	return words
}
