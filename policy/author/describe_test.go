package author

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestDescribe(t *testing.T) {
	own := `# METADATA
# title: Previews
# description: |
#   Two weeks
#   are enough.
# custom: {severity: high}
package janitor.image.own

import data.acme.lib

delete contains tag.name if {
	some tag in input.tags
	lib.old(tag)
}

# METADATA
# title: Another
warn contains data.team if input.image.name == "x"
`
	var config map[string]any
	if err := yaml.Unmarshal([]byte("retention: [{name: releases, match: {semver: \"*\"}, keep: {all: true}}]"), &config); err != nil {
		t.Fatal(err)
	}
	o := files(t, map[string]string{
		"own.rego": own, "lib.rego": "package acme.lib\n\nold(tag) if tag.age_days > 3", "unused.rego": "package acme.unused\n\nx := 1", "data.yaml": "team: ops",
	})
	o.Config = config
	d, err := Describe(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, o)
	if d.Digest != e.Digest() || len(d.Data) != 1 || d.Data[0] != "team" {
		t.Errorf("got %s, %v", d.Digest, d.Data)
	}
	modules := map[string]ModuleDescription{}
	for i, m := range d.Modules {
		modules[m.File] = m
		if i > 0 && m.Builtin && !d.Modules[i-1].Builtin {
			t.Errorf("%s comes after the operator's own", m.File)
		}
	}
	got := modules["own.rego"]
	if got.Title != "Previews" || got.Description != "Two weeks\nare enough." || got.Severity != "high" || !got.Active || got.Judges != "image" || got.Builtin || !strings.HasPrefix(got.Digest, "sha256:") {
		t.Errorf("got %+v", got)
	}
	if len(got.Rules) != 2 || got.Rules[0] != (RuleDescription{"delete", "own.rego", 11, "Previews", "high", false}) || got.Rules[1] != (RuleDescription{"warn", "own.rego", 18, "Another", "high", false}) {
		t.Errorf("got %+v", got.Rules)
	}
	retention, naming := modules["builtin/retention.rego"], modules["builtin/naming.rego"]
	if !retention.Active || !retention.Builtin || retention.ConfigKey != "retention" || retention.Config == nil || retention.Title == "" {
		t.Errorf("got %+v", retention)
	}
	if naming.Active || naming.Config != nil {
		t.Errorf("got %+v", naming)
	}
	if !modules["lib.rego"].Active || modules["unused.rego"].Active {
		t.Error("what is used is not told from what is not")
	}
}
