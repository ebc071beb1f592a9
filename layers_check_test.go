package registry_janitor_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// small is an architecture with one of each kind of rule.
func small() architecture {
	return architecture{
		packages: map[string]layer{
			"noun":     {closed: true, pure: true},
			"sdk":      {ours: []string{"noun"}},
			"fake":     {closed: true, theirs: []string{"example.org/yaml"}},
			"cmd/tool": {ours: []string{"noun", "sdk"}},
		},
		owners: map[string][]string{"example.org/cloud": {"sdk"}, "example.org/other": nil},
	}
}

func TestCheckerFindsEveryViolation(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		clock []string
		want  []string
	}{
		"a correct tree has no problem": {
			files: map[string]string{
				"noun/doc.go":       "// Package noun is fine.\npackage noun\n\nimport \"strings\"\n",
				"sdk/sdk.go":        "// Package sdk is fine.\npackage sdk\n\nimport (\n\t\"" + module + "/noun\"\n\t\"example.org/cloud/api\"\n)\n",
				"fake/fake.go":      "// Package fake is fine.\npackage fake\n\nimport \"example.org/yaml\"\n",
				"cmd/tool/main.go":  "// Command tool is fine.\npackage main\n\nimport \"" + module + "/sdk\"\n",
				"cmd/tool/clock.go": "package main\n\nimport \"time\"\n\nvar now = time.Now\n",
			},
			clock: []string{"cmd/tool/clock.go"},
		},
		"a package that is missing in the table": {
			files: map[string]string{"utils/u.go": "// Package utils is a drawer.\npackage utils\n"},
			want:  []string{"utils: is not in the table of packages"},
		},
		"an import against the direction": {
			files: map[string]string{"noun/n.go": "// Package noun is wrong.\npackage noun\n\nimport \"" + module + "/sdk\"\n"},
			want:  []string{"noun/n.go:4: noun must not import sdk"},
		},
		"an import that the table allows to another package only": {
			files: map[string]string{"cmd/tool/main.go": "// Command tool is wrong.\npackage main\n\nimport c \"example.org/cloud\"\n"},
			want:  []string{"cmd/tool/main.go:4: cmd/tool must not import example.org/cloud, which only [sdk] may"},
		},
		"an import that no package may have": {
			files: map[string]string{"sdk/s.go": "// Package sdk is wrong.\npackage sdk\n\nimport _ \"example.org/other/v2\"\n"},
			want:  []string{"sdk/s.go:4: sdk must not import example.org/other/v2, which only [] may"},
		},
		"a name that only begins like an owned one is another module": {
			files: map[string]string{"sdk/s.go": "// Package sdk is fine.\npackage sdk\n\nimport _ \"example.org/othermodule\"\n"},
		},
		"a dependency in a package that has none": {
			files: map[string]string{"fake/f.go": "// Package fake is wrong.\npackage fake\n\nimport _ \"example.org/yaml/more\"\n"},
			want:  []string{"fake/f.go:4: fake must not import example.org/yaml/more: it has the standard library"},
		},
		"input and output in a pure package": {
			files: map[string]string{"noun/n.go": "// Package noun is wrong.\npackage noun\n\nimport _ \"net/http\"\n"},
			want:  []string{"noun/n.go:4: noun must not import net/http: it is pure"},
		},
		"cgo": {
			files: map[string]string{"sdk/s.go": "// Package sdk is wrong.\npackage sdk\n\nimport \"C\"\n"},
			want:  []string{"sdk/s.go:4: sdk must not import C"},
		},
		"a package without a comment": {
			files: map[string]string{"noun/n.go": "package noun\n"},
			want:  []string{`noun: has no package comment, which starts with "Package noun "`},
		},
		"a command whose comment is about something else": {
			files: map[string]string{"cmd/tool/main.go": "// Package main is a command.\npackage main\n"},
			want:  []string{`cmd/tool: has no package comment, which starts with "Command tool "`},
		},
		"two package comments": {
			files: map[string]string{"noun/a.go": "// Package noun is one.\npackage noun\n", "noun/b.go": "// Package noun is two.\npackage noun\n"},
			want:  []string{"noun: has more than one package comment: [noun/a.go noun/b.go]"},
		},
		"an init function, but not a method of that name": {
			files: map[string]string{"noun/n.go": "// Package noun is wrong.\npackage noun\n\ntype T int\n\nfunc (T) init() {}\n\nfunc init() {}\n"},
			want:  []string{"noun/n.go:8: has an init function: let the caller call"},
		},
		"a listed clock reader that reads no clock": {
			files: map[string]string{"noun/n.go": "// Package noun is fine.\npackage noun\n"},
			clock: []string{"noun/n.go"},
			want:  []string{"noun/n.go: is in the list of files that read the clock, but does not"},
		},
		"tests are not checked": {
			files: map[string]string{
				"noun/n.go":      "// Package noun is fine.\npackage noun\n",
				"noun/n_test.go": "package noun\n\nimport (\n\t\"time\"\n\t\"example.org/other\"\n)\n\nfunc init() { time.Sleep(1) }\n",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := small()
			a.clock = test.clock
			got := newTree(t, filesystem(test.files)).problems(a)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckerFindsClockReads(t *testing.T) {
	const wrong = ": reads the clock: take the time, or a func() time.Time, from the caller"
	tests := map[string]struct {
		code string
		want []string
	}{
		"a call":                       {code: "import \"time\"\n\nvar t = time.Now()\n", want: []string{"noun/n.go:6" + wrong}},
		"a function as a value":        {code: "import \"time\"\n\nvar now = time.Now\n", want: []string{"noun/n.go:6" + wrong}},
		"an import by another name":    {code: "import clock \"time\"\n\nvar t = clock.Since\n", want: []string{"noun/n.go:6" + wrong}},
		"an import without a name":     {code: "import . \"time\"\n\nvar t = Now()\n", want: []string{"noun/n.go:4" + wrong}},
		"waiting":                      {code: "import \"time\"\n\nfunc f() { time.Sleep(1); <-time.After(1); <-time.Tick(1); _ = time.Until }\n", want: []string{"noun/n.go:6" + wrong, "noun/n.go:6" + wrong, "noun/n.go:6" + wrong, "noun/n.go:6" + wrong}},
		"inside a method of a literal": {code: "import \"time\"\n\nfunc f() { go func() { _ = []any{time.Now} }() }\n", want: []string{"noun/n.go:6" + wrong}},
		"a timer is not a clock":       {code: "import \"time\"\n\nvar t = time.NewTimer(time.Second)\n"},
		"another package named time":   {code: "import \"example.org/time\"\n\nvar t = time.Now()\n", want: []string{"noun/n.go:4: noun must not import example.org/time: it has the standard library"}},
		"a variable named time":        {code: "import _ \"time\"\n\ntype c struct{ Now int }\n\nfunc f(time c) int { return time.Now }\n"},
		"arithmetic with times":        {code: "import \"time\"\n\nfunc f(a, b time.Time) bool { return a.After(b) }\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"noun/n.go": "// Package noun is about time.\npackage noun\n\n" + test.code}
			got := newTree(t, filesystem(files)).problems(small())
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func filesystem(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}
