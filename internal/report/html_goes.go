package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// goesView is what becomes of one namespace.
type goesView struct {
	Region, Name, ID string
	Count            int
	Own              []*setView // of the namespace itself
	Images           []*imageView
}

// imageView is what becomes of one image.
type imageView struct {
	Name  string
	Count int    // steps
	Fate  string // in words
	Size  string // "" where it is not known
	Goes  int    // in percent of its tags; -1 where it is not known
	Held  int
	Rules string // which of them condemn how many, and what else there is to say
	Sets  []*setView
}

// goes is everything that goes or changes, by namespace, image and rule.
func (f *filterView) goes(p *actions.Plan, groups []*namespaceGroup) []*goesView {
	g := goer{filterView: f, plan: p, results: resultsOf(p)}
	var out []*goesView
	for _, ns := range groups {
		v := &goesView{Region: clean(string(ns.ref.Region)), Name: clean(ns.ref.Namespace), Own: g.objects(&ns.own)}
		v.Count = len(ns.own.objects)
		for _, image := range ns.images {
			if len(image.tags)+len(image.objects) > 0 {
				v.Images = append(v.Images, g.image(image))
				v.Count += len(image.tags) + len(image.objects)
			}
		}
		if v.Count > 0 {
			out = append(out, v)
		}
	}
	return out
}

type goer struct {
	*filterView
	plan    *actions.Plan
	results map[string]actions.Result
}

// resultsOf are the results that say more than that a step was done.
func resultsOf(p *actions.Plan) map[string]actions.Result {
	if p.Outcome == nil {
		return nil
	}
	m := make(map[string]actions.Result)
	for i := range p.Outcome.Results {
		if r := &p.Outcome.Results[i]; r.Result != actions.ResultDone {
			m[string(r.Action)+" "+r.Ref] = r.Result
		}
	}
	return m
}

func (g *goer) result(s *actions.Step) string {
	return clean(string(g.results[string(s.Action)+" "+s.Ref]))
}

func (g *goer) image(o *objectGroup) *imageView {
	v := &imageView{Name: clean(o.ref.Image), Count: len(o.tags) + len(o.objects), Goes: -1, Held: len(o.held)}
	tags := text.Count(len(o.tags), "tag")
	if stats, ok := g.stats(o.ref); ok {
		v.Size = text.Size(stats.Bytes)
		if stats.Tags > 0 {
			tags = text.Thousands(len(o.tags)) + " of " + text.Count(stats.Tags, "tag")
			v.Goes = share(len(o.tags), stats.Tags)
		}
	}
	said := fates(o)
	if len(o.tags) > 0 {
		said = append(said, tags)
	}
	v.Fate = said[len(said)-1]
	v.Rules = strings.Join(append(said[:len(said)-1], condemnedBy(o.tags)...), ", ")
	v.Sets = append(g.objects(o), g.tags(o)...)
	return v
}

// fates is what becomes of the object itself.
func fates(o *objectGroup) []string {
	var out []string
	for _, s := range o.objects {
		if s.Action == actions.DeleteImage {
			out = append(out, "the whole image")
		} else {
			out = append(out, clean(string(s.From))+" → "+clean(string(s.To)))
		}
	}
	return out
}

// condemnedBy counts tags by the rules that condemn them, the most first, each rule
// without its kind.
func condemnedBy(steps []actions.Step) []string {
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
		names[i] = clean(name) + " " + text.Thousands(counts[name])
	}
	return names
}

func (g *goer) stats(ref registry.Ref) (actions.ImageStats, bool) {
	if g.plan.Stats == nil {
		return actions.ImageStats{}, false
	}
	stats, ok := g.plan.Stats.Images[ref.String()]
	return stats, ok
}

// objects are the steps on an image or a namespace itself.
func (g *goer) objects(o *objectGroup) []*setView {
	var out []*setView
	for i := range o.objects {
		s := &o.objects[i]
		set := g.setOf(o.ref, s.Action, "", s.Reasons)
		set.Why = whys(s.Reasons)
		r := rowView{Name: clean(s.Ref), Result: g.result(s)}
		if s.Action.Deletes() {
			set.Sign, set.Title = "goes", capital(actionInWords(s.Action))
			r.Age, r.Time = g.age(s), machineTime(s.UpdatedAt)
		} else {
			set.Sign, set.Title = "change", "Change visibility from "+clean(string(s.From))+" to "+clean(string(s.To))
		}
		out = append(out, set.fill([]rowView{r}))
	}
	return out
}

func (g *goer) age(s *actions.Step) string {
	if s.UpdatedAt.IsZero() {
		return ""
	}
	return text.Age(g.plan.TakenAt.Sub(s.UpdatedAt))
}

// tags are the tags that go, newest first: those with the same reasons in one
// set, the others by the rules that they share.
func (g *goer) tags(o *objectGroup) []*setView {
	steps := slices.Clone(o.tags)
	slices.SortStableFunc(steps, func(a, b actions.Step) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.Tag, b.Tag))
	})
	exact, loose := byLikeness(steps,
		func(s actions.Step) string { return reasonsKey(s.Reasons) },
		func(s actions.Step) string { return rulesOf(s.Reasons) })
	var out []*setView
	for _, a := range exact {
		out = append(out, g.tagSet(o.ref, a.entries, whys(a.entries[0].Reasons), false))
	}
	for _, a := range loose {
		out = append(out, g.tagSet(o.ref, a.entries, rulesOnly(a.entries[0].Reasons), true))
	}
	return out
}

// tagSet is a set of tags; those that differ in their reasons say them one by one.
func (g *goer) tagSet(ref registry.Ref, steps []actions.Step, why []whyView, differ bool) *setView {
	set := g.setOf(ref, actions.DeleteTag, "", steps[0].Reasons)
	set.Sign, set.Title, set.Why = "goes", "Delete "+text.Count(len(steps), "tag"), why
	if differ && len(steps) == 1 {
		set.Why, differ = whys(steps[0].Reasons), false
	}
	rows := make([]rowView, len(steps))
	for i := range steps {
		s := &steps[i]
		rows[i] = rowView{Name: clean(s.Tag), Age: g.age(s), Time: machineTime(s.UpdatedAt), Digest: clean(s.Digest), Result: g.result(s)}
		if differ {
			rows[i].Note = clean(texts(s.Reasons))
		}
	}
	return set.fill(rows)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// share is a part in whole percent; what there is, is at least one.
func share(part, whole int) int {
	if part <= 0 || whole <= 0 {
		return 0
	}
	return min(100, max(1, (part*100+whole/2)/whole))
}
