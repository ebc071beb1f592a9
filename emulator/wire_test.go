package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
)

const golden = `
settings: {organization_id: 44444444-4444-4444-8444-444444444444, project_id: 55555555-5555-4555-8555-555555555555, delete_delay: 1s, compact_json: %t}
namespaces:
  - {name: prod, age: 400d, created_age: 401d, description: 'a "b" <c> é', images: [
      {name: team/api, age: 1h, created_age: 2d, tags: [
        {name: latest, digest: A, age: 2h, created_age: 1y, size: 10}, {name: v1, digest: A, age: 1ms, created_age: 1s}]}]}
`

// The golden world over the wire, byte for byte. The start has nanoseconds: times of
// the world are cut to microseconds, those of a mutation are rounded.
const (
	nsID  = "3008f01b-89fe-4559-a731-52ad579fc576"
	imgID = "f407b9a1-2834-4fff-8fa6-015688baae08"

	goldenNamespace = `{"id":"3008f01b-89fe-4559-a731-52ad579fc576", "name":"prod", "description":"a \"b\" <c> é", "organization_id":"44444444-4444-4444-8444-444444444444", "project_id":"55555555-5555-4555-8555-555555555555", "status":"ready", "status_message":"", "endpoint":"rg.fr-par.scw.cloud/prod", "is_public":false, "size":10, "created_at":"2025-10-17T12:00:00.123456Z", "updated_at":"2025-10-18T12:00:00.123456Z", "image_count":1, "region":"fr-par"}`
	goldenImage     = `{"id":"f407b9a1-2834-4fff-8fa6-015688baae08", "name":"team/api", "namespace_id":"3008f01b-89fe-4559-a731-52ad579fc576", "status":"ready", "status_message":"", "visibility":"inherit", "size":10, "created_at":"2026-11-20T12:00:00.123456Z", "updated_at":"2026-11-22T11:00:00.123456Z", "tags":["latest", "v1"]}`
	goldenLatest    = `{"id":"ba9555fe-82e0-490f-bad6-1584161d65aa", "name":"latest", "image_id":"f407b9a1-2834-4fff-8fa6-015688baae08", "status":"ready", "digest":"sha256:744466acd5efd3ae6a404e47eb381fc96297d7b1b5fd84554b623ab9a2159251", "created_at":"2025-11-22T12:00:00.123456Z", "updated_at":"2026-11-22T10:00:00.123456Z"}`

	patchedImage   = `{"id":"f407b9a1-2834-4fff-8fa6-015688baae08", "name":"team/api", "namespace_id":"3008f01b-89fe-4559-a731-52ad579fc576", "status":"ready", "status_message":"", "visibility":"private", "size":10, "created_at":"2026-11-20T12:00:00.123456000Z", "updated_at":"2026-11-22T12:00:01.123456789Z", "tags":["latest", "v1"]}`
	patchedLater   = `{"id":"f407b9a1-2834-4fff-8fa6-015688baae08", "name":"team/api", "namespace_id":"3008f01b-89fe-4559-a731-52ad579fc576", "status":"ready", "status_message":"", "visibility":"private", "size":10, "created_at":"2026-11-20T12:00:00.123456Z", "updated_at":"2026-11-22T12:00:01.123457Z", "tags":["latest", "v1"]}`
	newNamespace   = `{"id":"391cf893-fcaf-41f0-8f3a-c2ad585c9feb", "name":"x", "description":"", "organization_id":"44444444-4444-4444-8444-444444444444", "project_id":"44444444-4444-4444-8444-444444444444", "status":"ready", "status_message":"", "endpoint":"rg.fr-par.scw.cloud/x", "is_public":false, "size":0, "created_at":"2026-11-22T12:00:01.123456789Z", "updated_at":"2026-11-22T12:00:01.123456789Z", "image_count":0, "region":"fr-par"}`
	deletingLatest = `{"id":"ba9555fe-82e0-490f-bad6-1584161d65aa", "name":"latest", "image_id":"f407b9a1-2834-4fff-8fa6-015688baae08", "status":"deleting", "digest":"sha256:744466acd5efd3ae6a404e47eb381fc96297d7b1b5fd84554b623ab9a2159251", "created_at":"2025-11-22T12:00:00.123456000Z", "updated_at":"2026-11-22T12:00:01.123456789Z"}`
	deletingAll    = `{"id":"3008f01b-89fe-4559-a731-52ad579fc576", "name":"prod", "description":"a \"b\" <c> é", "organization_id":"44444444-4444-4444-8444-444444444444", "project_id":"55555555-5555-4555-8555-555555555555", "status":"deleting", "status_message":"", "endpoint":"rg.fr-par.scw.cloud/prod", "is_public":false, "size":0, "created_at":"2025-10-17T12:00:00.123456000Z", "updated_at":"2026-11-22T12:00:01.123456789Z", "image_count":1, "region":"fr-par"}`
)

func TestTheWireFormatIsTheRealOne(t *testing.T) {
	b := serve(t, fmt.Sprintf(golden, false))
	tests := []struct{ why, method, path, body, want string }{
		{"a list of namespaces", "GET", "/namespaces", "", `{"namespaces":[` + goldenNamespace + `], "total_count":1}`},
		{"a namespace", "GET", "/namespaces/" + nsID, "", goldenNamespace},
		{"a list of images", "GET", "/images", "", `{"images":[` + goldenImage + `], "total_count":1}`},
		{"an image", "GET", "/images/" + imgID, "", goldenImage},
		{"a page of tags", "GET", "/images/" + imgID + "/tags?page_size=1", "", `{"tags":[` + goldenLatest + `], "total_count":2}`},
		{"a tag", "GET", "/tags/ba9555fe-82e0-490f-bad6-1584161d65aa", "", goldenLatest},
		{"a page past the last one", "GET", "/images?page=2", "", `{"images":[], "total_count":1}`},
		{"the answer to a change", "PATCH", "/images/" + imgID, `{"visibility":"private"}`, patchedImage},
		{"what was changed, read later", "GET", "/images/" + imgID, "", patchedLater},
		{"the answer to a creation", "POST", "/namespaces", `{"name":"x","organization_id":"44444444-4444-4444-8444-444444444444"}`, newNamespace},
		{"the answer to a deletion", "DELETE", "/tags/ba9555fe-82e0-490f-bad6-1584161d65aa?force=true", "", deletingLatest},
		{"the answer to a deletion of everything", "DELETE", "/namespaces/" + nsID, "", deletingAll},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			if test.method == "PATCH" {
				b.clock.pass(time.Second)
			}
			if diff := cmp.Diff(test.want, b.send(test.method, test.path, test.body).body); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCompactJSONHasNoSpaces(t *testing.T) {
	b := serve(t, fmt.Sprintf(golden, true))
	want := `{"images":[` + strings.ReplaceAll(goldenImage, ", ", ",") + `],"total_count":1}`
	if diff := cmp.Diff(want, b.send("GET", "/images", "").body); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want = `{"details":[{"argument_name":"page","help_message":"it must be at least 1","reason":"constraint"}],"message":"invalid argument(s)","type":"invalid_arguments"}`
	if diff := cmp.Diff(want, b.send("GET", "/images?page=0", "").body); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestIdentifiersAreTheSameOnEveryStart(t *testing.T) {
	b := serve(t, prod("", `{name: latest, digest: A, size: 120MB}`))
	got := []string{emulator.NamespaceID("fr-par", "prod"), emulator.ImageID("fr-par", "prod", "team/api"), emulator.TagID("fr-par", "prod", "team/api", "latest"), b.Digest("A")}
	want := []string{nsID, imgID, "ba9555fe-82e0-490f-bad6-1584161d65aa", "sha256:0f3fe39c1fd216fd6022697ed58b95d2c285d0e639cc3bb996bd9e468591188e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	literal := "sha256:" + strings.Repeat("ab", 32)
	if got := b.Digest(literal); got != literal {
		t.Errorf("a digest stands for itself, got %s", got)
	}
	if got := b.Digest("sha256:abc"); got == "sha256:abc" {
		t.Error("sha256:abc is a word, not a digest")
	}
}
