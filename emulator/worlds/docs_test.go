package worlds

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// docs/emulator.md has a row for every key of a world file, beside what has it.
func TestEveryKeyIsDocumented(t *testing.T) {
	for _, row := range []struct {
		of            reflect.Type
		section, noun string // noun "" means that the table has no column for it
	}{
		{reflect.TypeFor[World](), "Objects", "the world"},
		{reflect.TypeFor[Namespace](), "Objects", "namespaces"},
		{reflect.TypeFor[Image](), "Objects", "images"},
		{reflect.TypeFor[Tag](), "Objects", "tags"},
		{reflect.TypeFor[Container](), "Objects", "containers"},
		{reflect.TypeFor[Job](), "Objects", "jobs"},
		{reflect.TypeFor[Cluster](), "Objects", "clusters"},
		{reflect.TypeFor[Settings](), "Settings", ""},
		{reflect.TypeFor[Fault](), "Faults", ""},
	} {
		documented := documentedKeys(t, row.section, row.noun)
		for _, f := range strictyaml.FieldsOf(row.of) {
			if !slices.Contains(documented, f.Key) {
				t.Errorf("the section %s of docs/emulator.md lacks the key %s of %s", row.section, f.Key, row.of.Name())
			}
		}
		for _, key := range documented {
			known := slices.ContainsFunc(strictyaml.FieldsOf(row.of), func(f strictyaml.Field) bool { return f.Key == key })
			if !known && row.of != reflect.TypeFor[Fault]() { // its tables name values too
				t.Errorf("the section %s of docs/emulator.md has the key %s, which %s has not", row.section, key, row.of.Name())
			}
		}
	}
}

// quoted finds what is written as code, up to the value of a key.
var quoted = regexp.MustCompile("`([a-z_]+)")

// documentedKeys returns the keys in the first column of the tables of a section, whose
// second column names the noun.
func documentedKeys(t *testing.T, section, noun string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(text), "\n### "+section+"\n")
	if !found {
		t.Fatalf("docs/emulator.md has no section %s", section)
	}
	body, _, _ = strings.Cut(body, "\n### ")
	var keys []string
	for line := range strings.Lines(body) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || noun != "" && !slices.Contains(strings.Split(strings.TrimSpace(cells[2]), ", "), noun) {
			continue
		}
		cell := cells[1]
		if section == "Faults" {
			cell += cells[2] // some are explained beside their kind
		}
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			keys = append(keys, m[1])
		}
	}
	return keys
}
