package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Description is a policy set in words.
type Description struct {
	// Digest is that of the set, as plans carry it.
	Digest string `json:"digest"`
	// Modules are the built-in ones first, then the operator's own, each by file.
	Modules []ModuleDescription `json:"modules"`
	// Data are the names under data that the set's own data files define.
	Data []string `json:"data"`
}

// ModuleDescription is one file of the set.
type ModuleDescription struct {
	File    string `json:"file"`
	Package string `json:"package"`
	Builtin bool   `json:"builtin"`
	Bundle  string `json:"bundle,omitempty"`
	Digest  string `json:"digest"`
	// Judges is "image", "namespace", or "" for helpers.
	Judges      string `json:"judges"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Severity    string `json:"severity,omitempty"`
	// Active is false for a built-in policy that the configuration has no rule
	// for, and for helpers that no policy uses.
	Active bool              `json:"active"`
	Rules  []RuleDescription `json:"rules"`
	// ConfigKey is the part of data.config that drives a built-in policy; an
	// own one may read all of it.
	ConfigKey string `json:"config_key,omitempty"`
	// Config is that part.
	Config any `json:"config,omitempty"`
}

// RuleDescription is one decision rule.
type RuleDescription struct {
	Name     string `json:"name"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Title    string `json:"title,omitempty"`
	Severity string `json:"severity,omitempty"`
}

// Describe tells what a policy set consists of. A set that New refuses is
// refused here too.
func Describe(o Options) (*Description, error) {
	set, err := decodeSettings(o.Config)
	if err != nil {
		return nil, fmt.Errorf("reading the rules of the configuration: %w", err)
	}
	s, err := load(o)
	if err != nil {
		return nil, err
	}
	if err := s.missing(); err != nil {
		return nil, err
	}
	if err := problemsOf(contract(s)); err != nil {
		return nil, err
	}
	annotations, errs := annotate(s.modules)
	if len(errs) > 0 {
		return nil, problemsOf(compileProblems(s.modules, errs))
	}
	active := map[string]bool{}
	for _, subject := range []subject{imageSubject, namespaceSubject} {
		for _, m := range reachable(s.modules, subject) {
			active[m.file] = !m.builtin || set.drives(m)
		}
	}
	d := &Description{Digest: s.digest(), Data: slices.AppendSeq([]string{}, maps.Keys(s.data)), Modules: []ModuleDescription{}}
	slices.Sort(d.Data)
	for _, builtin := range []bool{true, false} {
		for _, m := range s.modules {
			if m.builtin == builtin {
				d.Modules = append(d.Modules, describe(m, annotations, o.Config, active[m.file]))
			}
		}
	}
	return d, nil
}

func describe(m module, annotations *ast.AnnotationSet, config map[string]any, active bool) ModuleDescription {
	subject, label, _ := packageSubject(m)
	d := ModuleDescription{
		File:    m.file,
		Package: strings.TrimPrefix(m.parsed.Package.Path.String(), "data."),
		Builtin: m.builtin,
		Bundle:  m.bundle,
		Digest:  m.digest(),
		Judges:  string(subject),
		Active:  active,
		Rules:   []RuleDescription{},
	}
	if a := annotations.GetPackageScope(m.parsed.Package); a != nil {
		d.Title, d.Description = a.Title, strings.TrimSpace(a.Description)
		d.Severity, _ = a.Custom["severity"].(string)
	}
	if m.builtin {
		d.ConfigKey = label
		d.Config = config[label]
	}
	if subject == "" {
		return d
	}
	rules, _ := decisions(m)
	for _, rule := range rules {
		s := source(m, rule, ruleName(rule), annotations)
		d.Rules = append(d.Rules, RuleDescription{Name: s.Name, File: m.file, Line: s.Line, Title: s.Title, Severity: s.Severity})
	}
	return d
}
