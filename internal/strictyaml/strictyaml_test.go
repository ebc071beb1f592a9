package strictyaml_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// shop is a format with a field of every kind.
type shop struct {
	Name    string              `yaml:"name" is:"lower" need:"give it a name"`
	Kind    string              `yaml:"kind" one:"book|toy"`
	Notes   string              `yaml:"notes" lines:"ok" blank:"ok"`
	Open    bool                `yaml:"open"`
	Shelves int                 `yaml:"shelves" min:"1" max:"9"`
	Rent    float64             `yaml:"rent" max:"1000.5"`
	Stock   int64               `yaml:"stock"`
	Lease   strictyaml.Duration `yaml:"lease" positive:"yes"`
	Age     time.Duration       `yaml:"age" signed:"yes"`
	Wait    time.Duration       `yaml:"wait"`
	Items   []string            `yaml:"items"`
	Labels  map[string]string   `yaml:"labels" is:"lower"`
	Owner   *owner              `yaml:"owner" null:"write owner: {name: x}" fill:"say who"`
}

type owner struct {
	Name string `yaml:"name"`
	Main bool   `yaml:"principal"`
}

func (o *owner) Defaults() { o.Main = true }

// Alternative lets rent be written as a mapping.
func (s *shop) Alternative(key string) *strictyaml.Alternative {
	if key != "rent" {
		return nil
	}
	form := &struct {
		Monthly float64 `yaml:"monthly"`
	}{}
	return &strictyaml.Alternative{Into: form, Empty: "say how much", Apply: func() { s.Rent = form.Monthly }}
}

func format() strictyaml.Format {
	return strictyaml.Format{
		Checks: map[string]strictyaml.Check{"lower": func(s string) (message, hint string) {
			if s != strings.ToLower(s) {
				return "must be lower case", "write " + strings.ToLower(s)
			}
			return "", ""
		}},
		Forbidden: map[string]string{"owner.password": "remove it"},
	}
}

func TestEveryKindOfFieldIsRead(t *testing.T) {
	var got shop
	err := format().Parse("shop.yaml", []byte(`
name: &n corner
kind: toy
notes: "a\nb"
open: true
shelves: 9
rent: {monthly: 12.50}
stock: 1.5kB
lease: 1y6mo
age: -1h30m
wait: 0
items: [*n, "2"]
labels: {org.example.Source: *n, "2": "x"}
owner: {name: 2026-11-22}
`), &got).Err()
	if err != nil {
		t.Fatal(err)
	}
	want := shop{
		Name: "corner", Kind: "toy", Notes: "a\nb", Open: true, Shelves: 9, Rent: 12.5, Stock: 1500, Lease: strictyaml.MustDuration("1y6mo"),
		Age: -90 * time.Minute, Items: []string{"corner", "2"},
		Labels: map[string]string{"org.example.Source": "corner", "2": "x"}, Owner: &owner{Name: "2026-11-22", Main: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestProblemsHaveALineAPathAndARemedy(t *testing.T) {
	for text, want := range map[string]string{
		"kind: toy":                                 `1:1: name: is missing (give it a name)`,
		"name: a\nlabels: [x]":                      `2:1: labels: must be a mapping, not a list (write {name: value})`,
		"name: a\nlabels: {}":                       `2:1: labels: is an empty mapping (name at least one entry, or remove the key)`,
		"name: a\nlabels: {\"\": x}":                `2:14: labels.: has an empty name (name each entry of labels)`,
		"name: a\nlabels: {k: X}":                   `2:13: labels.k: must be lower case (write x)`,
		"name: a\nlabels: {k: }":                    `2:10: labels.k: has no value (give it a value, or remove it)`,
		"name: a\nlabels: {k: [x]}":                 `2:10: labels.k: must be a string, not a list (write one string)`,
		"name: a\nlabels: {k: x, k: y}":             `2:16: labels.k: is a duplicate key, first given on line 2 (remove one of the two)`,
		"name: Corner":                              `1:7: name: must be lower case (write corner)`,
		"name: a\nkind: toys":                       `2:7: kind: must be book or toy, not "toys" (did you mean "toy"?)`,
		"name: a\nshelves: 10":                      `2:10: shelves: must be from 1 to 9, not 10 (write a number in that range, or remove the key)`,
		"name: a\nrent: -0.5":                       `2:7: rent: must be from 0 to 1000.5, not -0.5 (write a number in that range, or remove the key)`,
		"name: a\nrent: {}":                         `2:1: rent: is empty (say how much)`,
		"name: a\nwait: -1s":                        `2:7: wait: must be a duration: "-1s" is negative (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		"name: a\nlease: 0":                         `2:8: lease: must be a duration, not the number 0 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		"name: a\nlease: 0s":                        `2:8: lease: must be longer than 0s (give it a length, or remove the key)`,
		"name: a\nstock: 12XB":                      `2:8: stock: is not a size: "12XB" (write a number of bytes, or a number with a unit, such as 120MB or 1.5GiB)`,
		"name: a\nitems: []":                        `2:1: items: is an empty list (name at least one entry, or remove the key)`,
		"name: a\nitems: [b, b]":                    `2:12: items[1]: repeats "b" of line 2 (remove one of the two)`,
		"name: a\nitems: b":                         `2:8: items: must be a list, not the string "b" (write ["b"])`,
		"name: a\nowner:":                           `2:1: owner: has no value (write owner: {name: x})`,
		"name: a\nowner: {}":                        `2:1: owner: is empty (say who)`,
		"name: a\nowner:\n  password: x":            `3:3: owner.password: is not allowed here (remove it)`,
		"name: a\nname: b":                          `2:1: name: is a duplicate key, first given on line 1 (remove one of the two)`,
		"name: a\nprincipal: true":                  `2:1: principal: is an unknown key (it belongs in owner; allowed here: name, kind, notes, open, shelves, rent, stock, lease, age, wait, items, labels, owner)`,
		"name: a\nowner: {nmae: b}":                 `2:9: owner.nmae: is an unknown key (did you mean "name"? allowed here: name, principal)`,
		"name: 7":                                   `1:7: name: must be a string, not the number 7 (put it in quotes: "7")`,
		"name: a\n---\nname: b":                     `2:1: begins a second YAML document (put everything into one document, without ---)`,
		"name: a\nkind: https://user:secret@host/x": `2:7: kind: must be book or toy, not "https://..." (write one of them)`,
	} {
		err := format().Parse("f", []byte(text), new(shop)).Err()
		if err == nil || err.Error() != "f:"+want {
			t.Errorf("%q:\n got %v\nwant f:%s", text, err, want)
		}
	}
}

func TestAFormatCanAllowBlankAndBareValues(t *testing.T) {
	lax := strictyaml.Format{Blank: true, Bare: true}
	var got shop
	if err := lax.Parse("f", []byte(`{name: 1.40, kind: "", items: [], owner: {name: true}}`), &got).Err(); err != nil {
		t.Fatal(err)
	}
	if got.Name != "1.40" || got.Owner.Name != "true" {
		t.Errorf("got %+v", got)
	}
	if err := lax.Parse("f", []byte("{name: ~}"), &got).Err(); err == nil {
		t.Error("null is not a string as it is written")
	}
}

func TestAnEmptyDocumentIsNotAProblem(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "---\n", "~"} {
		if d := format().Parse("f", []byte(text), new(shop)); !d.Empty() || d.Err() != nil {
			t.Errorf("%q: empty %v, %v", text, d.Empty(), d.Err())
		}
	}
	if format().Parse("f", []byte("a: ["), new(shop)).Empty() {
		t.Error("a document that is not YAML is not empty")
	}
}

func TestAliasesOfAliasesEnd(t *testing.T) {
	type nest struct {
		A [][]string `yaml:"a"`
		B [][]string `yaml:"b"`
	}
	hundred := strings.Repeat("x, ", 99) + "x"
	bomb := "a: [&a [" + hundred + "]]\nb: [" + strings.Repeat("*a, ", 2000) + "]\n"
	err := strictyaml.Format{}.Parse("f", []byte(bomb), new(nest)).Err()
	if err == nil || !strings.Contains(err.Error(), "aliases more than 100000 values (write fewer aliases of aliases)") {
		t.Errorf("got %.200v", err)
	}
}

func TestAValueMadeInGoIsCheckedByTheSameTags(t *testing.T) {
	d := format().Check(&shop{Name: "A", Kind: "toys", Shelves: 10, Wait: -1, Age: -1, Stock: -1, Items: []string{" b"}, Labels: map[string]string{"k": "X"}})
	want := []string{
		`items[0]: must not begin or end with a space: " b" (remove the space)`,
		`kind: must be book or toy, not "toys" (did you mean "toy"?)`,
		`labels.k: must be lower case (write x)`,
		`name: must be lower case (write a)`,
		`shelves: must be from 1 to 9, not 10 (write a number in that range, or remove the key)`,
		`stock: must be at least 0, not -1 (write 0 or more, or remove the key)`,
		`wait: must not be negative: -1ns (give it a length, or remove the key)`,
	}
	if d.Err() == nil {
		t.Fatal("no problems")
	}
	if diff := cmp.Diff(want, strings.Split(d.Err().Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := format().Check(&shop{}).Err(); err != nil {
		t.Errorf("zero is not given: %v", err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1048576": 1 << 20, "120MB": 120e6, "1.5GiB": 1610612736, "12 kB": 12000, "7B": 7} {
		if got, err := strictyaml.ParseSize(text); err != nil || got != want {
			t.Errorf("%s is %d: %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.5B", "12XB", "1e3", "99999999TiB", "1_000", "0x10", "1.2.3MB", "1MB2"} {
		if got, err := strictyaml.ParseSize(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}
