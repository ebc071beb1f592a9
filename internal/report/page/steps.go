package page

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// namespaceView is a namespace with steps.
type namespaceView struct {
	*outline.Namespace
	Count  int    // of steps
	Sets   []*set // of the namespace itself
	Images []*imageView
}

// imageView is an image with steps.
type imageView struct {
	*outline.Object
	Effect  string // what happens, in words
	Size    string // "" if it is not known
	Percent int    // of its tags that are deleted; -1 if it is not known
	Rules   string // how many tags each rule marks, and what else happens
	Sets    []*set
}

// namespaces are the steps by namespace, image and rule.
func (f *filters) namespaces(run *runs.Run, groups []*outline.Namespace, now time.Time) []*namespaceView {
	l := stepLister{filters: f, plan: run.Plan, results: resultsOf(run.Plan), copies: copiesOf(run.Plan, now), zone: run.Zone, price: run.Price}
	var out []*namespaceView
	for _, ns := range groups {
		v := &namespaceView{Namespace: ns, Count: len(ns.Own.Steps), Sets: l.objects(&ns.Own)}
		for _, image := range ns.Images {
			if n := len(image.Tags) + len(image.Steps); n > 0 {
				v.Images = append(v.Images, l.image(image))
				v.Count += n
			}
		}
		if v.Count > 0 {
			out = append(out, v)
		}
	}
	return out
}

type stepLister struct {
	*filters
	plan    *actions.Plan
	results map[string]actions.Result
	copies  map[string]*actions.Archived // by reference
	zone    *time.Location
	price   runs.Price
}

// resultsOf are the results of the steps that were not simply done.
func resultsOf(p *actions.Plan) map[string]actions.Result {
	m := make(map[string]actions.Result)
	if p.Outcome == nil {
		return m
	}
	for _, r := range p.Outcome.Results {
		if r.Result != actions.ResultDone {
			m[string(r.Action)+" "+r.Ref] = r.Result
		}
	}
	return m
}

// copiesOf are the copies of the tags that were archived, until they expire.
func copiesOf(p *actions.Plan, now time.Time) map[string]*actions.Archived {
	m := make(map[string]*actions.Archived)
	if p.Outcome != nil {
		for _, r := range p.Outcome.Results {
			if outline.Stays(r.Archived, now) {
				m[r.Ref] = r.Archived
			}
		}
	}
	return m
}

// archived words until when the copies of tags stay, the first to go: "; archived until
// 2026-12-30 12:00:00 CET". It is "" if not all of them have one.
func (l *stepLister) archived(tags []actions.Step) string {
	var until time.Time
	for i := range tags {
		c := l.copies[tags[i].Ref]
		if c == nil {
			return ""
		}
		if until.IsZero() || c.Until.Before(until) {
			until = c.Until
		}
	}
	return "; archived until " + text.Moment(until, l.zone)
}

func (l *stepLister) image(o *outline.Object) *imageView {
	v := &imageView{Object: o, Percent: -1, Sets: l.objects(o)}
	tags := text.Count(len(o.Tags), "tag")
	if l.plan.Stats != nil {
		if stats, ok := l.plan.Stats.Images[o.Ref.String()]; ok {
			v.Size = text.Size(stats.Bytes)
			if freed := outline.Freed(outline.FreedIn(l.plan, o.Ref), l.price); freed != "" {
				v.Size += ", frees " + freed
			}
			if stats.Tags > 0 {
				tags = text.Thousands(len(o.Tags)) + " of " + text.Count(stats.Tags, "tag")
				v.Percent = share(len(o.Tags), stats.Tags)
			}
		}
	}
	var changes []string
	for _, s := range o.Steps {
		if s.Action == actions.DeleteImage {
			changes = append(changes, "the whole image")
		} else {
			changes = append(changes, string(s.From)+" → "+string(s.To))
		}
	}
	if len(o.Tags) > 0 {
		changes = append(changes, tags)
	}
	last := len(changes) - 1
	v.Effect = changes[last]
	v.Rules = strings.Join(append(changes[:last], markedBy(o.Tags)...), ", ")
	for _, a := range o.AlikeTags() {
		v.Sets = append(v.Sets, l.tags(o, a))
	}
	return v
}

// markedBy counts tags by the rules that mark them, the most first, each rule
// without its kind.
func markedBy(steps []actions.Step) []string {
	counts := map[string]int{}
	for i := range steps {
		for _, r := range steps[i].Reasons {
			_, name, found := strings.Cut(r.Rule, "/")
			if !found {
				name = r.Rule
			}
			counts[name]++
		}
	}
	names := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	for i, name := range names {
		names[i] = name + " " + text.Thousands(counts[name])
	}
	return names
}

// objects are the steps on an image or a namespace itself.
func (l *stepLister) objects(o *outline.Object) []*set {
	var out []*set
	for i := range o.Steps {
		s := &o.Steps[i]
		v := l.setOf(o.Ref, s.Action, "", s.Reasons)
		r := l.row(s, s.Ref)
		what := strings.TrimPrefix(describeAction(s.Action), "delete ")
		if s.Action.Deletes() {
			v.Sign, v.Title = "delete", l.title("Delete", []row{r}, what)
		} else {
			v.Sign, v.Title = "change", l.title("Change", []row{r}, "visibility")+" from "+string(s.From)+" to "+string(s.To)
			if billing := outline.Billing(l.plan, s, l.price); billing != "" {
				v.Title += "; " + billing
			}
			r.Age, r.Time = "", ""
		}
		out = append(out, v.fill([]row{r}))
	}
	return out
}

// tags is a set of tags; those that differ in their reasons have each its own text.
func (l *stepLister) tags(o *outline.Object, a outline.Alike[actions.Step]) *set {
	v := l.setOf(o.Ref, actions.DeleteTag, "", a.First().Reasons)
	v.Sign = "delete"
	if a.Differ {
		v.Why = rulesOnly(v.Why)
	}
	rows := make([]row, len(a.Entries))
	for i := range a.Entries {
		s := &a.Entries[i]
		rows[i] = l.row(s, s.Tag)
		rows[i].Digest = s.Digest
		if a.Differ {
			rows[i].Note = outline.Texts(s.Reasons)
		}
	}
	v.Title = l.title("Delete", rows, text.Count(len(rows), "tag")) + l.archived(a.Entries)
	return v.fill(rows)
}

// title is what is planned, or what was done: "Delete 3 tags", "Deleted 2 of 3 tags".
func (l *stepLister) title(verb string, rows []row, what string) string {
	if l.plan.Outcome == nil || len(l.plan.Outcome.Results) == 0 {
		return verb + " " + what
	}
	past := strings.TrimSuffix(verb, "e") + "ed"
	switch done := len(rows) - notDone(rows); done {
	case len(rows):
		return past + " " + what
	case 0:
		return "Not " + strings.ToLower(past) + ": " + what
	default:
		return past + " " + text.Thousands(done) + " of " + what
	}
}

func notDone(rows []row) int {
	n := 0
	for i := range rows {
		if r := actions.Result(rows[i].Result); r != "" && !r.Achieved() {
			n++
		}
	}
	return n
}

func (l *stepLister) row(s *actions.Step, name string) row {
	r := row{Name: name, Result: string(l.results[string(s.Action)+" "+s.Ref])}
	if !s.UpdatedAt.IsZero() {
		r.Age, r.Time = text.Age(l.plan.TakenAt.Sub(s.UpdatedAt)), stamp(s.UpdatedAt, l.zone)
	}
	return r
}

// share is a part in whole percent, and at least one if there is any.
func share(part, whole int) int {
	if part <= 0 || whole <= 0 {
		return 0
	}
	return min(100, max(1, (part*100+whole/2)/whole))
}
