package lint

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// newestBy counts the rules that delete the newest push of an image. The steps are
// those of the plan, so what a guard holds does not count.
func (l *Linter) newestBy(v *registry.Verdict, steps []actions.Step) {
	subjects, i := v.Image.Subjects(), 0
	for i < len(subjects) && (subjects[i] != "" || v.Image.Tags[i].Status != registry.StatusReady) { // newest first
		i++
	}
	if i == len(subjects) || !slices.ContainsFunc(steps, func(s actions.Step) bool { return s.Action == actions.DeleteTag && s.Tag == v.Image.Tags[i].Name }) {
		return
	}
	for rule := range enforced(v.Tags[i].Delete) {
		if l.newest[rule] == nil {
			l.newest[rule] = &tally{}
		}
		l.newest[rule].add(1, v.Image.Ref(), v.Image.TagRef(v.Image.Tags[i].Name).String())
	}
}

func newestFinding(rule string, t *tally) runs.LintFinding {
	return runs.LintFinding{
		Kind: runs.LintDeletesNewest, Rule: rule, Tags: t.tags, Images: t.images, Examples: t.examples,
		Message: "it deletes the newest push of " + text.Count(t.images, "image"),
		Remedy:  "add keep: {last: 1} to the rule, or narrow its match",
	}
}

// cacheGlobs are the names that build caches usually have.
func cacheGlobs() []string { return []string{"buildcache*", "cache-*", "*-cache"} }

// cacheGlob is the glob of caches that a name matches, "" if none does.
func cacheGlob(name string) string {
	for _, glob := range cacheGlobs() {
		if ok, _ := path.Match(glob, name); ok { // the globs are valid
			return glob
		}
	}
	return ""
}

// cache counts a tag of a build cache that takes a place of keep.last.
func (r *rule) cache(v *registry.Verdict, i int, ref string) {
	glob := cacheGlob(v.Image.Tags[i].Name)
	if glob == "" || r.own || r.retention.Keep == nil || r.retention.Keep.Last == 0 {
		return
	}
	keeps := func(reason registry.Reason) bool { return reason.Rule == r.name }
	if !slices.ContainsFunc(v.Tags[i].Keep, keeps) {
		return
	}
	r.caches.add(1, v.Image.Ref(), ref)
	if !slices.Contains(r.cacheGlobs, glob) {
		r.cacheGlobs = append(r.cacheGlobs, glob)
	}
}

func (r *rule) cacheFinding() runs.LintFinding {
	t := &r.caches
	slices.Sort(r.cacheGlobs)
	var quoted []string
	for _, glob := range r.cacheGlobs {
		quoted = append(quoted, strconv.Quote(glob))
	}
	globs := strings.Join(quoted, ", ")
	f := runs.LintFinding{
		Kind: runs.LintCachesTakePlaces, Rule: r.name, Tags: t.tags, Images: t.images, Examples: t.examples,
		Message: text.Count(t.tags, "tag") + " of build caches " + text.Choose(t.tags, "takes a place", "take places") + " of its keep: {last: " + strconv.Itoa(r.retention.Keep.Last) + "}",
		Remedy:  "add except: {tags: [" + globs + "]} to the rule",
	}
	if except := r.retention.Except; except != nil {
		f.Remedy = "add " + globs + " to the tags of its except"
		if !onlyTags(except) {
			f.Remedy = "narrow its match so that it leaves " + globs + " out"
		}
	}
	return f
}

// onlyTags reports whether another glob in the tags of an except takes more out: the
// fields of one except combine with AND.
func onlyTags(m *rules.Match) bool {
	return len(m.Namespaces)+len(m.Images)+len(m.ProjectIDs)+len(m.Labels)+len(m.Platforms)+len(m.Kind) == 0 && m.TagsRegex == "" && m.Semver == "" && m.OlderThan.Duration() == 0 && m.YoungerThan.Duration() == 0
}
