package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"registry-janitor": mainOrStory})
}

// mainOrStory is the program. In a story its clock is fixed, so that its whole output
// can be compared.
func mainOrStory() {
	if os.Getenv("JANITOR_STORY") == "" {
		main()
		return
	}
	a := testApp(os.Stdout, os.Stderr)
	a.Now = func() time.Time { return storyTime }
	a.RetryPause = time.Millisecond
	os.Exit(a.run(context.Background(), os.Args[1:]))
}

var storyTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// testApp is the program of the user ana on the machine laptop.
func testApp(stdout, stderr io.Writer) *app {
	return newApp(stdout, stderr, "ana@laptop")
}

// The stories run the program as a user does, each with its own emulator. Whole outputs are compared with golden files in the same story, which
// "go test -update" rewrites.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("JANITOR_STORY", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"world":    serveWorld,
			"variable": setVariable,
			"hooks":    serveHooks,
			"cluster":  serveCluster,
			"kapsule":  serveKapsule,
			"requests": requests,
			"reads":    reads,
			"janitor":  succeeds,
			"exits":    exits,
			"same":     same,
			"agree":    haveInCommon,
			"cut":      cut,
			"bundle":   bundle,
			"edit":     edit,
			"forge":    forge,
			"signer":   makeSigner,
		},
	})
}

// setVariable sets an environment variable to the content of a file: variable NAME FILE
func setVariable(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: variable NAME FILE")
	}
	ts.Setenv(args[0], ts.ReadFile(args[1]))
}

// storyKey is the secret key of the stories.
const storyKey = "11111111-1111-1111-1111-111111111111"

// serveWorld starts an emulator with a world file for the program: world FILE
func serveWorld(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: world FILE")
	}
	world, err := worlds.Parse(args[0], []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	handler, err := emulator.New(emulator.Options{World: world, DataPlane: oci.New, Now: func() time.Time { return storyTime }})
	ts.Check(err)
	server := httptest.NewServer(handler)
	ts.Defer(server.Close)
	ts.Setenv("SCW_API_URL", server.URL)
	ts.Setenv("SCW_ACCESS_KEY", "SCWXXXXXXXXXXXXXXXXX")
	ts.Setenv("SCW_SECRET_KEY", storyKey)
	servers.Store(ts.Getenv("WORK"), handler)
}

// servers are the emulators of the running scripts, by work folder.
var servers sync.Map

// requests fails if the emulator received other methods than these, or no request:
// requests METHOD…
func requests(ts *testscript.TestScript, neg bool, args []string) {
	server, ok := servers.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no emulator runs")
	}
	log := server.(*emulator.Server).Requests()
	if len(log) == 0 {
		ts.Fatalf("the emulator received no request")
	}
	for _, r := range log {
		if !strings.Contains(strings.Join(args, " "), r.Method) {
			ts.Fatalf("%s %s was sent", r.Method, r.Path)
		}
	}
}

// reads fails unless the emulator was asked for so many manifests and blobs since its
// start: reads NUMBER
func reads(ts *testscript.TestScript, neg bool, args []string) {
	server, ok := servers.Load(ts.Getenv("WORK"))
	if !ok || neg || len(args) != 1 {
		ts.Fatalf("usage, with a world: reads NUMBER")
	}
	n := 0
	for _, r := range server.(*emulator.Server).Requests() {
		if strings.Contains(r.Path, "/manifests/") || strings.Contains(r.Path, "/blobs/") {
			n++
		}
	}
	if strconv.Itoa(n) != args[0] {
		ts.Fatalf("%d manifests and blobs were read", n)
	}
}

// succeeds runs the program and fails unless it exits with 0: janitor ARG…
func succeeds(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{"0"}, args...))
}

// exits runs the program and checks its exit code: exits CODE ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE ARG…")
	}
	err = ts.Exec("registry-janitor", args[1:]...)
	normalize(ts)
	got := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// normalize replaces what differs from run to run in the output of the last
// command: the work folder, the address of the emulator, measured times, and
// digests, which change with every edit of a built-in policy. It shows the escape
// of colors as a word.
func normalize(ts *testscript.TestScript) {
	replace := []string{ts.Getenv("WORK"), "WORK", "\x1b[", "ESC["}
	if url := ts.Getenv("SCW_API_URL"); url != "" {
		replace = append(replace, url, "http://emulator")
	}
	for stream, w := range map[string]io.Writer{"stdout": ts.Stdout(), "stderr": ts.Stderr()} {
		text := strings.NewReplacer(replace...).Replace(ts.ReadFile(stream))
		for _, m := range measured {
			text = m.pattern.ReplaceAllString(text, m.text)
		}
		_, err := io.WriteString(w, text)
		ts.Check(err)
	}
}

var measured = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:DIGEST"},
	{regexp.MustCompile(`It took [^,\n]*? and `), "It took TIME and "},
	{regexp.MustCompile(`\btime=\d\S+`), "time=TIME"},
	{regexp.MustCompile(`("time":)"[^"]+"`), `$1"TIME"`},
	{regexp.MustCompile(`( time=)"[0-9.]+"`), `$1"TIME"`},
	{regexp.MustCompile(`("duration_seconds": )[0-9.e-]+`), "${1}0"},
	{regexp.MustCompile(` \([0-9.]+[mµn]?s\)`), " (TIME)"},
}

// forge removes the refusals of a plan, and gives it the id that fits: forge PLAN OUT
func forge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: forge PLAN OUT")
	}
	var plan actions.Plan
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &plan))
	if len(plan.Refusals) == 0 {
		ts.Fatalf("%s is not refused", args[0])
	}
	plan.Refusals = nil
	plan.Seal()
	var b strings.Builder
	ts.Check(plan.Encode(&b))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}

// same fails unless a JSON file has a value at a path: same FILE PATH VALUE
func same(ts *testscript.TestScript, neg bool, args []string) {
	if got := fmt.Sprint(lookUp(ts, args[0], args[1])); (got == args[2]) == neg {
		ts.Fatalf("%s is %q", args[1], got)
	}
}

// haveInCommon fails unless two JSON files have the same value: agree FILE PATH FILE PATH
func haveInCommon(ts *testscript.TestScript, neg bool, args []string) {
	a, b := fmt.Sprint(lookUp(ts, args[0], args[1])), fmt.Sprint(lookUp(ts, args[2], args[3]))
	if (a == b) == neg {
		ts.Fatalf("%s is %q, %s is %q", args[1], a, args[3], b)
	}
}

// lookUp is what a JSON file has at a path of keys and positions.
func lookUp(ts *testscript.TestScript, file, path string) any {
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &document))
	for _, key := range strings.Split(path, ".") {
		switch v := document.(type) {
		case map[string]any:
			document = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: there are only %d elements", path, len(v))
			}
			document = v[i]
		default:
			ts.Fatalf("%s: not found", path)
		}
	}
	return document
}

// cut writes a file without its last line: cut FROM TO
func cut(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text[:strings.LastIndexByte(text, '\n')+1]), 0o600))
}

// edit copies a file with a text replaced: edit FROM TO OLD NEW
func edit(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), args[2], args[3])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// bundle packs files as OPA bundles are packed: bundle OUT FILE…
func bundle(ts *testscript.TestScript, neg bool, args []string) {
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer out.Close()
	zipped := gzip.NewWriter(out)
	packed := tar.NewWriter(zipped)
	for _, name := range args[1:] {
		text := ts.ReadFile(name)
		ts.Check(packed.WriteHeader(&tar.Header{Name: "/" + name, Mode: 0o600, Size: int64(len(text))}))
		_, err := packed.Write([]byte(text))
		ts.Check(err)
	}
	ts.Check(packed.Close())
	ts.Check(zipped.Close())
}
