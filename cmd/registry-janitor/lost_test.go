package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
)

// A run whose ledger is removed records into nothing, so it must end before the next
// deletion. The first deletion removes it here, and canary: 1 sends them one by one.
func TestLedgerRemovedUnderARun(t *testing.T) {
	for _, tt := range []struct{ name, file string }{{"the ledger", ""}, {"the lock file", ".lock"}} {
		t.Run(tt.name, func(t *testing.T) {
			file, dsn := recordings[0].setUp(t)
			world, err := worlds.Parse("world.yaml", []byte(killWorld))
			if err != nil {
				t.Fatal(err)
			}
			server, err := emulator.New(emulator.Options{World: world})
			if err != nil {
				t.Fatal(err)
			}
			listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					_ = os.Remove(dsn + tt.file)
				}
				server.ServeHTTP(w, r)
			}))
			defer listener.Close()
			cmd := applyCommand(file, listener.URL)
			output, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != janitor.ExitIncomplete || !strings.Contains(string(output), "was removed or replaced during the run") {
				t.Errorf("%v: %s", err, output)
			}
			deleted := 0
			for _, r := range server.Requests() {
				if r.Method == http.MethodDelete {
					deleted++
				}
			}
			if deleted != 1 {
				t.Errorf("%d deletions were sent, want only the first", deleted)
			}
		})
	}
}
