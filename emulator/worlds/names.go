package worlds

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Pinned is the digest that a world gives in full: sha256: and 64 hex digits.
func Pinned(word string) (d [sha256.Size]byte, ok bool) {
	digits, ok := strings.CutPrefix(word, "sha256:")
	if !ok || len(digits) != 2*len(d) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(digits))
	return d, err == nil
}

// HasWord reports whether the digest of a tag is a word.
func (t *Tag) HasWord() bool {
	_, pinned := Pinned(t.Digest)
	return t.Digest != "" && !pinned
}

// Described reports whether a tag says what it holds.
func (t *Tag) Described() bool {
	return len(t.Labels) > 0 || len(t.Annotations) > 0 || len(t.Platforms) > 0 || len(t.Parts) > 0 || t.BuiltAge != 0
}

// CutDigest cuts a name before and after {digest:WORD}.
func CutDigest(name string) (before, word, after string, ok bool) {
	before, rest, ok := strings.Cut(name, "{digest:")
	if !ok {
		return name, "", "", false
	}
	word, after, ok = strings.Cut(rest, "}")
	return before, word, after, ok
}

// Repeat is how many objects an entry with that count makes.
func Repeat(count int) int { return max(1, count) }

// Expand is the n-th name (from zero) that an entry makes.
func Expand(pattern string, count, n int) string {
	if count == 0 {
		return pattern
	}
	return strings.ReplaceAll(pattern, "{n}", strconv.Itoa(n+1))
}

// tagName is what the OCI distribution specification allows as a tag. Names of
// namespaces and images are freer, so that a naming policy has something to find.
var tagName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// ValidTag reports whether a tag may have the name.
func ValidTag(name string) bool { return tagName.MatchString(name) }

// validName is ValidTag for names that may have {digest:WORD}.
func validName(name string) bool {
	if before, word, after, ok := CutDigest(name); ok && word != "" {
		name = before + strings.Repeat("0", 64) + after
	}
	return ValidTag(name)
}

// ValidImage reports whether an image may have the name. It refuses only what
// would make a reference ambiguous.
func ValidImage(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`:@?#%"\`, r) }) &&
		!strings.HasPrefix(name, "/") && !strings.HasSuffix(name, "/") && !strings.Contains(name, "//")
}

func validNamespace(name string) bool {
	return ValidImage(name) && !strings.Contains(name, "/")
}

func checkName(s string) (message, hint string) {
	if !validNamespace(s) {
		return fmt.Sprintf("is not a valid name: %q", s), nameHint
	}
	return "", ""
}

const nameHint = "write letters, digits, dots, dashes and underscores"

func (c checker) namespaces(list []Namespace) {
	seen := map[string]string{}
	for i := range list {
		ns, path := &list[i], fmt.Sprintf("namespaces[%d]", i)
		c.names(entry{path: path, name: ns.Name, count: ns.Count}, cmp.Or(ns.Region, Regions()[0]), seen, validNamespace)
		c.images(ns.Images, path)
	}
}

func (c checker) images(list []Image, within string) {
	seen := map[string]string{}
	for i := range list {
		img, path := &list[i], fmt.Sprintf("%s.images[%d]", within, i)
		c.names(entry{path, img.Name, img.Count, img.Step, max(img.Age, img.CreatedAge)}, "", seen, ValidImage)
		c.tags(img.Tags, path)
	}
}

func (c checker) tags(list []Tag, within string) {
	seen := map[string]string{}
	for i := range list {
		t, path := &list[i], fmt.Sprintf("%s.tags[%d]", within, i)
		c.names(entry{path, t.Name, t.Count, t.Step, max(t.Age, t.CreatedAge, t.BuiltAge)}, "", seen, validName)
	}
}

// others checks the names in the lists of other products.
func (c checker) others(w *World) {
	seen := map[string]string{}
	check := func(list string, i int, name string, count int, region, within string) {
		scope := list + "/" + cmp.Or(region, Regions()[0]) + "/" + within
		c.names(entry{path: fmt.Sprintf("%s[%d]", list, i), name: name, count: count}, scope, seen, validNamespace)
	}
	for i, x := range w.Containers {
		check("containers", i, x.Name, x.Count, x.Region, cmp.Or(x.Namespace, DefaultNamespace))
	}
	for i, x := range w.Jobs {
		check("jobs", i, x.Name, x.Count, x.Region, "")
	}
	for i, x := range w.Clusters {
		check("clusters", i, x.Name, x.Count, x.Region, "")
	}
}

// entry is what namespaces, images and tags have in common.
type entry struct {
	path, name string
	count      int
	step, age  time.Duration
}

// names checks every name that an entry makes, and that no other entry of the
// same scope has it.
func (c checker) names(e entry, scope string, seen map[string]string, valid func(string) bool) {
	path := e.path + ".name"
	if !c.Whole(e.path) || !c.Clean(path) || !c.Clean(e.path+".count") || !c.Clean(e.path+".step") {
		return
	}
	switch {
	case e.name == "":
		c.Report(path, "is missing", "every namespace, image, tag, container, job and cluster needs one")
		return
	case e.count > 1 && e.step > (math.MaxInt64-max(0, e.age))/time.Duration(e.count):
		c.Report(e.path+".step", fmt.Sprintf("is too long for %d steps", e.count), "keep the sum within 290 years")
		return
	case e.count > 1 && !strings.Contains(e.name, "{n}"):
		c.Report(path, fmt.Sprintf("would give %d objects the same name: %q", e.count, e.name), "put {n} into the name where its number goes")
		return
	case e.count == 0 && strings.Contains(e.name, "{n}"):
		c.Report(path, fmt.Sprintf("has {n}, but no count: %q", e.name), "say how many with count")
		return
	}
	for n := range Repeat(e.count) {
		name := Expand(e.name, e.count, n)
		if !valid(name) {
			c.Report(path, fmt.Sprintf("is not a valid name: %q", name), nameHint)
			return
		}
		key := scope + "/" + name
		if first, ok := seen[key]; ok {
			c.Report(path, fmt.Sprintf("is a duplicate: %q", name), "remove one of the two; see "+first)
			return
		}
		seen[key] = e.path
	}
}
