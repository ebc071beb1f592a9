package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// A stopped restoration names what is left, and records nothing that it did not try.
func TestAStoppedRestorationSaysWhatIsLeft(t *testing.T) {
	server, url, file := startArchiveWorld(t)
	mustRun(t, file, url, "apply", "--yes")
	cmd := applyCommand(file, url)
	cmd.Args = []string{cmd.Args[0], "restore", "-c", file, "1"}
	pushing := make(chan struct{})
	stop := sync.OnceFunc(func() { close(pushing) })
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			_, _ = io.Copy(io.Discard, r.Body) // or the end of the request is not noticed
			stop()
			<-r.Context().Done()
			return
		}
		server.ServeHTTP(w, r)
	}))
	defer slow.Close()
	if err := os.WriteFile(file, fmt.Appendf(nil, archiveConfig, slow.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		select {
		case <-pushing:
			_ = cmd.Process.Signal(os.Interrupt)
		case <-t.Context().Done():
		}
	}()
	err := cmd.Wait()
	output := both.String()
	if err == nil || strings.Count(output, "restoring ") != 1 || !strings.Contains(output, "15 tags are left: run the same command again") {
		t.Errorf("%v: %s", err, output)
	}
	if history := mustRun(t, file, url, "history", "prod"); strings.Count(string(history), "not restored") != 1 {
		t.Errorf("%s", history)
	}
	if list := mustRun(t, file, url, "archive", "list"); strings.Contains(string(list), "  restored ") {
		t.Errorf("%s", list)
	}
}
