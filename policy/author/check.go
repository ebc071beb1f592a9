package author

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
)

// Check finds everything that is wrong or doubtful in the operator's policies and
// their tests, sorted by place. Tests are read, but are not part of the set. The
// error is about files that cannot be read at all.
func Check(o policy.Options) ([]*Finding, error) {
	s, err := load(o)
	if err != nil {
		return nil, err
	}
	if len(s.Own())+len(s.Tests)+len(s.Broken) == 0 {
		return nil, s.Missing()
	}
	findings := slices.Concat(s.Check(), checkHelpers(s), checkTests(s))
	if len(s.Broken) == 0 {
		findings = append(findings, lint(s)...)
	}
	return modules.Tidy(findings), nil
}

// checkHelpers compiles the modules that no decision refers to, without a schema:
// they may be about another input.
func checkHelpers(s *modules.Set) []*Finding {
	if len(s.Broken) > 0 {
		return nil
	}
	used := s.Used()
	var out []*Finding
	for _, f := range modules.CompileFindings(s.Own(), modules.NewUntypedCompiler) {
		if !used[f.File] {
			out = append(out, f)
		}
	}
	return out
}

// checkTests parses and compiles the tests, with everything they may refer to.
func checkTests(s *modules.Set) []*Finding {
	findings := s.ParseTests()
	if len(findings) > 0 || len(s.Broken) > 0 {
		return findings
	}
	for _, f := range modules.CompileFindings(append(s.Own(), s.Tests...), modules.NewUntypedCompiler) {
		if slices.ContainsFunc(s.Tests, func(m modules.Module) bool { return m.File == f.File }) {
			findings = append(findings, f)
		}
	}
	return findings
}

// load reads the policy set of an engine.
func load(o policy.Options) (*modules.Set, error) {
	return modules.Load(modules.Files{Paths: o.Paths, Trial: o.Trial, VerificationKey: o.VerificationKey, FS: o.FS, Dir: o.Dir, Config: o.Config})
}
