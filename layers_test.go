package registry_janitor_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLayers enforces the architecture of docs/design.md: what each package may import,
// which files may read the clock, and what no package may have.
func TestLayers(t *testing.T) {
	for _, problem := range newTree(t, os.DirFS(".")).problems(rules()) {
		t.Error(problem)
	}
}

// module is the import path of this repository.
const module = "github.com/registry-janitor/registry-janitor"

// architecture has the rules.
type architecture struct {
	packages map[string]layer    // by folder; no other folder may have a package
	owners   map[string][]string // by import path, or its beginning: the packages that may import it
	clock    []string            // the files that may read the clock
}

// layer is what one package may import.
type layer struct {
	ours   []string // of our packages, by folder
	closed bool     // no module from outside, except theirs
	theirs []string
	pure   bool // no I/O of the standard library either
}

func rules() architecture {
	return architecture{
		packages: map[string]layer{
			// Words for people, and the only clock: every package may use them.
			"internal/text":  {},
			"internal/clock": {},
			// Reads and writes the files that an operator names, bounded in size.
			"internal/files": {closed: true},
			// The XML of test reports, which policy test and the reports of runs share.
			"internal/junit": {closed: true},
			// The nouns, which all share and which import nothing.
			"registry": {closed: true, pure: true},
			// Reads janitor.yaml, strictly, into the rules that policies judge by and its own types.
			"internal/config": {ours: []string{"registry", "internal/approvals", "internal/archive/target", "internal/files", "internal/strictyaml", "policy/rules"}},
			// Decodes YAML strictly. The emulator uses it, so it has no other dependency.
			"internal/strictyaml": {closed: true, theirs: []string{"gopkg.in/yaml.v3"}},
			// The registry API in memory, and its contents at the start. Users' tests import
			// them, so they have no dependencies.
			"emulator": {closed: true, ours: []string{"emulator/worlds", "emulator/internal/content", "emulator/internal/gateway", "emulator/internal/listing", "emulator/internal/products", "emulator/internal/wire", "emulator/internal/recipes"}},
			// The data plane of the emulator, over a library.
			"emulator/oci": {ours: []string{"emulator", "emulator/internal/content", "emulator/internal/gateway", "emulator/worlds"}},
			// The manifests and layers of tags, and which of them a tag of a world holds.
			"emulator/internal/content": {closed: true},
			"emulator/internal/recipes": {closed: true, ours: []string{"emulator/worlds", "emulator/internal/content", "emulator/internal/wire"}},
			// A request before the API acts on it, and an answer as the API writes it.
			"emulator/internal/gateway": {closed: true, ours: []string{"emulator/worlds"}},
			"emulator/internal/wire":    {closed: true, ours: []string{"emulator/internal/content"}},
			// The lists of the API, and those of other APIs.
			"emulator/internal/listing":  {closed: true, ours: []string{"emulator/worlds", "emulator/internal/gateway", "emulator/internal/wire"}},
			"emulator/internal/products": {closed: true, ours: []string{"emulator/worlds", "emulator/internal/listing", "emulator/internal/wire"}},
			"emulator/worlds":            {closed: true, ours: []string{"internal/strictyaml"}},
			// Files to copy, and an embed.FS of them.
			"examples": {closed: true},
			// Walks a source that it declares itself; internal/scaleway implements it.
			"scanner": {ours: []string{"registry"}},
			// Judges by Rego, and does not know what happens to its verdicts.
			"policy": {ours: []string{"registry", "policy/internal/facts", "policy/internal/modules", "policy/schema"}},
			// What policies are told of an image or namespace; decides nothing.
			"policy/internal/facts": {ours: []string{"registry", "internal/strictyaml", "policy/internal/modules", "policy/rules"}},
			// Which functions policies may call, each call bounded.
			"policy/internal/builtins": {ours: []string{"policy/rules"}},
			// The rules of a configuration, in the one form that all share.
			"policy/rules": {ours: []string{"registry", "internal/strictyaml"}},
			// Reads and checks Rego, for the packages that run it and that help to write it.
			"policy/internal/modules": {ours: []string{"internal/files", "policy/internal/builtins", "policy/library", "policy/schema", "policy/testing"}},
			// Files of Rego and of JSON Schema, and an embed.FS of them.
			"policy/library": {closed: true},
			"policy/schema":  {closed: true},
			"policy/testing": {closed: true},
			// The tools of people who write policies.
			"policy/author": {ours: []string{"registry", "policy", "policy/internal/builtins", "policy/internal/modules", "policy/schema", "policy/testing", "internal/junit"}},
			// The documents between the verdicts and the registry: Plan, Step, Held, Outcome.
			"actions": {ours: []string{"registry", "actions/internal/lines"}},
			// Writes those documents, one entry a line.
			"actions/internal/lines": {closed: true, pure: true},
			// Turns verdicts into a plan, and is pure.
			"actions/plan": {ours: []string{"registry", "actions"}, pure: true},
			// Turns a plan into an outcome, over an editor and a journal that it declares itself.
			"actions/apply": {ours: []string{"registry", "actions", "actions/apply/internal/copies", "actions/apply/internal/places"}},
			// The copies that are made ahead of deletions.
			"actions/apply/internal/copies": {ours: []string{"actions"}},
			// The namespaces of a plan while it is applied: read once, and what is denied in them.
			"actions/apply/internal/places": {ours: []string{"registry"}},
			// Reads what became of interrupted steps.
			"actions/resolve": {ours: []string{"registry", "actions"}},
			// Compares two plans, and is pure.
			"actions/diff": {ours: []string{"registry", "actions", "actions/internal/lines"}, pure: true},
			// Translates the SDK into the nouns, and fits the scanner without importing it.
			"internal/scaleway": {ours: []string{"registry", "internal/files", "internal/pace", "internal/retry", "internal/scaleway/credentials"}},
			// Finds the API key.
			"internal/scaleway/credentials": {ours: []string{"internal/files"}},
			// Reads what is inside a tag from the registry itself.
			"internal/content": {ours: []string{"registry", "internal/pace", "internal/retry"}},
			// Repeats reads.
			"internal/retry": {},
			// Ends requests on which nothing moves.
			"internal/stall": {},
			// Limits the requests to a host.
			"internal/pace": {},
			// The documents of finished runs, which the packages below share.
			"internal/runs": {ours: []string{"registry", "actions"}},
			// Connects to the registries that clients pull from, to stream and to push.
			"internal/oci": {ours: []string{"registry", "internal/pace", "internal/retry", "internal/stall"}},
			// Copies tags before they are deleted, and restores them.
			"internal/archive": {ours: []string{"registry", "actions", "internal/archive/store", "internal/oci", "internal/retry", "internal/runs"}},
			// Keeps blobs by their digests: in a directory, a bucket or a repository.
			"internal/archive/store": {ours: []string{"registry", "internal/archive/target", "internal/stall"}},
			// Reads the address of an archive.
			"internal/archive/target": {closed: true},
			// Records what plans and runs did.
			"internal/ledger": {ours: []string{"registry", "actions", "internal/files", "internal/runs", "internal/ledger/database", "internal/ledger/packed", "scanner"}},
			// Opens the database of a ledger, and holds its locks.
			"internal/ledger/database": {},
			// What a ledger stores, in few bytes.
			"internal/ledger/packed": {ours: []string{"registry", "actions"}, pure: true},
			// Decides who has approved a plan.
			"internal/approvals": {ours: []string{"internal/runs"}},
			// Shows how far a run is, on a terminal and in the log.
			"internal/progress": {ours: []string{"internal/runs"}},
			// Renders a finished run. Only the program imports it: other packages get
			// functions that render.
			"internal/report":         {ours: []string{"registry", "actions", "actions/diff", "internal/runs", "internal/ledger", "internal/report/machine", "internal/report/outline", "internal/report/page"}},
			"internal/report/machine": {ours: []string{"registry", "actions", "internal/runs", "internal/junit", "internal/report/outline"}},
			"internal/report/page":    {ours: []string{"registry", "actions", "internal/runs", "internal/report/outline"}},
			"internal/report/outline": {ours: []string{"registry", "actions", "internal/runs"}},
			// Sets metrics from a finished run.
			"metrics": {ours: []string{"registry", "actions", "internal/runs"}},
			// Reads what a cluster runs: one use source.
			"internal/kube": {ours: []string{"registry", "internal/files", "internal/retry"}},
			// Sends messages about a finished run.
			"internal/notify": {ours: []string{"registry", "actions", "internal/files", "internal/runs"}},
			// Serves the state of a daemon over HTTP.
			"internal/web": {ours: []string{"registry", "internal/files", "internal/runs"}},
			// Finds out who uses what: references files, serverless, clusters.
			"internal/uses": {ours: []string{"registry", "internal/files", "internal/runs"}},
			// Compares the rules with a registry. It needs planned steps, which policy/author
			// must not import.
			"internal/lint": {ours: []string{"registry", "internal/config", "policy", "policy/rules", "actions", "actions/plan", "internal/runs"}},
			// Writes a configuration for a registry, and is pure.
			"internal/propose": {ours: []string{"registry", "scanner", "policy/rules", "actions"}, pure: true},
			// Finds what a person names.
			"internal/lookup": {ours: []string{"registry", "actions", "internal/ledger", "internal/runs", "internal/uses", "scanner"}},
			// Makes the use sources that a configuration names.
			"internal/sources": {ours: []string{"registry", "internal/config", "internal/kube", "internal/scaleway", "internal/uses", "scanner"}},
			// Finds when a decision changes.
			"internal/outlook": {ours: []string{"registry", "actions", "internal/config", "internal/runs", "policy/rules", "scanner"}},
			// Tries out what the API does.
			"internal/probe": {ours: []string{"registry", "actions", "internal/config", "internal/ledger", "internal/oci", "internal/scaleway"}},
			// A panic as an error.
			"internal/bug": {closed: true},
			// Records a run, and holds the lock of the runs.
			"internal/recorder": {ours: []string{"registry", "scanner", "actions", "actions/resolve", "internal/bug", "internal/config", "internal/ledger", "internal/runs"}},
			// Works at the archive of a configuration.
			"internal/archivist": {ours: []string{"registry", "actions", "internal/archive", "internal/archive/store", "internal/archive/target", "internal/config", "internal/ledger", "internal/oci", "internal/recorder", "internal/runs", "internal/scaleway"}},
			// What a run reads: a scan with its uses.
			"internal/intake": {ours: []string{"registry", "scanner", "internal/bug", "internal/uses"}},
			// Whether a saved plan may be applied.
			"internal/admission": {ours: []string{"registry", "scanner", "actions", "actions/plan", "internal/approvals", "internal/config", "internal/ledger", "internal/runs"}},
			// One run: joins the stages.
			"internal/janitor": {ours: []string{
				"internal/lookup", "internal/sources", "internal/outlook", "internal/probe", "internal/bug", "internal/recorder", "internal/archivist", "internal/admission", "internal/intake",
				"registry", "internal/files", "internal/config", "scanner", "policy", "actions", "actions/plan", "actions/apply", "actions/diff", "internal/scaleway", "internal/kube", "internal/uses", "internal/lint", "internal/runs", "internal/ledger", "internal/content", "internal/approvals", "internal/archive",
			}},
			// Starts the runs that are due: schedules, leadership, reload.
			"internal/daemon": {ours: []string{
				"registry", "internal/config", "policy", "actions", "internal/admission", "internal/archivist", "internal/bug", "internal/janitor", "internal/lookup", "internal/recorder", "internal/runs", "internal/ledger", "metrics", "internal/notify", "internal/progress", "internal/web",
			}},
			// How command lines are written.
			"internal/cli/syntax": {},
			// What a command reads from, prints to and ends with.
			"internal/cli/terminal": {ours: []string{"registry", "internal/cli/syntax", "internal/config", "internal/files", "internal/janitor", "internal/progress", "internal/report", "policy/author"}},
			// Opens what commands read.
			"internal/cli/inputs": {ours: []string{"registry", "actions", "internal/admission", "internal/approvals", "internal/cli/syntax", "internal/cli/terminal", "internal/config", "internal/files", "internal/intake", "internal/janitor", "internal/runs", "internal/scaleway", "internal/sources", "policy", "scanner"}},
			// The commands policy and config.
			"internal/cli/policies": {ours: []string{"internal/cli/inputs", "internal/cli/syntax", "internal/cli/terminal", "internal/config", "internal/daemon", "internal/janitor", "internal/notify", "internal/report", "policy", "policy/author"}},
			// The command init.
			"internal/cli/proposal": {ours: []string{"registry", "actions", "internal/cli/inputs", "internal/cli/terminal", "internal/config", "internal/files", "internal/janitor", "internal/propose", "policy"}},
			// The program connects all.
			"cmd/registry-janitor": {ours: []string{
				"internal/cli/inputs", "internal/cli/policies", "internal/cli/proposal", "internal/cli/syntax", "internal/cli/terminal",
				"registry", "internal/files", "internal/config", "emulator", "emulator/oci", "emulator/worlds", "examples", "policy", "actions", "actions/diff", "internal/scaleway", "internal/runs", "internal/report", "internal/report/page", "internal/ledger", "internal/archive", "metrics", "internal/notify", "internal/web", "internal/admission", "internal/janitor", "internal/archivist", "internal/recorder", "internal/lookup", "internal/probe", "internal/daemon", "internal/approvals",
			}},
		},
		owners: map[string][]string{
			// A change of the SDK is a change of one package.
			"github.com/scaleway/scaleway-sdk-go": {"internal/scaleway", "internal/scaleway/credentials"},
			// The decoder of the next standard library, for what is decoded a million times.
			"github.com/go-json-experiment/json": {"internal/scaleway"},
			// These packages speak the protocol of registries, and one serves it.
			"github.com/google/go-containerregistry": {"emulator/oci", "internal/content", "internal/probe", "internal/archive", "internal/archive/store", "internal/oci"},
			// No policy may run without strict mode, schemas and narrowed capabilities.
			"github.com/open-policy-agent/opa": {"policy", "policy/author", "policy/internal/builtins", "policy/internal/facts", "policy/internal/modules"},
			// Metrics are set from a finished run, never from within.
			"github.com/prometheus/client_golang": {"metrics"},
			// A cluster is one use source, over client-go's connection alone.
			"k8s.io": {"internal/kube"},
			// One package sends messages.
			"github.com/nicholas-fedor/shoutrrr": {"internal/notify"},
			// One package listens.
			"github.com/prometheus/exporter-toolkit": {"internal/web"},
			"github.com/robfig/cron/v3":              {"internal/config", "internal/daemon"},
			// One package stores.
			"database/sql":         {"internal/ledger", "internal/ledger/database"},
			"modernc.org/sqlite":   {"internal/ledger/database"},
			"github.com/jackc/pgx": {"internal/ledger/database"},
			// One package knows signatures.
			"github.com/hiddeco/sshsig": {"internal/approvals"},
			"golang.org/x/crypto/ssh":   {"internal/approvals"},
			// One package talks to buckets.
			"github.com/aws/aws-sdk-go-v2": {"internal/archive/store"},
			"github.com/gofrs/flock":       {"internal/archive/store"},
			"github.com/aws/smithy-go":     {"internal/archive/store"},
			// Only the program has commands.
			"github.com/spf13/cobra": {"cmd/registry-janitor", "internal/cli/inputs", "internal/cli/policies", "internal/cli/proposal", "internal/cli/syntax", "internal/cli/terminal"},
		},
		clock: []string{
			"internal/clock/clock.go", // the one clock
		},
	}
}

// tree is the parsed Go code of a repository, without its tests.
type tree struct {
	files   *token.FileSet
	sources map[string]map[string]*ast.File // by folder and file
}

func newTree(t *testing.T, repository fs.FS) *tree {
	t.Helper()
	tr := &tree{files: token.NewFileSet(), sources: map[string]map[string]*ast.File{}}
	others := nestedModules(t, repository)
	walk(t, repository, func(name string, text []byte) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") ||
			slices.ContainsFunc(others, func(folder string) bool { return strings.HasPrefix(name, folder+"/") }) {
			return
		}
		file, err := parser.ParseFile(tr.files, name, text, parser.ParseComments)
		if err != nil {
			t.Errorf("parsing %s: %v", name, err)
			return
		}
		folder := path.Dir(name)
		if tr.sources[folder] == nil {
			tr.sources[folder] = map[string]*ast.File{}
		}
		tr.sources[folder][name] = file
	})
	return tr
}

// nestedModules returns the folders of other modules.
func nestedModules(t *testing.T, repository fs.FS) []string {
	t.Helper()
	var folders []string
	walk(t, repository, func(name string, _ []byte) {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			folders = append(folders, path.Dir(name))
		}
	})
	return folders
}

// problems returns all violations, in a stable order.
func (tr *tree) problems(a architecture) []string {
	var problems []string
	readers := map[string]bool{}
	for _, folder := range slices.Sorted(maps.Keys(tr.sources)) {
		layer, known := a.packages[folder]
		if !known {
			problems = append(problems, folder+": is not in the table of packages")
			continue
		}
		problems = append(problems, packageComment(folder, tr.sources[folder])...)
		for _, name := range slices.Sorted(maps.Keys(tr.sources[folder])) {
			file := tr.sources[folder][name]
			for _, imported := range file.Imports {
				problems = append(problems, tr.at(imported, a.imported(folder, layer, imported)))
			}
			problems = append(problems, tr.inits(file)...)
			for _, read := range clockReads(file) {
				readers[name] = true
				if !slices.Contains(a.clock, name) {
					problems = append(problems, tr.at(read, "reads the clock: take the time, or a func() time.Time, from the caller"))
				}
			}
		}
	}
	for _, name := range a.clock {
		if !readers[name] {
			problems = append(problems, name+": is in the list of files that read the clock, but does not")
		}
	}
	return slices.DeleteFunc(problems, func(p string) bool { return p == "" })
}

// at prefixes a problem with its position. It returns "" if the problem is "".
func (tr *tree) at(node ast.Node, problem string) string {
	if problem == "" {
		return ""
	}
	position := tr.files.Position(node.Pos())
	return fmt.Sprintf("%s:%d: %s", position.Filename, position.Line, problem)
}

// imported returns the problem of an import, or "".
func (a architecture) imported(folder string, l layer, spec *ast.ImportSpec) string {
	imported, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return err.Error()
	}
	if ours, ok := within(imported, module); ok {
		if !slices.Contains(l.ours, ours) && !slices.Contains(shared(), ours) {
			return folder + " must not import " + ours
		}
		return ""
	}
	for owned, owners := range a.owners {
		if _, ok := within(imported, owned); ok && !slices.Contains(owners, folder) {
			return fmt.Sprintf("%s must not import %s, which only %v may", folder, imported, owners)
		}
	}
	standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
	switch {
	case imported == "C" || imported == "unsafe":
		return folder + " must not import " + imported
	case l.closed && !standard && !slices.Contains(l.theirs, imported):
		return folder + " must not import " + imported + ": it has the standard library"
	case l.pure && slices.Contains(impure(), imported):
		return folder + " must not import " + imported + ": it is pure"
	}
	return ""
}

// shared lists our packages that every package may import.
func shared() []string { return []string{"internal/text", "internal/clock"} }

// within cuts the parent off a path, and reports whether the path is inside of it.
func within(path, parent string) (rest string, ok bool) {
	if path == parent {
		return "", true
	}
	return strings.CutPrefix(path, parent+"/")
}

// impure lists what a pure package must not import, because its results depend on more
// than arguments. A logger (log/slog) is an argument.
func impure() []string {
	return []string{
		"crypto/rand", "database/sql", "io/ioutil", "log", "math/rand", "math/rand/v2", "net", "net/http",
		"os", "os/exec", "os/signal", "os/user", "path/filepath", "runtime", "runtime/debug", "syscall",
	}
}

// packageComment returns the problems of a package's comment.
func packageComment(folder string, files map[string]*ast.File) []string {
	var documented []string
	var want string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := files[name]
		want = "Package " + file.Name.Name + " "
		if file.Name.Name == "main" {
			want = "Command " + path.Base(folder) + " "
		}
		if file.Doc != nil && strings.HasPrefix(file.Doc.Text(), want) {
			documented = append(documented, name)
		}
	}
	switch len(documented) {
	case 0:
		return []string{fmt.Sprintf("%s: has no package comment, which starts with %q", folder, want)}
	case 1:
		return nil
	}
	return []string{fmt.Sprintf("%s: has more than one package comment: %v", folder, documented)}
}

// inits finds functions that run before main.
func (tr *tree) inits(file *ast.File) []string {
	var problems []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			problems = append(problems, tr.at(f, "has an init function: let the caller call"))
		}
	}
	return problems
}

// clockReads finds uses of functions that read the wall clock or wait by it, calls or not.
// Timers measure intervals, and are allowed.
func clockReads(file *ast.File) []ast.Node {
	name := ""
	var reads []ast.Node
	for _, spec := range file.Imports {
		if spec.Path.Value != `"time"` {
			continue
		}
		name = "time"
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." {
			reads = append(reads, spec) // cannot be checked
		}
	}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "Tick"}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// An identifier with an object is declared in the file: a variable named time.
		of, ok := selector.X.(*ast.Ident)
		if ok && of.Name == name && of.Obj == nil && slices.Contains(clock, selector.Sel.Name) {
			reads = append(reads, selector)
		}
		return true
	})
	return reads
}

// walk visits the files of a repository in lexical order, except hidden folders and bin.
func walk(t *testing.T, repository fs.FS, visit func(name string, text []byte)) {
	t.Helper()
	err := fs.WalkDir(repository, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "bin" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case !d.Type().IsRegular(), path.Ext(name) != ".go" && d.Name() != "go.mod":
			return nil
		}
		text, err := fs.ReadFile(repository, name)
		if err != nil {
			return err
		}
		visit(name, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
