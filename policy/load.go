package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/loader"
)

//go:embed library/*.rego
var library embed.FS

// module is one Rego file.
type module struct {
	file    string
	raw     []byte
	parsed  *ast.Module // nil of a test until it is parsed
	builtin bool
	bundle  string // the bundle it came in, "" for a loose file
}

// sources are the files of a policy set.
type sources struct {
	modules []module // sorted by file
	tests   []module // *_test.rego and the helper library; never part of the set
	data    map[string]any
	bare    []string   // the paths that have no policy
	broken  []*Finding // the modules that do not parse
	seen    map[string]bool
	key     *bundleKey // nil where bundles need no signature
}

// load reads the operator's modules and data and adds the built-in ones.
func load(o Options) (*sources, error) {
	s := &sources{data: map[string]any{}, seen: map[string]bool{}}
	var err error
	if s.key, err = parseKey(o.VerificationKey); err != nil {
		return nil, err
	}
	for _, path := range o.Paths {
		if err := s.add(o.FS, path, o.Dir); err != nil {
			return nil, fmt.Errorf("loading policies from %s: %w", path, err)
		}
	}
	if _, taken := s.data["config"]; taken {
		return nil, errors.New("data.config is the configuration: give the data of your policies another name")
	}
	if err := s.addLibrary(); err != nil {
		return nil, err
	}
	byFile := func(a, b module) int { return strings.Compare(a.file, b.file) }
	slices.SortFunc(s.modules, byFile)
	slices.SortFunc(s.tests, byFile)
	return s, nil
}

// missing refuses a path without any policy: it is most likely a mistake.
func (s *sources) missing() error {
	var errs []error
	for _, path := range s.bare {
		errs = append(errs, fmt.Errorf("loading policies from %s: there is no .rego file in it: name the files, or remove it from policies", path))
	}
	return errors.Join(errs...)
}

// own are the operator's modules.
func (s *sources) own() []module {
	return slices.DeleteFunc(slices.Clone(s.modules), func(m module) bool { return m.builtin })
}

// add reads one file, folder or bundle.
func (s *sources) add(files fs.FS, path, dir string) error {
	found, err := list(files, path)
	if err != nil {
		return err
	}
	before, documents := len(s.modules)+len(s.broken), false
	for _, file := range found {
		switch {
		case strings.HasSuffix(file, ".tar.gz"):
			err = s.addBundle(files, file, dir)
		case strings.HasSuffix(file, ".rego"):
			err = s.addFile(files, file, dir)
		default:
			documents = true
		}
		if err != nil {
			return err
		}
	}
	if before == len(s.modules)+len(s.broken) {
		s.bare = append(s.bare, path)
	}
	if !documents {
		return nil
	}
	reader := loader.NewFileLoader()
	if files != nil {
		reader = reader.WithFS(files)
	}
	result, err := reader.Filtered([]string{path}, notData)
	if err != nil {
		return err
	}
	return s.addData(result.Documents)
}

// list names the policy and data files that a path stands for, in lexical order.
// Files and folders that begin with a dot are left out: volumes of a cluster
// keep every file there a second time.
func list(files fs.FS, path string) ([]string, error) {
	info, err := stat(files, path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if isPolicyFile(info.Name()) {
			return []string{path}, nil
		}
		return nil, nil
	}
	root := os.DirFS(path)
	if files != nil {
		if root, err = fs.Sub(files, path); err != nil {
			return nil, err
		}
	}
	var out []string
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case !d.IsDir() && isPolicyFile(d.Name()):
			out = append(out, filepath.Join(path, filepath.FromSlash(name)))
		}
		return nil
	})
	return out, err
}

func stat(files fs.FS, path string) (fs.FileInfo, error) {
	if files != nil {
		return fs.Stat(files, path)
	}
	return os.Stat(path)
}

func readFile(files fs.FS, path string) ([]byte, error) {
	if files != nil {
		return fs.ReadFile(files, path)
	}
	return os.ReadFile(path)
}

// isPolicyFile reports whether a file is Rego, a bundle, or a data file of the
// names that OPA bundles use.
func isPolicyFile(name string) bool {
	return strings.HasSuffix(name, ".rego") || strings.HasSuffix(name, ".tar.gz") || isDataFile(name)
}

func isDataFile(name string) bool {
	return name == "data.json" || name == "data.yaml" || name == "data.yml"
}

func notData(_ string, info fs.FileInfo, _ int) bool {
	if info.IsDir() {
		return strings.HasPrefix(info.Name(), ".") && info.Name() != "." && info.Name() != ".."
	}
	return !isDataFile(info.Name())
}

func (s *sources) addFile(files fs.FS, path, dir string) error {
	raw, err := readFile(files, path)
	if err != nil {
		return err
	}
	s.addModule(module{file: relative(path, dir), raw: raw})
	return nil
}

// addModule parses a module and puts it where it belongs. A file that is named
// twice counts once.
func (s *sources) addModule(m module) {
	if s.seen[m.file] {
		return
	}
	s.seen[m.file] = true
	if strings.HasSuffix(m.file, "_test.rego") {
		s.tests = append(s.tests, m)
		return
	}
	broken := m.parse()
	switch {
	case len(broken) > 0:
		s.broken = append(s.broken, broken...)
	case m.parsed.Package.Path.Equal(testingPackage()):
		s.tests = append(s.tests, m)
	default:
		s.modules = append(s.modules, m)
	}
}

// parse reads the text of a module.
func (m *module) parse() []*Finding {
	parsed, err := ast.ParseModuleWithOpts(m.file, string(m.raw), ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
	var problems ast.Errors
	switch {
	case err == nil && parsed == nil:
		return []*Finding{{File: m.file, Line: 1, Col: 1, Severity: Problem, Code: "parse", Message: "the file is empty", Hint: "remove it, or begin it with: package janitor.image.<name>"}}
	case err == nil:
		m.parsed = parsed
		return nil
	case !errors.As(err, &problems):
		return []*Finding{{File: m.file, Line: 1, Col: 1, Severity: Problem, Code: "parse", Message: err.Error()}}
	}
	var out []*Finding
	for _, e := range problems {
		f := &Finding{File: m.file, Line: 1, Col: 1, Severity: Problem, Code: "parse", Message: compilerText(e)}
		if e.Location != nil {
			f.Line, f.Col = e.Location.Row, e.Location.Col
		}
		out = append(out, f)
	}
	return out
}

// addData merges data files; no key may come from two places.
func (s *sources) addData(documents map[string]any) error {
	for key, value := range documents {
		if _, taken := s.data[key]; taken {
			return fmt.Errorf("data.%s is defined twice", key)
		}
		s.data[key] = value
	}
	return nil
}

// relative is how a file is reported.
func relative(file, dir string) string {
	if dir == "" {
		return filepath.ToSlash(filepath.Clean(file))
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(file)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	rel, err := filepath.Rel(base, abs)
	if err != nil || strings.HasPrefix(rel, ".."+string(os.PathSeparator)) {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

func (s *sources) addLibrary() error {
	files, err := fs.Glob(library, "library/*.rego")
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.rego") {
			continue
		}
		raw, err := library.ReadFile(file)
		if err != nil {
			return err
		}
		m := module{file: "builtin/" + strings.TrimPrefix(file, "library/"), raw: raw, builtin: true}
		if broken := m.parse(); len(broken) > 0 {
			return fmt.Errorf("parsing the built-in policies: %w", broken[0])
		}
		s.modules = append(s.modules, m)
	}
	return nil
}

// digest is over names and contents, so that any change of the policy set shows.
func (s *sources) digest() string {
	h := sha256.New()
	for _, m := range s.modules {
		fmt.Fprintf(h, "%s %d\n", m.file, len(m.raw))
		h.Write(m.raw)
	}
	data, err := json.Marshal(s.data) // map keys are sorted
	if err == nil {
		h.Write(data)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// digest of one module.
func (m *module) digest() string {
	sum := sha256.Sum256(m.raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}
