package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"

	"github.com/registry-janitor/registry-janitor/emulator"
)

// state describes the tags that a client sees in image api: name, digest word and
// status of each.
func (b *bench) state(words ...string) string {
	b.t.Helper()
	var all []string
	for _, name := range []string{"latest", "v1", "v2"} {
		tag := b.tags("api")[name]
		if tag == nil {
			continue
		}
		word := "?"
		for _, w := range words {
			if b.Digest(w) == tag.Digest {
				word = w
			}
		}
		all = append(all, name+" "+word+" "+string(tag.Status))
	}
	return strings.Join(all, ", ")
}

// A tag listing is stale, everything else is fresh.
func staleListing(t *testing.T) *bench {
	return serve(t, prod("delete_delay: 5s", `{name: latest, digest: A, age: 1d}, {name: v1, digest: B, age: 2d}`)+
		"\nfaults: [{stale: 30s, path: \"/images/*/tags\"}, {stale: 30s, method: GET, path: \"/tags/*\", times: 1}]")
}

// push pushes a tag of image api.
func (b *bench) push(tag, word string) {
	b.t.Helper()
	if err := b.Push("fr-par", "prod", "api", tag, word); err != nil {
		b.t.Fatal(err)
	}
}

func TestStaleAnswers(t *testing.T) {
	b := staleListing(t)
	want := func(why, listing string) {
		t.Helper()
		if got := b.state("A", "B", "C"); got != listing {
			t.Errorf("%s: the stale listing shows %q, want %q", why, got, listing)
		}
	}
	b.clock.pass(time.Hour)
	if err := b.deleteTag("api", "v1"); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(10 * time.Second)
	b.push("latest", "C")
	b.push("v2", "C")
	want("ten seconds after the deletion", "latest A ready, v1 B ready")
	b.clock.pass(20 * time.Second)
	want("thirty seconds after the deletion", "latest A ready, v1 B deleting")
	b.clock.pass(5 * time.Second)
	want("when the deletion was complete for thirty seconds", "latest A ready")
	if image := b.image("prod", "api"); len(image.Tags) != 2 {
		t.Errorf("the image itself is fresh: %v", image.Tags)
	}
	b.clock.pass(5 * time.Second)
	want("thirty seconds after the push", "latest C ready, v2 C ready")
	stale := b.tags("api")["latest"]
	tag, err := b.api.GetTag(&sdk.GetTagRequest{TagID: tagID("api", "latest")})
	if err != nil || !tag.UpdatedAt.Equal(*stale.UpdatedAt) || tag.ID != stale.ID {
		t.Errorf("an old answer has the times and ids of then: %+v, %+v, %v", tag, stale, err)
	}
}

func TestHiddenRows(t *testing.T) {
	world := prod("", `{name: latest, age: 1h}, {name: pr-1, age: 2h}, {name: pr-2, age: 3h}`) + "\n  - {name: other, images: [{name: api/base}]}\nfaults: [%s]"
	for _, test := range []struct{ why, fault, path, rows string }{
		{"a name", `{hide: latest}`, tagsPath, "pr-2 pr-1"},
		{"a glob of names", `{hide: "pr-*"}`, tagsPath, "latest"},
		{"a glob of references", `{hide: "prod/*:pr-1"}`, tagsPath, "pr-2 latest"},
		{"a reference elsewhere", `{hide: "other/*:pr-1"}`, tagsPath, "pr-2 pr-1 latest"},
		{"an image by its name", `{hide: api}`, "/images", "api/base"},
		{"an image by its reference", `{hide: "other/**"}`, "/images", "api"},
		{"a namespace", `{hide: oth*}`, "/namespaces", "prod"},
		{"only elsewhere", `{hide: "*", path: /namespaces}`, "/images", "api api/base"},
	} {
		t.Run(test.why, func(t *testing.T) {
			b := serve(t, strings.Replace(world, "%s", test.fault, 1))
			got := b.send("GET", test.path, "")
			var page struct {
				Total int `json:"total_count"`
			}
			if err := json.Unmarshal([]byte(got.body), &page); err != nil {
				t.Fatal(err)
			}
			rows := rowNames(got.body)
			if strings.Join(rows, " ") != test.rows || page.Total != len(rows) {
				t.Errorf("%v of %d, want %s", rows, page.Total, test.rows)
			}
		})
	}
	t.Run("are inline and still there", func(t *testing.T) {
		b := serve(t, strings.Replace(world, "%s", `{hide: latest}`, 1))
		tag, err := b.api.GetTag(&sdk.GetTagRequest{TagID: tagID("api", "latest")})
		if err != nil || tag.Name != "latest" || len(b.image("prod", "api").Tags) != 3 {
			t.Errorf("%+v, %v, inline: %v", tag, err, b.image("prod", "api").Tags)
		}
	})
}

func TestSlowDeletions(t *testing.T) {
	for _, test := range []struct {
		why, fault string
		status     int
	}{
		{"that are answered", `{slow_delete: 45s}`, 200},
		{"behind an error", `{slow_delete: 45s, status: 504, body: text}`, 504},
		{"once", `{slow_delete: 45s, status: 500, times: 1}`, 500},
	} {
		t.Run(test.why, func(t *testing.T) {
			b := serve(t, prod("delete_delay: 1s", `{name: v1, size: 5MB}, {name: v2, size: 7MB}`)+"\nfaults: ["+test.fault+"]")
			before := b.tags("api")["v1"]
			got := b.send("DELETE", "/tags/"+tagID("api", "v1"), "")
			if got.status != test.status || got.status == 200 && !strings.Contains(got.body, `"status":"deleting"`) {
				t.Errorf("answered %d %s", got.status, got.body)
			}
			b.clock.pass(45*time.Second - 1)
			if tag := b.tags("api")["v1"]; tag == nil || tag.Status != "ready" || !tag.UpdatedAt.Equal(*before.UpdatedAt) || b.image("prod", "api").Size != 12_000_000 {
				t.Errorf("until then it looks untouched: %+v", tag)
			}
			b.clock.pass(1)
			if tags := b.tags("api"); tags["v1"] != nil || tags["v2"] == nil || b.image("prod", "api").Size != 7_000_000 || b.namespace("prod").Size != 7_000_000 {
				t.Errorf("45 s later: %v, image %+v", tags, b.image("prod", "api"))
			}
		})
	}
	t.Run("of images and namespaces", func(t *testing.T) {
		b := serve(t, prod("", `{name: v1, size: 5MB}`)+"\n  - {name: other}\nfaults: [{slow_delete: 45s}]")
		image, other := emulator.ImageID("fr-par", "prod", "api"), emulator.NamespaceID("fr-par", "other")
		b.send("DELETE", "/images/"+image, "")
		b.send("DELETE", "/namespaces/"+other, "")
		if b.image("prod", "api").Status != "ready" || b.namespace("other").Status != "ready" || b.tags("api")["v1"].Status != "ready" {
			t.Error("until then all look untouched")
		}
		if err := b.Push("fr-par", "prod", "api", "v2", ""); err == nil {
			t.Error("a push to an image that is about to go would be lost, so it must fail")
		}
		b.clock.pass(45 * time.Second)
		if b.send("GET", "/images/"+image, "").status != 404 || b.send("GET", "/namespaces/"+other, "").status != 404 || b.namespace("prod").Size != 0 {
			t.Error("45 s later they are gone")
		}
	})
	t.Run("do not take what is pushed meanwhile", func(t *testing.T) {
		b := serve(t, prod("", `{name: v1, digest: A}`)+"\nfaults: [{slow_delete: 45s}]")
		b.send("DELETE", "/tags/"+tagID("api", "v1"), "")
		b.push("v1", "B")
		b.clock.pass(time.Minute)
		if got := b.state("A", "B"); got != "v1 B ready" {
			t.Errorf("left: %s", got)
		}
	})
	t.Run("are refused as ever", func(t *testing.T) {
		b := serve(t, prod("", `{name: v1, digest: A}, {name: v2, digest: A}`)+"\nfaults: [{slow_delete: 45s, status: 504}]")
		if got := b.send("DELETE", "/tags/"+tagID("api", "v1"), "").status; got != 412 {
			t.Errorf("a shared digest: %d", got)
		}
		if got := b.send("DELETE", "/tags/"+unknownID, "").status; got != 404 {
			t.Errorf("what does not exist: %d", got)
		}
	})
	t.Run("are repeated by stale answers", func(t *testing.T) {
		b := serve(t, prod("", `{name: v1, digest: A}`)+"\nfaults: [{slow_delete: 45s}, {stale: 10s}]")
		b.send("DELETE", "/tags/"+tagID("api", "v1"), "")
		b.clock.pass(54 * time.Second)
		if got := b.state("A"); got != "v1 A ready" {
			t.Errorf("54 s later, as of 44 s later: %s", got)
		}
		b.clock.pass(time.Second)
		if got := b.state("A"); got != "" {
			t.Errorf("55 s later, as of 45 s later: %s", got)
		}
	})
}

func TestSwappedRows(t *testing.T) {
	const world = `
namespaces:
  - {name: prod, images: [{name: api, created_age: 9d, tags: [{name: v2, age: 1d}, {name: v1, age: 2d}]}, {name: empty, created_age: 8d}, {name: web, created_age: 7d, tags: [{name: w1}]}]}
  - {name: solo, created_age: 5d, images: [{name: one, created_age: 5d, tags: [{name: only}]}]}
faults: [{swap_ids: true}]`
	id := emulator.ImageID
	for _, test := range []struct{ why, method, path, rows string }{
		{"a tag shows the next one", "GET", "/tags/" + emulator.TagID("fr-par", "prod", "api", "v1"), "v2"},
		{"the last tag shows the first", "GET", "/tags/" + emulator.TagID("fr-par", "prod", "api", "v2"), "v1"},
		{"the only tag shows one of another image", "GET", "/tags/" + emulator.TagID("fr-par", "prod", "web", "w1"), "v1"},
		{"an image shows the next one with tags", "GET", "/images/" + id("fr-par", "prod", "api"), "web"},
		{"the only image of a namespace shows one of another", "GET", "/images/" + id("fr-par", "solo", "one"), "api"},
		{"a listing of tags shows those of another image", "GET", "/images/" + id("fr-par", "prod", "api") + "/tags", "w1"},
		{"a namespace shows the next one", "GET", "/namespaces/" + emulator.NamespaceID("fr-par", "prod"), "solo"},
		{"the images of a namespace are those of another", "GET", "/images?namespace_id=" + emulator.NamespaceID("fr-par", "prod"), "one"},
		{"the listings of a region have no other", "GET", "/namespaces", "prod solo"},
		{"a change shows another object", "PATCH", "/images/" + id("fr-par", "prod", "web"), "api"},
		{"a deletion shows another object", "DELETE", "/tags/" + emulator.TagID("fr-par", "prod", "api", "v1"), "v2"},
	} {
		t.Run(test.why, func(t *testing.T) {
			b := serve(t, world)
			body := b.send(test.method, test.path, "").body
			var one struct{ Name string }
			if err := json.Unmarshal([]byte(body), &one); err != nil {
				t.Fatal(err)
			}
			rows := rowNames(body)
			if one.Name != "" {
				rows = []string{one.Name}
			}
			if got := strings.Join(rows, " "); got != test.rows {
				t.Errorf("%s, want %s", got, test.rows)
			}
			if test.method == "DELETE" && strings.Contains(body, "deleting") {
				t.Errorf("the row that is shown is not the one that is deleted: %s", body)
			}
		})
	}
}
