package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
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
	parsed  *ast.Module
	builtin bool
}

// sources are the files of a policy set.
type sources struct {
	modules []module // sorted by file
	data    map[string]any
}

// load reads the operator's modules and data and adds the built-in ones.
func load(files fs.FS, paths []string, dir string) (*sources, error) {
	s := &sources{data: map[string]any{}}
	for _, path := range paths {
		if err := s.add(files, path, dir); err != nil {
			return nil, err
		}
	}
	if _, taken := s.data["config"]; taken {
		return nil, fmt.Errorf("data.config is the configuration: give the data of your policies another name")
	}
	if err := s.addLibrary(); err != nil {
		return nil, err
	}
	slices.SortFunc(s.modules, func(a, b module) int { return strings.Compare(a.file, b.file) })
	return s, nil
}

// add reads one file, folder or bundle.
func (s *sources) add(files fs.FS, path, dir string) error {
	reader := loader.NewFileLoader().WithProcessAnnotation(true)
	if files != nil {
		reader = reader.WithFS(files)
	}
	result, err := reader.
		Filtered([]string{path}, notPolicy)
	if err != nil {
		return fmt.Errorf("loading policies from %s: %w", path, err)
	}
	if len(result.Modules) == 0 {
		return fmt.Errorf("loading policies from %s: there is no .rego file in it: name the files, or remove it from policies", path)
	}
	for _, file := range result.Modules {
		s.modules = append(s.modules, module{file: relative(file.Name, dir), raw: file.Raw, parsed: file.Parsed})
	}
	for key, value := range result.Documents {
		if _, taken := s.data[key]; taken {
			return fmt.Errorf("loading policies from %s: data.%s is defined twice", path, key)
		}
		s.data[key] = value
	}
	return nil
}

// notPolicy leaves out of a folder what is neither Rego nor a data file of the
// names that OPA bundles use. Tests are never part of the policy set.
func notPolicy(_ string, info fs.FileInfo, _ int) bool {
	name := info.Name()
	if info.IsDir() {
		return strings.HasPrefix(name, ".") && name != "." && name != ".."
	}
	switch {
	case strings.HasSuffix(name, "_test.rego"):
		return true
	case strings.HasSuffix(name, ".rego"), strings.HasSuffix(name, ".tar.gz"):
		return false
	}
	return name != "data.json" && name != "data.yaml" && name != "data.yml"
}

func relative(file, dir string) string {
	if dir == "" {
		return filepath.ToSlash(file)
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
		name := "builtin/" + strings.TrimPrefix(file, "library/")
		parsed, err := ast.ParseModuleWithOpts(name, string(raw), ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			return fmt.Errorf("parsing the built-in policies: %w", err)
		}
		s.modules = append(s.modules, module{file: name, raw: raw, parsed: parsed, builtin: true})
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
