package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// settings is what the facts need to know of the configuration. The decisions
// read the same document as data.config.
type settings struct {
	document   map[string]any
	location   *time.Location
	Timezone   string          `json:"timezone"`
	Retention  []retentionRule `json:"retention"`
	Visibility []subjectRule   `json:"visibility"`
	Naming     []subjectRule   `json:"naming"`
	Empty      map[string]any  `json:"empty"`
	Protect    struct {
		Tags    []string `json:"tags"`
		Digests []string `json:"digests"`
	} `json:"protect"`
	Attachments struct {
		Orphans string `json:"orphans"`
	} `json:"attachments"`
}

type retentionRule struct {
	Name   string `json:"name"`
	Match  *match `json:"match"`
	Except *match `json:"except"`
	By     string `json:"by"`
	Count  string `json:"count"`
	Groups string `json:"group_by"`
	Keep   *keep  `json:"keep"`
	Delete *struct {
		OlderThan string   `json:"older_than"`
		Seconds   *float64 `json:"older_than_seconds"`
	} `json:"delete"`
	// Enforce is nil for true.
	Enforce *bool `json:"enforce"`

	grouping *grouping // nil for one group of all
	terms    ruleTerms
}

// keep is what a rule keeps: 0 and nil are criteria that it does not have.
type keep struct {
	All     bool        `json:"all"`
	Last    int         `json:"last"`
	Within  string      `json:"within"`
	Seconds float64     `json:"within_seconds"`
	Hourly  int         `json:"hourly"`
	Daily   int         `json:"daily"`
	Weekly  int         `json:"weekly"`
	Monthly int         `json:"monthly"`
	Yearly  int         `json:"yearly"`
	Semver  *semverKeep `json:"semver"`
}

type semverKeep struct {
	Majors      int  `json:"majors"`
	Minors      int  `json:"minors"`
	Patches     int  `json:"patches"`
	Prereleases bool `json:"prereleases"`
}

// subjectRule is a visibility or a naming rule.
type subjectRule struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Match   *match `json:"match"`
	Except  *match `json:"except"`
	Require string `json:"require"` // of visibility rules
	Pattern string `json:"pattern"` // of naming rules

	pattern *regexp.Regexp
}

// match selects namespaces, images or tags. Its fields combine with AND, the
// entries of one list with OR; an absent field takes everything.
type match struct {
	Namespaces  []string `json:"namespaces"`
	Images      []string `json:"images"`
	Tags        []string `json:"tags"`
	TagsRegex   string   `json:"tags_regex"`
	Semver      string   `json:"semver"`
	ProjectIDs  []string `json:"project_ids"`
	OlderThan   *float64 `json:"older_than_seconds"`
	YoungerThan *float64 `json:"younger_than_seconds"`

	regex *regexp.Regexp
	span  *semver.Constraints // nil for any version
}

func decodeSettings(document map[string]any) (*settings, error) {
	s := &settings{document: document, location: time.UTC}
	if document == nil {
		s.document = map[string]any{}
		return s, nil
	}
	raw, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, err
	}
	if s.Timezone != "" {
		if s.location, err = time.LoadLocation(s.Timezone); err != nil {
			return nil, err
		}
	}
	return s, s.compile()
}

// compile makes once what every image needs.
func (s *settings) compile() error {
	for _, m := range s.matches() {
		if err := m.compile(); err != nil {
			return err
		}
	}
	var err error
	for i := range s.Retention {
		r := &s.Retention[i]
		r.terms = r.makeTerms()
		if r.grouping, err = newGrouping(r.Groups); err != nil {
			return err
		}
	}
	for i := range s.Naming {
		r := &s.Naming[i]
		if r.pattern, err = regexp.Compile(`^(?:` + r.Pattern + `)$`); err != nil {
			return fmt.Errorf("pattern: %w", err)
		}
	}
	return nil
}

// matches lists every match and except there is.
func (s *settings) matches() []*match {
	var all []*match
	for _, r := range s.Retention {
		all = append(all, r.Match, r.Except)
	}
	for _, rules := range [][]subjectRule{s.Visibility, s.Naming} {
		for _, r := range rules {
			all = append(all, r.Match, r.Except)
		}
	}
	return all
}

func (m *match) compile() error {
	if m == nil {
		return nil
	}
	var err error
	if m.TagsRegex != "" {
		if m.regex, err = regexp.Compile(`^(?:` + m.TagsRegex + `)$`); err != nil {
			return fmt.Errorf("tags_regex: %w", err)
		}
	}
	if m.Semver != "" && m.Semver != anyVersion {
		if m.span, err = semver.NewConstraint(m.Semver); err != nil {
			return fmt.Errorf("semver %q: %w", m.Semver, err)
		}
	}
	return nil
}

// drives reports whether the configuration has rules for a built-in policy.
func (s *settings) drives(m modules.Module) bool {
	subject, label, err := m.Subject()
	if err != nil {
		return true
	}
	about := func(rules []subjectRule) bool {
		return slices.ContainsFunc(rules, func(r subjectRule) bool {
			return (r.Subject == string(modules.Namespace)) == (subject == modules.Namespace)
		})
	}
	switch label {
	case "retention":
		return len(s.Retention) > 0
	case "attachments":
		return s.Attachments.Orphans == "delete"
	case "protect":
		return len(s.Protect.Tags)+len(s.Protect.Digests) > 0
	case "visibility":
		return about(s.Visibility)
	case "naming":
		return about(s.Naming)
	case "empty":
		return s.Empty[string(subject)+"s"] != nil
	}
	return true
}

// reportOnly names, as reasons do, the retention rules that are shown but never
// applied.
func (s *settings) reportOnly() map[string]bool {
	rules := map[string]bool{}
	for _, r := range s.Retention {
		if r.Enforce != nil && !*r.Enforce {
			rules["retention/"+r.Name] = true
		}
	}
	return rules
}

// wholeSeconds rounds down, and takes a time in the future for now.
func wholeSeconds(now, then time.Time) int {
	return int(max(0, now.Sub(then)) / time.Second)
}
