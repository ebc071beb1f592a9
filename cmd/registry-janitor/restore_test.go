package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// Whoever stops a restoration wants to know what is left, and no record of what was not tried.
func TestAStoppedRestorationSaysWhatIsLeft(t *testing.T) {
	server, url, file := startArchiveWorld(t)
	mustRun(t, file, url, "apply", "--yes")
	cmd := applyCommand(file, url)
	cmd.Args = []string{cmd.Args[0], "restore", "-c", file, "1"}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			_, _ = io.Copy(io.Discard, r.Body) // or the end of the request is not noticed
			_ = cmd.Process.Signal(os.Interrupt)
			<-r.Context().Done()
			return
		}
		server.ServeHTTP(w, r)
	}))
	defer slow.Close()
	if err := os.WriteFile(file, fmt.Appendf(nil, archiveConfig, slow.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := cmd.CombinedOutput()
	if err == nil || strings.Count(string(output), "restoring ") != 1 || !strings.Contains(string(output), "15 tags are left: run the same command again") {
		t.Errorf("%v: %s", err, output)
	}
	if history := mustRun(t, file, url, "history", "prod"); strings.Count(string(history), "not restored") != 1 {
		t.Errorf("%s", history)
	}
	if list := mustRun(t, file, url, "archive", "list"); strings.Contains(string(list), "  restored ") {
		t.Errorf("%s", list)
	}
}
