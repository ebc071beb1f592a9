package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
)

const longWorld = `
namespaces:
  - {name: prod, age: 400d, images: [
      {name: "svc-{n}", count: 136, tags: [{name: latest, age: 1h}, {name: "pr-{n}", count: 200, age: 40d}]}]}
`

// Whoever interrupts a long run wants to know how far it came, on one screen.
func TestInterruptedRunFitsOnAScreen(t *testing.T) {
	world, err := worlds.Parse("world.yaml", []byte(longWorld))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	under := make(chan struct{})
	var mu sync.Mutex
	deletions := 0
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			mu.Lock()
			if deletions++; deletions == 40 {
				close(under)
			}
			mu.Unlock()
		}
		server.ServeHTTP(w, r)
	}))
	defer listener.Close()
	file := filepath.Join(t.TempDir(), "janitor.yaml")
	config := strings.Replace(killConfig, "canary: 1", "max_deletions: 100000", 1)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := applyCommand(file, listener.URL)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-under
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != janitor.ExitIncomplete {
		t.Fatalf("%v: %.2000s", err, output.String())
	}
	got := output.String()
	t.Log(got)
	if lines := strings.Count(got, "\n"); lines > 40 {
		t.Errorf("the output has %d lines", lines)
	}
	for _, want := range []string{"Plan: 27,200 to delete", " done, ", " skipped; ", "history show 1", "svc-109: 200 steps\n", "more images"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
