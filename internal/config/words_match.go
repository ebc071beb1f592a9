package config

import (
	"slices"
	"strconv"
	"strings"
)

// tagWords says which tags a match takes: "tags pr-* of every image".
func (m *Match) tagWords() string {
	if m == nil {
		m = &Match{}
	}
	text := "tags"
	if len(m.Tags) > 0 && !isAll(m.Tags) {
		text = plural("tag", m.Tags)
	}
	var more []string
	if m.TagsRegex != "" {
		more = append(more, "match "+m.TagsRegex)
	}
	switch {
	case m.Semver == "*":
		more = append(more, "are semantic versions")
	case m.Semver != "":
		more = append(more, "are semantic versions in "+m.Semver)
	}
	return text + m.conditions(more) + " of " + m.imageWords()
}

// subjectWords says which images or namespaces a match takes.
func (m *Match) subjectWords(subject string) string {
	if m == nil {
		m = &Match{}
	}
	if subject == "image" {
		return m.imageWords() + m.conditions(nil)
	}
	return m.namespaceWords() + m.conditions(nil)
}

func (m *Match) conditions(more []string) string {
	if m.OlderThan.Duration() > 0 {
		more = append(more, "are at least "+spell(m.OlderThan)+" old")
	}
	if m.YoungerThan.Duration() > 0 {
		more = append(more, "are younger than "+spell(m.YoungerThan))
	}
	if len(more) == 0 {
		return ""
	}
	return " that " + list(more, "and")
}

func (m *Match) imageWords() string {
	text := "every image"
	if len(m.Images) > 0 && !slices.Contains(m.Images, "**") { // * takes no slash
		text = plural("image", m.Images)
	}
	return text + m.whereWords(" in ")
}

func (m *Match) namespaceWords() string {
	text := "every namespace"
	if len(m.Namespaces) > 0 && !isAll(m.Namespaces) {
		text = plural("namespace", m.Namespaces)
	}
	if len(m.ProjectIDs) > 0 {
		text += " of " + plural("project", m.ProjectIDs)
	}
	return text
}

// whereWords narrows images to namespaces and projects.
func (m *Match) whereWords(in string) string {
	text := ""
	if len(m.Namespaces) > 0 && !isAll(m.Namespaces) {
		text = in + plural("namespace", m.Namespaces)
	}
	if len(m.ProjectIDs) > 0 {
		text += " of " + plural("project", m.ProjectIDs)
	}
	return text
}

// isAll reports whether a list of globs takes every name.
func isAll(globs []string) bool {
	return slices.Contains(globs, "*") || slices.Contains(globs, "**")
}

// plural names things: "tag latest", "tags pr-* or mr-*".
func plural(noun string, names []string) string {
	if len(names) > 1 || strings.ContainsAny(names[0], "*?[{") {
		noun += "s"
	}
	return noun + " " + list(names, "or")
}

// list words a list: "a", "a or b", "a, b or c".
func list(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}

// count words a number with its noun: "1 tag", "10 tags".
func count(n int, noun string) string {
	return strconv.Itoa(n) + " " + verb(n, noun, noun+"s")
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// spell words a duration as it was written: "14 days", "1 hour 30 minutes".
func spell(d Duration) string { return d.Words() }
