package propose

import (
	"regexp"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// shape is a kind of tag name, and the rule that is proposed for it. The shape of a
// name is the first of shapes that matches it.
type shape struct {
	name string // of the group and of its rule
	why  string // what the rule does, and for what reason

	// words are the beginnings that the pattern has in place of "%s". A rule names only
	// those that the registry has, and counts each of them separately.
	words   []string
	pattern string // a regular expression, anchored; without dots in what is deleted
	except  string // another one, for names that belong to other shapes
	semver  bool   // the names are semantic versions, and no pattern is needed

	keep, delete string // as janitor.yaml has them; "" is absent

	match, leave *regexp.Regexp // compiled
}

// The words for what is built, in lower case.
var (
	// branches live for as long as the project.
	branches = []string{"main", "master", "trunk", "mainline", "develop", "development", "devel", "dev"}
	// environments are branches too, but with a number they may be places: staging-2.
	environments = []string{"staging", "stage", "integration", "edge", "canary"}
	// builders name builds, not branches.
	builders = []string{"nightly", "daily", "snapshot", "build", "ci", "job", "run", "pipeline"}
	previews = []string{"pr", "mr", "pull", "pull-request", "merge-request", "preview", "review", "PR", "MR"}
	// releases name what may be deployed, or given to customers.
	releases = []string{"release", "releases", "rel", "stable", "prod", "production", "live", "lts", "hotfix", "rc"}
	commits  = []string{"", "sha-", "sha_", "git-", "git_", "commit-", "commit_"}
)

const (
	commit   = `[0-9a-f]{7,40}`
	day      = `(0[1-9]|[12][0-9]|3[01])`
	month    = `(0[1-9]|1[0-2])`
	year     = `(19|20)[0-9]{2}`
	cache    = `(build[-_]?)?cache`
	platform = `(linux[-_])?(amd64|arm64|aarch64|x86_64|x86-64|armhf|armel|arm|arm32v[5-7]|arm64v8|i386|ppc64le|s390x|riscv64|loong64|mips64le)([-_]?v[2-8])?`
	// short versions have no dot: v2, 16, 16-alpine.
	short = `v[0-9].*|[0-9]{1,3}([-_].*)?`
	// calendar and semantic are versions with dots, the second as a pattern, which also
	// matches a few names that are almost versions.
	calendar = `v?` + year + `\.(0?[1-9]|1[0-2])([._-].*)?`
	semantic = `v?[0-9]+\.[0-9]+\.[0-9]+(-.*)?(_.*)?`
	// built is a rule for the builds of something that is still developed.
	built = `{last: 10, within: 30d}`
)

// The names of the shapes of versions, whose rules leave each other's names out.
const (
	calendarVersions = "calendar versions"
	semanticVersions = "releases"
	otherVersions    = "other versions"
)

// shapes lists the shapes, those that are kept first. It panics if a pattern of this
// file is not valid.
func shapes() []*shape {
	all := []*shape{
		{
			name: calendarVersions, pattern: calendar, keep: `{all: true}`,
			why: "They are all kept: the registry does not show who still needs a release.",
		}, {
			name: semanticVersions, semver: true, except: calendar, keep: `{all: true}`,
			why: "They are all kept: the registry does not show who still needs a release. To keep fewer, write keep: {semver: {majors: 2, minors: 3, patches: 2}} and delete: {older_than: 90d}.",
		}, {
			name: otherVersions, pattern: short + `|.*[0-9]\.[0-9].*`, except: semantic + "|" + calendar, keep: `{all: true}`,
			why: "They look like versions, so they are all kept.",
		}, {
			name: "build caches", pattern: cache + `([-_][^.]*)?|[^.]*[-_]` + cache, keep: `{within_newest: 14d}`, delete: `{older_than: 30d}`,
			why: "They are deleted when no build has written them for 30 days. Each image keeps its newest ones.",
		}, {
			name: "tags of one platform", pattern: `[^.]*[-_]` + platform, except: short + "|" + cache + ".*", keep: `{all: true}`,
			why: "They are all kept, because each can be a part of a multi-arch image that is kept.",
		},
	}
	all = slices.Concat(all, pullRequests(), numbered(), dated(), byCommit())
	for _, s := range all {
		s.compile()
	}
	return all
}

func pullRequests() []*shape {
	words := slices.Concat(previews, separated(previews))
	return []*shape{
		{
			name: "pull request builds", words: words, pattern: `%s[0-9]+`, keep: `{last: 1}`, delete: `{older_than: 14d}`,
			why: "They are deleted 14 days after their last push. Each image keeps its newest one.",
		}, {
			name: "pull request builds by commit", words: words, pattern: `%s[0-9]+([-_][0-9a-f]+)+`, keep: `{last: 1}`, delete: `{older_than: 14d}`,
			why: "They are deleted 14 days after their last push. Each image keeps its newest one.",
		},
	}
}

// builtWhy is what the rules for builds do.
const builtWhy = "Each image keeps the newest ten, and those of the last 30 days."

func numbered() []*shape {
	return []*shape{{
		name: "numbered builds", words: separated(slices.Concat(branches, builders)), pattern: `%s([0-9]{1,7}|[0-9]{9,11})`, keep: built, delete: `{}`, why: builtWhy,
	}}
}

// dated are the shapes of names with a day, perhaps with a time, a number or a commit.
func dated() []*shape {
	words := append([]string{""}, separated(slices.Concat(branches, builders))...)
	var all []*shape
	for _, form := range []struct{ name, day, time string }{
		{"dated builds", year + month + day, `[-_T]?[0-9]{4}([0-9]{2})?Z?`},
		{"dated builds with dashes", year + `[-_]` + month + `[-_]` + day, `[-_T][0-9]{2}[-_]?[0-9]{2}([-_]?[0-9]{2})?Z?`},
	} {
		for _, more := range []struct{ name, pattern string }{
			{"", form.day}, {", by time", form.day + form.time}, {", by number or commit", form.day + `([-_][0-9]{1,3}|(` + form.time + ")?[-_]" + commit + ")"},
		} {
			all = append(all, &shape{
				name: form.name + more.name, words: words, pattern: "%s" + more.pattern, keep: `{last: 10, within: 30d, monthly: 6}`, delete: `{}`,
				why: "Each image keeps the newest ten, those of the last 30 days, and one a month for half a year.",
			})
		}
	}
	return all
}

// byCommit are the shapes of names that end in a commit. Names with digits or letters
// alone in its place are others.
func byCommit() []*shape {
	main, digits := separated(slices.Concat(branches, environments)), `[a-z]+[-_][0-9]+([-_][0-9]+)*`
	words := `([a-z]+[-_])?([0-9]+|[a-f]+)([-_][0-9]+)?`
	others := strings.Join(slices.Concat(branches, environments, builders, releases, []string{"sha", "git", "commit"}), "|")
	return []*shape{
		{name: "branch builds", words: main, pattern: `%s` + commit, except: digits, keep: built, delete: `{}`, why: builtWhy},
		{name: "branch builds by number and commit", words: main, pattern: `%s[0-9]{1,7}[-_]` + commit, except: digits, keep: built, delete: `{}`, why: builtWhy},
		{name: "branch builds by commit and number", words: main, pattern: `%s` + commit + `[-_][0-9]{1,11}`, except: digits, keep: built, delete: `{}`, why: builtWhy},
		{name: "builds of commits", words: commits, pattern: `%s` + commit, except: words, keep: built, delete: `{}`, why: builtWhy},
		{name: "builds of commits by number", words: commits, pattern: `%s` + commit + `[-_][0-9]{1,11}`, except: words, keep: built, delete: `{}`, why: builtWhy},
		{
			name: "builds of other branches", pattern: `(?P<group>[A-Za-z][A-Za-z0-9_-]*[-_])` + commit,
			except: `(v[0-9]|(` + strings.Join(previews, "|") + `)[-_]?[0-9]|` + cache + `|(` + others + `)[-_]).*|.*[-_]([0-9]+|[a-f]+)`,
			keep:   `{last: 1, within: 30d}`, delete: `{}`,
			why: "Each image keeps the newest one of each branch, and those of the last 30 days. Without group_by, the builds of branches that are gone are deleted too. Tags that except matches have another rule, or none.",
		},
	}
}

// separated are words with each separator behind them.
func separated(words []string) []string {
	var out []string
	for _, w := range words {
		out = append(out, w+"-", w+"_")
	}
	return out
}

func (s *shape) compile() {
	if s.except != "" {
		s.leave = mustAnchor(s.except)
	}
	if !s.semver {
		s.match = mustAnchor(strings.Replace(s.pattern, "%s", "("+alternatives(s.words)+")", 1))
	}
}

func mustAnchor(pattern string) *regexp.Regexp {
	r, err := rules.Anchored(pattern)
	if err != nil {
		panic(err) // a pattern of this file
	}
	return r
}

// alternatives are words as part of a pattern.
func alternatives(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = regexp.QuoteMeta(w)
	}
	return strings.Join(quoted, "|")
}

// matches reports whether a name has the shape, and with which of its words.
func (s *shape) matches(name string) (word string, ok bool) {
	if s.leave != nil && s.leave.MatchString(name) {
		return "", false
	}
	if s.semver {
		return "", rules.ParseVersion(name) != nil
	}
	at := s.match.FindStringSubmatchIndex(name)
	if at == nil || s.words == nil {
		return "", at != nil
	}
	return name[at[2]:at[3]], true
}

// deletes reports whether the rule of the shape deletes anything.
func (s *shape) deletes() bool { return s.delete != "" }

// regex is the pattern of a rule, for the words that there are. A rule with several
// counts each separately.
func (s *shape) regex(words []string) (pattern string, grouped bool) {
	if s.words == nil {
		return s.pattern, strings.Contains(s.pattern, "?P<group>")
	}
	if len(words) == 1 {
		return strings.Replace(s.pattern, "%s", regexp.QuoteMeta(words[0]), 1), false
	}
	return strings.Replace(s.pattern, "%s", "(?P<group>"+alternatives(words)+")", 1), true
}
