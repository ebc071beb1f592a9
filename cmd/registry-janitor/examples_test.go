package main

import (
	"io/fs"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/examples"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/policy"
)

// Every example configuration is valid, its policies compile, and its plan of the
// demo's registry has deletions and no failures.
func TestExampleConfigurations(t *testing.T) {
	files, err := filepath.Glob("../../examples/configs/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatal("there are too few example configurations", files, err)
	}
	for _, file := range append(files, "../../examples/demo/janitor.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, err := config.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			policies, err := janitor.Policies(t.Context(), c, policy.Options{})
			if err != nil {
				t.Fatal(err)
			}
			clock := func() time.Time { return demoDay }
			world := worlds.Demo(demoSeed)
			world.Faults, world.Settings = nil, worlds.Settings{} // nothing to wait for
			handler, err := emulator.New(emulator.Options{World: world, DataPlane: oci.New, Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(handler)
			defer server.Close()
			// Hosts tell the emulator the region; without them, it serves the contents of one.
			if c.Archive != nil {
				c.Archive.To = t.TempDir() // needs no key
			}
			c.Scaleway.RegistryURL, c.Scaleway.Regions = server.URL, c.Scaleway.Regions[:1]
			session, err := janitor.NewSession(&janitor.Planner{Config: c, Policies: policies}, janitor.SessionOptions{
				Now: clock,
				Connection: scaleway.Options{
					Credentials: &scaleway.Credentials{
						APIURL:    server.URL,
						AccessKey: "SCWXXXXXXXXXXXXXXXXX",
						SecretKey: "11111111-1111-1111-1111-111111111111",
					},
					Now: clock,
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := session.Plan(t.Context(), session.Feed(t.Context(), janitor.Scope(c)))
			if err != nil {
				t.Fatal(err)
			}
			if plan.Summary.DeleteTags+plan.Summary.Held == 0 {
				t.Errorf("it marks nothing: %+v", plan.Summary)
			}
			if plan.Incomplete() {
				t.Errorf("something failed: gaps %+v", plan.Gaps)
			}
		})
	}
}

// A test runs every file of the examples: the tests of the policies run Rego, the test
// above runs YAML.
func TestNoExampleIsUntested(t *testing.T) {
	err := fs.WalkDir(examples.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, pattern := range []string{"configs/*.yaml", "configs/waivers/*.yaml", "configs/allowed_signers", "demo/janitor.yaml", "policies/*.rego"} {
			if ok, _ := filepath.Match(pattern, path); ok {
				return nil
			}
		}
		t.Errorf("no test runs %s", path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
