package modules

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/loader"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/library"
	"github.com/registry-janitor/registry-janitor/policy/testing"
)

// Files locate the operator's own modules and data.
type Files struct {
	Paths           []string // Rego files, folders, bundles
	Trial           []string // further ones, which are shown but never applied
	VerificationKey []byte   // PEM; empty lets bundles in without a signature
	FS              fs.FS    // where Paths are; nil is the file system of the machine
	Dir             string   // what reported file names are relative to
	// Config is the configuration, which policies see as data.config.
	Config map[string]any
}

// Set is the modules and data of a policy set.
type Set struct {
	Modules []Module // sorted by file
	Tests   []Module // *_test.rego and the testing library; never part of the set
	Data    map[string]any
	Broken  []*Finding // the modules that do not parse

	files Files
	key   *bundleKey // nil where bundles need no signature
	bare  []string   // the paths without a policy
	loose []string   // the files, tests aside, that are in no bundle
	seen  map[string]bool
	trial bool // what is loaded now is on trial
	again int  // files that were named twice
}

// Load reads the operator's modules and data and adds the built-in modules.
func Load(files Files) (*Set, error) {
	s := &Set{Data: map[string]any{}, files: files, seen: map[string]bool{}}
	var err error
	if s.key, err = parseKey(files.VerificationKey); err != nil {
		return nil, err
	}
	for i, path := range slices.Concat(files.Trial, files.Paths) { // the first that names a file counts
		s.trial = i < len(files.Trial)
		if err := s.add(path); err != nil {
			return nil, fmt.Errorf("loading policies from %s: %w", path, err)
		}
	}
	if err := s.unverified(); err != nil {
		return nil, err
	}
	if _, used := s.Data["config"]; used {
		return nil, errors.New("data.config is the configuration: give the data of your policies another name")
	}
	if err := s.addLibrary(); err != nil {
		return nil, err
	}
	byFile := func(a, b Module) int { return strings.Compare(a.File, b.File) }
	slices.SortFunc(s.Modules, byFile)
	slices.SortFunc(s.Tests, byFile)
	return s, nil
}

// unverified refuses files that no signature covers although there is a key:
// whoever can write one of them decides what is deleted.
func (s *Set) unverified() error {
	if s.key == nil || len(s.loose) == 0 {
		return nil
	}
	return fmt.Errorf("policy.verification_key requires every policy and data file to be in a signed bundle, but these are not: %s: pack them with opa build --bundle --signing-key KEY.pem FOLDER, or remove the key", text.Some(s.loose))
}

// Missing refuses a path without any policy: it is most likely a mistake.
func (s *Set) Missing() error {
	var errs []error
	for _, path := range s.bare {
		errs = append(errs, fmt.Errorf("loading policies from %s: it has no .rego file: name the files, or remove it from policies", path))
	}
	return errors.Join(errs...)
}

// Own are the operator's modules.
func (s *Set) Own() []Module {
	return slices.DeleteFunc(slices.Clone(s.Modules), func(m Module) bool { return m.Builtin })
}

// Used are the files of the operator's modules that judge a subject, and of the
// helpers that these refer to.
func (s *Set) Used() map[string]bool {
	used := map[string]bool{}
	for _, subject := range []Subject{Image, Namespace} {
		for _, m := range Reachable(s.Own(), subject) {
			used[m.File] = true
		}
	}
	return used
}

// Document is what policies see as data: the data files, and the configuration.
func (s *Set) Document() map[string]any {
	data := maps.Clone(s.Data)
	data["config"] = s.files.Config
	if s.files.Config == nil {
		data["config"] = map[string]any{}
	}
	return data
}

// Digest is "sha256:<hex>" over names and contents, so that it shows any change
// of the policy set.
func (s *Set) Digest() string {
	h := sha256.New()
	for _, m := range s.Modules {
		fmt.Fprintf(h, "%s %d\n", m.File, len(m.Raw))
		h.Write(m.Raw)
	}
	data, err := json.Marshal(s.Data) // map keys are sorted
	if err == nil {
		h.Write(data)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// ParseTests parses the tests, which Load leaves unparsed, and adds the testing
// library unless the operator has a copy of it.
func (s *Set) ParseTests() []*Finding {
	var findings []*Finding
	library := false
	for i := range s.Tests {
		if s.Tests[i].Parsed == nil {
			findings = append(findings, s.Tests[i].parse()...)
		}
		library = library || s.Tests[i].isTestingLibrary()
	}
	if !library {
		m := Module{File: testing.File, Raw: []byte(testing.Library)}
		findings = append(findings, m.parse()...)
		s.Tests = append(s.Tests, m)
	}
	return findings
}

// add reads one file, folder or bundle.
func (s *Set) add(path string) error {
	found, err := list(s.files.FS, path)
	if err != nil {
		return err
	}
	before, documents := len(s.Modules)+len(s.Broken)+s.again, false
	for _, file := range found {
		switch {
		case strings.HasSuffix(file, ".tar.gz"):
			err = s.addBundle(file)
		case strings.HasSuffix(file, ".rego"):
			err = s.addFile(file)
		default:
			documents, err = true, checkFile(s.files.FS, file)
			s.loose = append(s.loose, relative(file, s.files.Dir))
		}
		if err != nil {
			return err
		}
	}
	if before == len(s.Modules)+len(s.Broken)+s.again {
		s.bare = append(s.bare, path)
	}
	if !documents {
		return nil
	}
	reader := loader.NewFileLoader()
	if s.files.FS != nil {
		reader = reader.WithFS(s.files.FS)
	}
	result, err := reader.Filtered([]string{path}, notData)
	if err != nil {
		return err
	}
	return s.addData(result.Documents)
}

func (s *Set) addFile(path string) error {
	raw, err := readFile(s.files.FS, path)
	if err != nil {
		return err
	}
	m := Module{File: relative(path, s.files.Dir), Raw: raw}
	if !m.isTest() {
		s.loose = append(s.loose, m.File)
	}
	s.addModule(m)
	return nil
}

// addModule parses a module and puts it where it belongs. A file that is named
// twice counts once.
func (s *Set) addModule(m Module) {
	if s.seen[m.File] {
		s.again++
		return
	}
	m.Trial = s.trial
	s.seen[m.File] = true
	if m.isTest() {
		s.Tests = append(s.Tests, m)
		return
	}
	broken := m.parse()
	switch {
	case len(broken) > 0:
		s.Broken = append(s.Broken, broken...)
	case m.isTestingLibrary():
		s.Tests = append(s.Tests, m)
	default:
		s.Modules = append(s.Modules, m)
	}
}

func (m *Module) isTest() bool { return strings.HasSuffix(m.File, "_test.rego") }

// isTestingLibrary reports whether a module is the testing library or a copy of
// it among the operator's files, for OPA's own tools.
func (m *Module) isTestingLibrary() bool {
	return m.Parsed != nil && m.Parsed.Package.Path.Equal(ast.MustParseRef("data.janitor.testing"))
}

// addData merges data files; no key may come from two places.
func (s *Set) addData(documents map[string]any) error {
	for key, value := range documents {
		if _, used := s.Data[key]; used {
			return fmt.Errorf("data.%s is defined twice", key)
		}
		s.Data[key] = value
	}
	return nil
}

func (s *Set) addLibrary() error {
	files, err := fs.Glob(library.Files, "*.rego")
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.rego") {
			continue
		}
		raw, err := library.Files.ReadFile(file)
		if err != nil {
			return err
		}
		m := Module{File: "builtin/" + file, Raw: raw, Builtin: true}
		if broken := m.parse(); len(broken) > 0 {
			return fmt.Errorf("parsing the built-in policies: %w", broken[0])
		}
		s.Modules = append(s.Modules, m)
	}
	return nil
}
