package emulator_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

const company = `
settings: {delete_delay: 1s}
namespaces:
  - {name: prod, region: fr-par, age: 400d, description: what runs, project_id: 33333333-3333-4333-8333-333333333333, images: [
      {name: api, visibility: public, age: 2h, tags: [
        {name: latest, digest: A, age: 2h, created_age: 400d, size: 120MB},
        {name: v1.4.0, digest: A, age: 2h},
        {name: pr-12, age: 40d, size: 1MiB}]},
      {name: team/web, age: 3d}]}
  - {name: oss, region: fr-par, is_public: true, age: 30d, description: a gift}
  - {name: prod, region: nl-ams, age: 1d, images: [{name: api, tags: [{name: latest, age: 1h}]}]}
`

func TestTheSDKReadsEverything(t *testing.T) {
	b := serve(t, company)

	namespaces, err := b.api.ListNamespaces(&sdk.ListNamespacesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(namespaces.Namespaces); namespaces.TotalCount != 2 || got != "prod oss" {
		t.Errorf("namespaces of fr-par: %s, total %d", got, namespaces.TotalCount)
	}
	ns := b.namespace("prod")
	want := &sdk.Namespace{
		ID: emulator.NamespaceID("fr-par", "prod"), Name: "prod", Description: "what runs",
		OrganizationID: ns.OrganizationID, ProjectID: "33333333-3333-4333-8333-333333333333",
		Status: sdk.NamespaceStatusReady, Endpoint: "rg.fr-par.scw.cloud/prod", Size: 121_048_576,
		CreatedAt: ns.CreatedAt, UpdatedAt: new(start.Truncate(time.Microsecond).Add(-400 * 24 * time.Hour)), ImageCount: 2, Region: scw.RegionFrPar,
	}
	if diff := cmp.Diff(want, ns); diff != "" {
		t.Errorf("namespace (-want +got):\n%s", diff)
	}

	images, err := b.api.ListImages(&sdk.ListImagesRequest{OrderBy: sdk.ListImagesRequestOrderByNameAsc})
	if err != nil || images.TotalCount != 2 {
		t.Fatalf("list images: %v, %+v", err, images)
	}
	image := b.image("prod", "api")
	if diff := cmp.Diff(images.Images[0], image); diff != "" {
		t.Errorf("listed and got image differ (-listed +got):\n%s", diff)
	}
	wantImage := &sdk.Image{
		ID: emulator.ImageID("fr-par", "prod", "api"), Name: "api", NamespaceID: ns.ID, Status: "ready", StatusMessage: new(""),
		Visibility: "public", Size: 121_048_576, CreatedAt: image.CreatedAt, UpdatedAt: new(start.Truncate(time.Microsecond).Add(-2 * time.Hour)),
		Tags: []string{"latest", "pr-12", "v1.4.0"},
	}
	if diff := cmp.Diff(wantImage, image); diff != "" {
		t.Errorf("image (-want +got):\n%s", diff)
	}

	tags := b.tags("api")
	latest, err := b.api.GetTag(&sdk.GetTagRequest{TagID: tagID("api", "latest")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tags["latest"], latest); diff != "" {
		t.Errorf("listed and got tag differ (-listed +got):\n%s", diff)
	}
	wantTag := &sdk.Tag{
		ID: tagID("api", "latest"), Name: "latest", ImageID: image.ID, Status: "ready", Digest: b.Digest("A"),
		CreatedAt: new(start.Truncate(time.Microsecond).Add(-400 * 24 * time.Hour)), UpdatedAt: new(start.Truncate(time.Microsecond).Add(-2 * time.Hour)),
	}
	if diff := cmp.Diff(wantTag, latest); diff != "" {
		t.Errorf("tag (-want +got):\n%s", diff)
	}
	if tags["v1.4.0"].Digest != latest.Digest || tags["pr-12"].Digest == latest.Digest {
		t.Error("equal words must share a digest, and a tag without one must not")
	}
}

func TestTheSDKCreatesChangesAndDeletes(t *testing.T) {
	b := serve(t, company)

	made, err := b.api.CreateNamespace(&sdk.CreateNamespaceRequest{Name: "new-team", Description: "d", IsPublic: true})
	if err != nil {
		t.Fatal(err)
	}
	if made.ProjectID != project || !made.IsPublic || made.Status != "ready" || made.Size != 0 || made.ImageCount != 0 {
		t.Errorf("created namespace: %+v", made)
	}
	if !made.UpdatedAt.Equal(start) {
		t.Errorf("the answer to a mutation shows %v, want all of %v", made.UpdatedAt, start)
	}
	if got := b.namespace("new-team"); !got.UpdatedAt.Equal(start.Round(time.Microsecond)) {
		t.Errorf("a later read shows %v, want it rounded", got.UpdatedAt)
	}

	b.clock.pass(time.Hour)
	changed, err := b.api.UpdateNamespace(&sdk.UpdateNamespaceRequest{NamespaceID: made.ID, Description: new("e"), IsPublic: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	if changed.IsPublic || changed.Description != "e" || !changed.UpdatedAt.Equal(start.Add(time.Hour)) || !changed.CreatedAt.Equal(start.Round(time.Microsecond)) {
		t.Errorf("changed namespace: %+v", changed)
	}

	image, err := b.api.UpdateImage(&sdk.UpdateImageRequest{ImageID: emulator.ImageID("fr-par", "prod", "api"), Visibility: sdk.ImageVisibilityPrivate})
	if err != nil {
		t.Fatal(err)
	}
	if image.Visibility != "private" || !image.UpdatedAt.Equal(start.Add(time.Hour)) {
		t.Errorf("changed image: %+v", image)
	}

	tag, err := b.api.DeleteTag(&sdk.DeleteTagRequest{TagID: tagID("api", "pr-12")})
	if err != nil || tag.Status != sdk.TagStatusDeleting {
		t.Errorf("delete tag: %v, %+v", err, tag)
	}
	image, err = b.api.DeleteImage(&sdk.DeleteImageRequest{ImageID: emulator.ImageID("fr-par", "prod", "team/web")})
	if err != nil || image.Status != sdk.ImageStatusDeleting {
		t.Errorf("delete image: %v, %+v", err, image)
	}
	ns, err := b.api.DeleteNamespace(&sdk.DeleteNamespaceRequest{NamespaceID: made.ID})
	if err != nil || ns.Status != sdk.NamespaceStatusDeleting {
		t.Errorf("delete namespace: %v, %+v", err, ns)
	}
}

func TestRegionsAreSeparate(t *testing.T) {
	b := serve(t, company)
	_, err := b.api.GetImage(&sdk.GetImageRequest{Region: scw.RegionNlAms, ImageID: emulator.ImageID("fr-par", "prod", "api")})
	var missing *scw.ResponseError
	if !errors.As(err, &missing) || missing.StatusCode != 404 {
		t.Errorf("an image of fr-par asked for in nl-ams: %v, want a 404", err)
	}
	images, err := b.api.ListImages(&sdk.ListImagesRequest{Region: scw.RegionPlWaw})
	if err != nil || images.Images == nil || len(images.Images) != 0 || images.TotalCount != 0 {
		t.Errorf("an empty region: %v, %+v, want an empty list that is not null", err, images)
	}
}

func TestRefusals(t *testing.T) {
	b := serve(t, company+`
  - {name: closed, status: locked, images: [{name: api, status: locked, tags: [{name: a, status: locked}]}]}`)
	locked := func(names ...string) string {
		switch len(names) {
		case 1:
			return emulator.NamespaceID("fr-par", names[0])
		case 2:
			return emulator.ImageID("fr-par", names[0], names[1])
		}
		return emulator.TagID("fr-par", names[0], names[1], names[2])
	}
	invalid := func(name, help, reason string) string {
		return `{"details":[{"argument_name":"` + name + `", "help_message":"` + help + `", "reason":"` + reason + `"}], "message":"invalid argument(s)", "type":"invalid_arguments"}`
	}
	const apiID = "/images/"
	tests := []struct {
		why, method, path, body string
		status                  int
		want                    string
	}{
		{"an unknown namespace", "GET", "/namespaces/" + unknownID, "", 404, `{"message":"Namespace was not found"}`},
		{"an unknown image", "DELETE", "/images/" + unknownID, "", 404, `{"message":"Image was not found"}`},
		{"the tags of an unknown image", "GET", "/images/" + unknownID + "/tags", "", 404, `{"message":"Image was not found"}`},
		{"an unknown tag", "DELETE", "/tags/" + unknownID, "", 404, `{"message":"Tag was not found"}`},
		{"a namespace id that is not a UUID", "GET", "/namespaces/prod", "", 400, invalid("namespace_id", "it must be a UUID", "format")},
		{"an image id that is not a UUID", "PATCH", apiID + "api", `{"visibility":"private"}`, 400, invalid("image_id", "it must be a UUID", "format")},
		{"a tag id that is not a UUID", "GET", "/tags/" + unknownID[1:] + "x", "", 400, invalid("tag_id", "it must be a UUID", "format")},
		{"page 0", "GET", "/images?page=0", "", 400, invalid("page", "it must be at least 1", "constraint")},
		{"a page that is a word", "GET", "/images?page=two", "", 400, invalid("page", "it must be a number", "format")},
		{"a page beyond 32 bits", "GET", "/images?page=2147483648", "", 400, invalid("page", "it must be a number", "format")},
		{"a page_size of 101", "GET", "/namespaces?page_size=101", "", 400, invalid("page_size", "it must be at most 100", "constraint")},
		{"an order there is not", "GET", "/images?order_by=updated_at_asc", "", 400, invalid("order_by", "it is not one of the possible values", "constraint")},
		{"an order of namespaces for images", "GET", "/images?order_by=description_asc", "", 400, invalid("order_by", "it is not one of the possible values", "constraint")},
		{"an order without direction", "GET", "/images?order_by=name", "", 400, invalid("order_by", "it is not one of the possible values", "constraint")},
		{"a filter that is not a UUID", "GET", "/images?namespace_id=prod", "", 400, invalid("namespace_id", "it must be a UUID", "format")},
		{"a visibility there is not", "PATCH", apiID + locked("prod", "api"), `{"visibility":"secret"}`, 400, invalid("visibility", "it is not one of the possible values", "constraint")},
		{"a body that is not JSON", "PATCH", apiID + locked("prod", "api"), `{`, 400, invalid("body", "it is not the JSON that was expected", "format")},
		{"a force that is neither true nor false", "DELETE", "/tags/" + unknownID + "?force=maybe", "", 400, invalid("force", "it must be true or false", "format")},
		{"a namespace without a name", "POST", "/namespaces", `{"project_id":"` + project + `"}`, 400, invalid("name", "a namespace needs a name", "required")},
		{"a namespace with a bad name", "POST", "/namespaces", `{"name":"A b","project_id":"` + project + `"}`, 400, invalid("name", "it must consist of lower case letters, digits and dashes", "format")},
		{"a namespace without an owner", "POST", "/namespaces", `{"name":"ab"}`, 400, invalid("project_id", "precisely one of project_id and organization_id must be set", "required")},
		{"a namespace with a bad owner", "POST", "/namespaces", `{"name":"ab","organization_id":"me"}`, 400, invalid("organization_id", "it must be a UUID", "format")},
		{"a namespace that is there", "POST", "/namespaces", `{"name":"prod","project_id":"` + project + `"}`, 409, `{"message":"Namespace already exist"}`},
		{"deleting a locked namespace", "DELETE", "/namespaces/" + locked("closed"), "", 423, `{"message":"resource is locked", "resource":"namespace", "resource_id":"` + locked("closed") + `", "type":"locked"}`},
		{"changing a locked image", "PATCH", apiID + locked("closed", "api"), `{"visibility":"private"}`, 423, `{"message":"resource is locked", "resource":"image", "resource_id":"` + locked("closed", "api") + `", "type":"locked"}`},
		{"deleting a locked tag", "DELETE", "/tags/" + locked("closed", "api", "a"), "", 423, `{"message":"resource is locked", "resource":"tag", "resource_id":"` + locked("closed", "api", "a") + `", "type":"locked"}`},
		{"a region without a registry", "GET", "/registry/v1/regions/it-mil/namespaces", "", 501, `{"message":"unknown service"}`},
		{"a path there is not", "GET", "/tags", "", 404, `{"message":"not found"}`},
		{"a path of another product", "GET", "/registry/v2/", "", 404, `{"message":"not found"}`},
		{"a method there is not", "PUT", "/namespaces", "{}", 405, `{"message":"method not allowed"}`},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			got := b.send(test.method, test.path, test.body)
			if got.status != test.status || got.body != test.want {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.body, test.status, test.want)
			}
			if got.header.Get("Content-Type") != "application/json" {
				t.Errorf("content type %q", got.header.Get("Content-Type"))
			}
		})
	}
}

func TestOnlyTheRightKeyIsAccepted(t *testing.T) {
	const refusal = `{"message":"authentication is denied", "method":"api_key", "reason":"not_found", "type":"denied_authentication"}`
	tests := []struct {
		why, option, setting, sent string
		status                     int
	}{
		{"no key at all", "", "", "", 401},
		{"any key when none is set", "", "", "anything", 200},
		{"another key than the option's", secretKey, "", "anything", 401},
		{"the option's key", secretKey, "", secretKey, 200},
		{"the world's key", "", "from-world", "from-world", 200},
		{"another key than the world's", "", "from-world", "anything", 401},
		{"the world's key under an option", secretKey, "from-world", "from-world", 401},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			s, err := emulator.New(emulator.Options{SecretKey: test.option, World: worlds.World{Settings: worlds.Settings{SecretKey: test.setting}}})
			if err != nil {
				t.Fatal(err)
			}
			got := direct(t, s, "GET", "/registry/v1/regions/fr-par/namespaces", test.sent)
			if got.status != test.status || test.status == 401 && got.body != refusal {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
		})
	}
	b := serve(t, `settings: {secret_key: other}`)
	b2 := serve(t, `{}`)
	if _, err := b.api.ListImages(&sdk.ListImagesRequest{}); err != nil {
		t.Errorf("Options.SecretKey must win over the settings: %v", err)
	}
	if _, err := b2.api.ListImages(&sdk.ListImagesRequest{}); err != nil {
		t.Error(err)
	}
	for _, r := range b.Requests() {
		if strings.Contains(r.Path+r.Query, secretKey) {
			t.Error("the key is in the log")
		}
	}
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	b := serve(t, company)
	first, second := b.send("GET", "/namespaces", ""), b.send("GET", "/namespaces/x", "")
	for _, got := range []reply{first, second} {
		if d := got.header.Get("Date"); d != "Sun, 22 Nov 2026 12:00:00 GMT" {
			t.Errorf("Date: %s", d)
		}
		if s := got.header.Get("Server"); s != "Scaleway API Gateway (fr-par-1;edge01)" {
			t.Errorf("Server: %s", s)
		}
		if len(got.header.Get("X-Request-Id")) != 36 {
			t.Errorf("X-Request-Id: %q", got.header.Get("X-Request-Id"))
		}
	}
	if first.header.Get("X-Request-Id") == second.header.Get("X-Request-Id") {
		t.Error("two requests have the same id")
	}
	b = serve(t, `settings: {clock_skew: -1h}`)
	if d := b.send("GET", "/namespaces", "").header.Get("Date"); d != "Sun, 22 Nov 2026 11:00:00 GMT" {
		t.Errorf("Date with a skew of -1h: %s", d)
	}
}

func names(list []*sdk.Namespace) string {
	var all []string
	for _, n := range list {
		all = append(all, n.Name)
	}
	return strings.Join(all, " ")
}

// direct calls the handler without a connection.
func direct(t *testing.T, h http.Handler, method, path, key string) reply {
	t.Helper()
	w := recorder{header: http.Header{}}
	req, err := http.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", key)
	h.ServeHTTP(&w, req)
	return reply{w.status, w.header, w.body.String()}
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
