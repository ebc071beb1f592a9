package config

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	inputs "github.com/registry-janitor/registry-janitor/policy/schema"
)

// A policy may read every key that data.config can have, and no other: a
// misspelled one is an error of the policy.
func TestPoliciesKnowTheKeysOfTheDocument(t *testing.T) {
	keys := map[string]bool{"path": true, "required": true, "min_references": true, "clusters": true} // of the long forms of protect
	var collect func(reflect.Type)
	collect = func(of reflect.Type) {
		for _, f := range strictyaml.FieldsOf(of) {
			keys[f.Key] = true
			if f.Type == reflect.TypeFor[strictyaml.Duration]() {
				keys[f.Key+"_seconds"] = true
			}
			if inner := strictyaml.Nested(f.Type); inner != nil {
				collect(inner)
			}
		}
	}
	document := (&Config{Archive: &Archive{}, Waivers: []rules.Waiver{{Match: &rules.Match{}}}}).Document()
	for _, f := range strictyaml.FieldsOf(reflect.TypeFor[Config]()) {
		if _, seen := document[f.Key]; !seen {
			continue // policies do not see it
		}
		keys[f.Key] = true
		if f.Type == reflect.TypeFor[strictyaml.Duration]() {
			keys[f.Key+"_seconds"] = true
		} else if inner := strictyaml.Nested(f.Type); inner != nil {
			collect(inner)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(keys)), inputs.ConfigKeys()); diff != "" {
		t.Errorf("policy/schema/config.json lists other keys (-the document +the list):\n%s", diff)
	}
}
