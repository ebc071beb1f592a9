package scaleway

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

// A daemon makes clients for every run and every explanation, and each used to leave
// idle connections behind.
func TestClientsShareConnections(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"namespaces":[],"total_count":0}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	setenv(t)
	pool := new(Pool)
	o := Options{Credentials: &Credentials{APIURL: server.URL, AccessKey: testAccessKey, SecretKey: testSecretKey}, Pool: pool}
	for range 50 {
		reader, err := NewReader(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewEditor(o); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Namespaces(t.Context(), registry.Query{Region: testRegion}); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("50 runs one after the other open %d connections, want 1", n)
	}
	if a, b := pool.transport(endpoint{url: "a"}), pool.transport(endpoint{url: "a", insecure: true}); a == b {
		t.Error("a transport that verifies certificates is shared with one that does not")
	}
}
