package lint

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Unused finds what in a configuration matches nothing in the whole registry: most
// likely a typing error, which protects or cleans nothing. It is safe for concurrent use.
type Unused struct {
	expected []*expectation
	images   atomic.Bool // there was one
	hidden   atomic.Bool // something could not be read, and might match
}

// expectation is something in the configuration that should match something.
type expectation struct {
	rule, text string // of the warning
	subject    string
	suspect    bool                                            // the text itself is suspicious: a gap does not explain it
	tags       bool                                            // it is about the tags of images
	needsImage bool                                            // nothing is expected of a registry without images
	matches    func(*registry.Namespace, *registry.Image) bool // the image is nil for the namespace itself
	found      atomic.Bool
}

// NewUnused collects what should match. References is what the references file is called
// as a user.
func NewUnused(c *config.Config, references string, uses *registry.UseIndex) (*Unused, error) {
	u := &Unused{}
	for _, w := range c.Warnings() {
		e := &expectation{rule: actions.ConfigRules + string(w.Kind), subject: w.Subject, suspect: true, matches: suspectMatches(w)}
		e.tags = w.Names == config.NamesOfTags || w.Names == config.NamesByRegex
		e.text = strings.TrimSuffix(w.Subject+": "+w.Message+" ("+w.Hint+")", " ()")
		if w.Kind == config.DeletesNothing {
			e.text = w.Message
		}
		u.expected = append(u.expected, e)
	}
	for _, glob := range c.Scope.Include {
		u.expect("scope.include", "scope.include "+strconv.Quote(glob)+" matches nothing in the registry: compare it with the names there", false, func(n *registry.Namespace, img *registry.Image) bool {
			return inScope(glob, n, img)
		})
	}
	for _, id := range c.Scaleway.ProjectIDs {
		u.expect("scaleway.project_ids", "scaleway.project_ids has "+id+", and no namespace in scope belongs to it: copy the ID of the project again", false, func(n *registry.Namespace, _ *registry.Image) bool {
			return strings.EqualFold(n.ProjectID, id)
		})
	}
	if c.Protect.ReferencesFile != "" {
		u.expectTags(referencesKey, references+" names no tag in the registry, so it protects nothing: find out whether it is the right file", true, func(_ *registry.Namespace, img *registry.Image) bool {
			if img == nil {
				return false
			}
			image, tags := uses.InImage(img)
			return img.Status != registry.StatusReady && slices.Contains(image, references) || slices.ContainsFunc(tags, func(by []string) bool { return slices.Contains(by, references) })
		})
	}
	if err := u.expectWaivers(c); err != nil {
		return nil, err
	}
	return u, u.expectRules(c)
}

const referencesKey = "protect.references_file"

func (u *Unused) expect(subject, text string, needsImage bool, matches func(*registry.Namespace, *registry.Image) bool) {
	u.expected = append(u.expected, &expectation{rule: actions.ConfigRules + "matches_nothing", subject: subject, text: text, needsImage: needsImage, matches: matches})
}

// expectTags expects something of the tags of images, too.
func (u *Unused) expectTags(subject, text string, needsImage bool, matches func(*registry.Namespace, *registry.Image) bool) {
	u.expect(subject, text, needsImage, matches)
	u.expected[len(u.expected)-1].tags = true
}

// expectRules expects each rule to be about something, whatever its age and content.
func (u *Unused) expectRules(c *config.Config) error {
	for i := range c.Retention {
		r := &c.Retention[i]
		versions, err := rules.NewVersionPattern(r.Version)
		if err != nil {
			return err
		}
		find := rules.ParseVersion
		if versions != nil {
			find = versions.Find
		}
		if err := u.expectRule("retention/"+r.Name, "tag", r.Match, find); err != nil {
			return err
		}
	}
	for i := range c.Visibility {
		if err := u.expectRule("visibility/"+c.Visibility[i].Name, c.Visibility[i].Subject, c.Visibility[i].Match, nil); err != nil {
			return err
		}
	}
	for i := range c.Naming {
		if c.Naming[i].Match == nil {
			continue
		}
		if err := u.expectRule("naming/"+c.Naming[i].Name, c.Naming[i].Subject, c.Naming[i].Match, rules.ParseVersion); err != nil {
			return err
		}
	}
	return nil
}

func (u *Unused) expectRule(rule, subject string, match *rules.Match, find func(string) *rules.Version) error {
	m := *match
	m.OlderThan, m.YoungerThan = rules.Match{}.OlderThan, rules.Match{}.YoungerThan
	m.Labels, m.Platforms, m.Kind = nil, nil, nil // not every content is read
	selector, err := rules.NewSelector(&m, nil)
	if err != nil {
		return err
	}
	text := rule + ": its match is about no " + subject + " in the registry: compare it with the names there, or remove the rule"
	expect := u.expect
	if subject == "tag" {
		expect = u.expectTags
	}
	expect(rule, text, subject != "namespace", func(n *registry.Namespace, img *registry.Image) bool {
		switch {
		case subject == "namespace":
			return selector.MatchesNamespace(n, 0)
		case img == nil:
			return false
		case subject == "image":
			return selector.MatchesImage(img, 0)
		}
		tags, possible := selector.Tags(img)
		return possible && (img.Status != registry.StatusReady || slices.ContainsFunc(img.Tags, func(t registry.Tag) bool {
			var v *rules.Version
			if m.Semver != "" {
				v = find(t.Name)
			}
			return tags.Matches(t.Name, v, 0)
		}))
	})
	return nil
}

// suspectMatches reports whether a suspicious pattern matches something after all.
func suspectMatches(w config.Warning) func(*registry.Namespace, *registry.Image) bool {
	matches := func(name string) bool { return rules.MatchesAny([]string{w.Pattern}, name) }
	if w.Names == config.NamesByRegex {
		if regex, err := rules.Anchored(w.Pattern); err == nil {
			matches = regex.MatchString
		}
	}
	return func(n *registry.Namespace, img *registry.Image) bool {
		switch w.Names {
		case config.NamesOfNamespaces:
			return matches(n.Name)
		case config.NamesOfImages:
			return img != nil && matches(img.Name)
		case config.Paths:
			return inScope(w.Pattern, n, img)
		case config.NamesOfTags, config.NamesByRegex:
			return img != nil && (img.Status == "" || slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return matches(t.Name) }))
		}
		return false
	}
}

// inScope reports whether a glob of the scope matches a namespace, or an image.
func inScope(glob string, n *registry.Namespace, img *registry.Image) bool {
	path := n.Name
	if img != nil {
		path += "/" + img.Name
	}
	return rules.MatchesAny([]string{glob}, path)
}

// Add takes a namespace, or an image of it. An image that is not ready has no tags here, and
// any rule about tags may be about them; neither has one without a status, of which the tags
// are not known.
func (u *Unused) Add(n *registry.Namespace, img *registry.Image) {
	if img != nil {
		u.images.Store(true)
	}
	for _, e := range u.expected {
		if !e.found.Load() && e.matches(n, img) {
			e.found.Store(true)
		}
	}
}

// MissesTags reports whether something that is expected of the tags of images matched nothing.
func (u *Unused) MissesTags() bool {
	return slices.ContainsFunc(u.expected, func(e *expectation) bool { return e.tags && !e.found.Load() })
}

// AddGap notes that something in the registry could not be read.
func (u *Unused) AddGap() { u.hidden.Store(true) }

// ForgetReferences expects nothing of a references file that could not be read.
func (u *Unused) ForgetReferences() {
	for _, e := range u.expected {
		if e.subject == referencesKey {
			e.found.Store(true)
		}
	}
}

// Warnings are what matched nothing. Patterns that may match something unread are not in
// them, and neither is what has a better warning.
func (u *Unused) Warnings() []registry.Violation {
	suspects := map[string]bool{}
	var out []registry.Violation
	for _, e := range u.expected {
		switch {
		case e.found.Load():
			continue
		case e.suspect:
			suspects[e.subject] = true
		case u.hidden.Load(), suspects[e.subject], e.needsImage && !u.images.Load():
			continue
		}
		out = append(out, registry.Violation{Ref: actions.ConfigSubject, Severity: registry.Warn, Reason: registry.Reason{Rule: e.rule, Text: e.text}})
	}
	return out
}
