package plan_test

import (
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// A tag that a rule marks is deleted, unless it shares its digest with a tag that
// is kept.
func ExampleBuilder() {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tag := func(name, digest string) registry.Tag {
		return registry.Tag{ID: name, Name: name, Digest: digest, Status: registry.StatusReady, UpdatedAt: now.Add(-40 * 24 * time.Hour)}
	}
	namespace := &registry.Namespace{Name: "prod", Region: "fr-par", Status: registry.StatusReady}
	old := []registry.Reason{{Rule: "retention/old", Text: "older than 14d"}}
	verdict := registry.Verdict{
		Namespace: namespace,
		Image: &registry.Image{
			Namespace: namespace, Name: "api", Status: registry.StatusReady,
			Tags: []registry.Tag{tag("latest", "sha256:a"), tag("v1", "sha256:a"), tag("pr-12", "sha256:b")},
		},
		Tags: []registry.TagVerdict{{}, {Delete: old}, {Delete: old}},
	}

	o := plan.Options{TakenAt: now, MinAge: time.Hour, KeepAtLeast: 1, MaxDeletions: 1000, MaxDeletionPercent: 50}
	b := plan.NewBuilder(o)
	b.Add(plan.Decide(verdict, o))
	p := b.Plan()

	for _, s := range p.Steps {
		fmt.Println(s.Action, s.Ref)
	}
	for _, h := range p.Held {
		fmt.Println("held", h.Ref, h.Guard+":", h.Detail)
	}
	// Output:
	// delete_tag rg.fr-par.scw.cloud/prod/api:pr-12
	// held rg.fr-par.scw.cloud/prod/api:v1 shared_digest: shares its digest with latest, which no rule marks
}
