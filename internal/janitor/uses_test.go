package janitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

const (
	usedWorld = `{namespaces: [{name: prod, age: 400d, images: [
		{name: api, tags: [{name: pr-1, age: 20d, digest: A}, {name: pr-2, age: 21d, digest: A}, {name: pr-3, age: 22d}, {name: latest, age: 1d}, {name: x, age: 1d}]},
		{name: web, tags: [{name: pr-1, age: 20d}, {name: latest, age: 1d}]}]}]}`
	usedRules = `
retention: [{name: prs, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100}
protect: {serverless: true}`
)

// answers is a source with another answer each time it is read.
func answers(name string, each ...string) uses.Source {
	reads := 0
	return uses.Parsed(name, func(context.Context) ([]registry.RawUse, error) {
		answer := each[min(reads, len(each)-1)]
		reads++
		if answer == "fail" {
			return nil, errors.New("out of reach")
		}
		var out []registry.RawUse
		for _, r := range strings.Fields(answer) {
			out = append(out, registry.RawUse{Reference: "rg.fr-par.scw.cloud/" + r, By: "someone"})
		}
		return out, nil
	})
}

// setOf is a set of sources.
func setOf(each ...uses.Source) *uses.Set {
	set := &uses.Set{}
	for _, s := range each {
		set.Add("", s)
	}
	return set
}

// lines are the steps and what is held, a line each.
func lines(p *actions.Plan) []string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, string(s.Action)+" "+strings.TrimPrefix(s.Ref, "rg.fr-par.scw.cloud/"))
	}
	for _, h := range p.Held {
		out = append(out, fmt.Sprintf("%s: %s: %s", strings.TrimPrefix(h.Ref, "rg.fr-par.scw.cloud/"), h.Guard, h.Detail))
	}
	return out
}

// What is in use is kept, whenever its use is found. The plan of an inventory is that
// of the scan, byte for byte.
func TestUsesHoldWheneverTheyAreFound(t *testing.T) {
	web := "delete_tag prod/web:pr-1"
	two := []string{
		"delete_tag prod/api:pr-3", web,
		"prod/api:pr-1: in_use: used by someone",
		"prod/api:pr-2: shared_digest: shares its digest with pr-1, which is held (in_use)",
	}
	const gap = "gap: what could not be read might prevent it: source: out of reach"
	all := []string{"prod/api:pr-1: " + gap, "prod/api:pr-2: " + gap, "prod/api:pr-3: " + gap, "prod/web:pr-1: " + gap}
	for name, row := range map[string]struct {
		answers []string
		want    []string
	}{
		"no use":               {[]string{""}, []string{"delete_tag prod/api:pr-1", "delete_tag prod/api:pr-2", "delete_tag prod/api:pr-3", web}},
		"before the scan":      {[]string{"prod/api:pr-1"}, two},
		"during the scan":      {[]string{"", "prod/api:pr-1"}, two},
		"only before the scan": {[]string{"prod/api:pr-1", ""}, two},
		"one before, one during": {[]string{"prod/api:pr-1", "prod/api:pr-1 prod/api:pr-3"}, []string{
			web, "prod/api:pr-1: in_use: used by someone",
			"prod/api:pr-2: shared_digest: shares its digest with pr-1, which is held (in_use)",
			"prod/api:pr-3: in_use: used by someone",
		}},
		"a digest during the scan": {[]string{"", "prod/api@" + digestOfA}, []string{
			"delete_tag prod/api:pr-3", web, "prod/api:pr-1: in_use: used by someone", "prod/api:pr-2: in_use: used by someone",
		}},
		"something else":             {[]string{"", "prod/api:latest prod/other:pr-1"}, []string{"delete_tag prod/api:pr-1", "delete_tag prod/api:pr-2", "delete_tag prod/api:pr-3", web}},
		"cannot be reached":          {[]string{"fail"}, all},
		"cannot be reached at first": {[]string{"fail", ""}, all},
		"cannot be reached at last":  {[]string{"", "fail"}, all},
	} {
		t.Run(name, func(t *testing.T) {
			for _, concurrency := range []int{1, 16} {
				s := newSetting(t, parse(t, usedWorld), usedRules, concurrency)
				feed := func() intake.Feed {
					u := setOf(answers("source", row.answers...))
					return intake.WithUses(t.Context(), u, func() intake.Feed { return s.scan(t, concurrency) })
				}
				p, err := s.planner.Plan(t.Context(), feed())
				check(t, err)
				if diff := cmp.Diff(row.want, lines(p)); diff != "" {
					t.Error(diff)
				}
				if p.Incomplete() != strings.Contains(name, "cannot") {
					t.Errorf("gaps %+v", p.Gaps)
				}
				var record bytes.Buffer
				_, err = s.planner.Record(t.Context(), feed(), &record)
				check(t, err)
				inventory, err := scanner.ReadInventory(&record)
				check(t, err)
				again, err := s.planner.Plan(t.Context(), intake.WithUses(t.Context(), sources.Recorded(s.planner.Config, nil, inventory.Header), func() intake.Feed { return inventory.Stream(t.Context()) }))
				check(t, err)
				if diff := cmp.Diff(encode(t, p), encode(t, again)); diff != "" {
					t.Errorf("the inventory gives: %s", diff)
				}
			}
		})
	}
}

const digestOfA = "sha256:8fc15602e76581594b4c7fa4b4a2429d6d7e9e5b5a47470c4633cb8e9ed098ab"

// A run that did not expect late uses holds everything in their images.
func TestUnexpectedUsesHoldTheirImages(t *testing.T) {
	s := newSetting(t, parse(t, usedWorld), strings.Replace(usedRules, "serverless: true", "serverless: false", 1), 4)
	u := setOf(answers("source", "", "prod/api:pr-1"))
	p, err := s.planner.Plan(t.Context(), intake.WithUses(t.Context(), u, func() intake.Feed { return s.scan(t, 4) }))
	check(t, err)
	if len(p.Steps) != 1 || p.Steps[0].Image != "web" || len(p.Held) != 3 || !p.Incomplete() {
		t.Error(lines(p), p.Gaps)
	}
}

func TestARunEndsWhenTheReferencesCannotBeRead(t *testing.T) {
	for name, failing := range map[string]int{"before the scan": 1, "after it": 2} {
		s := newSetting(t, parse(t, usedWorld), usedRules, 4)
		file := &flaky{failing: failing}
		u := &uses.Set{}
		u.SetFile(file, true, 0)
		scans := 0
		p, err := s.planner.Plan(t.Context(), intake.WithUses(t.Context(), u, func() intake.Feed { scans++; return s.scan(t, 4) }))
		if p != nil || !errors.Is(err, errFlaky) || scans != failing-1 {
			t.Errorf("%s: %v, %v after %d scans", name, p, err, scans)
		}
	}
}

var errFlaky = errors.New("no such file")

// flaky is a source that fails once.
type flaky struct{ reads, failing int }

func (f *flaky) Name() string { return "flaky" }
func (f *flaky) Uses(context.Context) ([]registry.Use, error) {
	if f.reads++; f.reads == f.failing {
		return nil, errFlaky
	}
	return nil, nil
}

func TestImageWithAUseIsKept(t *testing.T) {
	s := newSetting(t, parse(t, `{namespaces: [{name: prod, age: 400d, images: [{name: bare, age: 30d}, {name: gone, age: 30d}]}]}`),
		usedRules+"\nempty: {images: {older_than: 7d}}", 4)
	for name, when := range map[string][]string{"before": {"prod/bare@" + digestOfA}, "during": {"", "prod/bare@" + digestOfA}} {
		u := setOf(answers("source", when...))
		p, err := s.planner.Plan(t.Context(), intake.WithUses(t.Context(), u, func() intake.Feed { return s.scan(t, 4) }))
		check(t, err)
		if diff := cmp.Diff([]string{"delete_image prod/gone", "prod/bare: in_use: used by someone"}, lines(p)); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestComparisonKeepsWhatIsInUse(t *testing.T) {
	s := newSetting(t, parse(t, usedWorld), usedRules, 4)
	other := strings.Replace(usedRules, "older_than: 14d", "older_than: 100d", 1)
	for name, when := range map[string][]string{"before": {"prod/api:pr-1"}, "during": {"", "prod/api:pr-1"}} {
		u := setOf(answers("source", when...))
		c, err := s.planner.Compare(t.Context(), intake.WithUses(t.Context(), u, func() intake.Feed { return s.scan(t, 4) }), s.rival(t, other))
		check(t, err)
		if text := written(t, c); strings.Contains(text, `prod/api:pr-1"`) || !strings.Contains(text, `prod/web:pr-1"`) || c.Incomplete() != (name == "during") {
			t.Errorf("%s: incomplete %v: %s", name, c.Incomplete(), text)
		}
	}
}
