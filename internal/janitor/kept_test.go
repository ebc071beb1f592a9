package janitor

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
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
