package config

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAmountsAreWrittenInPlainDigits(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "1": 1, "0.027": 0.027, "12.50": 12.5, "1000000": 1e6, "0.0": 0} {
		c, err := Parse("janitor.yaml", []byte("cost: {per_gb_month: "+text+"}\n"))
		if err != nil || c.Cost.PerGBMonth != want {
			t.Errorf("%s is read as %v: %v", text, c, err)
		}
	}
	for _, text := range []string{"1e3", "1E3", ".5", "5.", "+1", "0x10", "010", "1_000", ".inf", "-.inf", ".nan", "true", "~", "[1]", "1,5", "1000000.1", "-0.1", "!!float 'nan'"} {
		if c, err := Parse("janitor.yaml", []byte("cost:\n  per_gb_month: "+text+"\n")); err == nil {
			t.Errorf("%s is read as %v", text, c.Cost.PerGBMonth)
		}
	}
}

func TestPoliciesDoNotSeeTheCost(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte("cost: {per_gb_month: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if cost, ok := c.Document()["cost"]; ok {
		t.Errorf("policies see %v", cost)
	}
}

func TestTheSchemaHasTheDefaultsOfTheCost(t *testing.T) {
	var schema struct {
		Properties struct {
			Cost struct {
				Properties map[string]struct{ Default any }
			}
		}
	}
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	c, err := Parse("janitor.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for key, property := range schema.Properties.Cost.Properties {
		got[key] = property.Default
	}
	if diff := cmp.Diff(map[string]any{"per_gb_month": c.Cost.PerGBMonth, "currency": c.Cost.Currency}, got); diff != "" {
		t.Errorf("defaults (-configuration +schema):\n%s", diff)
	}
}
