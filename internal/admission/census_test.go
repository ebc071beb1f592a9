package admission_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// shelf is a registry of namespaces that have one image each, with the same tags.
type shelf struct {
	scanner.Source
	namespaces []string
	row, tags  []string // what the row of an image shows, and what is listed
	restored   string   // tag
}

func (s shelf) Namespaces(_ context.Context, q registry.Query) ([]registry.Namespace, error) {
	var all []registry.Namespace
	for _, name := range s.namespaces {
		all = append(all, registry.Namespace{ID: name, Name: name, Region: q.Region})
	}
	return all, nil
}

func (s shelf) Images(_ context.Context, q registry.Query) iter.Seq2[registry.Image, error] {
	return func(yield func(registry.Image, error) bool) {
		yield(registry.Image{ID: q.NamespaceID + "/api", Name: "api", TagNames: s.row}, nil)
	}
}

func (s shelf) Tags(context.Context, registry.Region, string) ([]registry.Tag, error) {
	var all []registry.Tag
	for _, name := range s.tags {
		all = append(all, registry.Tag{Name: name, Digest: "sha256:" + name})
	}
	return all, nil
}

// A saved plan counts against what is in the registry now, whatever it says about itself.
func TestASavedPlanIsCheckedAgainstTheRegistry(t *testing.T) {
	all, now := []string{"v1", "v2", "v3", "v4"}, time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		registry shelf
		percent  float64
		want     string
	}{
		"half of the tags, and half may go":     {shelf{namespaces: []string{"prod"}, row: all}, 50, ""},
		"half of the tags, and less may go":     {shelf{namespaces: []string{"prod"}, row: all}, 40, "a limit refuses the plan"},
		"a quarter of all that are in scope":    {shelf{namespaces: []string{"prod", "dev"}, row: all}, 40, ""},
		"a row that lacks what is to go":        {shelf{namespaces: []string{"prod"}, row: all[1:], tags: all}, 50, ""},
		"a listing that lacks it too":           {shelf{namespaces: []string{"prod"}, row: all[1:], tags: all[1:]}, 40, ""},
		"the namespaces of another key":         {shelf{namespaces: []string{"dev"}, row: all}, 100, "the plan is of another organization"},
		"a tag that was restored":               {shelf{namespaces: []string{"prod"}, row: all, tags: all, restored: "v4"}, 50, "a limit refuses the plan"},
		"a tag that was restored, and another":  {shelf{namespaces: []string{"prod"}, row: all, tags: all, restored: "v4"}, 67, ""},
		"everything may go, so nothing counts":  {shelf{namespaces: []string{"prod"}}, 100, ""},
		"an image that has nothing to be shown": {shelf{namespaces: []string{"prod"}}, 40, ""},
	} {
		const image = "rg.fr-par.scw.cloud/prod/api"
		p := &actions.Plan{Images: []actions.PlannedImage{{Ref: image, ID: "prod/api"}}, Summary: actions.Summary{StepCounts: actions.StepCounts{DeleteTags: 2}}}
		for _, tag := range all[:2] {
			p.Steps = append(p.Steps, actions.Step{Action: actions.DeleteTag, Ref: image + ":" + tag, Region: "fr-par", Namespace: "prod", Image: "api", Tag: tag})
		}
		census := admission.Census{
			Registry: tt.registry, Scope: scanner.Scope{Regions: []registry.Region{"fr-par"}, Include: []string{"**"}},
			Limits: plan.Options{MaxDeletions: 10, MaxDeletionPercent: tt.percent, TakenAt: now},
		}
		if tag := tt.registry.restored; tag != "" {
			ref := registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: tag}
			census.Restored = registry.NewRestorations([]registry.Restoration{{Ref: ref, Digest: "sha256:" + tag, Until: now.Add(1)}})
		}
		err := census.Check(t.Context(), p)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v", name, err)
		case strings.HasPrefix(tt.want, "a limit") && !errors.Is(err, actions.ErrLimit):
			t.Errorf("%s: %v is not one of a limit", name, err)
		}
	}
}
