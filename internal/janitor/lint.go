package janitor

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Lint holds the rules against everything that the feed has, and says which of
// them do nothing, or more than they should. It plans nothing.
func (p *Planner) Lint(ctx context.Context, feed Feed) (*runs.Lint, error) {
	l := newLinter(p)
	group, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for item := range feed.Items() {
				if err := l.take(ctx, item); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := feed.Err(); err != nil {
		return nil, err
	}
	if gap := p.clockGap(); gap != nil {
		l.gap(gap.Subject, gap.Error)
	}
	return l.finish(), nil
}

// linter counts what the rules do. What it keeps of an image is counts and a few
// references.
type linter struct {
	planner *Planner
	judge   *policy.Judge
	options plan.Options

	mu    sync.Mutex // guards the rest
	out   runs.Lint
	rules map[string]*lintedRule
	empty map[string]*tallied // by the rules that empty an image together
}

func newLinter(p *Planner) *linter {
	o := p.planOptions()
	o.KeepAtLeast, o.Grace = 0, 0 // what would be deleted were it not for them
	l := &linter{
		planner: p, judge: p.Policies.At(p.TakenAt, policy.Everything), options: o,
		out:   runs.Lint{TakenAt: p.TakenAt.UTC(), Findings: []runs.LintFinding{}, Gaps: []registry.Gap{}},
		rules: configured(p.Config), empty: map[string]*tallied{},
	}
	l.out.Rules = len(l.rules)
	return l
}

func (l *linter) take(ctx context.Context, item scanner.Item) error {
	switch {
	case item.Image != nil:
		verdict, err := l.judge.Image(ctx, item.Image)
		if err != nil {
			return err
		}
		l.planner.count(&verdict)
		if len(verdict.Tags) == 0 { // nobody voted
			verdict.Tags = make([]registry.TagVerdict, len(item.Image.Tags))
		}
		matches := l.judge.Matches(item.Image)
		part := plan.PlanVerdict(verdict, l.options)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.image(&verdict, matches, part.Steps())
	case item.Listed != nil:
		verdict, err := l.judge.Namespace(ctx, item.Listed.Namespace, item.Listed.Empty)
		if err != nil {
			return err
		}
		if verdict.Err != nil {
			l.gap(item.Listed.Namespace.Ref().String(), verdict.Err.Error())
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range l.judge.NamespaceMatches(item.Listed.Namespace) {
			l.rules[lintKey(m)].matched(0)
		}
	case item.Gap != nil:
		l.gap(item.Gap.Subject, item.Gap.Error)
	}
	return nil
}

func (l *linter) gap(subject, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.Gaps = append(l.out.Gaps, registry.Gap{Subject: subject, Error: strings.ReplaceAll(why, "\n", "; ")})
}

// image counts what the rules do in one image.
func (l *linter) image(v *registry.Verdict, matches []policy.RuleMatch, steps []actions.Step) {
	l.out.Images++
	l.out.Tags += len(v.Image.Tags)
	if v.Err != nil {
		l.out.Gaps = append(l.out.Gaps, registry.Gap{Subject: v.Image.Ref().String(), Error: strings.ReplaceAll(v.Err.Error(), "\n", "; ")})
	}
	here := map[int][]*lintedRule{} // the retention rules that match a tag
	for _, m := range matches {
		rule := l.rules[lintKey(m)]
		rule.matched(len(m.Tags))
		if rule.retention == nil {
			continue
		}
		for _, i := range m.Tags {
			if registry.AttachmentSubject(v.Image.Tags[i].Name) == "" { // it follows its subject
				here[i] = append(here[i], rule)
			}
		}
	}
	for _, i := range slices.Sorted(maps.Keys(here)) {
		for _, rule := range here[i] {
			rule.cover(v, i, here[i])
		}
	}
	for i := range v.Tags {
		l.own(v, i)
	}
	l.emptied(v, steps)
}

// own counts how the operator's own Rego fares: what it condemns, and whether
// that has any effect. What it matches without condemning is not known.
func (l *linter) own(v *registry.Verdict, i int) {
	for _, vote := range v.Tags[i].Delete {
		if vote.Source == "" {
			continue
		}
		rule := l.rules[vote.Rule]
		if rule == nil {
			rule = &lintedRule{name: vote.Rule, own: true}
			l.rules[vote.Rule] = rule
		}
		rule.matched(1)
		rule.cover(v, i, nil)
	}
}

// emptied finds out whether the image would lose every tag that keeps it alive,
// and by which rule: one that condemns all of them, or all of them together.
func (l *linter) emptied(v *registry.Verdict, steps []actions.Step) {
	goes := map[string]bool{}
	for _, s := range steps {
		goes[s.Tag] = true
	}
	votes := map[string]int{}
	alive := 0
	for i := range v.Image.Tags {
		t := &v.Image.Tags[i]
		if t.Status != registry.StatusReady || registry.AttachmentSubject(t.Name) != "" {
			continue
		}
		if !goes[t.Name] {
			return
		}
		alive++
		for rule := range enforced(v.Tags[i].Delete) {
			votes[rule]++
		}
	}
	if alive == 0 {
		return
	}
	var alone []string
	for rule, n := range votes {
		if n == alive {
			alone = append(alone, rule)
		}
	}
	if len(alone) == 0 {
		alone = []string{strings.Join(slices.Sorted(maps.Keys(votes)), " + ")}
	}
	for _, rule := range alone {
		if l.empty[rule] == nil {
			l.empty[rule] = &tallied{}
		}
		l.empty[rule].add(alive, v.Image.Ref(), v.Image.Ref().String())
	}
}

// finish words the findings.
func (l *linter) finish() *runs.Lint {
	for _, rule := range l.rules {
		l.out.Findings = append(l.out.Findings, rule.findings(len(l.out.Gaps) > 0)...)
	}
	for rule, t := range l.empty {
		l.out.Findings = append(l.out.Findings, emptiesFinding(rule, t))
	}
	slices.SortFunc(l.out.Findings, func(a, b runs.LintFinding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
	})
	slices.SortFunc(l.out.Gaps, func(a, b registry.Gap) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Error, b.Error))
	})
	return &l.out
}
