package config

import (
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Sentence describes one rule of a configuration, with the defaults filled in.
type Sentence struct {
	// Kind is the section of the rule: "retention", "protect".
	Kind string `json:"kind"`
	// Name is the rule's name, or else its key: "max_deletions".
	Name string `json:"name"`
	// Text is "deletes tags pr-* of every image once older than 14 days".
	Text string `json:"text"`
}

// Sentences describe what the configuration does, in the order of the format; rules
// of one kind in the order of the file.
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
	c.protectSentences(add)
	for i := range c.Waivers {
		add("waiver", c.Waivers[i].Owner, "%s", c.Waivers[i].Sentence())
	}
	c.contentSentences(add)
	if c.Attachments.Orphans == "delete" {
		add("attachments", "orphans", "deletes signatures, attestations and bills of materials whose subject is gone; the others follow theirs")
	} else {
		add("attachments", "orphans", "keeps signatures, attestations and bills of materials whose subject is gone; the others follow theirs")
	}
	c.limitSentences(add)
	if c.Archive != nil {
		add("archive", "archive", "%s", c.Archive.sentence())
	}
	for i := range c.Notifications {
		add("notifications", c.Notifications[i].Name, "%s", c.Notifications[i].sentence())
	}
	return out
}

func (c *Config) protectSentences(add func(kind, name, format string, args ...any)) {
	if len(c.Protect.Tags) > 0 {
		add("protect", "tags", "keeps %s of every image, whatever the rules say", rules.Named("tag", c.Protect.Tags))
	}
	if len(c.Protect.Digests) > 0 {
		add("protect", "digests", "keeps every tag of %s, whatever the rules say", rules.Named("digest", c.Protect.Digests))
	}
	if len(c.Protect.Labels) > 0 {
		add("protect", "labels", "keeps every tag of an image with %s, whatever the rules say", rules.DescribeLabels(c.Protect.Labels, "or"))
	}
	if c.Protect.ReferencesFile != "" {
		add("protect", "references_file", "keeps what %s names%s%s", c.Protect.referencesName(), ifBounded(c.Protect.MinReferences), ifOptional(c.Protect.Optional.References))
	}
	if c.Protect.Serverless {
		add("protect", "serverless", "keeps what serverless containers and jobs use, and ignores the namespaces of serverless functions (funcscw*)%s", ifOptional(c.Protect.Optional.Serverless))
	}
	if c.Protect.Kapsule {
		add("protect", "kapsule", "%s", c.Protect.kapsuleSentence())
	}
	for i := range c.Protect.Kubernetes {
		add("protect", "kubernetes", "%s", c.Protect.Kubernetes[i].sentence())
	}
}

// ifBounded continues the sentence of a references file that must not be too short.
func ifBounded(least int) string {
	if least == 0 {
		return ""
	}
	return "; fewer than " + text.Count(least, "reference") + " count as a file that could not be read"
}

func (p *Protect) referencesName() string {
	if p.ReferencesFile == StandardInput {
		return "standard input"
	}
	return p.ReferencesFile
}

func (c *Config) limitSentences(add func(kind, name, format string, args ...any)) {
	if c.Limits.MinAge.Duration() > 0 {
		add("limits", "min_age", "holds the deletion of everything younger than %s", c.Limits.MinAge.Words())
	}
	if n := c.Limits.KeepAtLeast; n > 0 {
		add("limits", "keep_at_least", "holds deletions so that %s of every image %s", text.Count(n, "ready tag"), text.Choose(n, "remains", "remain"))
	}
	for i := range c.Limits.Overrides {
		add("limits", "overrides", "%s", c.Limits.Overrides[i].sentence())
	}
	add("limits", "max_deletions", "refuses a plan with more than %s", text.Count(c.Limits.MaxDeletions, "deletion"))
	add("limits", "max_deletion_percent", "refuses a plan that deletes more than %d %% of all tags, or of the tags of a namespace of 20 or more", c.Limits.MaxDeletionPercent)
	add("limits", "max_plan_age", "refuses to apply a plan older than %s", c.Limits.MaxPlanAge.Words())
	if c.Limits.Anomaly != "" {
		add("limits", "anomaly", "refuses a plan that deletes more than %s times as much as the latest runs did", strings.TrimSuffix(c.Limits.Anomaly, "x"))
	}
	if n := c.Limits.Canary; n > 0 {
		add("limits", "canary", "does the first %s of each kind one at a time", text.Count(n, "step"))
	}
	add("limits", "max_failures", "skips the remaining steps once %s in a row %s", text.Count(c.Limits.MaxFailures, "step"), text.Choose(c.Limits.MaxFailures, "fails", "fail"))
	switch c.SharedDigest {
	case "untag":
		add("shared_digest", "untag", "deletes a tag even if a kept tag has the same digest")
	case SharedDigestAuto:
		add("shared_digest", "auto", "deletes a tag of which a kept tag has the same digest only where a probe of the last 90 days found that the API removes the tag alone")
	default:
		add("shared_digest", "protect", "holds the deletion of a tag if a kept tag has the same digest")
	}
	if a := c.Approvals; a != nil {
		add("approvals", "required", "refuses to apply a plan that fewer than %d of the people in %s have signed", a.Required, a.AllowedSigners)
	}
	if c.Grace.Duration() > 0 {
		add("grace", "grace", "holds every deletion until its tag has been marked for %s", c.Grace.Words())
	}
}
