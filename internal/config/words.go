package config

import (
	"fmt"
	"strings"
)

// Sentence is one rule of a configuration in words, with the defaults filled in.
type Sentence struct {
	// Kind is the key under which the rule stands: "retention", "protect".
	Kind string `json:"kind"`
	// Name is the rule's name, and the key of what has none: "max_deletions".
	Name string `json:"name"`
	// Text says what it does: "deletes tags pr-* of every image once older than 14
	// days".
	Text string `json:"text"`
}

// Sentences say what the configuration does, in the order of the format; rules of
// one kind in that of the file.
func (c *Config) Sentences() []Sentence {
	var out []Sentence
	add := func(kind, name, format string, args ...any) {
		out = append(out, Sentence{kind, name, fmt.Sprintf(format, args...)})
	}
	for i := range c.Retention {
		add("retention", c.Retention[i].Name, "%s", c.Retention[i].words())
	}
	if c.Empty.Images != nil {
		add("empty", "images", "deletes images without tags once unchanged for %s", spell(c.Empty.Images.OlderThan))
	}
	if c.Empty.Namespaces != nil {
		add("empty", "namespaces", "deletes namespaces without images once unchanged for %s", spell(c.Empty.Namespaces.OlderThan))
	}
	for i := range c.Visibility {
		add("visibility", c.Visibility[i].Name, "%s", c.Visibility[i].words())
	}
	for i := range c.Naming {
		add("naming", c.Naming[i].Name, "%s", c.Naming[i].words())
	}
	c.protectWords(add)
	if c.Attachments.Orphans == "delete" {
		add("attachments", "orphans", "deletes signatures, attestations and bills of materials whose subject is gone; the others follow theirs")
	} else {
		add("attachments", "orphans", "keeps signatures, attestations and bills of materials whose subject is gone; the others follow theirs")
	}
	c.limitWords(add)
	for i := range c.Notifications {
		add("notifications", c.Notifications[i].Name, "%s", c.Notifications[i].words())
	}
	return out
}

func (c *Config) protectWords(add func(kind, name, format string, args ...any)) {
	if len(c.Protect.Tags) > 0 {
		add("protect", "tags", "keeps %s of every image, whatever the rules say", plural("tag", c.Protect.Tags))
	}
	if len(c.Protect.Digests) > 0 {
		add("protect", "digests", "keeps every tag of %s, whatever the rules say", plural("digest", c.Protect.Digests))
	}
	if c.Protect.ReferencesFile != "" {
		add("protect", "references_file", "keeps what %s names%s", c.Protect.referencesWords(), optionalWords(c.Protect.Optional.References))
	}
	if c.Protect.Serverless {
		add("protect", "serverless", "keeps what serverless containers and jobs use, and leaves out the namespaces of serverless functions (funcscw*)%s", optionalWords(c.Protect.Optional.Serverless))
	}
	for i := range c.Protect.Kubernetes {
		add("protect", "kubernetes", "%s", c.Protect.Kubernetes[i].words())
	}
}

func (p *Protect) referencesWords() string {
	if p.ReferencesFile == StandardInput {
		return "standard input"
	}
	return p.ReferencesFile
}

func (c *Config) limitWords(add func(kind, name, format string, args ...any)) {
	if c.Limits.MinAge.Duration() > 0 {
		add("limits", "min_age", "holds every deletion of what is younger than %s", spell(c.Limits.MinAge))
	}
	if n := c.Limits.KeepAtLeast; n > 0 {
		add("limits", "keep_at_least", "holds deletions until %s of every image %s", count(n, "ready tag"), verb(n, "stays", "stay"))
	}
	add("limits", "max_deletions", "refuses a plan with more than %s", count(c.Limits.MaxDeletions, "deletion"))
	add("limits", "max_deletion_percent", "refuses a plan that deletes more than %d %% of all tags, or of the tags of a namespace of 20 or more", c.Limits.MaxDeletionPercent)
	add("limits", "max_plan_age", "applies no plan older than %s", spell(c.Limits.MaxPlanAge))
	if c.Limits.Anomaly != "" {
		add("limits", "anomaly", "refuses a plan that deletes more than %s as much as the latest runs did", strings.TrimSuffix(c.Limits.Anomaly, "x")+" times")
	}
	if n := c.Limits.Canary; n > 0 {
		add("limits", "canary", "does the first %s of each kind one at a time", count(n, "step"))
	}
	add("limits", "max_failures", "skips the rest once %s in a row %s", count(c.Limits.MaxFailures, "step"), verb(c.Limits.MaxFailures, "fails", "fail"))
	if c.SharedDigest == "untag" {
		add("shared_digest", "untag", "deletes a tag even if a tag that stays has the same digest")
	} else {
		add("shared_digest", "protect", "holds every deletion of a tag whose digest a tag that stays has too")
	}
	if c.Grace.Duration() > 0 {
		add("grace", "grace", "holds every deletion until it has been due for %s", spell(c.Grace))
	}
}

func (r *Retention) words() string {
	what := r.Match.tagWords()
	var b strings.Builder
	kept := ""
	if r.Keep != nil {
		kept = r.Keep.words(r.Count)
	}
	switch {
	case r.Keep != nil && r.Keep.All:
		b.WriteString("keeps all " + what)
	case r.Keep != nil:
		b.WriteString("of " + what + ", keeps " + kept)
	default:
		b.WriteString("deletes " + what)
	}
	if r.Delete != nil && (r.Keep == nil || !r.Keep.All) {
		if r.Keep != nil {
			b.WriteString(", and deletes the others")
		}
		if r.Delete.OlderThan.Duration() > 0 {
			b.WriteString(" once older than " + spell(r.Delete.OlderThan))
		}
	}
	if r.Except != nil {
		b.WriteString(", except " + r.Except.tagWords())
	}
	if r.GroupBy != "" {
		b.WriteString("; each group of names by " + r.GroupBy + " counts for itself")
	}
	if r.By == "created_at" {
		b.WriteString("; age and order are by creation")
	}
	if !r.Enforce {
		b.WriteString("; shown, but never applied")
	}
	return b.String()
}

// words lists the criteria of keep.
func (k *Keep) words(counted string) string {
	var parts []string
	if k.Last > 0 {
		parts = append(parts, "the newest "+count(k.Last, strings.TrimSuffix(counted, "s")))
	}
	if k.Within.Duration() > 0 {
		parts = append(parts, "what is younger than "+spell(k.Within))
	}
	for _, period := range []struct {
		n    int
		name string
	}{{k.Hourly, "hour"}, {k.Daily, "day"}, {k.Weekly, "week"}, {k.Monthly, "month"}, {k.Yearly, "year"}} {
		switch {
		case period.n == 1:
			parts = append(parts, "the newest of the latest "+period.name+" with a tag")
		case period.n > 1:
			parts = append(parts, fmt.Sprintf("the newest of each of the latest %d %ss with a tag", period.n, period.name))
		}
	}
	if k.Semver != nil {
		parts = append(parts, k.Semver.words())
	}
	return list(parts, "and")
}

func (s *SemverKeep) words() string {
	limited := func(n int, name, of string) string {
		switch {
		case n == 0:
			return "every " + name + of
		case n == 1:
			return "the newest " + name + of
		}
		return fmt.Sprintf("the newest %d %ss", n, name) + of
	}
	text := limited(s.Patches, "patch version", " of ") + limited(s.Minors, "minor version", " of ") + limited(s.Majors, "major version", "")
	if s.Prereleases {
		text += ", pre-releases too"
	}
	return text
}

func (v *Visibility) words() string {
	text := fmt.Sprintf("requires %s to be %s", v.Match.subjectWords(v.Subject), v.Require)
	if v.Except != nil {
		text = fmt.Sprintf("requires %s, except %s, to be %s", v.Match.subjectWords(v.Subject), v.Except.subjectWords(v.Subject), v.Require)
	}
	switch {
	case v.Fix:
		return text + ", and makes them so"
	case v.Severity == "warn":
		return text + ", and warns of others"
	}
	return text + ", and denies others"
}

func (n *Naming) words() string {
	subject := func(m *Match) string {
		if n.Subject == "tag" {
			return m.tagWords()
		}
		return m.subjectWords(n.Subject)
	}
	text := "requires the names of " + subject(n.Match)
	if n.Except != nil {
		text += ", except " + subject(n.Except) + ","
	}
	text += " to match " + n.Pattern
	if n.Severity == "warn" {
		return text + ", and warns of others"
	}
	return text + ", and denies others"
}
