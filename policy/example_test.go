package policy_test

import (
	"context"
	"fmt"
	"testing/fstest"
	"time"

	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
)

// One image is judged by a rule of the configuration and by a policy in Rego. Any
// keep beats any delete.
func ExampleJudge_Image() {
	config := map[string]any{"retention": []any{map[string]any{
		"name": "pull requests", "match": map[string]any{"tags": []any{"pr-*"}}, "delete": map[string]any{"older_than": "14d"},
	}}}
	files := fstest.MapFS{"keep.rego": {Data: []byte(`# METADATA
# title: The demo is next week
package janitor.image.demo

keep contains tag.name if {
	some tag in input.tags
	tag.name == "pr-12"
}
`)}}
	engine, err := policy.New(context.Background(), policy.Options{Config: config, FS: files, Paths: []string{"keep.rego"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old := now.AddDate(0, 0, -30)
	image := &registry.Image{
		Namespace: &registry.Namespace{Name: "prod", Region: "fr-par"}, Name: "api", Status: registry.StatusReady,
		Tags: []registry.Tag{ // newest first, ties by name
			{Name: "pr-12", Digest: "sha256:a", Status: registry.StatusReady, CreatedAt: old, UpdatedAt: old},
			{Name: "pr-7", Digest: "sha256:b", Status: registry.StatusReady, CreatedAt: old, UpdatedAt: old},
		},
	}
	verdict, err := engine.At(now, policy.Everything).Image(context.Background(), image)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, tag := range verdict.Tags {
		for _, r := range tag.Delete {
			fmt.Printf("delete %s: %s: %s\n", image.Tags[i].Name, r.Rule, r.Text)
		}
		for _, r := range tag.Keep {
			fmt.Printf("keep %s: %s\n", image.Tags[i].Name, r.Rule)
		}
	}
	// Output:
	// delete pr-12: retention/pull requests: older than 14d
	// keep pr-12: demo/The demo is next week
	// delete pr-7: retention/pull requests: older than 14d
}

// A misspelled name would leave keep undefined, and keep nothing. It does not
// compile.
func ExampleNew_unknownName() {
	files := fstest.MapFS{"keep.rego": {Data: []byte(`package janitor.image.newest

keep contains tag.nmae if some tag in array.slice(sort(input.tags), 0, 3)
`)}}
	_, err := policy.New(context.Background(), policy.Options{FS: files, Paths: []string{"keep.rego"}})
	fmt.Println(err)
	// Output:
	// keep.rego:3:19: package janitor.image.newest, rule keep: unknown name "nmae": no schema, data file, rule or object has it (did you mean name?)
}
