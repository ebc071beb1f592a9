package rules

import (
	"maps"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// describeTags describes which tags a match matches: "tags pr-* of every image".
func (m *Match) describeTags() string {
	if m == nil {
		m = &Match{}
	}
	words := "tags"
	if len(m.Tags) > 0 && !isAll(m.Tags) {
		words = Named("tag", m.Tags)
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
	if len(m.Kind) > 0 {
		more = append(more, "are of the kind "+text.List(m.Kind, "or"))
	}
	if len(m.Platforms) > 0 {
		more = append(more, "are for "+text.List(m.Platforms, "or"))
	}
	if len(m.Labels) > 0 {
		more = append(more, "have "+DescribeLabels(m.Labels, "and"))
	}
	return words + m.conditions(more) + " of " + m.describeImages()
}

// describeSubject describes which images or namespaces a match matches.
func (m *Match) describeSubject(subject string) string {
	if m == nil {
		m = &Match{}
	}
	if subject == "image" {
		return m.describeImages() + m.conditions(nil)
	}
	return m.describeNamespaces() + m.conditions(nil)
}

func (m *Match) conditions(more []string) string {
	if m.OlderThan.Duration() > 0 {
		more = append(more, "are at least "+m.OlderThan.Words()+" old")
	}
	if m.YoungerThan.Duration() > 0 {
		more = append(more, "are younger than "+m.YoungerThan.Words())
	}
	if len(more) == 0 {
		return ""
	}
	return " that " + text.List(more, "and")
}

func (m *Match) describeImages() string {
	words := "every image"
	if len(m.Images) > 0 && !slices.Contains(m.Images, "**") { // * matches no slash
		words = Named("image", m.Images)
	}
	return words + m.describeWhere(" in ")
}

func (m *Match) describeNamespaces() string {
	words := "every namespace"
	if len(m.Namespaces) > 0 && !isAll(m.Namespaces) {
		words = Named("namespace", m.Namespaces)
	}
	if len(m.ProjectIDs) > 0 {
		words += " of " + Named("project", m.ProjectIDs)
	}
	return words
}

// describeWhere narrows images to namespaces and projects.
func (m *Match) describeWhere(in string) string {
	words := ""
	if len(m.Namespaces) > 0 && !isAll(m.Namespaces) {
		words = in + Named("namespace", m.Namespaces)
	}
	if len(m.ProjectIDs) > 0 {
		words += " of " + Named("project", m.ProjectIDs)
	}
	return words
}

// isAll reports whether a list of globs matches every name.
func isAll(globs []string) bool {
	return slices.Contains(globs, "*") || slices.Contains(globs, "**")
}

// DescribeLabels are "the label team=payments", "the labels a=* and b=c".
func DescribeLabels(globs map[string]string, conjunction string) string {
	var labels []string
	for _, key := range slices.Sorted(maps.Keys(globs)) {
		labels = append(labels, key+"="+globs[key])
	}
	return text.Choose(len(labels), "the label ", "the labels ") + text.List(labels, conjunction)
}

// Named is a noun with names: "tag latest", "tags pr-* or mr-*".
func Named(noun string, names []string) string {
	if len(names) > 1 || strings.ContainsAny(names[0], "*?[{") {
		noun += "s"
	}
	return noun + " " + text.List(names, "or")
}
