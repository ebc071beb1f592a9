package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func formatted(t *testing.T, f Format, run runs.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, run, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFormatsForOtherTools(t *testing.T) {
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	for _, f := range []Format{FormatCSV, FormatGitHub, FormatSARIF} {
		golden(t, "world."+string(f), formatted(t, f, runs.Run{Plan: world(noLimit)}))
		golden(t, "gaps."+string(f), formatted(t, f, runs.Run{Plan: withGaps(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})}))
		if got := formatted(t, f, runs.Run{Error: "no credentials"}); f != FormatCSV && !strings.Contains(got, "no credentials") {
			t.Errorf("%s of a run without a plan: %q", f, got)
		}
	}
	golden(t, "refused.github", formatted(t, FormatGitHub, runs.Run{Plan: world(plan.Options{MaxDeletions: 10, MaxDeletionPercent: -1})}))
}

// Every step and every held entry is a row, and no cell is a formula.
func TestCSV(t *testing.T) {
	d := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})
	api := d.image("fr-par", "prod", "api")
	for i, name := range []string{"=HYPERLINK(1)", "+1", "-1", "@x", "＝1", "a,b", `a"b`} {
		tag(api, name, name, time.Duration(20+i)*day, registry.Reason{Rule: "=rule", Text: "=cmd|' /C calc'!A0"})
	}
	p := d.plan()
	rows, err := csv.NewReader(strings.NewReader(formatted(t, FormatCSV, runs.Run{Plan: p}))).ReadAll()
	if err != nil || len(rows) != 1+len(p.Steps)+len(p.Held) || len(p.Steps) == 0 {
		t.Fatalf("%d rows for %d steps and %d held, error %v", len(rows), len(p.Steps), len(p.Held), err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	for _, row := range rows[1:] {
		for i, cell := range row {
			if cell != "" && i != column("age_days") && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("the %s %q is a formula", rows[0][i], cell)
			}
		}
		if row[column("frees_bytes")] != "" {
			t.Errorf("frees_bytes is %q", row[column("frees_bytes")])
		}
	}
}

// Whatever a name or a reason has, it is one command in a line, and no property of it.
func TestGitHubEscapes(t *testing.T) {
	p := hostile(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})
	got := formatted(t, FormatGitHub, runs.Run{Plan: p})
	if n := len(p.Violations) + len(p.Gaps) + 1; strings.Count(got, "\n") != n {
		t.Errorf("%d lines, want %d: %s", strings.Count(got, "\n"), n, got)
	}
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
			t.Errorf("%q is not a command", line)
		}
	}
}

// sarifSchema is what the schema of SARIF 2.1.0 requires of what is written.
const sarifSchema = `{
	"type": "object", "required": ["version", "runs"],
	"properties": {
		"version": {"enum": ["2.1.0"]},
		"runs": {"type": "array", "minItems": 1, "items": {
			"type": "object", "required": ["tool"],
			"properties": {
				"tool": {"required": ["driver"], "properties": {"driver": {"required": ["name"], "properties": {
					"rules": {"uniqueItems": true, "items": {"required": ["id"], "properties": {"id": {"type": "string"}}}},
					"informationUri": {"format": "uri"}}}}},
				"invocations": {"items": {"required": ["executionSuccessful"], "properties": {
					"toolExecutionNotifications": {"items": {"required": ["message"], "properties": {"level": {"enum": ["none", "note", "warning", "error"]}}}}}}},
				"results": {"items": {"required": ["message"], "properties": {
					"message": {"required": ["text"]},
					"level": {"enum": ["none", "note", "warning", "error"]},
					"ruleIndex": {"type": "integer", "minimum": -1},
					"locations": {"minItems": 1, "items": {"required": ["physicalLocation"], "properties": {"physicalLocation": {
						"required": ["artifactLocation"], "properties": {
							"artifactLocation": {"required": ["uri"], "properties": {"uri": {"format": "uri-reference"}}},
							"region": {"properties": {"startLine": {"type": "integer", "minimum": 1}}}}}}}}
				}}}
			}}}
	}}`

func TestSARIFIsValid(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(sarifSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	for name, p := range map[string]*actions.Plan{
		"a world": world(noLimit), "gaps": withGaps(noLimit), "hostile names": hostile(noLimit), "nothing": newDraft(noLimit).plan(),
	} {
		got := formatted(t, FormatSARIF, runs.Run{Plan: p})
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var log struct {
			Runs []struct {
				Tool struct {
					Driver struct{ Rules []struct{ ID string } }
				}
				Invocations []struct{ ExecutionSuccessful bool }
				Results     []struct {
					RuleID    string
					RuleIndex int
				}
			}
		}
		if err := json.Unmarshal([]byte(got), &log); err != nil {
			t.Fatal(err)
		}
		if len(log.Runs[0].Results) != len(p.Violations) || log.Runs[0].Invocations[0].ExecutionSuccessful == p.Incomplete() {
			t.Errorf("%s: %d results for %d violations, successful: %v", name, len(log.Runs[0].Results), len(p.Violations), log.Runs[0].Invocations[0].ExecutionSuccessful)
		}
		for _, r := range log.Runs[0].Results {
			if log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
				t.Errorf("%s: the rule of %q is another one", name, r.RuleID)
			}
		}
	}
}
