package facts

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Rules are what the facts need of the configuration, compiled. The decisions
// read the same document as data.config.
type Rules struct {
	configuration
	location   *time.Location
	retention  []retentionRule
	visibility []subjectRule
	naming     []subjectRule
	exceptions []*rules.Exception
	byContent  bool // a retention or naming rule depends on contents
}

// configuration is the part of the document that facts are about.
type configuration struct {
	Timezone   string             `json:"timezone"`
	Retention  []rules.Retention  `json:"retention"`
	Visibility []rules.Visibility `json:"visibility"`
	Naming     []rules.Naming     `json:"naming"`
	Empty      rules.Empty        `json:"empty"`
	Waivers    []rules.Waiver     `json:"waivers"`
	Protect    struct {
		Tags    []string `json:"tags"`
		Digests []string `json:"digests"`
		// Labels are globs over the values of labels, any of which protects.
		Labels map[string]string `json:"labels"`
	} `json:"protect"`
	Attachments struct {
		Orphans string `json:"orphans"`
	} `json:"attachments"`
	Content struct {
		MultiArch string `json:"multi_arch"`
	} `json:"content"`
	Archive  archive `json:"archive"`
	Scaleway struct {
		RegistryURL string `json:"registry_url"`
	} `json:"scaleway"`
}

// retentionRule is a compiled retention rule.
type retentionRule struct {
	*rules.Retention
	selector *rules.Selector
	grouping *grouping             // nil for one group of all
	versions *rules.VersionPattern // nil if names are versions as they are
	terms    ruleTerms
	// byContent: it depends on contents which tags the rule is about, or in which order.
	byContent bool
}

// subjectRule is a compiled visibility or naming rule.
type subjectRule struct {
	reason   string // how reasons name it: "naming/kebab case"
	subject  string
	selector *rules.Selector
	require  registry.Visibility // of a visibility rule
	pattern  *regexp.Regexp      // of a naming rule

	byContent bool // it depends on contents which tags it is about
}

// Compile reads the configuration, as policies see it, and the rules in it.
func Compile(document map[string]any) (*Rules, error) {
	s := &Rules{location: time.UTC}
	raw, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	var plain any
	for _, into := range []any{&s.configuration, &plain} {
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, err
		}
	}
	if err := checkDurations(plain); err != nil {
		return nil, err
	}
	if s.Timezone != "" {
		if s.location, err = time.LoadLocation(s.Timezone); err != nil {
			return nil, err
		}
	}
	return s, s.compile()
}

// AnyMayBePart reports whether any tag may be a part of an index that is not known, whatever
// their names are.
func (s *Rules) AnyMayBePart() bool { return s.Content.MultiArch == "all" }

// checkDurations refuses a document in which K_seconds is not the length of K:
// facts follow the one, policies the other.
func checkDurations(value any) error {
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			if err := checkDurations(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, e := range v {
			if err := checkDurations(e); err != nil {
				return err
			}
			name, isLength := strings.CutSuffix(key, "_seconds")
			if !isLength {
				continue
			}
			written, _ := v[name].(string)
			if d, err := strictyaml.ParseDuration(written); err != nil || e != d.Seconds() {
				return fmt.Errorf("%s is %v, which is not the length of %s: %q", key, e, name, written)
			}
		}
	}
	return nil
}

// compile makes once what every image needs.
func (s *Rules) compile() error {
	for i := range s.Retention {
		r := retentionRule{Retention: &s.Retention[i]}
		r.terms = r.makeTerms()
		var err error
		if r.selector, err = rules.NewSelector(r.Match, r.Except); err != nil {
			return err
		}
		r.byContent = r.selector.NeedsContent() || r.By == byBuild
		s.byContent = s.byContent || r.byContent || r.expires()
		if r.grouping, err = newGrouping(r.GroupBy); err != nil {
			return err
		}
		if r.versions, err = rules.NewVersionPattern(r.Version); err != nil {
			return err
		}
		s.retention = append(s.retention, r)
	}
	for _, r := range s.Visibility {
		selector, err := rules.NewSelector(r.Match, r.Except)
		if err != nil {
			return err
		}
		s.visibility = append(s.visibility, subjectRule{reason: "visibility/" + r.Name, subject: r.Subject, selector: selector, require: registry.Visibility(r.Require)})
	}
	for _, r := range s.Naming {
		selector, err := rules.NewSelector(r.Match, r.Except)
		if err != nil {
			return err
		}
		pattern, err := rules.Anchored(r.Pattern)
		if err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
		s.naming = append(s.naming, subjectRule{reason: "naming/" + r.Name, subject: r.Subject, selector: selector, pattern: pattern, byContent: selector.NeedsContent()})
		s.byContent = s.byContent || selector.NeedsContent()
	}
	return s.compileWaivers()
}

// contentFile has the decisions of retention rules that depend on contents.
const contentFile = "builtin/retention_content.rego"

// Drives reports whether the configuration has rules for a built-in policy.
func (s *Rules) Drives(m modules.Module) bool {
	subject, label, wrong := m.Subject()
	if wrong != nil {
		return true
	}
	namespaces := subject == modules.Namespace
	about := func(all []subjectRule) bool {
		for _, r := range all {
			if (r.subject == string(modules.Namespace)) == namespaces {
				return true
			}
		}
		return false
	}
	switch label {
	case "retention":
		return len(s.Retention) > 0 && (m.File != contentFile || s.byContent)
	case "attachments":
		return s.Attachments.Orphans == "delete"
	case "protect":
		return len(s.Protect.Tags)+len(s.Protect.Digests)+len(s.Protect.Labels) > 0
	case "waiver":
		return len(s.Waivers) > 0
	case "visibility":
		return about(s.visibility)
	case "naming":
		return about(s.naming)
	case "empty":
		return namespaces && s.Empty.Namespaces != nil || !namespaces && s.Empty.Images != nil
	}
	return true
}

// ReportOnly names, as reasons do, the retention rules that are shown but never
// applied.
func (s *Rules) ReportOnly() map[string]bool {
	names := map[string]bool{}
	for _, r := range s.Retention {
		if !r.Enforce {
			names["retention/"+r.Name] = true
		}
	}
	return names
}

// wholeSeconds rounds down, and treats a time in the future as now.
func wholeSeconds(now, then time.Time) int {
	return int(max(0, now.Sub(then)) / time.Second)
}
