package emulator_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// A test serves a world, and points a client of the API at it: the official SDK
// with SCW_API_URL, or plain HTTP as here.
func Example() {
	world, err := worlds.Parse("world.yaml", []byte(`
namespaces:
  - {name: prod, images: [{name: api, tags: [{name: v1.4.0, age: 2h}, {name: "pr-{n}", count: 3, age: 40d, step: 1d}]}]}
`))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := emulator.New(emulator.Options{World: world})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	var listed struct {
		Tags []struct{ Name string }
	}
	path := "/registry/v1/regions/fr-par/images/" + emulator.ImageID("fr-par", "prod", "api") + "/tags"
	if err := json.NewDecoder(request(server, "GET", path).Body).Decode(&listed); err != nil {
		log.Fatal(err)
	}
	for _, tag := range listed.Tags {
		fmt.Println(tag.Name)
	}
	// Output:
	// pr-3
	// pr-2
	// pr-1
	// v1.4.0
}

// Faults show how a client copes with a bad day of the API, and the request log
// shows what the client sent.
func ExampleServer_Requests() {
	handler, err := emulator.New(emulator.Options{World: worlds.World{
		Faults:     []worlds.Fault{{Method: "DELETE", Status: http.StatusTooManyRequests, Times: 1}},
		Namespaces: []worlds.Namespace{{Name: "old"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	path := "/registry/v1/regions/fr-par/namespaces/" + emulator.NamespaceID("fr-par", "old")
	for request(server, "DELETE", path).StatusCode == http.StatusTooManyRequests {
	}
	for _, r := range handler.Requests() {
		fmt.Println(r.Order, r.Method, r.Status, r.Fault)
	}
	// Output:
	// 1 DELETE 429 status
	// 2 DELETE 200
}

func request(server *httptest.Server, method, path string) *http.Response {
	r, err := http.NewRequest(method, server.URL+path, http.NoBody)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", "any")
	response, err := server.Client().Do(r)
	if err != nil {
		log.Fatal(err)
	}
	return response
}
