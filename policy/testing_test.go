package policy

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/registry-janitor/registry-janitor/policy/internal/builtins"
	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/policy/schema"
	regotest "github.com/registry-janitor/registry-janitor/policy/testing"
	"github.com/registry-janitor/registry-janitor/registry"
)

// evaluate asks for an expression with the library at hand.
func evaluate(t *testing.T, expression string) (any, error) {
	t.Helper()
	results, err := rego.New(
		rego.Module(regotest.File, regotest.Library),
		rego.Capabilities(builtins.Capabilities()),
		rego.StrictBuiltinErrors(true),
		rego.Query("x := "+strings.ReplaceAll(expression, "testing.", "data.janitor.testing.")),
	).Eval(context.Background())
	if err != nil {
		return nil, err
	}
	if len(results) == 0 {
		t.Fatalf("%s is undefined", expression)
	}
	return plain(t, results[0].Bindings["x"]), nil
}

func plain(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What the library builds is, field by field, what the engine hands to policies
// for such an image.
func TestTheTestingLibraryBuildsWhatTheEngineDoes(t *testing.T) {
	hex := strings.Repeat("ab", 32)
	got, err := evaluate(t, `testing.image_with({"name": "team/web", "region": "nl-ams", "visibility": "inherit", "age": "3d", "size_bytes": 77,
		"namespace": {"name": "oss", "is_public": true, "image_count": 4, "description": "d", "size_bytes": 99}}, [
			testing.tag("v1.2.3-rc.1", "15d"), testing.tag_with("latest", "1h", {"digest": "sha256:abc", "created_age": "400d"}),
			testing.tag_with("v2.0.0_build.7", "1h", {"digest": "sha256:abc"}), testing.tag("main", "1y"), testing.tag("01.2.3", "60d"),
			testing.tag_with("sha256-`+hex+`.sig", "2mo", {"status": "deleting"}), testing.tag("b", "15d"),
			testing.tag_with("c1", "4d", {"digest": "sha256:c1", "content": {}}),
			testing.tag_with("c2", "4d", {"digest": "sha256:c2", "content": {"kind": "index", "media_type": "m", "platforms": ["linux/arm64/v8"], "labels": {"team": "x"},
				"annotations": {"a": "b"}, "built": "90d", "size_bytes": 12, "parts": ["sha256:p"], "subject": "sha256:s"}}),
			testing.tag_with("sha256-`+hex+`", "2mo", {"digest": "sha256:`+hex+`"}), testing.tag("sha512-`+hex+`.vex", "2mo"),
			testing.tag_with("sha512-`+hex+`", "2mo", {"digest": "sha512:`+hex+hex+`"}), testing.tag("sha256-`+hex+`-sig", "2mo"), testing.tag("v1.0.0-alpha.01", "1w")])`)
	if err != nil {
		t.Fatal(err)
	}
	doc := got.(map[string]any)
	at := func(v any) time.Time {
		out, err := time.Parse(time.RFC3339, v.(string))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	text := func(o any, key string) string { return o.(map[string]any)[key].(string) }
	ns := doc["namespace"]
	img := &registry.Image{
		Namespace: &registry.Namespace{
			ID: text(ns, "id"), Name: "oss", Region: "nl-ams", ProjectID: text(ns, "project_id"), Description: "d", IsPublic: true,
			ImageCount: 4, SizeBytes: 99, CreatedAt: at(text(ns, "created_at")), UpdatedAt: at(text(ns, "updated_at")),
		},
		ID: text(doc["image"], "id"), Name: "team/web", Status: "ready", Visibility: "inherit", SizeBytes: 77,
		CreatedAt: at(text(doc["image"], "created_at")), UpdatedAt: at(text(doc["image"], "updated_at")),
	}
	for _, tag := range doc["tags"].([]any) {
		img.Tags = append(img.Tags, registry.Tag{
			ID: text(tag, "id"), Name: text(tag, "name"), Digest: text(tag, "digest"), Status: registry.Status(text(tag, "status")),
			CreatedAt: at(text(tag, "created_at")), UpdatedAt: at(text(tag, "updated_at")),
		})
	}
	img.Contents = map[string]*registry.Content{
		"sha256:c1": {Kind: "image", MediaType: "application/vnd.oci.image.manifest.v1+json", Platforms: []string{"linux/amd64"}, SizeBytes: 1000000},
		"sha256:c2": {
			Kind: "index", MediaType: "m", Platforms: []string{"linux/arm64/v8"}, Labels: map[string]string{"team": "x"}, Annotations: map[string]string{"a": "b"},
			BuiltAt: at(text(doc, "now")).Add(-90 * days), SizeBytes: 12, Parts: []string{"sha256:p"}, Subject: "sha256:s",
		},
	}
	j := newEngine(t, "", header+"warn contains \"x\" if input.now").At(now, Everything)
	input, _ := j.facts.Image(img, nil).Document(facts.Marking)
	want, err := ast.JSON(input)
	if err != nil {
		t.Fatal(err)
	}
	delete(want.(map[string]any), "facts")
	if diff := cmp.Diff(plain(t, want), got); diff != "" {
		t.Errorf("the engine (-) and the library (+) differ:\n%s", diff)
	}
	described := schema.Input("image")
	compareKeys(t, "image", doc, described, described["definitions"].(map[string]any))
}

func TestTheTestingLibraryBuildsANamespace(t *testing.T) {
	got, err := evaluate(t, `testing.namespace_with("prod", {"age": "90d", "image_count": 3})`)
	if err != nil {
		t.Fatal(err)
	}
	input := schema.Input("namespace")
	compareKeys(t, "namespace", got, input, input["definitions"].(map[string]any))
}

func TestTheTestingLibraryRefuses(t *testing.T) {
	for name, row := range map[string]struct{ expression, want string }{
		"an age without a unit":    {`testing.image([testing.tag("a", "15")])`, "15 is not an age"},
		"an age with another unit": {`testing.image([testing.tag("a", "15x")])`, "15x is not an age"},
		"units out of order":       {`testing.image([testing.tag("a", "1h1d")])`, "1h1d is not an age"},
		"an empty age":             {`testing.image([testing.tag("a", "")])`, "is not an age"},
		"an unknown option":        {`testing.image([testing.tag_with("a", "1d", {"digets": "x"})])`, "unknown option"},
		"an option of a content":   {`testing.image([testing.tag_with("a", "1d", {"content": {"lables": {}}})])`, "unknown option"},
		"an option of an image":    {`testing.image_with({"nmae": "x"}, [])`, "unknown option"},
		"an option of a namespace": {`testing.namespace_with("x", {"public": true})`, "unknown option"},
		"an option within":         {`testing.image_with({"namespace": {"public": true}}, [])`, "unknown option"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := evaluate(t, row.expression)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, %v, want %s", got, err, row.want)
			}
		})
	}
}
