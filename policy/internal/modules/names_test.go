package modules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// found are the findings in own modules, one a line.
func found(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(Files{Paths: []string{dir}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range s.Check() {
		out = append(out, f.String())
	}
	return strings.Join(out, "\n")
}

const header = "package janitor.image.own\n\n"

// Whatever way an object takes, a misspelled name is found.
func TestUnknownNames(t *testing.T) {
	keep := func(body string) string {
		return header + "keep contains {\"tag\": tag.name} if {\n\tsome tag in input.tags\n" + body + "\n}\n"
	}
	for name, row := range map[string]struct{ module, want string }{
		"a slice of a comprehension": {
			header + "keep contains {\"tag\": tag.nmae} if {\n\tmain := [t | some t in input.tags; startswith(t.name, \"main-\")]\n\tsome tag in array.slice(main, 0, 10)\n}",
			"p.rego:3:27: error: package janitor.image.own, rule keep: unknown name \"nmae\": no schema, data file, rule or object has it (did you mean name?) [unknown-field]",
		},
		"a helper rule":              {header + "main := array.slice(input.tags, 0, 10)\n\nkeep contains tag.nmae if some tag in main", `5:19: error: package janitor.image.own, rule keep`},
		"a sorted list":              {header + "keep contains tag.nmae if some tag in sort(input.tags)", `"nmae"`},
		"a union of objects":         {keep("\tall := object.union(tag, {\"x\": 1})\n\tall.nmae != \"\""), `"nmae"`},
		"a function with else":       {header + "label(t) := t.nmae if t.rank == 0\n\nelse := t.digets\n\nkeep contains label(tag) if some tag in input.tags", `"digets"`},
		"an argument of a function":  {header + "old(t) if t.age_dayz > 3\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\told(tag)\n}", "did you mean age_days?"},
		"the default of a function":  {keep("\tobject.get(tag, \"rnak\", 0) == 0"), `did you mean rank?`},
		"a path of object.get":       {keep("\tobject.get(tag, [\"semver\", \"mayor\"], 0) == 0"), `did you mean major?`},
		"a path in a variable":       {keep("\tpath := [\"semver\", \"mayor\"]\n\tobject.get(tag, path, 0) == 0"), `"mayor"`},
		"the configuration":          {keep("\tdata.config.limits.keep_at_lest == 1"), `did you mean keep_at_least?`},
		"a section that is left out": {keep("\tdata.config.ledger.dsn == \"\""), `"ledger"`},
		"the configuration by an import": {
			header + "import data.config.limits\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\ttag.rank < limits.keep_at_lest\n}", `"keep_at_lest"`,
		},
		"an every":                      {header + "warn contains \"x\" if {\n\tevery t in input.tags {\n\t\tt.nmae != \"\"\n\t}\n}", `"nmae"`},
		"a key in a variable":           {keep("\tkey := \"nmae\"\n\ttag[key] == \"\""), `"nmae"`},
		"a key in a rule":               {header + "key := \"nmae\"\n\nkeep contains tag[key] if some tag in input.tags", `"nmae"`},
		"a key out of a list":           {keep("\tsome key in [\"name\", \"digets\"]\n\ttag[key] == \"\""), `"digets"`},
		"a bracket":                     {header + "f(t) := t[\"nmae\"]\n\nkeep contains f(tag) if some tag in input.tags", `"nmae"`},
		"an input that is made up":      {header + "n := count(input.tags)\n\nwarn contains \"x\" if n == 1 with input as {\"tags\": [{\"nmae\": \"x\"}]}", `"nmae"`},
		"a field that is made up":       {header + "n := count(input.tags)\n\nwarn contains \"x\" if n == 1 with input.tags as [{\"nmae\": \"x\"}]", `"nmae"`},
		"a pattern on the left":         {keep("\t{\"nmae\": x} := tag\n\tx != \"\""), `"nmae"`},
		"a pattern that is unified":     {header + "keep contains x if {\n\tsome tag in input.tags\n\t{\"nmae\": x} = tag\n}", `"nmae"`},
		"a pattern on the right":        {header + "keep contains x if {\n\tsome tag in input.tags\n\ttag = {\"nmae\": x}\n}", `"nmae"`},
		"a pattern in some":             {header + "keep contains x if some {\"nmae\": x} in input.tags", `"nmae"`},
		"a pattern of an argument":      {header + "f({\"nmae\": x}) := x\n\nkeep contains f(tag) if some tag in input.tags", `"nmae"`},
		"a template":                    {header + "f(t) := $\"{t.nmae}\"\n\nkeep contains f(tag) if some tag in input.tags", `"nmae"`},
		"below a computed key":          {header + "by_name := {t.name: t | some t in input.tags}\n\nkeep contains by_name.latest.digets", `"digets"`},
		"a rule of another package":     {header + "import data.acme.lib\n\nkeep contains name if some name in lib.frehs", `did you mean fresh?`},
		"a variable for the input":      {header + "n := count(input.tags)\n\nwarn contains \"x\" if {\n\tdoc := {\"tags\": [{\"nmae\": \"x\"}]}\n\tn == 1 with input as doc\n}", `"nmae"`},
		"a rule for the input":          {header + "doc := {\"tags\": [{\"nmae\": \"x\"}]}\n\nn := count(input.tags)\n\nwarn contains \"x\" if n == 1 with input as doc", `"nmae"`},
		"a key that is passed on":       {header + "rank(t, key) := object.get(t, key, 0)\n\nkeep contains t.name if {\n\tsome t in input.tags\n\trank(t, \"rnak\") < 3\n}", `p.rego:7:10: error: package janitor.image.own, rule rank: unknown name "rnak"`},
		"a rule that is passed on":      {header + "key := \"rnak\"\n\nrank(t, k) := object.get(t, k, 0)\n\nkeep contains t.name if {\n\tsome t in input.tags\n\trank(t, key) < 3\n}", `p.rego:3:8`},
		"a key by unification":          {keep("\tkey = \"nmae\"\n\ttag[key] == \"\""), `"nmae"`},
		"a union for the input":         {header + "n := count(input.tags)\n\nwarn contains \"x\" if n == 1 with input as object.union({\"tags\": [{\"nmae\": 1}]}, {})", `"nmae"`},
		"a key that is filtered":        {keep("\tcount(object.filter(tag, [\"nmae\"])) == 1"), `"nmae"`},
		"a key that is removed":         {keep("\tcount(object.remove(tag, {\"nmae\"})) == 1"), `"nmae"`},
		"a list that is taken apart":    {keep("\t[{\"nmae\": x}, _] := [tag, 1]\n\tx != \"\""), `"nmae"`},
		"a key out of a rule":           {header + "keys := [\"name\", \"digets\"]\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\tsome key in keys\n\ttag[key] == \"\"\n}", `p.rego:3:18`},
		"a comparison":                  {keep("\ttag.semver == {\"mayor\": 1}"), `"mayor"`},
		"a list inside of an input":     {header + "n := count(input.tags)\n\nwarn contains \"x\" if {\n\tlist := [{\"nmae\": 1}]\n\tn == 1 with input as {\"tags\": list}\n}", `"nmae"`},
		"unions for the input":          {header + "n := count(input.tags)\n\nwarn contains \"x\" if n == 1 with input as object.union_n([{\"tags\": [{\"nmae\": 1}]}, {}])", `"nmae"`},
		"a key out of a list by number": {keep("\tkey := [\"semver\", \"mayor\"][1]\n\ttag.semver[key] == 1"), `"mayor"`},
		"a result that is a key":        {header + "key(_) := \"digets\"\n\nkeep contains tag[key(tag)] if some tag in input.tags", `"digets"`},
		"beside a problem":              {header + "warn contains \"x\" if nothing\n\nkeep contains tag.nmae if some tag in sort(input.tags)", `"nmae"`},
		"a comprehension":               {header + "warn contains \"x\" if count([1 | some t in sort(input.tags); t.rnak > 1]) > 1", `"rnak"`},
		"a path of json.filter":         {keep("\tcount(json.filter(tag, [\"rnak\"])) == 1"), `did you mean rank?`},
		"a path with a slash":           {keep("\tcount(json.filter(tag, [\"semver/majr\"])) == 1"), `"majr"`},
		"a path that begins with one":   {keep("\tcount(json.filter(tag, {\"/semver/majr\"})) == 1"), `"majr"`},
		"a path that is a list":         {keep("\tcount(json.filter(tag, [[\"semver\", \"majr\"]])) == 1"), `"majr"`},
		"a path with a position":        {header + "warn contains \"x\" if count(json.filter(input, [\"tags/0/rnak\"])) == 1", `"rnak"`},
		"a path with an escape":         {keep("\tcount(json.filter(tag, [\"ra~1nk\"])) == 1"), `"ra/nk"`},
		"paths in a rule":               {header + "paths := [\"rnak\"]\n\nwarn contains \"x\" if {\n\tsome t in input.tags\n\tjson.filter(t, paths) != {}\n}", `p.rego:3:11`},
		"a path of json.remove":         {keep("\tcount(json.remove(tag, [\"semver/majr\", \"rank\"])) == 1"), `"majr"`},
		"a key of a path in a variable": {keep("\tkey := \"majr\"\n\tcount(json.filter(tag, [[\"semver\", key]])) == 1"), `"majr"`},
		"a path of walk":                {keep("\twalk(tag, [[\"rnak\"], v])\n\tv < 3"), `did you mean rank?`},
		"a path of walk with a gap":     {header + "warn contains \"x\" if {\n\twalk(input, [[\"tags\", _, \"rnak\"], v])\n\tv < 3\n}", `"rnak"`},
		"a path of walk in a variable":  {keep("\tpath := [\"semver\", \"majr\"]\n\twalk(tag, [path, 1])"), `"majr"`},
		"a copy by a comprehension":     {keep("\tx := {k: v | some k, v in tag; k != \"name\"}\n\tx.rnak < 30"), `did you mean rank?`},
		"a copy by a rule":              {header + "all[k] := v if {\n\tsome t in input.tags\n\tsome k, v in t\n}\n\nwarn contains \"x\" if all.rnak < 30", `"rnak"`},
		"a key that is compared":        {keep("\tsome k, v in tag\n\tk == \"rnak\"\n\tv < 3"), `did you mean rank?`},
		"a key that is compared first":  {keep("\tsome k, v in tag\n\t\"rnak\" == k\n\tv < 3"), `"rnak"`},
		"a key that differs":            {keep("\tx := {k: v | some k, v in tag; k != \"rnak\"}\n\tx.rank < 3"), `"rnak"`},
		"a key that is one of some":     {keep("\tx := {k: v | some k, v in tag; k in {\"rnak\"}}\n\tcount(x) == 1"), `"rnak"`},
		"a key of a helper map":         {header + "teams := {\"web\": 1}\n\nwarn contains \"x\" if {\n\tsome k, v in teams\n\tk == \"wbe\"\n\tv == 1\n}", `did you mean web?`},
		"a key in every":                {header + "warn contains \"x\" if {\n\tsome t in input.tags\n\tevery k, v in t {\n\t\tk != \"rnak\"\n\t\tv != 1\n\t}\n}", `"rnak"`},
		"a part of a tag":               {keep("\tobject.subset(tag, {\"semver\": {\"majr\": 1}})"), `"majr"`},
		"a key and its value":           {keep("\t\"rnak\", 3 in tag"), `"rnak"`},
		"one of the keys":               {keep("\t\"rnak\" in object.keys(tag)"), `"rnak"`},
		"a copy by the keys":            {keep("\tx := {k: tag[k] | some k in object.keys(tag)}\n\tx.rnak < 3"), `"rnak"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := found(t, map[string]string{"p.rego": row.module, "lib.rego": "package acme.lib\n\nfresh contains \"x\""})
			if !strings.Contains(got, row.want) || !strings.Contains(got, "[unknown-field]") {
				t.Errorf("got\n%s\nwant %s", got, row.want)
			}
		})
	}
}

// What some part of the policies defines is not a mistake, and keys that cannot be
// known are free.
func TestKnownNames(t *testing.T) {
	for name, module := range map[string]string{
		"a key of a literal":             header + "teams := {\"web\": {\"owner\": \"x\"}}\n\nwarn contains teams.web.owner",
		"a key that a literal adds":      header + "keep contains t.name if {\n\tsome tag in input.tags\n\tt := object.union(tag, {\"line\": 1})\n\tt.line == 1\n}",
		"a literal by unification":       header + "warn contains f if f = {\"reason\": \"x\"}",
		"a data file":                    header + "warn contains data.teams.web.lead if data.teams[input.namespace.name].since > 3",
		"numbers as keys":                header + "parts(t) := split(t.name, \"-\")\n\nkeep contains tag.name if {\n\tsome tag in input.tags\n\tparts(tag)[1] == {0: \"x\"}[0]\n}",
		"computed keys":                  header + "newest := {line: max(ages) |\n\tsome t in input.tags\n\tline := split(t.name, \"-\")[0]\n\tages := [u.age_days | some u in input.tags; startswith(u.name, line)]\n}\n\nwarn contains \"x\" if newest.main > 3",
		"computed keys by a variable":    header + "warn contains \"x\" if {\n\tdays := {d: i | some i, d in [\"monday\", \"tuesday\"]}\n\tdays.monday == 0\n\tobject.get(days, \"friday\", 4) == 4\n}",
		"a literal with a computed key":  header + "key := \"web\"\n\nwarn contains \"x\" if {\n\to := {key: 1}\n\to.web == 1\n}",
		"a rule with computed keys":      header + "count_of[name] := n if {\n\tsome t in input.tags\n\tname := t.name\n\tn := t.rank\n}\n\nwarn contains \"x\" if count_of.latest > 3",
		"a member of a set":              header + "fresh contains t.name if some t in input.tags\n\nwarn contains \"x\" if fresh.latest",
		"a member of a local set":        header + "warn contains \"x\" if {\n\tnames := {t.name | some t in input.tags}\n\tnames.latest\n}",
		"a set made of others":           header + "a := {\"x\"}\n\nb := {\"y\"}\n\nwarn contains \"x\" if {\n\tboth := a | b\n\tboth.latest\n}",
		"a parsed text":                  header + "warn contains doc.whatever.there[0].might.be if doc := json.unmarshal(input.namespace.description)",
		"a parsed URL":                   header + "warn contains \"x\" if uri.parse(input.namespace.description).hostname == \"x\"",
		"a parsed text in a rule":        header + "doc := json.unmarshal(input.namespace.description)\n\nwarn contains doc.whatever if object.get(doc, [\"any\", \"thing\"], 0) == 0",
		"a parsed text in a function":    header + "parse(text) := json.unmarshal(text)\n\nwarn contains \"x\" if {\n\tdoc := parse(input.namespace.description)\n\tsome item in doc.items\n\titem.kindly\n}",
		"a parsed text as an argument":   header + "owner(doc) := doc.maintainer\n\nwarn contains owner(json.unmarshal(input.namespace.description))",
		"a parsed text two calls away":   header + "a(x) := x.maintainer\n\nb(y) := a(y.inner)\n\nwarn contains b(yaml.unmarshal(input.namespace.description))",
		"a parsed text in an object":     header + "facts := {\"doc\": json.unmarshal(input.namespace.description)}\n\nwarn contains facts.doc.maintainer",
		"a parsed text taken apart":      header + "warn contains x if {\n\tdoc := json.unmarshal(input.namespace.description)\n\t{\"maintainer\": x} = doc\n}",
		"parsed texts in a list":         header + "docs := [json.unmarshal(n) | some n in [input.namespace.description]]\n\nwarn contains docs[0].maintainer",
		"a parsed text that is walked":   header + "warn contains \"x\" if {\n\tdoc := json.unmarshal(input.namespace.description)\n\twalk(doc, [_, value])\n\tvalue.maintainer\n}",
		"what is walked":                 header + "warn contains \"x\" if {\n\twalk(input, [_, value])\n\tvalue.digest\n}",
		"a parsed text with an else":     header + "doc := json.unmarshal(input.namespace.description) if input.namespace.description != \"\"\n\nelse := {}\n\nwarn contains doc.maintainer",
		"a rule of a deeper name":        header + "limits.prod := 3\n\nlimits.dev := json.unmarshal(\"{}\")\n\nwarn contains \"x\" if limits.prod < limits.dev.most",
		"a rule of another package":      header + "import data.acme.lib as l\n\nwarn contains \"x\" if l.settings.most > data.acme.lib.settings[\"least\"]",
		"the configuration":              header + "warn contains \"x\" if data.config.retention[_].delete.older_than_seconds > data.config.limits.min_age_seconds",
		"a copy of the configuration":    header + "warn contains \"x\" if {\n\tsome rule in data.config.visibility\n\tobject.get(rule, \"severity\", \"deny\") == \"deny\"\n}",
		"a variable that has two values": header + "warn contains \"x\" if {\n\tcount([1 | key := \"zzz\"; {key: 1}[key]]) == 1\n\tcount([1 | key := \"name\"; some t in input.tags; t[key]]) == 1\n}",
		"an input that is made up":       header + "n := count(input.tags)\n\nwarn contains \"x\" if n == 1 with input as {\"tags\": [{\"name\": \"x\"}]}",
		"a mocked function":              header + "f(x) := x\n\ng(_) := 1\n\nwarn contains \"x\" if f(2) == 1 with f as g",
		"a package about another input":  "package acme.admission\n\nkind := input.request.kind.kind",
		"two computed keys":              header + "ranks[line][t.name] := t.rank if {\n\tsome t in input.tags\n\tline := \"x\"\n}\n\nwarn contains \"x\" if ranks.main.latest > 3",
		"a variable in two places":       header + "warn contains \"x\" if {\n\tcount([1 | key = \"zzz\"; {key: 1}[key]]) == 1\n\tcount([1 | key = \"name\"; some t in input.tags; t[key]]) == 1\n}",
		"a key that is asked for":        header + "warn contains \"x\" if {\n\tsome t in input.tags\n\tsome key, _ in t\n\tnot key == \"rank\"\n\tt[key]\n}",
		"a literal that is compared":     header + "warn contains \"x\" if {\n\to := {\"mine\": count(input.tags)}\n\to == {\"mine\": 3}\n}",
		"a literal in two places":        header + "warn contains f if {\n\tcount([f | f = {\"a\": 1}; f.a == 1]) == 1\n\tcount([f | f = {\"b\": 1}; f.b == 1]) == 1\n\tf := \"x\"\n}",
		"a jump to a key of a variable":  header + "warn contains \"x\" if {\n\tsome key in {\"zzz\", \"name\"}\n\to := {k: 1 | some k in [\"zzz\"]}\n\to[key] == 1\n}",
		"paths of labels":                header + "warn contains \"x\" if {\n\tsome t in input.tags\n\tcount(json.filter(t, [\"content/labels/org.x~1y\", [\"content\", \"annotations\", \"b\"]])) == 1\n\tcount(json.remove(t.content.labels, [\"zzz\"])) == 1\n}",
		"a path with a position":         header + "warn contains \"x\" if count(json.filter(input, [\"tags/0/semver/major\", \"\"])) == 1",
		"a label that is walked":         header + "warn contains \"x\" if {\n\tsome t in input.tags\n\twalk(t, [[\"content\", \"labels\", \"org.x\"], a])\n\twalk(t, [[_, \"labels\", \"org.x\"], b])\n\twalk(t.content, [[_, \"org.x\"], c])\n\twalk(input, [[\"tags\", _, _, _, \"org.x\"], d])\n\twalk(t, [[_, _, \"org.x\"], e])\n\t[a, b, c, d] == [e, e, e, e]\n}",
		"a document that is walked":      header + "warn contains \"x\" if {\n\twalk(json.unmarshal(input.namespace.description), [[\"a\", _, \"b\"], v])\n\tv == 1\n}",
		"a part of labels":               header + "warn contains \"x\" if {\n\tsome t in input.tags\n\tobject.subset(t, {\"content\": {\"labels\": {\"org.x\": \"1\"}}})\n}",
		"a path that is compared":        header + "warn contains \"x\" if {\n\twalk(input, [path, v])\n\tpath[count(path) - 1] == \"org.x\"\n\tv == 1\n}",
		"keys of what is walked":         header + "warn contains \"x\" if {\n\twalk(input, [_, v])\n\tsome k, x in v\n\tk == \"org.x\"\n\tx == 1\n}",
		"keys of labels":                 header + "warn contains x.mine if {\n\tsome t in input.tags\n\tx := {k: v | some k, v in t.content.labels; k != \"org.x\"}\n\tsome key, _ in t.content.annotations\n\tkey == \"org.y\"\n\t\"org.z\" in object.keys(t.content.labels)\n}",
		"keys of the maps of a content":  header + "warn contains \"x\" if {\n\tsome t in input.tags\n\tsome m in t.content\n\tsome k, v in m\n\tk == \"org.x\"\n\tv == 1\n}",
		"keys of labels by a function":   header + "f(m) := v if {\n\tsome k, v in m\n\tk == \"org.x\"\n}\n\ng(m) := {k: v | some k, v in m}\n\nwarn contains g(t.content.labels).mine if {\n\tsome t in input.tags\n\tf(t.content.labels) == 1\n}",
		"a copy with a label":            header + "warn contains x.content.labels.mine if {\n\tsome t in input.tags\n\tx := {k: v | some k, v in t; k != \"rank\"}\n}",
		"keys of a data file":            header + "warn contains \"x\" if {\n\tsome k, v in data.teams\n\tk == \"later\"\n\tv.since == 1\n\tx := {a: b | some a, b in data.teams}\n\tx.later\n}",
		"a key of a helper map":          header + "teams := {\"web\": 1}\n\nwarn contains \"x\" if {\n\tsome k, v in teams\n\tk == \"web\"\n\tv == 1\n}",
		"members of sets in a map":       header + "teams := {\"web\": {\"ann\", \"bob\"}}\n\nwarn contains \"x\" if {\n\tsome _, people in teams\n\tsome who\n\tpeople[who]\n\twho == \"carol\"\n}",
		"a value that is compared":       header + "warn contains \"x\" if {\n\tsome t in input.tags\n\tsome _, v in t\n\tv == \"latest\"\n\tv in {\"a1\", \"b1\"}\n}",
		"a name that is returned":        header + "first(t) := k if some k, \"x\" in t\n\nelse := \"none at all\"\n\nwarn contains \"x\" if {\n\tsome t in input.tags\n\tfirst(t) == \"none at all\"\n}",
		"keys that are computed":         header + "warn contains x.LATEST if {\n\tsome t in input.tags\n\tx := {upper(k): v | some k, v in t}\n}",
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(t, map[string]string{
				"p.rego": module, "lib.rego": "package acme.lib\n\nsettings := {\"most\": 3, \"least\": 1}",
				"data.json":   `{"teams": {"web": {"lead": "x", "since": 4}}}`,
				"p_test.rego": "package janitor.image.own_test\n\ntest_x if {\n\tx := {\"of_a_test\": 1}\n\tx.anything == 1\n}",
			}); got != "" {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

// Objects of tests define nothing: they may be misspelled as the policy is.
func TestObjectsOfTestsDefineNoNames(t *testing.T) {
	got := found(t, map[string]string{
		"p.rego":      header + "keep contains t.nmae if some t in sort(input.tags)",
		"p_test.rego": "package janitor.image.own_test\n\nimport data.janitor.image.own\n\ntest_x if own.keep == {\"a\"} with input as {\"tags\": [{\"nmae\": \"a\"}]}",
	})
	if !strings.Contains(got, `"nmae"`) {
		t.Errorf("got %s", got)
	}
}
