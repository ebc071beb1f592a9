package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/registry-janitor/registry-janitor/internal/kube"
)

// serveCluster starts a Kubernetes API that lists the objects in a JSON file, and
// writes a kubeconfig with the context prod-eu for it. The file lists under
// forbidden the kinds that must not be read: cluster FILE
func serveCluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cluster FILE")
	}
	var objects map[string]json.RawMessage // by resource
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &objects))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		listObjects(w, path.Base(r.URL.Path), objects)
	}))
	ts.Defer(server.Close)
	kubeconfig := fmt.Sprintf(`{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: %q}}],
contexts: [{name: prod-eu, context: {cluster: c}}], current-context: prod-eu}`, server.URL)
	ts.Check(os.WriteFile(ts.MkAbs("kubeconfig"), []byte(kubeconfig), 0o600))
}

// serveKapsule starts the API of a Kapsule cluster, which lists the objects in a JSON
// file for the secret key of the stories alone, and appends it to the clusters at the
// end of a world file: kapsule NAME FILE WORLD
func serveKapsule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: kapsule NAME FILE WORLD")
	}
	var objects map[string]json.RawMessage // by resource
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &objects))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+storyKey {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`)
			return
		}
		listObjects(w, path.Base(r.URL.Path), objects)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that end early
	server.StartTLS()
	ts.Defer(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	world := ts.ReadFile(args[2]) + fmt.Sprintf("  - {name: %s, server: %q, ca: %q}\n", args[0], server.URL, ca)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(world), 0o600))
}

func listObjects(w http.ResponseWriter, name string, objects map[string]json.RawMessage) {
	if strings.Contains(string(objects["forbidden"]), `"`+name+`"`) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"%s is forbidden","reason":"Forbidden","code":403}`, name)
		return
	}
	for _, resource := range kube.Resources() {
		if resource.Name == name {
			items := string(objects[name])
			if items == "" {
				items = "[]"
			}
			fmt.Fprintf(w, `{"kind":"%sList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":%s}`, resource.Kind, items)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}
