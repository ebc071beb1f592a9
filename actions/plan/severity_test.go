package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The custom severity of a rule is in its reasons, in the JSON and when read back; a rule without one adds no field.
func TestCustomSeverity(t *testing.T) {
	v := imageOf(t, "main a 24h", "pr-1 b 900h")
	v.Tags[1].Delete = []registry.Reason{{Rule: "own/x", Text: "old", Source: "own.rego:7", CustomSeverity: "high"}, {Rule: "retention/x", Text: "old"}}
	v.Violations = []registry.Violation{{Ref: v.Image.Ref().String(), Severity: registry.Warn, Reason: registry.Reason{Rule: "own/x", Text: "odd", Source: "own.rego:7", CustomSeverity: "high"}}}
	o := unlimited()
	b := NewBuilder(o)
	b.Add(Decide(v, o))
	var out bytes.Buffer
	if err := b.Plan().Encode(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"rule":"own/x","reason":"old","source":"own.rego:7","custom_severity":"high"},{"rule":"retention/x","reason":"old"}`,
		`"severity":"warn","rule":"own/x","reason":"odd","source":"own.rego:7","custom_severity":"high"}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s", out.String(), want)
		}
	}
	p, err := actions.Decode(&out)
	if err != nil || p.Violations[0].CustomSeverity != "high" {
		t.Errorf("%v, %+v", err, p)
	}
}
