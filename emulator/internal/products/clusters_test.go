package products_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

func TestClustersAndTheirKubeconfigs(t *testing.T) {
	world, err := worlds.Parse("w", []byte(`
namespaces: []
clusters:
  - {name: prod, region: nl-ams, age: 10d, server: "https://127.0.0.1:6443", ca: PEM, token: t1}
  - {name: staging, region: nl-ams, age: 1d, status: creating}
`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	code, body := ask(s, http.MethodGet, "/k8s/v1/regions/nl-ams/clusters?order_by=created_at_asc&page_size=1")
	rows, _ := body["clusters"].([]any)
	if code != http.StatusOK || len(rows) != 1 || body["total_count"] != 2.0 {
		t.Fatalf("%d: %v", code, body)
	}
	prod := rows[0].(map[string]any)
	if prod["name"] != "prod" || prod["status"] != "ready" || prod["region"] != "nl-ams" || prod["cluster_url"] != "https://127.0.0.1:6443" {
		t.Errorf("%v", prod)
	}
	path := "/k8s/v1/regions/nl-ams/clusters/" + prod["id"].(string) + "/kubeconfig"
	for query, want := range map[string]string{"": `token: "t1"`, "?redacted=true": `token: "REDACTED"`} {
		_, body = ask(s, http.MethodGet, path+query)
		text, err := base64.StdEncoding.DecodeString(body["content"].(string))
		if err != nil || body["name"] != "kubeconfig-prod.yaml" || !strings.Contains(string(text), want) || !strings.Contains(string(text), `server: "https://127.0.0.1:6443"`) {
			t.Errorf("%s: %v: %s", query, body["name"], text)
		}
	}
	for path, want := range map[string]int{
		"/k8s/v1/regions/nl-ams/clusters/" + emulator.NamespaceID("x", "x") + "/kubeconfig": 404,
		"/k8s/v1/regions/nl-ams/pools":     404,
		"/k8s/v1/regions/it-mil/clusters":  200,
		"/k8s/v1/regions/us-east/clusters": 501,
	} {
		if code, _ := ask(s, http.MethodGet, path); code != want {
			t.Errorf("%s: got %d, want %d", path, code, want)
		}
	}
	if code, _ := ask(s, http.MethodDelete, path); code != http.StatusMethodNotAllowed {
		t.Errorf("a change: %d", code)
	}
}
