package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// The program runs as the definition of the example starts it: with its arguments, its
// configuration in a variable, and without a ledger, as the README describes it.
func TestTheServerlessJobOfTheExample(t *testing.T) {
	const folder = "../../examples/serverless-job/"
	var job struct {
		Args []string          `json:"args"`
		Env  map[string]string `json:"environment_variables"`
	}
	text, err := os.ReadFile(folder + "job-definition.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	configuration, err := os.ReadFile(folder + "janitor.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	run := func(args ...string) int {
		out.Reset()
		problems.Reset()
		return testApp(&out, &problems).run(t.Context(), args)
	}
	t.Setenv(inputs.ConfigVariable, string(configuration))
	if code := run("config", "check"); code != 0 {
		t.Fatalf("config check: %d: %s", code, &problems)
	}
	for _, name := range []string{"PGHOST", "PGDATABASE", "PGUSER", "PGSSLMODE", inputs.ConfigVariable, "SCW_ACCESS_KEY"} {
		if _, found := job.Env[name]; !found {
			t.Errorf("the job lacks the variable %s", name)
		}
	}

	var without strings.Builder // the lines that need the ledger
	for line := range strings.Lines(string(configuration)) {
		if !strings.HasPrefix(line, "ledger:") && !strings.HasPrefix(line, "grace:") {
			without.WriteString(line)
		}
	}
	t.Setenv(inputs.ConfigVariable, without.String())
	world := worlds.World{Namespaces: []worlds.Namespace{{Name: "prod", Images: []worlds.Image{{Name: "api", Tags: []worlds.Tag{
		{Name: "pr-{n}", Count: 3, Age: 30 * 24 * time.Hour}, {Name: "main-{n}", Count: 20, Age: time.Hour}, {Name: "latest", Age: time.Hour},
	}}}}}, Jobs: []worlds.Job{{Name: "registry-janitor", Image: "rg.fr-par.scw.cloud/prod/api:pr-1"}}}
	handler, err := emulator.New(emulator.Options{World: world, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	t.Setenv("SCW_API_URL", server.URL)
	t.Setenv("SCW_ACCESS_KEY", job.Env["SCW_ACCESS_KEY"])
	t.Setenv("SCW_SECRET_KEY", storyKey)
	state := filepath.Join(t.TempDir(), "state")
	args := strings.Split(strings.ReplaceAll(strings.Join(job.Args, "\x00"), "--state-dir=/tmp/state", "--state-dir="+state), "\x00")
	if code := run(args...); code != 0 || !strings.Contains(out.String(), "Applied: 2 done") {
		t.Errorf("%q ends with %d:\n%s\n%s", args, code, &out, &problems)
	}
}
