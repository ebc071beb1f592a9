package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Check finds all that is wrong or doubtful in the operator's policies and their
// tests, sorted by place. Tests are read, but are no part of the set. The error
// is about files that cannot be read at all.
func Check(o Options) ([]*Finding, error) {
	s, err := load(o)
	if err != nil {
		return nil, err
	}
	if len(s.own())+len(s.tests)+len(s.broken) == 0 {
		return nil, s.missing()
	}
	findings := slices.Concat(contract(s), s.checkHelpers(), s.checkTests())
	if len(s.broken) == 0 {
		findings = append(findings, lint(s)...)
	}
	return tidyFindings(findings), nil
}

// checkHelpers compiles the modules that no decision leads to. What they read of
// the input is not known to be wrong.
func (s *sources) checkHelpers() []*Finding {
	if len(s.broken) > 0 {
		return nil
	}
	own := s.own()
	used := map[string]bool{}
	for _, subject := range []subject{imageSubject, namespaceSubject} {
		for _, m := range reachable(own, subject) {
			used[m.file] = true
		}
	}
	var out []*Finding
	for _, f := range compileFindings(own, newUntypedCompiler) {
		if !used[f.File] {
			out = append(out, f)
		}
	}
	return out
}

// checkTests parses and compiles the tests, with everything they may refer to.
func (s *sources) checkTests() []*Finding {
	findings := s.parseTests()
	if len(findings) > 0 || len(s.broken) > 0 {
		return findings
	}
	for _, f := range compileFindings(append(s.own(), s.tests...), newUntypedCompiler) {
		if slices.ContainsFunc(s.tests, func(m module) bool { return m.file == f.File }) {
			findings = append(findings, f)
		}
	}
	return findings
}

// parseTests parses what was left alone so far, and adds the helper library
// unless the operator has a copy of it.
func (s *sources) parseTests() []*Finding {
	var findings []*Finding
	library := false
	for i := range s.tests {
		if s.tests[i].parsed == nil {
			findings = append(findings, s.tests[i].parse()...)
		}
		library = library || s.tests[i].parsed != nil && s.tests[i].parsed.Package.Path.Equal(testingPackage())
	}
	if !library {
		m := module{file: testingFile, raw: testingLibrary}
		findings = append(findings, m.parse()...)
		s.tests = append(s.tests, m)
	}
	return findings
}

// newUntypedCompiler is as strict and hermetic as the real one, but knows no
// schema: helpers and tests make up inputs of their own.
func newUntypedCompiler() *ast.Compiler {
	return ast.NewCompiler().WithCapabilities(capabilities()).WithStrict(true).WithEnablePrintStatements(true)
}
