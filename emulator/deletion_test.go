package emulator_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/emulator"
)

func (b *bench) deleteTag(image, tag string) error {
	_, err := b.api.DeleteTag(&sdk.DeleteTagRequest{TagID: tagID(image, tag)})
	return err
}

func isGone(err error) bool {
	var e *scw.ResponseError
	return errors.As(err, &e) && e.StatusCode == http.StatusNotFound
}

func TestADeletedTagStaysListedUntilItIsGone(t *testing.T) {
	b := serve(t, prod("delete_delay: 1s", `{name: a, size: 5MB}, {name: b, size: 7MB}`))
	if err := b.deleteTag("api", "a"); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(time.Second - 1)
	if a := b.tags("api")["a"]; a == nil || a.Status != "deleting" {
		t.Errorf("just before the delay has passed: %+v, want it deleting", a)
	}
	image := b.image("prod", "api")
	if image.Size != 7_000_000 || len(image.Tags) != 2 || b.namespace("prod").Size != 7_000_000 {
		t.Errorf("the size must shrink at once and the tag stay inline: %+v", image)
	}
	if err := b.deleteTag("api", "a"); err != nil {
		t.Errorf("deleting it again: %v, want it accepted", err)
	}
	b.clock.pass(1)
	if tags := b.tags("api"); len(tags) != 1 || tags["b"] == nil {
		t.Errorf("after the delay: %v, want only b", tags)
	}
	if _, err := b.api.GetTag(&sdk.GetTagRequest{TagID: tagID("api", "a")}); !isGone(err) {
		t.Errorf("get: %v, want 404", err)
	}
	if err := b.deleteTag("api", "a"); !isGone(err) {
		t.Errorf("delete: %v, want 404", err)
	}
}

func TestDeletingAgain(t *testing.T) {
	tests := []struct {
		again  string
		status int
	}{{"accept", 200}, {"not_found", 404}, {"conflict", 409}}
	for _, test := range tests {
		t.Run(test.again, func(t *testing.T) {
			b := serve(t, prod("delete_delay: 1h, delete_again: "+test.again, `{name: a}`))
			for _, path := range []string{"/tags/" + tagID("api", "a"), "/images/" + emulator.ImageID("fr-par", "prod", "api"), "/namespaces/" + emulator.NamespaceID("fr-par", "prod")} {
				first := b.send("DELETE", path, "")
				b.clock.pass(time.Second)
				second := b.send("DELETE", path, "")
				if first.status != 200 || second.status != test.status {
					t.Errorf("%s: %d, then %d %s, want 200, then %d", path, first.status, second.status, second.body, test.status)
				}
				if test.status == 200 && !strings.Contains(second.body, `"status":"deleting"`) {
					t.Errorf("%s: the second deletion answers %s", path, second.body)
				}
			}
		})
	}
}

func TestTheLastTagLeavesItsImage(t *testing.T) {
	for _, test := range []struct {
		empty  string
		images uint32
	}{{"keep", 1}, {"remove", 0}} {
		t.Run(test.empty, func(t *testing.T) {
			b := serve(t, prod("empty_images: "+test.empty, `{name: a}, {name: b}`))
			for _, tag := range []string{"a", "b"} {
				if err := b.deleteTag("api", tag); err != nil {
					t.Fatal(err)
				}
			}
			ns := b.namespace("prod")
			if ns.ImageCount != test.images || ns.Size != 0 {
				t.Errorf("%d images of %d bytes, want %d of none", ns.ImageCount, ns.Size, test.images)
			}
		})
	}
}

func TestDeletingAnImageDeletesItsTags(t *testing.T) {
	b := serve(t, prod("delete_delay: 1s", `{name: a, size: 5MB}`))
	id := emulator.ImageID("fr-par", "prod", "api")
	answer, err := b.api.DeleteImage(&sdk.DeleteImageRequest{ImageID: id})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != "deleting" || answer.Size != 5_000_000 || len(answer.Tags) != 1 {
		t.Errorf("the answer: %+v, want it deleting, with its size and tags unchanged", answer)
	}
	if ns := b.namespace("prod"); ns.ImageCount != 1 || ns.Size != 0 {
		t.Errorf("at once: %d images of %d bytes, want one of none", ns.ImageCount, ns.Size)
	}
	if image := b.image("prod", "api"); image.Status != "deleting" || image.Size != 0 || b.tags("api")["a"].Status != "deleting" {
		t.Errorf("at once: %+v, want it and its tag deleting", image)
	}
	var busy *scw.TransientStateError
	if _, err := b.api.UpdateImage(&sdk.UpdateImageRequest{ImageID: id, Visibility: "public"}); !errors.As(err, &busy) {
		t.Errorf("changing it: %v, want a transient state", err)
	}
	b.clock.pass(time.Second)
	if ns := b.namespace("prod"); ns.ImageCount != 0 {
		t.Errorf("later: %d images, want none", ns.ImageCount)
	}
	if _, err := b.api.GetTag(&sdk.GetTagRequest{TagID: tagID("api", "a")}); !isGone(err) {
		t.Errorf("its tag: %v, want 404", err)
	}
}

func TestDeletingANamespaceDeletesItsImages(t *testing.T) {
	b := serve(t, prod("delete_delay: 5s", `{name: a}`)+"\n  - {name: other, images: [{name: api, tags: [{name: a}]}]}")
	id := emulator.NamespaceID("fr-par", "prod")
	if _, err := b.api.DeleteNamespace(&sdk.DeleteNamespaceRequest{NamespaceID: id}); err != nil {
		t.Fatal(err)
	}
	if ns, image := b.namespace("prod"), b.image("prod", "api"); ns.Status != "deleting" || ns.ImageCount != 1 || ns.Size != 0 || image.Status != "deleting" {
		t.Errorf("at once: %+v, %+v", ns, image)
	}
	if err := b.Push("fr-par", "prod", "api", "b", ""); err == nil {
		t.Error("nothing may be pushed to a namespace that is being deleted")
	}
	b.clock.pass(5 * time.Second)
	if _, err := b.api.GetNamespace(&sdk.GetNamespaceRequest{NamespaceID: id}); !isGone(err) {
		t.Errorf("later: %v, want 404", err)
	}
	images, err := b.api.ListImages(&sdk.ListImagesRequest{})
	if err != nil || images.TotalCount != 1 || images.Images[0].NamespaceID != emulator.NamespaceID("fr-par", "other") {
		t.Errorf("the other namespace must be untouched: %v, %+v", err, images)
	}
	made, err := b.api.CreateNamespace(&sdk.CreateNamespaceRequest{Name: "prod"})
	if err != nil || made.ID == id || made.ImageCount != 0 {
		t.Errorf("the name is free again, for something new: %v, %+v", err, made)
	}
}

func TestObjectsThatAreDeletingInTheWorldStay(t *testing.T) {
	b := serve(t, prod("", `{name: stuck, status: deleting, size: 3MB}, {name: a, size: 4MB}, {name: new, status: quarantined}`))
	b.clock.pass(24 * time.Hour)
	tags := b.tags("api")
	if tags["stuck"] == nil || tags["stuck"].Status != "deleting" || tags["new"].Status != "quarantined" {
		t.Errorf("tags: %+v", tags)
	}
	if err := b.deleteTag("api", "stuck"); err != nil {
		t.Errorf("deleting it again: %v", err)
	}
	if b.tags("api")["stuck"] == nil {
		t.Error("it must stay")
	}
}

func TestSharedDigests(t *testing.T) {
	tests := []struct {
		behavior, query string
		status          int
		left            string
	}{
		{"reject", "", 412, "latest other twin v1"},
		{"reject", "?force=false", 412, "latest other twin v1"},
		{"reject", "?force=true", 200, "other twin"},
		{"untag", "", 200, "latest other twin"},
		{"untag", "?force=true", 200, "latest other twin"},
		{"cascade", "", 200, "other twin"},
		{"", "", 412, "latest other twin v1"},
	}
	for _, test := range tests {
		t.Run(test.behavior+test.query, func(t *testing.T) {
			b := serve(t, prod("shared_digest: '"+test.behavior+"'",
				`{name: latest, digest: A, size: 10}, {name: v1, digest: A, size: 10}, {name: other, size: 1}, {name: twin, digest: "the only A", size: 1}`))
			got := b.send("DELETE", "/tags/"+tagID("api", "v1")+test.query, "")
			if got.status != test.status {
				t.Errorf("status %d %s, want %d", got.status, got.body, test.status)
			}
			var left []string
			for name := range b.tags("api") {
				left = append(left, name)
			}
			slices.Sort(left)
			if s := strings.Join(left, " "); s != test.left {
				t.Errorf("left: %s, want %s", s, test.left)
			}
			size := scw.Size(2)
			if strings.Contains(test.left, "latest") {
				size += 10
			}
			if got := b.image("prod", "api").Size; got != size {
				t.Errorf("the image has %d bytes, want %d", got, size)
			}
		})
	}
	t.Run("the refusal is a typed error", func(t *testing.T) {
		b := serve(t, prod("", `{name: a, digest: A}, {name: b, digest: A}`))
		var refused *scw.PreconditionFailedError
		if err := b.deleteTag("api", "a"); !errors.As(err, &refused) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a digest shared with a tag that is being deleted is free", func(t *testing.T) {
		b := serve(t, prod("", `{name: a, digest: A}, {name: b, digest: A, status: deleting}`))
		if err := b.deleteTag("api", "a"); err != nil {
			t.Error(err)
		}
	})
	t.Run("a digest shared with another image is free", func(t *testing.T) {
		b := serve(t, `namespaces: [{name: prod, images: [{name: api, tags: [{name: a, digest: A}]}, {name: web, tags: [{name: a, digest: A}]}]}]`)
		if err := b.deleteTag("api", "a"); err != nil {
			t.Error(err)
		}
		if b.tags("web")["a"] == nil {
			t.Error("the tag of the other image must stay")
		}
	})
}

func TestAPushMovesATagThatKeepsItsIdentity(t *testing.T) {
	b := serve(t, prod("delete_delay: 1s", `{name: latest, digest: A, age: 2h, created_age: 400d, size: 10}, {name: v1, digest: A, age: 2h, size: 10}`))
	before := b.tags("api")["latest"]
	b.clock.pass(time.Hour)
	if err := b.Push("fr-par", "prod", "api", "latest", "B"); err != nil {
		t.Fatal(err)
	}
	after := b.tags("api")["latest"]
	if after.ID != before.ID || !after.CreatedAt.Equal(*before.CreatedAt) {
		t.Errorf("a moved tag keeps its id and created_at: %+v, was %+v", after, before)
	}
	if after.Digest != b.Digest("B") || !after.UpdatedAt.Equal(start.Add(time.Hour).Round(time.Microsecond)) {
		t.Errorf("a moved tag has a new digest and updated_at: %+v", after)
	}
	image := b.image("prod", "api")
	if !image.UpdatedAt.Equal(*after.UpdatedAt) || image.Size <= 10 {
		t.Errorf("the image is updated, and holds both digests: %+v", image)
	}
	if err := b.Push("fr-par", "prod", "api", "latest", "A"); err != nil {
		t.Fatal(err)
	}
	if size := b.image("prod", "api").Size; size != 10 {
		t.Errorf("the tag moved back, so the image has its old size, not %d", size)
	}
}

func TestAPushMakesTheImageAndTheTag(t *testing.T) {
	b := serve(t, prod("delete_delay: 1s", `{name: a, digest: A}`))
	if err := b.Push("fr-par", "prod", "new", "v1", "A"); err != nil {
		t.Fatal(err)
	}
	image, ns := b.image("prod", "new"), b.namespace("prod")
	if image.Visibility != "inherit" || image.Status != "ready" || ns.ImageCount != 2 || ns.Size != image.Size+b.image("prod", "api").Size {
		t.Errorf("a new image: %+v in %+v", image, ns)
	}
	tag := b.tags("new")["v1"]
	if gap := tag.UpdatedAt.Sub(*tag.CreatedAt); gap < 300*time.Millisecond || gap > 900*time.Millisecond {
		t.Errorf("updated_at is %v after created_at, want 0.3 to 0.9 s", gap)
	}

	old := b.tags("api")["a"]
	if err := b.deleteTag("api", "a"); err != nil {
		t.Fatal(err)
	}
	if err := b.Push("fr-par", "prod", "api", "a", "A"); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(time.Hour)
	anew := b.tags("api")["a"]
	if anew == nil || anew.Status != "ready" || anew.ID == old.ID || anew.CreatedAt.Equal(*old.CreatedAt) {
		t.Errorf("a tag that is pushed during its deletion is a new tag, and is kept: %+v, was %+v", anew, old)
	}
	for _, bad := range [][4]string{{"it-mil", "prod", "api", "a"}, {"fr-par", "none", "api", "a"}, {"fr-par", "prod", "", "a"}, {"fr-par", "prod", "api", "a b"}} {
		if err := b.Push(bad[0], bad[1], bad[2], bad[3], ""); err == nil {
			t.Errorf("push %v must fail", bad)
		}
	}
}
