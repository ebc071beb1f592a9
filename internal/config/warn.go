package config

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Warning is something in a valid configuration that is most likely a mistake.
type Warning struct {
	strictyaml.Problem
	Kind WarningKind
	// Subject is the rule or the key, whatever its position: "retention/pull request
	// builds", "scope.include".
	Subject string
	// Pattern is what most likely matches nothing, and Names what it has to match for the
	// warning to be wrong. They are empty for other kinds.
	Pattern string
	Names   Names
}

// String is "janitor.yaml:4:13: warning: retention[0].match.tags[0]: is a glob …".
func (w Warning) String() string {
	p := w.Problem
	if p.Path != "" {
		p.Path = "warning: " + p.Path
	} else {
		p.Message = "warning: " + p.Message
	}
	return p.String()
}

// WarningKind is what is wrong.
type WarningKind string

// The kinds.
const (
	DeletesNothing WarningKind = "deletes_nothing"
	NeverMatches   WarningKind = "never_matches"
)

// Names is what a pattern is compared with.
type Names string

// The names.
const (
	NamesOfNamespaces Names = "namespaces"
	NamesOfImages     Names = "images"
	NamesOfTags       Names = "tags"
	NamesByRegex      Names = "tags_regex" // tags, by a regular expression
	Paths             Names = "scope"      // namespace/image
)

// Warnings are what is most likely a mistake in a valid configuration, sorted by line.
func (c *Config) Warnings() []Warning {
	var out []Warning
	if w, ok := c.deletesNothing(); ok {
		out = append(out, w)
	}
	for _, p := range c.patterns() {
		if message, hint := suspicion(p); message != "" {
			out = append(out, Warning{
				Problem: c.document.Problem(p.path, message+": "+strictyaml.Quote(p.text), hint),
				Kind:    NeverMatches, Subject: p.subject, Pattern: p.text, Names: p.names,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

// deletesNothing is about a file with rules that say what to keep, and nothing that
// deletes the rest.
func (c *Config) deletesNothing() (Warning, bool) {
	if len(c.Policies) > 0 || c.Empty != (rules.Empty{}) || c.Attachments.Orphans == "delete" || len(c.Retention) == 0 {
		return Warning{}, false
	}
	var names []string
	first, remedy := -1, "Add a rule with delete: {older_than: 14d}"
	for i := range c.Retention {
		r := &c.Retention[i]
		if r.Delete != nil {
			return Warning{}, false
		}
		names = append(names, r.Name)
		if first < 0 || r.Keep != nil && !r.Keep.All && remedy != addDelete {
			first = i
		}
		if r.Keep != nil && !r.Keep.All {
			remedy = addDelete
		}
	}
	slices.Sort(names)
	message := fmt.Sprintf("no rule deletes anything; %s only %s. %s", text.List(names, "and"), text.Choose(len(names), "protects", "protect"), remedy)
	return Warning{Problem: c.document.Problem(fmt.Sprintf("retention[%d]", first), message, ""), Kind: DeletesNothing, Subject: "retention"}, true
}

const addDelete = "Add delete: {}"

// namePattern is a glob or a regular expression of the configuration.
type namePattern struct {
	path, subject string
	key           string // the last key of the path
	text          string
	names         Names
}

// patterns are all that are compared with names.
func (c *Config) patterns() []namePattern {
	var out []namePattern
	list := func(path, subject, key string, names Names, globs []string) {
		for i, g := range globs {
			out = append(out, namePattern{fmt.Sprintf("%s[%d]", strictyaml.Join(path, key), i), subject, key, g, names})
		}
	}
	match := func(path, subject string, m *rules.Match) {
		if m == nil {
			return
		}
		list(path, subject, "namespaces", NamesOfNamespaces, m.Namespaces)
		list(path, subject, "images", NamesOfImages, m.Images)
		list(path, subject, "tags", NamesOfTags, m.Tags)
		if m.TagsRegex != "" {
			out = append(out, namePattern{path + ".tags_regex", subject, "tags_regex", m.TagsRegex, NamesByRegex})
		}
	}
	rule := func(path, subject string, m, except *rules.Match) {
		match(path+".match", subject, m)
		match(path+".except", subject, except)
	}
	list("scope", "scope.include", "include", Paths, c.Scope.Include)
	list("scope", "scope.exclude", "exclude", Paths, c.Scope.Exclude)
	list("protect", "protect.tags", "tags", NamesOfTags, c.Protect.Tags)
	for i := range c.Retention {
		r := &c.Retention[i]
		rule(fmt.Sprintf("retention[%d]", i), "retention/"+r.Name, r.Match, r.Except)
	}
	for i := range c.Visibility {
		r := &c.Visibility[i]
		rule(fmt.Sprintf("visibility[%d]", i), "visibility/"+r.Name, r.Match, r.Except)
	}
	for i := range c.Naming {
		r := &c.Naming[i]
		rule(fmt.Sprintf("naming[%d]", i), "naming/"+r.Name, r.Match, r.Except)
	}
	for i := range c.Waivers {
		if path := fmt.Sprintf("waivers[%d].match", i); c.document.Given(path) { // not of another file
			match(path, c.Waivers[i].Rule(), c.Waivers[i].Match)
		}
	}
	if c.Archive != nil {
		rule("archive", "archive", c.Archive.Match, c.Archive.Except)
	}
	for i := range c.Limits.Overrides {
		path, place := fmt.Sprintf("limits.overrides[%d].match", i), c.Limits.Overrides[i].Match
		list(path, "limits.overrides", "namespaces", NamesOfNamespaces, place.Namespaces)
		list(path, "limits.overrides", "images", NamesOfImages, place.Images)
	}
	return out
}
