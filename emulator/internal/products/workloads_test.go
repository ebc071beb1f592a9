package products_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

const serverlessWorld = `
faults:
  - {method: GET, path: "/containers/v1beta1/regions/*/containers", region: nl-ams, status: 403}
  - {method: GET, path: /job-definitions, region: pl-waw, kind: short_page, times: 1}
namespaces: []
containers:
  - {name: "c-{n}", count: 150, namespace: shop, image: "rg.fr-par.scw.cloud/prod/api:v{n}"}
  - {name: far, region: it-mil, image: nginx}
  - {name: near, region: nl-ams}
jobs: [{name: nightly, region: pl-waw, image: alpine, age: 1d}, {name: hourly, region: pl-waw, image: alpine, age: 2d}]
`

func serverlessServer(t *testing.T) *emulator.Server {
	t.Helper()
	world, err := worlds.Parse("w", []byte(serverlessWorld))
	if err != nil {
		t.Fatal(err)
	}
	s, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s *emulator.Server, method, path string) (int, map[string]any) {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("X-Auth-Token", "x")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var body map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &body) // what is not JSON fails where it is looked at
	return w.Code, body
}

func TestServerlessListings(t *testing.T) {
	s := serverlessServer(t)
	for name, row := range map[string]struct {
		path, list string
		rows       int
		total      float64
		field      string
		value      any
	}{
		"containers, the latest version": {"/containers/v1/regions/fr-par/containers?page_size=100&order_by=name_asc", "containers", 100, 150, "image", "rg.fr-par.scw.cloud/prod/api:v1"},
		"their last page":                {"/containers/v1/regions/fr-par/containers?page_size=100&page=2", "containers", 50, 150, "region", "fr-par"},
		"containers, the older version":  {"/containers/v1beta1/regions/fr-par/containers?order_by=name_asc", "containers", 20, 150, "registry_image", "rg.fr-par.scw.cloud/prod/api:v1"},
		"their namespaces":               {"/containers/v1/regions/fr-par/namespaces", "namespaces", 1, 1, "name", "shop"},
		"a region without a registry":    {"/containers/v1/regions/it-mil/containers", "containers", 1, 1, "image", "nginx"},
		"without an image":               {"/containers/v1/regions/nl-ams/containers", "containers", 1, 1, "image", ""},
		"no containers":                  {"/containers/v1/regions/pl-waw/containers", "containers", 0, 0, "", nil},
	} {
		code, body := ask(s, http.MethodGet, row.path)
		rows, _ := body[row.list].([]any)
		if code != http.StatusOK || rows == nil || len(rows) != row.rows || body["total_count"] != row.total {
			t.Errorf("%s: %d: %d rows of %v", name, code, len(rows), body["total_count"])
			continue
		}
		if row.rows > 0 && rows[0].(map[string]any)[row.field] != row.value {
			t.Errorf("%s: %s is %v, want %v", name, row.field, rows[0].(map[string]any)[row.field], row.value)
		}
	}
}

func TestServerlessFaultsAndRefusals(t *testing.T) {
	s := serverlessServer(t)
	for name, row := range map[string]struct {
		method, path string
		want         int
	}{
		"a fault":                           {"GET", "/containers/v1beta1/regions/nl-ams/containers", 403},
		"the other version has none":        {"GET", "/containers/v1/regions/nl-ams/containers", 200},
		"a version that the region lacks":   {"GET", "/containers/v1beta1/regions/it-mil/containers", 501},
		"jobs where there are none":         {"GET", "/serverless-jobs/v1alpha2/regions/it-mil/job-definitions", 501},
		"an unknown region":                 {"GET", "/containers/v1/regions/us-east/containers", 501},
		"a path that the API does not have": {"GET", "/containers/v1/regions/fr-par/domains", 404},
		"a change":                          {"DELETE", "/containers/v1/regions/fr-par/containers", 405},
		"a page that is none":               {"GET", "/containers/v1/regions/fr-par/containers?page=0", 400},
	} {
		if code, _ := ask(s, row.method, row.path); code != row.want {
			t.Errorf("%s: got %d, want %d", name, code, row.want)
		}
	}
	for _, want := range []int{1, 2} {
		_, body := ask(s, http.MethodGet, "/serverless-jobs/v1alpha2/regions/pl-waw/job-definitions")
		if rows, _ := body["job_definitions"].([]any); len(rows) != want || body["total_count"] != 2.0 {
			t.Errorf("a short page once: %v", body)
		}
	}
}
