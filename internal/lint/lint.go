// Package lint compares the rules of a configuration with what a registry holds,
// and finds rules that do nothing, or more than they should. It works on the
// verdicts of one scan. (policy/author checks policies without a registry.)
//
// It must never plan or change anything, and its findings must not depend on the
// order of the verdicts.
package lint

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Linter counts what the rules do. Of an image it keeps counts and a few
// references. It is safe for concurrent use.
type Linter struct {
	judge *policy.Judge

	mu      sync.Mutex // guards the rest
	out     runs.Lint
	rules   map[string]*rule
	emptied map[string]*tally // by the rules that together delete all tags of an image
	newest  map[string]*tally // by the rules that delete the newest push of an image
}

// New makes a linter of the rules of a configuration. The judge must have the same
// rules and evaluate all of them.
func New(c *config.Config, judge *policy.Judge, takenAt time.Time) *Linter {
	l := &Linter{
		judge: judge, rules: configured(c), emptied: map[string]*tally{}, newest: map[string]*tally{},
		out: runs.Lint{TakenAt: takenAt.UTC(), Zone: c.Location(), Findings: []runs.LintFinding{}, Gaps: []registry.Gap{}},
	}
	l.out.Rules = len(l.rules)
	return l
}

// Add counts one verdict. Part is what it adds to the plan, and free is the same
// without keep_at_least and grace: it shows what would be deleted without them.
func (l *Linter) Add(v *registry.Verdict, part, free plan.Part) {
	if v.Err != nil {
		l.AddGap(subject(v).String(), v.Err.Error())
	}
	if v.Image == nil {
		matches := l.judge.NamespaceMatches(v.Namespace)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range matches {
			l.rules[key(m)].matched(0)
		}
		return
	}
	if len(v.Tags) == 0 { // no rule has decided anything
		v.Tags = make([]registry.TagVerdict, len(v.Image.Tags))
	}
	matches := l.judge.Matches(v.Image)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.image(v, matches, free.Steps())
	l.newestBy(v, part.Steps())
}

func subject(v *registry.Verdict) registry.Ref {
	if v.Image != nil {
		return v.Image.Ref()
	}
	return v.Namespace.Ref()
}

// AddGap notes something that could not be read or judged.
func (l *Linter) AddGap(subject, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.Gaps = append(l.out.Gaps, registry.Gap{Subject: subject, Error: strings.ReplaceAll(why, "\n", "; ")})
}

// image counts what the rules do in one image.
func (l *Linter) image(v *registry.Verdict, matches []policy.RuleMatch, steps []actions.Step) {
	l.out.Images++
	l.out.Tags += len(v.Image.Tags)
	subjects := v.Image.Subjects()
	matching := map[int][]*rule{} // the retention rules that match a tag
	for _, m := range matches {
		r := l.rules[key(m)]
		r.matched(len(m.Tags))
		if r.retention == nil {
			continue
		}
		for _, i := range m.Tags {
			if subjects[i] == "" { // attachments follow their subject
				matching[i] = append(matching[i], r)
			}
		}
	}
	for _, i := range slices.Sorted(maps.Keys(matching)) {
		for _, r := range matching[i] {
			r.cover(v, i, matching[i])
		}
	}
	for i := range v.Tags {
		l.own(v, i)
	}
	l.emptiedBy(v, steps)
}

// own counts what the operator's own Rego marks, and whether that has any effect.
// It is not known what it matches without marking it.
func (l *Linter) own(v *registry.Verdict, i int) {
	for _, reason := range v.Tags[i].Delete {
		if reason.Source == "" {
			continue
		}
		r := l.rules[reason.Rule]
		if r == nil {
			r = &rule{name: reason.Rule, own: true}
			l.rules[reason.Rule] = r
		}
		r.matched(1)
		r.cover(v, i, nil)
	}
}

// emptiedBy finds out whether the image would lose every tag that keeps it alive,
// and by which rule: one that marks all of them, or several together.
func (l *Linter) emptiedBy(v *registry.Verdict, steps []actions.Step) {
	deleted := map[string]bool{}
	for _, s := range steps {
		deleted[s.Tag] = true
	}
	marked := map[string]int{} // tags by rule
	alive := 0
	for i, subject := range v.Image.Subjects() {
		t := &v.Image.Tags[i]
		if t.Status != registry.StatusReady || subject != "" {
			continue
		}
		if !deleted[t.Name] {
			return
		}
		alive++
		for rule := range enforced(v.Tags[i].Delete) {
			marked[rule]++
		}
	}
	if alive == 0 {
		return
	}
	var alone []string
	for rule, n := range marked {
		if n == alive {
			alone = append(alone, rule)
		}
	}
	if len(alone) == 0 {
		alone = []string{strings.Join(slices.Sorted(maps.Keys(marked)), " + ")}
	}
	for _, rule := range alone {
		if l.emptied[rule] == nil {
			l.emptied[rule] = &tally{}
		}
		l.emptied[rule].add(alive, v.Image.Ref(), v.Image.Ref().String())
	}
}

// enforced lists the rules of the reasons that count.
func enforced(reasons []registry.Reason) map[string]bool {
	rules := map[string]bool{}
	for _, reason := range reasons {
		if !reason.ReportOnly {
			rules[reason.Rule] = true
		}
	}
	return rules
}

// Result returns the findings.
func (l *Linter) Result() *runs.Lint {
	for _, r := range l.rules {
		l.out.Findings = append(l.out.Findings, r.findings(len(l.out.Gaps) > 0)...)
	}
	for rule, t := range l.emptied {
		l.out.Findings = append(l.out.Findings, emptiesFinding(rule, t))
	}
	for rule, t := range l.newest {
		l.out.Findings = append(l.out.Findings, newestFinding(rule, t))
	}
	slices.SortFunc(l.out.Findings, func(a, b runs.LintFinding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
	})
	slices.SortFunc(l.out.Gaps, func(a, b registry.Gap) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Error, b.Error))
	})
	return &l.out
}
