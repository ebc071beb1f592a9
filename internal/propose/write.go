package propose

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Options are what a proposal says beside its rules.
type Options struct {
	// Schema is the file of the JSON Schema that editors check the proposal by, and
	// SchemaExists whether it is there already.
	Schema       string
	SchemaExists bool
	// Scope is what was read, and so what the rules are for.
	Scope scanner.Scope
	// Serverless and Kapsule are what is known of serverless containers and jobs, and of
	// Kapsule clusters.
	Serverless, Kapsule Source
	// Gaps is how many things could not be read.
	Gaps int
}

// Source is whether it is known what a use source uses.
type Source string

const (
	// Complete means that it was read.
	Complete Source = "asked"
	// Failed means that it could not be read, or not completely.
	Failed Source = "failed"
	// NotRead means that it was not read, or that there is none.
	NotRead Source = "not asked"
	// NotListed means that the API key may not list them.
	NotListed Source = "not listed"
	// NotInScope means that the scope of an inventory does not fit the setting.
	NotInScope Source = "not in scope"
)

// The use sources of a proposal, as inventories and gaps name them.
const (
	ServerlessKey = "serverless"
	KapsuleKey    = "kapsule"
)

// Write makes the proposal, a commented janitor.yaml. The same survey always gives the
// same text, whatever the order of the images.
func (s *Survey) Write(o Options) string {
	var p page
	s.head(&p, o)
	scope(&p, o.Scope)
	s.retention(&p)
	s.visibility(&p)
	s.protect(&p, o)
	return p.String()
}

func (s *Survey) head(p *page, o Options) {
	p.line("# yaml-language-server: $schema=", o.Schema)
	if !o.SchemaExists {
		p.comment("", "(The line above is for editors. This writes its file: registry-janitor config schema > "+o.Schema+")")
	}
	p.line("#")
	p.comment("", "registry-janitor init proposed this for what was in the registry at "+s.takenAt.UTC().Format(time.RFC3339)+": "+
		text.Count(s.tags, "tag")+" in "+text.Count(s.images, "image")+" of "+text.Count(len(s.regions), "namespace")+", "+text.Size(s.bytes)+".")
	if o.Gaps > 0 {
		p.comment("", "INCOMPLETE: "+text.Count(o.Gaps, "thing")+" could not be read, so a rule may be missing.")
	}
	p.line("#")
	p.comment("", `Every rule has "enforce: false": plan shows what the rule would delete, and apply deletes nothing. Read the plan, change what does not fit, and remove that line from the rules that you trust. A tag that no rule marks is kept, and a tag that any rule keeps is kept.`)
	p.line("#")
	p.comment("", "Ages are those of the last push. Sizes are estimates: the registry knows the size of an image only, so each of its tags counts as an equal part of it.")
	p.line()
}

// scope writes what is scanned, where it differs from the defaults.
func scope(p *page, scope scanner.Scope) {
	var regions []string
	for _, r := range scope.Regions {
		regions = append(regions, string(r))
	}
	if len(regions)+len(scope.ProjectIDs)+len(scope.OrganizationID) > 0 {
		p.line("scaleway:")
		lists(p, "regions", regions, "project_ids", scope.ProjectIDs)
		if scope.OrganizationID != "" {
			p.line("  organization_id: ", strconv.QuoteToASCII(scope.OrganizationID))
		}
		p.line()
	}
	p.line("timezone: UTC # of calendar periods and schedules, such as Europe/Paris")
	p.line()
	if len(scope.Include)+len(scope.Exclude) == 0 {
		return
	}
	p.line("scope:")
	if slices.Contains(scope.Exclude, Functions) {
		p.comment("  ", Functions+" are the images of Serverless Functions, which belong to the platform.")
	}
	lists(p, "include", scope.Include, "exclude", scope.Exclude)
	p.line()
}

// Functions are the images of Serverless Functions, as a glob of the scope.
const Functions = "funcscw*/**"

// lists writes the lists that are not empty.
func lists(p *page, key string, list []string, otherKey string, other []string) {
	if len(list) > 0 {
		p.list("  ", key, list)
	}
	if len(other) > 0 {
		p.list("  ", otherKey, other)
	}
}

func (s *Survey) retention(p *page) {
	if !slices.ContainsFunc(s.groups, func(g group) bool { return g.tags > 0 }) {
		p.line("retention: []")
	} else {
		p.line("retention:")
	}
	for i, shape := range s.shapes {
		if g := &s.groups[i]; g.tags > 0 {
			s.describe(p, shape.name, g, shape.why)
			s.rule(p, shape, g)
			p.line()
		}
	}
	if s.attachments.tags > 0 {
		s.describe(p, "signatures and other attachments", &s.attachments, "They need no rule: each is kept and deleted with the image that it belongs to.")
		p.line()
	}
	if s.others.tags > 0 {
		s.describe(p, "other names", &s.others, "No rule marks them, so they are kept."+s.others.beginnings())
		p.line()
	}
}

// rule writes the rule for the tags of a group.
func (s *Survey) rule(p *page, shape *shape, g *group) {
	p.line("  - name: ", shape.name)
	regex, grouped := shape.regex(slices.Sorted(maps.Keys(g.words)))
	if shape.semver {
		p.line(`    match: {semver: "*"}`)
	} else {
		p.line("    match: {tags_regex: ", single(regex), "}")
	}
	if except := s.exception(shape); except != "" {
		p.line("    except: ", except)
	}
	if grouped {
		p.line("    group_by: ", single(regex))
	}
	p.line("    keep: ", shape.keep)
	if shape.deletes() {
		p.line("    delete: ", shape.delete)
	}
	p.line("    enforce: false")
}

// beginnings names what most other names begin with, and a rule for the first.
func (g *group) beginnings() string {
	common := slices.DeleteFunc(slices.Sorted(maps.Keys(g.words)), func(w string) bool { return w == "" || g.words[w] < 3 })
	slices.SortStableFunc(common, func(a, b string) int { return g.words[b] - g.words[a] })
	if len(common) == 0 {
		return ""
	}
	var words []string
	for _, w := range common[:min(len(common), 3)] {
		words = append(words, w+" ("+text.Thousands(g.words[w])+")")
	}
	return " Many begin with " + text.List(words, "and") + ". Should they go, the rule is like " +
		`{name: ` + strings.Trim(common[0], "-_") + ` builds, match: {tags: ["` + common[0] + `*"]}, keep: {last: 1}, delete: {older_than: 30d}, enforce: false}.`
}

// exception is what a rule leaves out. The rules for versions leave out each other's
// only where there are any, so that they are short.
func (s *Survey) exception(shape *shape) string {
	byCalendar, semantic := s.has(calendarVersions), s.has(semanticVersions)
	switch {
	case shape.except == "", shape.semver && !byCalendar, shape.name == otherVersions && !byCalendar && !semantic:
		return ""
	case shape.name == otherVersions && !byCalendar:
		return `{semver: "*"}`
	}
	return "{tags_regex: " + single(shape.except) + "}"
}

// has reports whether there are tags of a shape.
func (s *Survey) has(name string) bool {
	for i, shape := range s.shapes {
		if shape.name == name {
			return s.groups[i].tags > 0
		}
	}
	return false
}

// describe writes what is known of a group, and what becomes of it.
func (s *Survey) describe(p *page, name string, g *group, why string) {
	const indent = "  "
	words := strings.ToUpper(name[:1]) + name[1:] + ": " + text.Count(g.tags, "tag") + " in " + text.Count(g.images, "image") + ", " + s.ages(g) + ", about " + text.Size(g.bytes)
	p.comment(indent, words+". For example:")
	for _, e := range g.examples {
		p.line(indent, "#   ", text.Clean(e.ref))
	}
	p.comment(indent, why)
}

// ages are those of the newest and the oldest tag of a group.
func (s *Survey) ages(g *group) string {
	newest, oldest := text.Age(max(0, s.takenAt.Sub(g.newest))), text.Age(max(0, s.takenAt.Sub(g.oldest)))
	if newest == oldest {
		return newest + " old"
	}
	return newest + " to " + oldest + " old"
}
