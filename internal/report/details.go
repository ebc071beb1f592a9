package report

import (
	"cmp"
	"slices"
	"strings"
	"text/template"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Details is how much of a plan its text shows.
type Details string

// The details. The zero value means auto.
const (
	// DetailsAuto shows everything while that takes about 300 lines, and beyond that
	// one line for an image.
	DetailsAuto Details = "auto"
	DetailsAll  Details = "all"
	// DetailsNone shows totals only.
	DetailsNone Details = "none"
)

// What DetailsAuto shows, in lines.
const (
	detailsMax    = 300 // all together
	violationsMax = 60  // the violations beside the details that were shortened
)

// details are those of a plan.
type details struct {
	TextOptions
	run        *runs.Run
	plan       *actions.Plan
	namespaces []*outline.Namespace
	steps      string // every step and held entry
	violations string // every violation
}

func newDetails(o TextOptions, run runs.Run) (*details, error) {
	p := run.Plan
	d := &details{TextOptions: o, run: &run, plan: p}
	if o.Details == DetailsNone {
		return d, nil
	}
	d.namespaces = outline.Of(p)
	var b strings.Builder
	if err := o.execute(&b, "details.txt", d.namespaces, d.functions()); err != nil {
		return nil, err
	}
	d.steps, d.violations = strings.TrimRight(b.String(), "\n"), d.everyViolation()
	return d, nil
}

// String is as much as the options ask for. Each part begins with a blank line.
func (d *details) String() string {
	steps, found := strings.Count(d.steps, "\n"), strings.Count(d.violations, "\n")
	switch {
	case d.Details == DetailsNone:
		return d.violationTotals()
	case d.Details == DetailsAll, steps+found <= detailsMax:
		return d.steps + d.violations
	case steps+len(outline.ViolationsByRule(d.plan)) <= detailsMax:
		return d.steps + d.violationTotals() + d.howToSeeAll()
	case found <= violationsMax:
		return d.perImage() + d.violations + d.howToSeeAll()
	}
	return d.perImage() + d.violationTotals() + d.howToSeeAll()
}

func (d *details) howToSeeAll() string {
	return "\n\n" + d.Color.Cyan("This is shortened.") + " --details all shows everything; --format html > plan.html makes a page to search and filter"
}

func (d *details) functions() template.FuncMap {
	p, o := d.plan, d.TextOptions
	age := func(s actions.Step) string { return ageOf(p, s) }
	tagCell := func(s actions.Step) cell { return cell{s.Tag, age(s)} }
	tagRow := func(s actions.Step) ([]string, string) { return []string{s.Tag, age(s)}, outline.Texts(s.Reasons) }
	heldCell := func(h outline.Held) cell { return cell{name: h.Name()} }
	heldRow := func(h outline.Held) ([]string, string) {
		return []string{h.Name()}, h.Detail + "  [" + outline.RulesOf(h.Reasons) + "]"
	}
	return template.FuncMap{
		"indent":      func(n int, o *outline.Object) indented { return indented{o, strings.Repeat(" ", n)} },
		"deletes":     func(o *outline.Object) string { return describeDeleted(d.run, o) },
		"step":        func(s actions.Step) string { return o.step(s, age(s), outline.Billing(p, &s, d.run.Price)) },
		"freed":       func(ns registry.Ref) string { return outline.Freed(outline.FreedIn(p, ns), d.run.Price) },
		"tagRows":     func(indent string, tags []actions.Step) string { return listed(o, indent, tags, tagRow) },
		"tagColumns":  func(indent string, tags []actions.Step) string { return columns(o, indent, tags, tagCell) },
		"heldRows":    func(indent string, held []outline.Held) string { return listed(o, indent, held, heldRow) },
		"heldColumns": func(indent string, held []outline.Held) string { return columns(o, indent, held, heldCell) },
		"heldLine":    d.heldLine,
	}
}

// heldLine is the first line of some entries that the same guard holds.
func (d *details) heldLine(indent string, a outline.Alike[outline.Held]) string {
	head := d.Color.Yellow("= " + text.Count(len(a.Entries), "tag") + " held by " + string(a.First().Guard))
	return d.hanging(indent, len(indent)+2, head+": "+a.First().Detail)
}

// indented is an object, and the blanks before its lines.
type indented struct {
	*outline.Object
	Indent string
}

// step is what happens to an image or a namespace itself, and to what it costs.
func (o TextOptions) step(s actions.Step, age, billing string) string {
	switch s.Action {
	case actions.DeleteImage:
		return o.Color.Red("- delete the image") + ", unchanged for " + age
	case actions.DeleteNamespace:
		return o.Color.Red("- delete the namespace") + ", unchanged for " + age
	default:
		return joined("; ", o.Color.Cyan("~ visibility "+string(s.From)+" → "+string(s.To)), billing)
	}
}

// everyViolation lists the violations by rule; "" if there are none.
func (d *details) everyViolation() string {
	return d.found(func(of outline.Alike[registry.Violation]) string {
		var lines strings.Builder
		for _, v := range of.Entries {
			lines.WriteString("\n" + d.wrap(4, 2, v.Ref+": "+v.Text))
		}
		return lines.String()
	})
}

// violationTotals counts the violations by rule.
func (d *details) violationTotals() string {
	return d.found(func(of outline.Alike[registry.Violation]) string {
		return ": " + text.Thousands(len(of.Entries))
	})
}

// found lists the rules that report violations, each with more about it.
func (d *details) found(more func(outline.Alike[registry.Violation]) string) string {
	groups := outline.ViolationsByRule(d.plan)
	if len(groups) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n\n" + d.Color.Bold("Violations") + ": " + severities(d.plan.Summary))
	for _, g := range groups {
		b.WriteString("\n  " + d.severity(g.First().Severity) + " " + outline.Rule(g.First().Reason) + more(g))
	}
	return b.String()
}

// perImage writes a line for each image, as many as fit.
func (d *details) perImage() string {
	var b strings.Builder
	lines, left := 0, 0
	for _, ns := range d.namespaces {
		objects := ns.Images
		if ns.Own.Count() > 0 {
			objects = ns.Objects()
		}
		room := max(0, detailsMax-lines-2)
		if room < len(objects) {
			left += len(objects) - room
			objects = objects[:room]
		}
		if len(objects) == 0 {
			continue
		}
		lines += len(objects) + 2
		rows := make([][]string, len(objects))
		for i, o := range objects {
			rows[i] = []string{cmp.Or(o.Ref.Image, "(the namespace itself)"), d.inShort(o)}
		}
		b.WriteString(d.short(ns.Ref.String(), rows))
	}
	return b.String() + moreImages(left)
}

// inShort is one line: how many tags are deleted and by which rules, and what else is
// done and held.
func (d *details) inShort(o *outline.Object) string {
	var parts []string
	for _, s := range o.Steps {
		parts = append(parts, d.step(s, ageOf(d.plan, s), outline.Billing(d.plan, &s, d.run.Price)))
	}
	if n := len(o.Tags); n > 0 {
		count := text.Thousands(n)
		if d.plan.Stats != nil && d.plan.Stats.Images[o.Ref.String()].Tags >= n {
			count += " of " + text.Thousands(d.plan.Stats.Images[o.Ref.String()].Tags)
		}
		byRule := outline.GroupBy(o.Tags, func(s actions.Step) string { return firstRule(s.Reasons) })
		slices.SortStableFunc(byRule, func(a, b outline.Alike[actions.Step]) int { return len(b.Entries) - len(a.Entries) })
		parts = append(parts, d.Color.Red(count)+": "+outline.Each(byRule, ", ", func(a outline.Alike[actions.Step]) string {
			return firstRule(a.First().Reasons) + " " + text.Thousands(len(a.Entries))
		}))
	}
	if len(o.Held) > 0 {
		byGuard := outline.GroupBy(o.Held, func(h outline.Held) string { return string(h.Guard) })
		parts = append(parts, "held by "+outline.Each(byGuard, ", ", func(a outline.Alike[outline.Held]) string {
			return string(a.First().Guard) + " " + text.Thousands(len(a.Entries))
		}))
	}
	return strings.Join(parts, "; ")
}

// firstRule is the rule by which a tag is counted where it counts once.
func firstRule(reasons []registry.Reason) string {
	if len(reasons) == 0 {
		return "no rule"
	}
	return strings.TrimPrefix(reasons[0].Rule, "retention/")
}
