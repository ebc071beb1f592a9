package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveHooks starts a service for webhooks, whose URL with the path /secret-token is in
// HOOK_URL then. It writes each message to a file named like the last part of the path,
// and refuses those with the path /secret-token/refused: hooks
func serveHooks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: hooks")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		name := path.Base(r.URL.Path)
		if name == "refused" {
			http.Error(w, "no such hook: "+r.URL.String(), http.StatusNotFound)
			return
		}
		if err := os.WriteFile(ts.MkAbs(name), append(body, '\n'), 0o600); err != nil {
			http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("HOOK_URL", server.URL+"/secret-token")
}
