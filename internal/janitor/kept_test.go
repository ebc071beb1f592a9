package janitor

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/policy"
)

func TestWhatIsKeptIsExplained(t *testing.T) {
	s := newSetting(t, withoutFaults(), rules, 16)
	s.planner.ExplainKept = 5000
	p, err := s.planner.Plan(t.Context(), s.scan(t, 16))
	check(t, err)
	if diff := cmp.Diff(encode(t, planOf(t, withoutFaults(), rules, 16)), encode(t, p)); diff != "" {
		t.Errorf("the plan is another one: %s", diff)
	}
	tags, byRule := 0, map[string]int{}
	for image, kept := range p.Stats.Kept {
		tags += len(kept)
		for _, tag := range kept {
			for _, r := range tag.Reasons {
				byRule[r.Rule]++
			}
			if slices.ContainsFunc(p.Steps, func(s actions.Step) bool { return s.Ref == image+":"+tag.Name }) {
				t.Errorf("%s:%s is kept, and a step deletes it", image, tag.Name)
			}
		}
	}
	held := 0
	for _, h := range p.Held {
		if h.Action == actions.DeleteTag {
			held++
		}
	}
	if want := p.Summary.Tags - p.Summary.DeleteTags - held; tags != want {
		t.Errorf("%d tags are kept, want %d", tags, want)
	}
	for _, rule := range []string{"retention/releases", "retention/branch builds", "protect/tags"} {
		if byRule[rule] == 0 {
			t.Errorf("%s keeps nothing: %v", rule, byRule)
		}
	}
}

func TestTooMuchThatIsKeptIsNotExplained(t *testing.T) {
	s := newSetting(t, withoutFaults(), rules, 16)
	s.planner.ExplainKept = 100
	p, err := s.planner.Plan(t.Context(), s.scan(t, 16))
	check(t, err)
	if p.Summary.Tags <= 100 || p.Stats.Kept != nil {
		t.Errorf("of %d tags, %d images are explained", p.Summary.Tags, len(p.Stats.Kept))
	}
}

// What is kept in an image that has not changed is explained as well.
func TestWhatIsKeptIsExplainedInAQuietImage(t *testing.T) {
	c, err := config.Parse("janitor.yaml", []byte(`retention: [{name: releases, match: {tags: ["v*"]}, keep: {all: true}}, {name: old, match: {tags: ["*"]}, delete: {older_than: 300d}}]`))
	check(t, err)
	policies, err := Policies(t.Context(), c, policy.Options{})
	check(t, err)
	for _, most := range []int{5000, 1} {
		m := newMoving(4, false)
		l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{})
		check(t, err)
		p := &Planner{Config: c, Policies: policies, ExplainKept: most}
		m.plan(t, p, l)
		m.now = m.now.Add(time.Hour)
		second, full := m.plan(t, p, l), m.plan(t, p, nil)
		check(t, l.Close())
		if diff := cmp.Diff(full.Stats.Kept, second.Stats.Kept); diff != "" || second.Summary.ImagesFromCache == 0 {
			t.Errorf("at most %d tags: %s", most, diff)
		}
		if explained, quiet := len(second.Stats.Kept) > 0, m.quiet.Load() > 0; explained == quiet {
			t.Errorf("at most %d tags: explained %v, and %d images are quiet", most, explained, m.quiet.Load())
		}
	}
}
