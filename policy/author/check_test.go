package author

import (
	"strings"
	"testing"
)

// checked are the findings in files, one a line, by name without the folder.
func checked(t *testing.T, texts map[string]string) string {
	t.Helper()
	findings, err := Check(files(t, texts))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range findings {
		out = append(out, f.String())
	}
	return strings.Join(out, "\n")
}

func TestCheckFindsErrors(t *testing.T) {
	for name, row := range map[string]struct {
		module string
		want   []string
	}{
		"a wrong field": {
			titled + "delete contains tag.nmae if some tag in input.tags",
			[]string{"p.rego:5:17: error: package janitor.image.own, rule delete: ", "tag.nmae", "hint: did you mean name?", "[unknown-field]"},
		},
		"a wrong type": {
			titled + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days < \"30d\"\n}",
			[]string{"p.rego:7:2: error: ", "only numbers compare by size", "[type]"},
		},
		"a forbidden built-in": {
			titled + "warn contains \"x\" if http.send({}).status_code == 200",
			[]string{"p.rego:5:22: error: ", "undefined function http.send", "policies cannot reach outside", "[unknown-function]"},
		},
		"a misspelled built-in": {
			titled + "warn contains \"x\" if startwith(input.region, \"fr\")",
			[]string{"undefined function startwith (did you mean startswith?)"},
		},
		"a misspelled key": {
			titled + "delete contains {\"tagg\": tag.name} if some tag in input.tags",
			[]string{"p.rego:5:18: error: ", `"tagg" is not a key of a decision delete: use "tag", "image", "reason" (did you mean "tag"?) [decision-shape]`},
		},
		"a misspelled key behind an assignment": {
			titled + "warn contains finding if finding := {\"msg\": \"x\"}",
			[]string{`"msg" is not a key of a decision warn: use "reason", "tag"`},
		},
		"a key of another subject": {
			titledNamespace + "delete contains {\"image\": \"x\"}",
			[]string{`"image" is not a key of a decision delete: use "namespace", "reason"`},
		},
		"a tag of a namespace":               {titledNamespace + "delete contains \"x\"", []string{`a namespace has no tags (write {"namespace": input.namespace.name`}},
		"no subject":                         {titled + "keep contains {\"reason\": \"x\"}", []string{"keep is about nothing"}},
		"two subjects":                       {titled + "keep contains {\"tag\": \"x\", \"image\": \"y\"}", []string{"keep is about two things at once"}},
		"no reason":                          {titled + "deny contains {\"tag\": \"x\"}", []string{`lacks the key "reason"`}},
		"a number":                           {titled + "delete contains 3", []string{"delete gives 3 (want the name of a tag"}},
		"a list":                             {titled + "deny contains [\"x\"]", []string{`deny gives ["x"] (want a message`}},
		"a reason that is a number":          {titled + "deny contains {\"reason\": 3}", []string{`field "reason" must be a string, not 3`}},
		"an unknown visibility":              {titled + "visibility := \"privat\"", []string{`"privat" is not a visibility here`, `did you mean "private"?`}},
		"a namespace that inherits":          {titledNamespace + "visibility := {\"visibility\": \"inherit\"}", []string{`"inherit" is not a visibility here`}},
		"a visibility in the else":           {titled + "visibility := \"public\" if input.image.name == \"x\"\n\nelse := \"secret\"", []string{`"secret" is not a visibility`}},
		"decisions that are never evaluated": {"package previews\n\nkeep contains \"x\"", []string{"p.rego:3:1: error: package previews, rule keep: keep is never evaluated", "[dead-decision]"}},
		"deletes for delete":                 {titled + "deletes contains tag.name if some tag in input.tags", []string{"p.rego:5:1: error: package janitor.image.own, rule deletes: deletes is not a decision", "did you mean delete? The decisions are delete, keep, deny, warn, visibility) [misspelt-decision]"}},
		"Keep for keep":                      {titled + "Keep contains tag.name if some tag in input.tags", []string{"Keep is not a decision", "did you mean keep?"}},
		"allow for keep":                     {titled + "allow if input.region == \"fr-par\"", []string{"allow is not a decision", "did you mean keep?"}},
		"kep for keep":                       {titled + "kep contains \"x\"", []string{"did you mean keep?"}},
		"visibilty for visibility":           {titled + "visibilty := \"private\"", []string{"did you mean visibility?"}},
		"delete as a complete rule":          {titled + "delete := {\"a\"}", []string{"write delete contains … if … [decision-form]"}},
		"a package that never is":            {"package janitor.images.own\n\nwarn contains \"x\"", []string{"p.rego:1:1: error: ", "is never evaluated", "[package]"}},
		"what does not parse":                {titled + "delete contains", []string{"p.rego:5:15: error: parse error"}},
		"an empty file":                      {"", []string{"p.rego:", "error: "}},
		"a regex that is none":               {titled + "warn contains \"x\" if regex.match(`[a-`, input.image.name)", []string{"p.rego:5:34: error: ", `"[a-" is not a regular expression`}},
		"an unused variable":                 {titled + "warn contains \"x\" if y := 1", []string{"assigned var y unused"}},
		"a helper that is not used":          {"package acme.lib\n\nold(tag) if tag.age_days > undefined_var", []string{"p.rego:3:", "undefined_var"}},
		"metadata that is not valid":         {"# METADATA\n# title: [x\npackage janitor.image.own\n\nwarn contains \"x\"", []string{"p.rego:"}},
		"a field of an argument": {
			titled + "old(t) if t.age_dayz > 3\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\told(tag)\n}",
			[]string{`p.rego:5:13: error: package janitor.image.own, rule old: unknown name "age_dayz": no schema, data file, rule or object has it (did you mean age_days?) [unknown-field]`},
		},
		"a nested field of an argument": {
			titled + "first(t) if t.semver.mayor == 1\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\tfirst(tag)\n}",
			[]string{`unknown name "mayor"`},
		},
		"a field of an argument two calls away": {
			titled + "a(x) if x.nmae == \"\"\n\nb(y) if a(y)\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\tb(tag)\n}",
			[]string{`unknown name "nmae"`},
		},
		"a field of an argument without a call": {
			titled + "a(tag) if tag.nmae == \"\"\n\nwarn contains \"x\" if false",
			[]string{`unknown name "nmae"`},
		},
		"a field of an every variable": {
			titled + "warn contains \"x\" if {\n\tevery t in input.tags {\n\t\tt.nmae != \"\"\n\t}\n}",
			[]string{`p.rego:7:5: error: package janitor.image.own, rule warn: unknown name "nmae"`},
		},
		"a key of object.get": {
			titled + "warn contains \"x\" if {\n\tsome tag in input.tags\n\tobject.get(tag, \"nmae\", \"\") == \"\"\n}",
			[]string{`unknown name "nmae"`},
		},
		"a key in a variable": {
			titled + "warn contains \"x\" if {\n\tkey := \"nmae\"\n\tsome tag in input.tags\n\ttag[key] == \"\"\n}",
			[]string{`unknown name "nmae"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := checked(t, map[string]string{"p.rego": row.module})
			for _, want := range row.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwant %s", got, want)
				}
			}
		})
	}
}

func TestCheckWarns(t *testing.T) {
	for name, row := range map[string]struct{ module, want string }{
		"a lookup into a partial rule": {
			titled + "fresh contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days < 3\n}\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\tnot fresh[tag.name]\n}",
			"p.rego:12:6: warning: package janitor.image.own, rule delete: fresh[tag.name] searches a whole partial rule each time (write tag.name in fresh) [quadratic-lookup]",
		},
		"a lookup by a variable": {
			titled + "fresh contains \"x\"\n\ndelete contains name if {\n\tsome tag in input.tags\n\tname := tag.name\n\tfresh[name]\n}",
			"fresh[name] searches a whole partial rule",
		},
		"a lookup across packages": {
			titled + "import data.acme.lib\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\tlib.fresh[tag.name]\n}",
			"lib.fresh[tag.name] searches a whole partial rule",
		},
		"a partial object": {
			titled + "ranks[tag.name] := tag.rank if some tag in input.tags\n\nwarn contains \"x\" if count(ranks) > 3",
			"p.rego:5:1: warning: package janitor.image.own, rule ranks[tag.name]: ranks[tag.name] is a partial object",
		},
		"a partial object of sets": {
			titled + "ranks[tag.digest] contains tag.name if some tag in input.tags\n\nwarn contains \"x\" if count(ranks) > 3",
			"is a partial object",
		},
		"with input": {
			titled + "old if input.region == \"x\"\n\nwarn contains \"x\" if {\n\tsome tag in input.tags\n\told with input.region as tag.name\n}",
			"p.rego:9:6: warning: package janitor.image.own, rule warn: with input.region copies the whole input each time (pass the value to a function) [quadratic-with]",
		},
		"counting siblings": {
			titled + "delete contains tag.name if {\n\tsome tag in input.tags\n\tcount([1 | some u in input.tags; u.age_seconds < tag.age_seconds]) > 10\n}",
			"p.rego:7:23: warning: package janitor.image.own, rule delete: this iterates over all tags once for each tag: 10,000 tags take 100,000,000 steps",
		},
		"counting siblings by a wildcard": {
			titled + "delete contains tag.name if {\n\ttag := input.tags[_]\n\tcount([1 | input.tags[_].age_seconds < tag.age_seconds]) > 10\n}",
			"[quadratic-siblings]",
		},
		"counting siblings in every": {
			titled + "keep contains tag.name if {\n\tsome tag in input.tags\n\tevery u in input.tags { u.rank >= tag.rank }\n}",
			"[quadratic-siblings]",
		},
		"counting siblings in a function": {
			titled + "newer(tag) := count([1 | some u in input.tags; u.rank < tag.rank])\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\tnewer(tag) < 3\n}",
			"newer iterates over all tags, and is called for each tag",
		},
		"an unanchored regex": {
			titled + "warn contains \"x\" if not regex.match(`[a-z]+`, input.image.name)",
			"p.rego:5:38: warning: package janitor.image.own, rule warn: \"[a-z]+\" matches anywhere in the text (write `^[a-z]+$` for the whole text",
		},
		"an unanchored regex in a constant": {
			titled + "pattern := `[a-z]+`\n\nwarn contains \"x\" if not regex.match(pattern, input.image.name)",
			"matches anywhere in the text",
		},
		"a rule without a title": {
			header + "warn contains \"x\"",
			"p.rego:3:1: warning: package janitor.image.own, rule warn: the rule has no title",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := checked(t, map[string]string{"p.rego": row.module, "lib.rego": "package acme.lib\n\nfresh contains \"x\""})
			if !strings.Contains(got, row.want) || strings.Contains(got, ": error: ") {
				t.Errorf("got\n%s\nwant %s", got, row.want)
			}
		})
	}
}

// What is fine is not doubted: a lint that cries wolf is switched off.
func TestCheckIsSilent(t *testing.T) {
	for name, module := range map[string]string{
		"in instead of a lookup":       titled + "fresh contains \"x\"\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\tnot tag.name in fresh\n}",
		"going through a partial rule": titled + "fresh contains \"x\"\n\ndelete contains name if fresh[name]",
		"a declared iteration":         titled + "fresh contains \"x\"\n\ndelete contains name if {\n\tsome name\n\tfresh[name]\n}",
		"a constant key":               titled + "fresh contains \"x\"\n\nwarn contains \"y\" if fresh.x",
		"the newest ten of main":       titled + "keep contains {\"tag\": tag.name, \"reason\": \"one of the ten newest builds of main\"} if {\n\tmain := [tag | some tag in input.tags; startswith(tag.name, \"main-\")]\n\tsome tag in array.slice(main, 0, 10)\n}",
		"a list before the iteration":  titled + "delete contains tag.name if {\n\tnewest := max([t.age_seconds | some t in input.tags])\n\tsome tag in input.tags\n\ttag.age_seconds > newest\n}",
		"two comprehensions":           titled + "warn contains \"x\" if count([t | some t in input.tags]) != count({t.digest | some t in input.tags})",
		"an anchored beginning":        titled + "warn contains \"x\" if regex.match(`^pr-`, input.image.name)",
		"an anchored alternative":      titled + "warn contains \"x\" if regex.match(`(^|-)rc$`, input.image.name)",
		"a helper called kept":         titled + "kept contains \"x\"\n\nkeep contains name if some name in kept",
		"a helper called deleted":      titled + "deleted(tag) if tag.age_days > 3\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\tdeleted(tag)\n}",
		"a helper called old":          titled + "old contains \"x\"\n\nother := 3\n\nwarn contains \"x\" if count(old) > other",
		"fields that there are":        titled + "old(t) if t.semver.major == t.rank\n\nwarn contains \"x\" if {\n\tevery tag in input.tags { old(tag); tag.bucket.week != \"\" }\n}",
		"an object as an argument":     titled + "f(o) := o.anything\n\nwarn contains f({\"anything\": \"x\"})",
		"an argument of many kinds":    titled + "f(o) := o.name\n\nwarn contains f(input.image)\n\nwarn contains f(input.namespace)",
		"a title on the rule":          header + "# METADATA\n# title: Mine\nwarn contains \"x\"",
		"a title on the document":      header + "# METADATA\n# title: Mine\n# scope: document\nwarn contains \"x\"\n\nwarn contains \"y\"",
		"an object that is built":      titled + "warn contains object.union({\"reason\": \"x\"}, {})",
		"a visibility with a reason":   titled + "visibility := {\"visibility\": \"private\", \"reason\": \"x\"} if input.image.name == \"x\"",
		"an image that is deleted":     titled + "delete contains {\"image\": input.image.name, \"reason\": \"x\"} if input.image.tag_count == 0",
		"a namespace that is deleted":  titledNamespace + "delete contains {\"namespace\": input.namespace.name, \"reason\": \"x\"} if input.namespace.image_count == 0",
		"a list in a fixed object":     titled + "limits.prod := 3\n\nlimits.dev := 4\n\nwarn contains \"x\" if limits.prod < limits.dev",
	} {
		t.Run(name, func(t *testing.T) {
			if got := checked(t, map[string]string{"p.rego": module}); got != "" {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

func TestCheckReadsTestsButLeavesThemOutOfTheSet(t *testing.T) {
	good := titled + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 14\n}"
	for name, row := range map[string]struct{ test, want string }{
		"a test that is fine": {
			"package janitor.image.own_test\n\nimport data.janitor.image.own\nimport data.janitor.testing\n\ntest_it if {\n\tdoc := testing.image([testing.tag(\"a\", \"15d\")])\n\town.delete == {\"a\"} with input as doc\n}", "",
		},
		"one that does not parse":   {"package janitor.image.own_test\n\ntest_it if {", "p_test.rego:"},
		"one that does not compile": {"package janitor.image.own_test\n\ntest_it if nope(1)", "p_test.rego:3:12: error: package janitor.image.own_test, rule test_it: type error: undefined function nope"},
	} {
		t.Run(name, func(t *testing.T) {
			got := checked(t, map[string]string{"p.rego": good, "p_test.rego": row.test})
			if !strings.Contains(got, row.want) || row.want == "" && got != "" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestCheckFindsEverythingAtOnce(t *testing.T) {
	got := checked(t, map[string]string{
		"a.rego":         titled + "delete contains tag.nmae if some tag in input.tags",
		"b/b.rego":       "package janitor.image.other\n\nwarn contains {\"msg\": \"x\"}",
		"c_test.rego":    "package c\n\ntest_x if nope(1)",
		".hidden/x.rego": "nothing",
	})
	for _, want := range []string{"a.rego:5:17", "b/b.rego:3:1: warning", "b/b.rego:3:16: error", "c_test.rego:3"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
}
