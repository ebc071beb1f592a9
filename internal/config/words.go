package config

import (
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/rules"
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
		add("retention", c.Retention[i].Name, "%s", c.Retention[i].Sentence())
	}
	if c.Empty.Images != nil {
		add("empty", "images", "deletes images without tags once unchanged for %s", c.Empty.Images.OlderThan.Words())
	}
	if c.Empty.Namespaces != nil {
		add("empty", "namespaces", "deletes namespaces without images once unchanged for %s", c.Empty.Namespaces.OlderThan.Words())
	}
	for i := range c.Visibility {
		add("visibility", c.Visibility[i].Name, "%s", c.Visibility[i].Sentence())
	}
	for i := range c.Naming {
		add("naming", c.Naming[i].Name, "%s", c.Naming[i].Sentence())
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
		add("protect", "tags", "keeps %s of every image, whatever the rules say", rules.Named("tag", c.Protect.Tags))
	}
	if len(c.Protect.Digests) > 0 {
		add("protect", "digests", "keeps every tag of %s, whatever the rules say", rules.Named("digest", c.Protect.Digests))
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
		add("limits", "min_age", "holds every deletion of what is younger than %s", c.Limits.MinAge.Words())
	}
	if n := c.Limits.KeepAtLeast; n > 0 {
		add("limits", "keep_at_least", "holds deletions until %s of every image %s", text.Count(n, "ready tag"), text.Choose(n, "stays", "stay"))
	}
	add("limits", "max_deletions", "refuses a plan with more than %s", text.Count(c.Limits.MaxDeletions, "deletion"))
	add("limits", "max_deletion_percent", "refuses a plan that deletes more than %d %% of all tags, or of the tags of a namespace of 20 or more", c.Limits.MaxDeletionPercent)
	add("limits", "max_plan_age", "applies no plan older than %s", c.Limits.MaxPlanAge.Words())
	if c.Limits.Anomaly != "" {
		add("limits", "anomaly", "refuses a plan that deletes more than %s as much as the latest runs did", strings.TrimSuffix(c.Limits.Anomaly, "x")+" times")
	}
	if n := c.Limits.Canary; n > 0 {
		add("limits", "canary", "does the first %s of each kind one at a time", text.Count(n, "step"))
	}
	add("limits", "max_failures", "skips the rest once %s in a row %s", text.Count(c.Limits.MaxFailures, "step"), text.Choose(c.Limits.MaxFailures, "fails", "fail"))
	if c.SharedDigest == "untag" {
		add("shared_digest", "untag", "deletes a tag even if a tag that stays has the same digest")
	} else {
		add("shared_digest", "protect", "holds every deletion of a tag whose digest a tag that stays has too")
	}
	if c.Grace.Duration() > 0 {
		add("grace", "grace", "holds every deletion until it has been due for %s", c.Grace.Words())
	}
}
