package config

// Match selects namespaces, images or tags. Its fields combine with AND, the
// entries of one list with OR; an absent field takes everything.
type Match struct {
	Namespaces  []string `yaml:"namespaces,omitempty" is:"name-glob"`
	Images      []string `yaml:"images,omitempty" is:"glob"`
	Tags        []string `yaml:"tags,omitempty" is:"name-glob"`
	TagsRegex   string   `yaml:"tags_regex,omitempty" is:"regex"` // anchored at both ends
	Semver      string   `yaml:"semver,omitempty" is:"range"`     // "*" is every version
	ProjectIDs  []string `yaml:"project_ids,omitempty" is:"uuid"`
	OlderThan   Duration `yaml:"older_than,omitempty" positive:"yes"`
	YoungerThan Duration `yaml:"younger_than,omitempty" positive:"yes"`
}

// Retention is a rule that keeps tags, condemns tags, or both.
type Retention struct {
	Name   string `yaml:"name"` // default: the words of the match
	Match  *Match `yaml:"match" need:"say which tags the rule is about, such as match: {tags: [\"pr-*\"]}" fill:"say which tags the rule is about, such as match: {tags: [\"pr-*\"]}"`
	Except *Match `yaml:"except,omitempty" fill:"say what the rule leaves out, or remove the key"`
	By     string `yaml:"by" one:"updated_at|created_at"`
	Count  string `yaml:"count" one:"digests|tags"` // what keep.last counts
	// GroupBy is a regular expression, anchored at both ends. What its group named
	// "group", or else its first one, takes of a tag's name is the name of the
	// tag's group, and each group has its own counts.
	GroupBy string  `yaml:"group_by,omitempty" is:"group"`
	Keep    *Keep   `yaml:"keep,omitempty" null:"write keep: {last: 10}, or remove the key"`
	Delete  *Delete `yaml:"delete,omitempty" null:"write delete: {older_than: 14d}, delete: {} for all that keep does not keep, or remove the key"`
	// Enforce is false for a rule whose deletions are shown but never applied.
	Enforce bool `yaml:"enforce"`
}

// Keep says which of the matched tags a rule keeps: those that any of its
// criteria takes. Hourly to Yearly keep the newest tag of each of the latest so
// many periods that hold one.
type Keep struct {
	Last    int         `yaml:"last,omitempty" min:"1"`
	Within  Duration    `yaml:"within,omitempty" positive:"yes"`
	All     bool        `yaml:"all"`
	Hourly  int         `yaml:"hourly" min:"0"`
	Daily   int         `yaml:"daily" min:"0"`
	Weekly  int         `yaml:"weekly" min:"0"`
	Monthly int         `yaml:"monthly" min:"0"`
	Yearly  int         `yaml:"yearly" min:"0"`
	Semver  *SemverKeep `yaml:"semver,omitempty" fill:"say how many: semver: {majors: 2, minors: 3, patches: 2}"`
}

// SemverKeep keeps the newest patches of the newest minors of the newest majors.
// 0 is no limit. Without Prereleases a pre-release is no release: it is neither
// kept nor counted.
type SemverKeep struct {
	Majors      int  `yaml:"majors,omitempty" min:"1"`
	Minors      int  `yaml:"minors,omitempty" min:"1"`
	Patches     int  `yaml:"patches,omitempty" min:"1"`
	Prereleases bool `yaml:"prereleases"`
}

// Delete condemns the matched tags that the rule does not keep itself, and that
// are at least this old. OlderThan 0 is no condition.
type Delete struct {
	OlderThan Duration `yaml:"older_than"`
}

// Empty condemns what is provably empty. nil is off.
type Empty struct {
	Images     *EmptyRule `yaml:"images,omitempty" null:"write images: {older_than: 7d}, or remove the key"`
	Namespaces *EmptyRule `yaml:"namespaces,omitempty" null:"write namespaces: {older_than: 30d}, or remove the key"`
}

// EmptyRule says since when something must have been left alone.
type EmptyRule struct {
	OlderThan Duration `yaml:"older_than" need:"say how long it must have been left alone, such as older_than: 30d"`
}

// Visibility is a rule on who may pull.
type Visibility struct {
	Name    string `yaml:"name"` // default: the words of the match
	Subject string `yaml:"subject" one:"image|namespace" need:"say what the rule is about: image or namespace"`
	Match   *Match `yaml:"match" need:"say what the rule is about, such as match: {namespaces: [\"*\"]}" fill:"say what the rule is about, such as match: {namespaces: [\"*\"]}"`
	Except  *Match `yaml:"except,omitempty" fill:"say what the rule leaves out, or remove the key"`
	Require string `yaml:"require" one:"private|public|inherit" need:"say which visibility it must have: private, public or inherit"`
	// Fix plans the change; without it a breach is a violation.
	Fix bool `yaml:"fix"`
	// Severity is "deny" or "warn"; "" where Fix makes it needless.
	Severity string `yaml:"severity,omitempty" one:"deny|warn"`
}

// Naming is a rule on names.
type Naming struct {
	Name     string `yaml:"name"` // default: the subject and the pattern
	Subject  string `yaml:"subject" one:"namespace|image|tag" need:"say whose names: namespace, image or tag"`
	Match    *Match `yaml:"match,omitempty" fill:"say what the rule is about, or remove the key for everything"`
	Except   *Match `yaml:"except,omitempty" fill:"say what the rule leaves out, or remove the key"`
	Pattern  string `yaml:"pattern" is:"regex" need:"say how names must look, such as pattern: '[a-z0-9-]+'"` // anchored at both ends
	Severity string `yaml:"severity" one:"deny|warn"`
}

func (r *Retention) Defaults() { r.By, r.Count, r.Enforce = "updated_at", "digests", true }

func (n *Naming) Defaults() { n.Severity = "deny" }
