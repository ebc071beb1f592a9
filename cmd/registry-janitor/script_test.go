package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/registry-janitor/registry-janitor/emulator"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"registry-janitor": main})
}

// The stories of how a user meets the program. Each runs against an emulator of
// its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"world":    serveWorld,
			"requests": requests,
			"exits":    exits,
			"same":     same,
			"cut":      cut,
		},
	})
}

// serveWorld starts an emulator of a world file and points the program at it:
// world FILE
func serveWorld(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: world FILE")
	}
	world, err := emulator.ParseWorld(args[0], []byte(ts.ReadFile(args[0])))
	ts.Check(err)
	handler, err := emulator.New(emulator.Options{World: world})
	ts.Check(err)
	server := httptest.NewServer(handler)
	ts.Defer(server.Close)
	ts.Setenv("SCW_API_URL", server.URL)
	ts.Setenv("SCW_ACCESS_KEY", "SCWXXXXXXXXXXXXXXXXX")
	ts.Setenv("SCW_SECRET_KEY", "11111111-1111-1111-1111-111111111111")
	servers[ts.Getenv("WORK")] = handler
}

// servers are the emulators of the running scripts, by work folder. Scripts do
// not run in parallel with themselves, and each has a folder of its own.
var servers = map[string]*emulator.Server{}

// requests fails unless only these methods were asked of the emulator: requests
// METHOD…
func requests(ts *testscript.TestScript, neg bool, args []string) {
	log := servers[ts.Getenv("WORK")].Requests()
	if len(log) == 0 {
		ts.Fatalf("nothing was asked of the emulator")
	}
	for _, r := range log {
		if !strings.Contains(strings.Join(args, " "), r.Method) {
			ts.Fatalf("%s %s was sent", r.Method, r.Path)
		}
	}
}

// exits runs the program and checks its exit code: exits CODE ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE ARG…")
	}
	err = ts.Exec("registry-janitor", args[1:]...)
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

// same fails unless a JSON file has a value at a path: same FILE PATH VALUE
func same(ts *testscript.TestScript, neg bool, args []string) {
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &document))
	for _, key := range strings.Split(args[1], ".") {
		switch v := document.(type) {
		case map[string]any:
			document = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i >= len(v) {
				ts.Fatalf("%s: there are only %d elements", args[1], len(v))
			}
			document = v[i]
		default:
			ts.Fatalf("%s: nothing is there", args[1])
		}
	}
	if got := fmt.Sprint(document); (got == args[2]) == neg {
		ts.Fatalf("%s is %q", args[1], got)
	}
}

// cut writes a file without its last line: cut FROM TO
func cut(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text[:strings.LastIndexByte(text, '\n')+1]), 0o600))
}

func TestVersionIsKnown(t *testing.T) {
	if v := version(); v == "" || v == "unknown" {
		t.Errorf("version %q", v)
	}
}
