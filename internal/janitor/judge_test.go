package janitor

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// items is a feed of given items.
type items []scanner.Item

func (f items) Err() error { return nil }
func (f items) Items() <-chan scanner.Item {
	c := make(chan scanner.Item, len(f))
	for _, item := range f {
		c <- item
	}
	close(c)
	return c
}

// An image without a namespace panics wherever it is judged. Each of the callers then
// returns an error.
func TestPanicWhileJudgingIsAnError(t *testing.T) {
	named := func(p *Planner) lookup.Named { return mustName(t, p, "rg.fr-par.scw.cloud/prod/api") }
	for name, judge := range map[string]func(context.Context, *Planner, intake.Feed) error{
		"plan":    func(ctx context.Context, p *Planner, f intake.Feed) error { _, err := p.Plan(ctx, f); return err },
		"compare": func(ctx context.Context, p *Planner, f intake.Feed) error { _, err := p.Compare(ctx, f, p); return err },
		"lint":    func(ctx context.Context, p *Planner, f intake.Feed) error { _, err := p.Lint(ctx, f); return err },
		"explain": func(ctx context.Context, p *Planner, f intake.Feed) error {
			_, err := p.Explain(ctx, f, named(p))
			return err
		},
	} {
		s := newSetting(t, parse(t, usedWorld), rules, 4)
		feed := items{{Image: &registry.Image{Name: "api"}}}
		err := judge(t.Context(), s.planner, feed)
		if bug := (*bug.Error)(nil); !errors.As(err, &bug) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A policy that fails holds its image in a comparison, and is a gap for lint.
func TestFailingPolicyIsSeenInCompareAndLint(t *testing.T) {
	own := t.TempDir() + "/own.rego"
	check(t, writeFile(own, "package janitor.image.own\n\nwarn contains \"x\" if {\n\tinput.image.name == \"api\"\n\tto_number(input.image.name) > 0\n}\n"))
	s := newSetting(t, parse(t, `{namespaces: [{name: prod, age: 400d, images: [
		{name: api, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]},
		{name: web, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]}]}`), rules+"policies: ["+own+"]", 16)
	c, err := s.planner.Compare(t.Context(), s.scan(t, 4), s.rival(t, rules))
	check(t, err)
	if text := written(t, c); !c.Incomplete() || !strings.Contains(text, "policy_error") {
		t.Errorf("the comparison: %s", text)
	}
	lint, err := s.planner.Lint(t.Context(), s.scan(t, 4))
	check(t, err)
	if len(lint.Gaps) != 1 || lint.Gaps[0].Subject != "rg.fr-par.scw.cloud/prod/api" {
		t.Errorf("lint: %+v", lint.Gaps)
	}
}
