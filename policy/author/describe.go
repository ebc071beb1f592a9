package author

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// Description is a policy set in words.
type Description struct {
	// Digest is the digest of the set, as in plans.
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
	// ReportOnly is true for a rule that is shown, but never applied.
	ReportOnly bool `json:"report_only,omitempty"`
}

// Describe lists what a policy set consists of. It refuses a set that policy.New
// refuses.
func Describe(ctx context.Context, o policy.Options) (*Description, error) {
	engine, err := policy.New(ctx, o)
	if err != nil {
		return nil, err
	}
	s, err := load(o)
	if err != nil {
		return nil, err
	}
	annotations, errs := modules.Annotate(s.Modules)
	if len(errs) > 0 {
		return nil, modules.Problems(modules.CompileProblems(s.Modules, errs))
	}
	d := &Description{Digest: engine.Digest(), Data: slices.AppendSeq([]string{}, maps.Keys(s.Data)), Modules: []ModuleDescription{}}
	slices.Sort(d.Data)
	active := engine.Files()
	for _, builtin := range []bool{true, false} {
		for _, m := range s.Modules {
			if m.Builtin == builtin {
				d.Modules = append(d.Modules, describe(m, annotations, o.Config, slices.Contains(active, m.File)))
			}
		}
	}
	return d, nil
}

func describe(m modules.Module, annotations *ast.AnnotationSet, config map[string]any, active bool) ModuleDescription {
	subject, label, _ := m.Subject()
	d := ModuleDescription{
		File:    m.File,
		Package: strings.TrimPrefix(m.Parsed.Package.Path.String(), "data."),
		Builtin: m.Builtin,
		Bundle:  m.Bundle,
		Digest:  m.Digest(),
		Judges:  string(subject),
		Active:  active,
		Rules:   []RuleDescription{},
	}
	if a := annotations.GetPackageScope(m.Parsed.Package); a != nil {
		d.Title, d.Description = a.Title, strings.TrimSpace(a.Description)
		d.Severity, _ = a.Custom["severity"].(string)
	}
	if m.Builtin {
		d.ConfigKey = label
		d.Config = config[label]
	}
	if subject == "" {
		return d
	}
	rules, _ := m.Decisions()
	for _, rule := range rules {
		s := m.Source(rule, modules.RuleName(rule), annotations)
		d.Rules = append(d.Rules, RuleDescription{Name: s.Name, File: m.File, Line: s.Line, Title: s.Title, Severity: s.Severity, ReportOnly: s.ReportOnly})
	}
	return d
}
