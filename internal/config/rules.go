package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// checker reports keys that do not fit together.
type checker struct{ *strictyaml.Document }

// checkConfig checks keys against each other, and fills in the defaults that depend
// on other keys.
func (d checker) checkConfig(c *Config) {
	var retention, visibility, naming []named
	for i := range c.Retention {
		path := fmt.Sprintf("retention[%d]", i)
		d.checkRetention(path, &c.Retention[i])
		retention = append(retention, retentionNamed(path, &c.Retention[i]))
	}
	for i := range c.Visibility {
		path := fmt.Sprintf("visibility[%d]", i)
		d.checkVisibility(path, &c.Visibility[i])
		visibility = append(visibility, visibilityNamed(path, &c.Visibility[i]))
	}
	for i := range c.Naming {
		path, r := fmt.Sprintf("naming[%d]", i), &c.Naming[i]
		d.checkMatches(path, r.Subject, r.Match, r.Except)
		naming = append(naming, namingNamed(path, r))
	}
	d.checkWaivers("waivers", c.Waivers)
	d.checkKubernetes(c.Protect.Kubernetes)
	for _, all := range [][]named{retention, visibility, naming} {
		d.checkNames(all, "give each rule its own name: plans and reports use it")
	}
	for i := range c.Schedules {
		if path := fmt.Sprintf("schedules[%d].catch_up", i); c.Schedules[i].CatchUp.Duration() > 0 && !c.Ledger.named() && d.Clean("ledger") {
			d.Report(path, "needs ledger.dsn, where earlier runs are recorded", ledgerHint)
		}
		if c.Schedules[i].Timezone == "" {
			c.Schedules[i].Timezone = c.Timezone
		}
	}
	d.checkNever(c)
	d.checkNotifications(c)
	d.checkOverrides(c.Limits.Overrides)
	d.checkApprovals(c)
	d.checkArchive(c.Archive)
	d.checkLedger(&c.Ledger)
	if c.Grace.Duration() > 0 && !c.Ledger.named() && d.Clean("ledger") {
		d.Report("grace", "needs ledger.dsn", ledgerHint)
	}
	if c.Limits.Anomaly != "" && !c.Ledger.named() && d.Clean("ledger") {
		d.Report("limits.anomaly", "needs ledger.dsn, where earlier runs are recorded", ledgerHint)
	}
}

// ledgerHint is the remedy for a key that needs a ledger.
const ledgerHint = "set ledger.dsn or ledger.dsn_env, or remove the key"

func (l *Ledger) named() bool { return l.DSN != "" || l.DSNEnv != "" || l.DSNFile != "" }

func (d checker) checkLedger(l *Ledger) {
	given := map[string]string{"dsn": l.DSN, "dsn_env": l.DSNEnv, "dsn_file": l.DSNFile}
	first := ""
	for _, key := range []string{"dsn", "dsn_env", "dsn_file"} {
		switch {
		case given[key] == "":
		case first == "":
			first = key
		default:
			d.Report("ledger."+key, "cannot be used together with "+first, "remove one of the two")
		}
	}
}

func (d checker) checkRetention(path string, r *rules.Retention) {
	keep, del := path+".keep", path+".delete"
	switch {
	case !d.Given(keep) && !d.Given(del) && d.Whole(path):
		d.Report(path, "has neither keep nor delete", "say what happens to the matched tags, such as delete: {older_than: 14d}")
	case !d.Given(keep) && r.Delete != nil && r.Delete.OlderThan.Duration() == 0 && r.Delete.OlderThanLabel == "" && d.Clean(del):
		d.Report(del, "needs an age: without keep, the rule would delete every matched tag", "write delete: {older_than: 14d}, or say what to keep")
	}
	if r.Keep != nil && *r.Keep == (rules.Keep{}) && d.Clean(keep) {
		d.Report(keep, "keeps nothing", "say what to keep: last, within, within_newest, hourly to yearly, semver or all: true")
	}
	usesVersions := r.Keep != nil && r.Keep.Semver != nil || r.Match != nil && r.Match.Semver != "" || r.Except != nil && r.Except.Semver != ""
	if r.Version != "" && !usesVersions && d.Clean(path) {
		d.Report(path+".version", "has no effect: the rule does not use versions", "add keep: {semver: {versions: 3}} or a semver to match, or remove the key")
	}
	d.checkMatches(path, "tag", r.Match, r.Except)
}

func (d checker) checkVisibility(path string, r *rules.Visibility) {
	if r.Severity == "" && !r.Fix {
		r.Severity = "deny"
	}
	if r.Subject == "namespace" && r.Require == "inherit" {
		d.Report(path+".require", "must be private or public for namespaces", "write one of them: only an image can inherit its visibility")
	}
	d.checkMatches(path, r.Subject, r.Match, r.Except)
}

// unrelated lists the keys of a match that a subject does not have.
var unrelated = map[string][]string{
	"namespace": {"images", "tags", "tags_regex", "semver", "labels", "platforms", "kind"},
	"image":     {"tags", "tags_regex", "semver", "labels", "platforms", "kind"},
}

func (d checker) checkMatches(path, subject string, match, except *rules.Match) {
	d.checkMatch(path+".match", subject, match)
	d.checkMatch(path+".except", subject, except)
}

func (d checker) checkMatch(path, subject string, m *rules.Match) {
	d.checkAbsent(path, unrelated[subject], "cannot be used in a rule with the subject "+subject, "remove the key")
	if m == nil || m.YoungerThan.Duration() == 0 || m.OlderThan.Duration() == 0 {
		return
	}
	if m.OlderThan.Duration() >= m.YoungerThan.Duration() {
		d.Report(strictyaml.Join(path, "younger_than"), fmt.Sprintf("matches nothing together with older_than: %s", m.OlderThan), "make it longer than older_than, or remove one of the two")
	}
}

// checkAbsent reports keys of a mapping that cannot be used in it.
func (d checker) checkAbsent(path string, keys []string, message, hint string) {
	for _, key := range keys {
		if at := strictyaml.Join(path, key); d.Given(at) && d.Clean(at) {
			d.Report(at, message, hint)
		}
	}
}

// named is something with a name, and its default name if the file gives none.
type named struct {
	path  string
	name  *string
	words string // the default name
	more  string // what makes the default name longer if it is not unique
}

// checkNames gives the rules of one kind their default names, and reports those with
// the same name. A default name does not depend on the position of its rule.
func (d checker) checkNames(all []named, hint string) {
	count := map[string]int{}
	for _, r := range all {
		count[cmp.Or(*r.name, r.words)]++
	}
	first := map[string]named{}
	for _, r := range all {
		if *r.name == "" && count[r.words] > 1 && r.more != "" {
			r.words += " " + r.more
		}
		if *r.name == "" && d.Clean(r.path) {
			*r.name = r.words
		}
		if *r.name == "" {
			continue
		}
		if other, ok := first[*r.name]; ok {
			at := r.path
			if d.Given(at + ".name") {
				at += ".name"
			}
			d.Report(at, fmt.Sprintf("has the same name as %s: %s", other.path, strictyaml.Quote(*r.name)), hint)
			continue
		}
		first[*r.name] = r
	}
}

func retentionNamed(path string, r *rules.Retention) named {
	var more []string
	if k := r.Keep; k != nil {
		more = append(more, "keep", words(reflect.ValueOf(*k)))
	}
	if r.GroupBy != "" {
		more = append(more, "group by "+r.GroupBy)
	}
	if r.Version != "" {
		more = append(more, "version "+r.Version)
	}
	if r.Delete != nil {
		more = append(more, "delete", words(reflect.ValueOf(*r.Delete)))
	}
	return named{path, &r.Name, describeMatch(r.Match, r.Except), strings.TrimSpace(strings.Join(more, " "))}
}

func visibilityNamed(path string, r *rules.Visibility) named {
	return named{path, &r.Name, describeMatch(r.Match, r.Except), r.Subject + " " + r.Require}
}

func namingNamed(path string, r *rules.Naming) named {
	return named{path, &r.Name, r.Subject + " " + r.Pattern, describeMatch(r.Match, r.Except)}
}

func describeMatch(match, except *rules.Match) string {
	var parts []string
	if match != nil {
		parts = append(parts, words(reflect.ValueOf(*match)))
	}
	if except != nil {
		parts = append(parts, "except", words(reflect.ValueOf(*except)))
	}
	return strings.Join(parts, " ")
}

// words are the keys of a mapping that are set, with their values: "tags pr-* older
// than 14d".
func words(v reflect.Value) string {
	var out []string
	for _, f := range strictyaml.FieldsOf(v.Type()) {
		value := v.Field(f.Index)
		if value.IsZero() {
			continue
		}
		key := strings.ReplaceAll(f.Key, "_", " ")
		switch {
		case value.Kind() == reflect.Bool:
			out = append(out, key)
		case value.Kind() == reflect.Slice:
			entries := slices.Sorted(slices.Values(value.Interface().([]string)))
			out = append(out, key+" "+strings.Join(entries, ", "))
		case value.Kind() == reflect.Map:
			var entries []string
			for name, glob := range value.Interface().(map[string]string) {
				entries = append(entries, name+"="+glob)
			}
			slices.Sort(entries)
			out = append(out, key+" "+strings.Join(entries, ", "))
		case value.Kind() == reflect.Pointer:
			out = append(out, key, words(value.Elem()))
		default:
			out = append(out, fmt.Sprint(key, " ", value.Interface()))
		}
	}
	return strings.Join(out, " ")
}
