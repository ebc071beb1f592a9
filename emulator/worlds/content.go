package worlds

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var platform = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`)

func checkPlatform(s string) (message, hint string) {
	if !platform.MatchString(s) {
		return fmt.Sprintf("is not a platform: %q", s), "write the system and the architecture, such as linux/arm64 or linux/arm/v7"
	}
	return "", ""
}

// describers are the tags that say what the words stand for, by word.
type describers map[string]describer

type describer struct {
	tag  *Tag
	path string
}

// contents checks what the tags of a world say about what they hold.
func (c checker) contents(list []Namespace) {
	words := describers{}
	each := func(check func(tags []Tag, i int, at string)) {
		for i := range list {
			for k := range list[i].Images {
				tags := list[i].Images[k].Tags
				for j := range tags {
					check(tags, j, fmt.Sprintf("namespaces[%d].images[%d].tags[%d]", i, k, j))
				}
			}
		}
	}
	each(func(tags []Tag, i int, at string) { c.content(&tags[i], at, words) })
	each(func(tags []Tag, i int, at string) { c.parts(tags, &tags[i], at+".parts", words) })
}

// content checks one tag, and adds its words to those of the tags before it.
func (c checker) content(t *Tag, at string, words describers) {
	if _, pinned := Pinned(t.Digest); pinned && t.Described() {
		c.Report(at+".digest", "is a whole digest, whose content is not known", "write a word, or remove the keys that describe the content")
	}
	for n := range Repeat(t.Count) {
		_, word, _, ok := CutDigest(Expand(t.Name, t.Count, n))
		if _, pinned := Pinned(word); ok && !pinned && words[word].tag == nil {
			c.Report(at+".name", fmt.Sprintf("needs the digest %q, which no earlier tag has", word), "write the digest of a tag above this one")
			break
		}
	}
	if !t.HasWord() {
		return
	}
	for n := range Repeat(t.Count) {
		word := Expand(t.Digest, t.Count, n)
		first := words[word]
		if first.tag != nil && first.tag.Described() && t.Described() {
			c.Report(at+".digest", fmt.Sprintf("is described twice: %q", word), "describe its content in one tag; see "+first.path)
			return
		}
		if first.tag == nil || t.Described() {
			words[word] = describer{t, at}
		}
	}
}

// parts checks the parts of an index.
func (c checker) parts(tags []Tag, t *Tag, at string, words describers) {
	if len(t.Parts) == 0 {
		return
	}
	if len(t.Labels) > 0 || len(t.Platforms) > 0 || t.BuiltAge != 0 || t.Size != 0 {
		c.Report(at, "has its labels, platforms, sizes and build dates from the parts", "give these keys to the parts")
	}
	for k, part := range t.Parts {
		for n := range Repeat(t.Count) {
			if problem, hint := isPart(tags, Expand(part, t.Count, n), words); problem != "" {
				c.Report(fmt.Sprintf("%s[%d]", at, k), problem, hint)
				break
			}
		}
	}
}

// isPart finds out what keeps a tag from being a part.
func isPart(tags []Tag, name string, words describers) (problem, hint string) {
	names := make([]string, len(tags))
	for i := range tags {
		e := &tags[i]
		names[i] = e.Name
		n := e.Number(name)
		if n < 0 {
			continue
		}
		described := e
		if word := Expand(e.Digest, e.Count, n); e.HasWord() && words[word].tag != nil {
			described = words[word].tag
		}
		if _, pinned := Pinned(e.Digest); pinned {
			return fmt.Sprintf("names %q, whose content is not known", name), "give that tag a word as its digest"
		}
		if len(described.Parts) > 0 {
			return fmt.Sprintf("names %q, which has parts itself", name), "name the tags of single images"
		}
		return "", ""
	}
	return fmt.Sprintf("names %q, which is not a tag of the image", name), "write one of " + strings.Join(names, ", ")
}

// Number is which of the tags that an entry makes has the name; -1 if none has.
func (t *Tag) Number(name string) int {
	before, _, numbered := strings.Cut(t.Name, "{n}")
	if t.Count == 0 || !numbered {
		if Expand(t.Name, t.Count, 0) == name {
			return 0
		}
		return -1
	}
	rest, ok := strings.CutPrefix(name, before)
	for end := 1; ok && end <= len(rest); end++ { // not by trying all: there may be millions
		n, err := strconv.Atoi(rest[:end])
		if err != nil {
			break
		}
		if n >= 1 && n <= t.Count && Expand(t.Name, t.Count, n-1) == name {
			return n - 1
		}
	}
	return -1
}
