package emulator

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxCount bounds what one entry with a count makes, so that a slip of the
// finger does not eat the machine's memory.
const maxCount = 10_000_000

func regionNames() []string { return []string{"fr-par", "nl-ams", "pl-waw"} }

func knownStatuses() []string {
	return []string{"unknown", statusReady, statusDeleting, "error", statusLocked}
}

func knownVisibilities() []string {
	return []string{visibilityInherit, visibilityPublic, visibilityPrivate, visibilityUnknown}
}

// tagName is what the OCI distribution specification allows as a tag. Names of
// namespaces and images are taken more freely, so that a naming policy has
// something to find.
var (
	tagName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	newStatus  = regexp.MustCompile(`^[a-z][a-z_]*$`)
	methodName = regexp.MustCompile(`^[A-Z]*$`)
)

// validator collects what is wrong with a world that has the right shape.
type validator struct {
	problems []problem
}

func validate(w *World) []problem {
	var v validator
	v.settings(&w.Settings)
	for i := range w.Faults {
		v.fault(&w.Faults[i], fmt.Sprintf("faults[%d]", i))
	}
	v.namespaces(w.Namespaces)
	v.serverless(w)
	return v.problems
}

func (v *validator) add(path, text, hint string) {
	v.problems = append(v.problems, problem{path: path, text: text, hint: hint})
}

func (v *validator) settings(s *Settings) {
	v.word("settings.shared_digest", s.SharedDigest, sharedReject, sharedUntag, sharedCascade)
	v.word("settings.delete_again", s.DeleteAgain, againAccept, againNotFound, againConflict)
	v.word("settings.empty_images", s.EmptyImages, emptyKeep, emptyRemove)
	v.word("settings.oversize_page", s.OversizePage, oversizeReject, oversizeClamp)
	v.atLeastZero("settings.latency", int64(s.Latency))
	v.atLeastZero("settings.delete_delay", int64(s.DeleteDelay))
	v.atLeastZero("settings.rate_limit", int64(s.RateLimit))
	v.atLeastZero("settings.inline_tags", int64(s.InlineTags))
	if s.PageSizeDefault < 0 || s.PageSizeDefault > maxPageSize {
		v.add("settings.page_size_default", fmt.Sprintf("%d is out of range", s.PageSizeDefault), "1 to 100")
	}
	v.uuid("settings.organization_id", s.OrganizationID)
	v.uuid("settings.project_id", s.ProjectID)
}

func (v *validator) namespaces(list []Namespace) {
	seen := map[string]string{}
	for i := range list {
		ns := &list[i]
		path := fmt.Sprintf("namespaces[%d]", i)
		v.word(path+".region", ns.Region, regionNames()...)
		v.status(path+".status", ns.Status)
		v.uuid(path+".project_id", ns.ProjectID)
		v.uuid(path+".organization_id", ns.OrganizationID)
		v.names(entry{path: path, name: ns.Name, count: ns.Count}, regionOf(ns)+"/", seen, validNamespace)
		v.images(ns.Images, path)
	}
}

func (v *validator) images(list []Image, within string) {
	seen := map[string]string{}
	for i := range list {
		img := &list[i]
		path := fmt.Sprintf("%s.images[%d]", within, i)
		v.word(path+".visibility", img.Visibility, knownVisibilities()...)
		v.status(path+".status", img.Status)
		v.atLeastZero(path+".size", int64(img.Size))
		v.names(entry{path, img.Name, img.Count, img.Step, max(img.Age, img.CreatedAge)}, "", seen, validImage)
		v.tags(img.Tags, path)
	}
}

func (v *validator) tags(list []Tag, within string) {
	seen := map[string]string{}
	for i := range list {
		t := &list[i]
		path := fmt.Sprintf("%s.tags[%d]", within, i)
		v.status(path+".status", t.Status)
		v.atLeastZero(path+".size", int64(t.Size))
		v.names(entry{path, t.Name, t.Count, t.Step, max(t.Age, t.CreatedAge)}, "", seen, tagName.MatchString)
	}
}

// entry is what namespaces, images and tags have in common.
type entry struct {
	path, name string
	count      int
	step, age  time.Duration
}

// names checks every name that an entry makes, and that nothing else has it.
func (v *validator) names(e entry, scope string, seen map[string]string, valid func(string) bool) {
	v.atLeastZero(e.path+".step", int64(e.step))
	switch {
	case e.name == "":
		v.add(e.path+".name", "is missing", "every namespace, image and tag needs one")
		return
	case e.count < 0 || e.count > maxCount:
		v.add(e.path+".count", fmt.Sprintf("%d is out of range", e.count), fmt.Sprintf("0 to %d", maxCount))
		return
	case e.count > 1 && e.step > (math.MaxInt64-max(0, e.age))/time.Duration(e.count):
		v.add(e.path+".step", fmt.Sprintf("%d steps are too long a duration", e.count), "290 years at most")
		return
	case e.count > 1 && !strings.Contains(e.name, "{n}"):
		v.add(e.path+".name", strconv.Quote(e.name)+" would be made more than once", "put {n} into the name where its number goes")
		return
	case e.count == 0 && strings.Contains(e.name, "{n}"):
		v.add(e.path+".name", strconv.Quote(e.name)+" has {n} but no count", "say how many with count")
		return
	}
	for n := range repeat(e.count) {
		name := expand(e.name, e.count, n)
		if !valid(name) {
			v.add(e.path+".name", strconv.Quote(name)+" is no valid name", "letters, digits, dots, dashes and underscores")
			return
		}
		if first, ok := seen[scope+name]; ok {
			v.add(e.path+".name", strconv.Quote(name)+" is there already", "see "+first)
			return
		}
		seen[scope+name] = e.path
	}
}

func (v *validator) word(path, value string, words ...string) {
	if value != "" && !slices.Contains(words, value) {
		v.add(path, strconv.Quote(value)+" is unknown", suggest(value, words))
	}
}

// status accepts words that the API does not have yet, because clients have to
// cope with them, but not what looks like a misspelling of one that it has.
func (v *validator) status(path, value string) {
	if value == "" || slices.Contains(knownStatuses(), value) {
		return
	}
	if nearest(value, knownStatuses()) != "" || !newStatus.MatchString(value) {
		v.add(path, strconv.Quote(value)+" is unknown", suggest(value, knownStatuses()))
	}
}

func (v *validator) uuid(path, value string) {
	if value == "" {
		return
	}
	if _, ok := parseUUID(value); !ok {
		v.add(path, strconv.Quote(value)+" is no UUID", "such as 11111111-2222-4333-8444-555555555555")
	}
}

func (v *validator) atLeastZero(path string, value int64) {
	if value < 0 {
		v.add(path, "is negative", "zero or more")
	}
}

// repeat is how many objects an entry with that count makes.
func repeat(count int) int { return max(1, count) }

// expand is the n-th name (from zero) that an entry makes.
func expand(pattern string, count, n int) string {
	if count == 0 {
		return pattern
	}
	return strings.ReplaceAll(pattern, "{n}", strconv.Itoa(n+1))
}

func regionOf(ns *Namespace) string {
	if ns.Region == "" {
		return regionNames()[0]
	}
	return ns.Region
}

func validNamespace(name string) bool {
	return validImage(name) && !strings.Contains(name, "/")
}

// validImage refuses only what would make a reference ambiguous.
func validImage(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`:@?#%"\`, r) }) &&
		!strings.HasPrefix(name, "/") && !strings.HasSuffix(name, "/") && !strings.Contains(name, "//")
}
