package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// suspicion is why a pattern most likely matches nothing, and how to write what was
// meant. Both are empty for an ordinary pattern.
func suspicion(p namePattern) (message, hint string) {
	if p.names == NamesByRegex {
		if !isGlobLike(p.text) {
			return "", ""
		}
		return "is a regular expression that looks like a glob", fmt.Sprintf("write tags_regex: '%s', or the glob tags: [%s]",
			strings.ReplaceAll(p.text, "*", ".*"), strictyaml.Quote(p.text))
	}
	if isRegexLike(p.text) {
		return "is a glob that looks like a regular expression", regexRemedy(p)
	}
	rest, hasHost := cutHost(p.text)
	switch {
	case hasHost:
		return "has a host, which no name has", spelled(p, rest)
	case p.names == NamesOfTags && strings.Contains(p.text, ":"):
		return "has a colon, which no tag has", fmt.Sprintf("write tags: [%s]", strictyaml.Quote(p.text[strings.LastIndex(p.text, ":")+1:]))
	case p.names != NamesOfTags && strings.ContainsAny(p.text, ":@"):
		return "has a tag, which the name of an image has not", spelled(p, p.text)
	case p.names != NamesOfTags && strings.ToLower(p.text) != p.text:
		return "has capital letters, which no name has", fmt.Sprintf("write %s: [%s]", p.key, strictyaml.Quote(strings.ToLower(p.text)))
	case p.names == NamesOfImages && strings.Contains(p.text, "/") && !strings.HasPrefix(p.text, "**"):
		first, _, _ := strings.Cut(p.text, "/")
		return fmt.Sprintf("matches only images whose own name has a slash, after %s", strictyaml.Quote(first)), spelled(p, p.text)
	}
	return "", ""
}

var registryHost = regexp.MustCompile(`^(?:https?://)?[a-z0-9.*{},-]*\.scw\.cloud(?::\d+)?(?:/|$)`)

// cutHost removes the host of a registry.
func cutHost(s string) (rest string, found bool) {
	host := registryHost.FindString(s)
	return s[len(host):], host != ""
}

// spelled is the right form of namespace/image:tag in place of the pattern.
func spelled(p namePattern, path string) string {
	path, tag, _ := strings.Cut(path, "@")
	if i := strings.LastIndex(path, ":"); i > strings.LastIndex(path, "/") {
		path, tag = path[:i], path[i+1:]
	}
	path = strings.ToLower(path)
	namespace, image, isPath := strings.Cut(path, "/")
	if p.names == Paths {
		if !isPath {
			return fmt.Sprintf("write %q", namespace+"/**")
		}
		return fmt.Sprintf("write %q", path)
	}
	var keys []string
	add := func(key, glob string, isAll bool) {
		if glob != "" && !isAll {
			keys = append(keys, fmt.Sprintf("%s: [%q]", key, glob))
		}
	}
	if !isPath && p.names == NamesOfImages {
		namespace, image = "", namespace
	}
	add("namespaces", namespace, namespace == "*" || namespace == "**")
	add("images", image, isPath && (image == "*" || image == "**") && len(keys) > 0)
	if !strings.HasPrefix(tag, "sha256") {
		add("tags", tag, false)
	}
	return "write " + strings.Join(keys, ", ")
}

// regexOnly is what a regular expression has, and no name: a glob with it matches
// nothing. A dot and a star after a letter or digit may be meant: v1.*
var regexOnly = regexp.MustCompile(`[$^+|()]|\\[dwsDWS]|(?:^|[^A-Za-z0-9*?\]}])\.\*`)

func isRegexLike(glob string) bool { return regexOnly.MatchString(glob) }

// regexRemedy is the glob that a regular expression stands for, if there is one, and
// the key for regular expressions, if the mapping has it.
func regexRemedy(p namePattern) string {
	bare := strings.TrimSuffix(strings.TrimPrefix(p.text, "^"), "$")
	glob := strings.ReplaceAll(bare, ".*", "*")
	isGlob := !isRegexLike(glob)
	switch {
	case p.subject != "protect.tags" && p.names == NamesOfTags && isGlob:
		return fmt.Sprintf("write tags: [%q], or tags_regex: '%s'", glob, bare)
	case p.subject != "protect.tags" && p.names == NamesOfTags:
		return fmt.Sprintf("write tags_regex: '%s'", bare)
	case isGlob:
		return fmt.Sprintf("write %s: [%q]", p.key, glob)
	}
	return fmt.Sprintf("write globs, such as %s: [\"pr-*\"]; alternatives are {a,b}, and digits [0-9]", p.key)
}

// globLike is a regular expression that only repeats single characters, which is
// hardly ever meant: pr-* is pr, pr-, pr-- and so on.
var globLike = regexp.MustCompile(`^[A-Za-z0-9_-]+\*(?:[A-Za-z0-9_*-]*)$`)

func isGlobLike(regex string) bool { return globLike.MatchString(regex) }
