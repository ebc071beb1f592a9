package rules

import (
	"encoding/json"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// Match selects namespaces, images or tags. Its fields combine with AND, the
// entries of one list with OR; an absent field matches everything.
type Match struct {
	Namespaces  []string            `yaml:"namespaces,omitempty" json:"namespaces,omitempty" is:"name-glob"`
	Images      []string            `yaml:"images,omitempty" json:"images,omitempty" is:"glob"`
	Tags        []string            `yaml:"tags,omitempty" json:"tags,omitempty" is:"name-glob"`
	TagsRegex   string              `yaml:"tags_regex,omitempty" json:"tags_regex,omitempty" is:"regex"` // anchored at both ends
	Semver      string              `yaml:"semver,omitempty" json:"semver,omitempty" is:"range"`         // "*" is every version
	ProjectIDs  []string            `yaml:"project_ids,omitempty" json:"project_ids,omitempty" is:"uuid"`
	OlderThan   strictyaml.Duration `yaml:"older_than,omitempty" json:"older_than,omitempty" positive:"yes"`
	YoungerThan strictyaml.Duration `yaml:"younger_than,omitempty" json:"younger_than,omitempty" positive:"yes"`
	// Labels are globs over the values of labels, all of which the content of a tag must
	// have. Platforms are "os/architecture", for every variant, or with one.
	Labels    map[string]string `yaml:"labels,omitempty" json:"labels,omitempty" is:"value-glob"`
	Platforms []string          `yaml:"platforms,omitempty" json:"platforms,omitempty" is:"platform"`
	Kind      []string          `yaml:"kind,omitempty" json:"kind,omitempty" is:"kind"`
}

// Retention is a rule that keeps tags, marks tags for deletion, or both.
type Retention struct {
	Name   string `yaml:"name" json:"name"` // default: the words of the match
	Match  *Match `yaml:"match" json:"match" need:"say which tags the rule is about, such as match: {tags: [\"pr-*\"]}" fill:"say which tags the rule is about, such as match: {tags: [\"pr-*\"]}"`
	Except *Match `yaml:"except,omitempty" json:"except,omitempty" fill:"say what the rule leaves out, or remove the key"`
	By     string `yaml:"by" json:"by" one:"updated_at|created_at|built_at"`
	Count  string `yaml:"count" json:"count" one:"digests|tags"` // what keep.last counts
	// GroupBy is a regular expression, anchored at both ends. Its capture group
	// named "group", or else its first one, captures the name of the tag's group
	// from the name of the tag. Each group has its own counts.
	GroupBy string `yaml:"group_by,omitempty" json:"group_by,omitempty" is:"group"`
	// Version is a regular expression, anchored at both ends. Its capture group
	// named "version", or else its first one, captures the version from the name of
	// a tag. Names that it does not match are not versions.
	Version string  `yaml:"version,omitempty" json:"version,omitempty" is:"version"`
	Keep    *Keep   `yaml:"keep,omitempty" json:"keep,omitempty" null:"write keep: {last: 10}, or remove the key"`
	Delete  *Delete `yaml:"delete,omitempty" json:"delete,omitempty" null:"write delete: {older_than: 14d}, delete: {} for all that keep does not keep, or remove the key"`
	// Enforce is false for a rule whose deletions are shown but never applied.
	Enforce bool `yaml:"enforce" json:"enforce"`
}

// Keep selects the matched tags that a rule keeps: those that meet any of its
// criteria. Hourly to Yearly keep the newest tag of each of the latest N periods
// that hold one.
type Keep struct {
	Last   int                 `yaml:"last,omitempty" json:"last,omitempty" min:"1"`
	Within strictyaml.Duration `yaml:"within,omitempty" json:"within,omitempty" positive:"yes"`
	// WithinNewest counts back from the newest matched tag of each group, not from now.
	WithinNewest strictyaml.Duration `yaml:"within_newest,omitempty" json:"within_newest,omitempty" positive:"yes"`
	All          bool                `yaml:"all" json:"all"`
	Hourly       int                 `yaml:"hourly" json:"hourly" min:"0"`
	Daily        int                 `yaml:"daily" json:"daily" min:"0"`
	Weekly       int                 `yaml:"weekly" json:"weekly" min:"0"`
	Monthly      int                 `yaml:"monthly" json:"monthly" min:"0"`
	Yearly       int                 `yaml:"yearly" json:"yearly" min:"0"`
	Semver       *SemverKeep         `yaml:"semver,omitempty" json:"semver,omitempty" fill:"say how many: semver: {majors: 2, minors: 3, patches: 2}"`
}

// IsSemverOnly reports whether versions are the only criterion. Such a rule is about
// nothing but versions: it cannot order other tags.
func (k *Keep) IsSemverOnly() bool {
	return k != nil && k.Semver != nil && *k == Keep{Semver: k.Semver}
}

// SemverKeep keeps the newest patches of the newest minors of the newest majors, and
// the highest versions. 0 does not limit, but 0 versions are none.
type SemverKeep struct {
	Majors      int         `yaml:"majors,omitempty" json:"majors,omitempty" min:"1"`
	Minors      int         `yaml:"minors,omitempty" json:"minors,omitempty" min:"1"`
	Patches     int         `yaml:"patches,omitempty" json:"patches,omitempty" min:"1"`
	Versions    int         `yaml:"versions,omitempty" json:"versions,omitempty" min:"1"`
	Prereleases Prereleases `yaml:"prereleases" json:"prereleases" one:"follow|true|false"`
}

// Prereleases says what becomes of pre-releases.
type Prereleases string

const (
	// Follow is the default: a pre-release takes no place, and is kept while its
	// release is, or while it is higher than every release that is kept.
	Follow Prereleases = "follow"
	// Ranked pre-releases are patches like others, each before its release.
	Ranked Prereleases = "true"
	// Never keeps a pre-release.
	Never Prereleases = "false"
)

// UnmarshalJSON reads a boolean as its word.
func (p *Prereleases) UnmarshalJSON(raw []byte) error {
	*p = Prereleases(strings.Trim(string(raw), `"`))
	return nil
}

// Plain is the value as a document has it: a boolean, or "follow".
func (p Prereleases) Plain() any {
	if p == Ranked || p == Never {
		return p == Ranked
	}
	return string(p)
}

// ByLine reports whether the newest of majors, minors or patches are kept.
func (s *SemverKeep) ByLine() bool { return s.Versions == 0 || s.Majors+s.Minors+s.Patches > 0 }

// Delete marks the matched tags that the rule does not keep itself and that are at
// least this old. OlderThan 0 is not a condition. OlderThanLabel is the label that has
// another age limit, see Expiry: a tag without it is not marked.
type Delete struct {
	OlderThan      strictyaml.Duration `yaml:"older_than" json:"older_than"`
	OlderThanLabel string              `yaml:"older_than_label,omitempty" json:"older_than_label,omitempty"`
}

// Empty marks what is provably empty for deletion. nil is off.
type Empty struct {
	Images     *EmptyRule `yaml:"images,omitempty" json:"images,omitempty" null:"write images: {older_than: 7d}, or remove the key"`
	Namespaces *EmptyRule `yaml:"namespaces,omitempty" json:"namespaces,omitempty" null:"write namespaces: {older_than: 30d}, or remove the key"`
}

// EmptyRule is how long something must have been unchanged.
type EmptyRule struct {
	OlderThan strictyaml.Duration `yaml:"older_than" json:"older_than" need:"say how long it must have been left alone, such as older_than: 30d"`
}

// Visibility is a rule on who may pull.
type Visibility struct {
	Name    string `yaml:"name" json:"name"` // default: the words of the match
	Subject string `yaml:"subject" json:"subject" one:"image|namespace" need:"say what the rule is about: image or namespace"`
	Match   *Match `yaml:"match" json:"match" need:"say what the rule is about, such as match: {namespaces: [\"*\"]}" fill:"say what the rule is about, such as match: {namespaces: [\"*\"]}"`
	Except  *Match `yaml:"except,omitempty" json:"except,omitempty" fill:"say what the rule leaves out, or remove the key"`
	Require string `yaml:"require" json:"require" one:"private|public|inherit" need:"say which visibility it must have: private, public or inherit"`
	// Fix plans the change; without it, anything else is a violation.
	Fix bool `yaml:"fix" json:"fix"`
	// Severity is "deny" or "warn"; "" where Fix makes it needless.
	Severity string `yaml:"severity,omitempty" json:"severity,omitempty" one:"deny|warn"`
}

// Naming is a rule on names.
type Naming struct {
	Name     string `yaml:"name" json:"name"` // default: the subject and the pattern
	Subject  string `yaml:"subject" json:"subject" one:"namespace|image|tag" need:"say whose names: namespace, image or tag"`
	Match    *Match `yaml:"match,omitempty" json:"match,omitempty" fill:"say what the rule is about, or remove the key for everything"`
	Except   *Match `yaml:"except,omitempty" json:"except,omitempty" fill:"say what the rule leaves out, or remove the key"`
	Pattern  string `yaml:"pattern" json:"pattern" is:"regex" need:"say how names must look, such as pattern: '[a-z0-9-]+'"` // anchored at both ends
	Severity string `yaml:"severity" json:"severity" one:"deny|warn"`
}

// Defaults fills in what a rule has unless the file sets it.
func (r *Retention) Defaults() { r.By, r.Count, r.Enforce = "updated_at", "digests", true }

// Defaults fills in what a rule has unless the file sets it.
func (n *Naming) Defaults() { n.Severity = "deny" }

// Defaults fills in what a keep has unless the file says otherwise.
func (s *SemverKeep) Defaults() { s.Prereleases = Follow }

// UnmarshalJSON reads a rule with its defaults.
func (r *Retention) UnmarshalJSON(raw []byte) error {
	type plain Retention
	r.Defaults()
	return json.Unmarshal(raw, (*plain)(r))
}
