package rules

import (
	"fmt"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Sentence describes what the rule does: "deletes tags pr-* of every image once older
// than 14 days".
func (r *Retention) Sentence() string {
	what := r.Match.describeTags()
	var b strings.Builder
	kept := ""
	if r.Keep != nil {
		kept = r.Keep.describe(r.Count)
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
		b.WriteString(r.Delete.describe())
	}
	if r.Except != nil {
		b.WriteString(", except " + r.Except.describeTags())
	}
	if r.GroupBy != "" {
		b.WriteString("; each group of names by " + r.GroupBy + " counts for itself")
	}
	if r.Version != "" {
		b.WriteString("; the version is what " + r.Version + " captures")
	}
	if r.Delete != nil && r.Keep.IsSemverOnly() && r.Match.Semver == "" {
		b.WriteString("; leaves alone what is not a version")
	}
	switch r.By {
	case "created_at":
		b.WriteString("; age and order are by creation")
	case "built_at":
		b.WriteString("; age and order are by the build")
	}
	if !r.Enforce {
		b.WriteString("; shown, but never applied")
	}
	return b.String()
}

// describe describes from which age on something is deleted.
func (d *Delete) describe() string {
	var ages []string
	if d.OlderThan.Duration() > 0 {
		ages = append(ages, d.OlderThan.Words())
	}
	if d.OlderThanLabel != "" {
		ages = append(ages, "what the label "+d.OlderThanLabel+" of each says")
	}
	if len(ages) == 0 {
		return ""
	}
	return " once older than " + strings.Join(ages, " and than ")
}

// describe lists the criteria of keep.
func (k *Keep) describe(counted string) string {
	var parts []string
	switch one := strings.TrimSuffix(counted, "s"); {
	case k.Last == 1:
		parts = append(parts, "the newest "+one)
	case k.Last > 1:
		parts = append(parts, "the newest "+text.Count(k.Last, one))
	}
	if k.Within.Duration() > 0 {
		parts = append(parts, "what is younger than "+k.Within.Words())
	}
	if k.WithinNewest.Duration() > 0 {
		parts = append(parts, "what is less than "+k.WithinNewest.Words()+" older than the newest")
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
		parts = append(parts, k.Semver.describe())
	}
	return text.List(parts, "and")
}

func (s *SemverKeep) describe() string {
	limited := func(n int, name, of string) string {
		switch {
		case n == 0:
			return "every " + name + of
		case n == 1:
			return "the newest " + name + of
		}
		return fmt.Sprintf("the newest %d %ss", n, name) + of
	}
	var parts []string
	if s.ByLine() {
		parts = append(parts, limited(s.Patches, "patch version", " of ")+limited(s.Minors, "minor version", " of ")+limited(s.Majors, "major version", ""))
	}
	if s.Versions > 0 {
		parts = append(parts, strings.Replace(limited(s.Versions, "version", ""), "newest", "highest", 1))
	}
	switch s.Prereleases {
	case Ranked:
		return strings.Join(parts, ", ") + ", pre-releases too"
	case Never:
		return strings.Join(parts, ", ") + ", but no pre-release"
	}
	return strings.Join(parts, ", ") + ", with their pre-releases"
}

// Sentence describes what the rule requires.
func (v *Visibility) Sentence() string {
	sentence := fmt.Sprintf("requires %s to be %s", v.Match.describeSubject(v.Subject), v.Require)
	if v.Except != nil {
		sentence = fmt.Sprintf("requires %s, except %s, to be %s", v.Match.describeSubject(v.Subject), v.Except.describeSubject(v.Subject), v.Require)
	}
	switch {
	case v.Fix:
		return sentence + ", and makes them so"
	case v.Severity == "warn":
		return sentence + ", and warns of others"
	}
	return sentence + ", and denies others"
}

// Sentence describes what the rule requires.
func (n *Naming) Sentence() string {
	subject := func(m *Match) string {
		if n.Subject == "tag" {
			return m.describeTags()
		}
		return m.describeSubject(n.Subject)
	}
	sentence := "requires the names of " + subject(n.Match)
	if n.Except != nil {
		sentence += ", except " + subject(n.Except) + ","
	}
	sentence += " to match " + n.Pattern
	if n.Severity == "warn" {
		return sentence + ", and warns of others"
	}
	return sentence + ", and denies others"
}
