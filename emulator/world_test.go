package emulator_test

import (
	"testing"
	"time"
)

const day = 24 * time.Hour

func TestACountMakesManyObjects(t *testing.T) {
	b := serve(t, `
namespaces:
  - {name: "prod", images: [{name: "svc-{n}", count: 3, age: 1d, step: 1h, tags: [
      {name: "pr-{n}", count: 2, age: 1d, step: 2h, digest: "build-{n}"}, {name: same-1, digest: build-1}]}]}
  - {name: "team-{n}", count: 2}`)
	if got := names(must(b.api.ListNamespaces(listAll)).Namespaces); got != "prod team-1 team-2" && got != "prod team-2 team-1" {
		t.Errorf("namespaces: %s", got)
	}
	if n := b.namespace("prod").ImageCount; n != 3 {
		t.Errorf("%d images, want 3", n)
	}
	at := func(age time.Duration) time.Time { return start.Truncate(time.Microsecond).Add(-age) }
	if got := b.image("prod", "svc-3").UpdatedAt; !got.Equal(at(26 * time.Hour)) {
		t.Errorf("svc-3 was updated at %v", got)
	}
	tags := b.tags("svc-2")
	if len(tags) != 3 || !tags["pr-2"].UpdatedAt.Equal(at(26*time.Hour)) || !tags["pr-1"].UpdatedAt.Equal(at(24*time.Hour)) {
		t.Errorf("tags: %+v", tags)
	}
	if tags["pr-1"].Digest != tags["same-1"].Digest || tags["pr-2"].Digest == tags["pr-1"].Digest {
		t.Errorf("{n} in the digest is the number too: %+v", tags)
	}
}

func TestTimesThatAreNotGiven(t *testing.T) {
	b := serve(t, `
namespaces:
  - {name: prod, images: [
      {name: api, tags: [{name: old, age: 3d}, {name: new, age: 1h}]},
      {name: empty},
      {name: ahead, tags: [{name: a, age: -1h}]}]}`)
	begin := start.Truncate(time.Microsecond)
	tags, image, ns := b.tags("api"), b.image("prod", "api"), b.namespace("prod")
	for name, tag := range tags {
		if gap := tag.UpdatedAt.Sub(*tag.CreatedAt); gap < 300*time.Millisecond || gap > 900*time.Millisecond {
			t.Errorf("%s was updated %v after it was created, want 0.3 to 0.9 s", name, gap)
		}
	}
	if !image.UpdatedAt.Equal(*tags["new"].UpdatedAt) || !image.CreatedAt.Equal(*tags["old"].CreatedAt) {
		t.Errorf("an image lives from its oldest tag to its newest: %+v", image)
	}
	if !b.image("prod", "empty").UpdatedAt.Equal(begin) {
		t.Error("an image without tags is from just now")
	}
	if !b.tags("ahead")["a"].UpdatedAt.Equal(begin.Add(time.Hour)) {
		t.Error("a negative age is in the future")
	}
	if !ns.CreatedAt.Equal(*image.CreatedAt) || !ns.UpdatedAt.Equal(begin.Add(time.Hour)) {
		t.Errorf("a namespace lives from its oldest image to its newest: %+v", ns)
	}
}

func TestSizes(t *testing.T) {
	b := serve(t, `
namespaces:
  - {name: prod, images: [
      {name: api, tags: [{name: a, digest: A, size: 5MB}, {name: b, digest: A}, {name: c, size: 2MB}, {name: d, status: deleting, size: 1MB}]},
      {name: made-up, tags: [{name: a}]},
      {name: leftover, size: 9MB},
      {name: layers, size: 3MB, tags: [{name: a, size: 2MB}, {name: b, size: 2MB}]}]}`)
	if got := b.image("prod", "api").Size; got != 7_000_000 {
		t.Errorf("a digest counts once, and deleting tags do not count: %d", got)
	}
	if got := b.image("prod", "made-up").Size; got < 10_000_000 || got > 200_000_000 {
		t.Errorf("a made-up size: %d", got)
	}
	if got := b.image("prod", "leftover").Size; got != 9_000_000 {
		t.Errorf("a declared size without tags: %d", got)
	}
	if got := b.namespace("prod").Size; got != 7_000_000+b.image("prod", "made-up").Size+9_000_000+3_000_000 {
		t.Errorf("the namespace: %d", got)
	}
	if err := b.deleteTag("layers", "a"); err != nil {
		t.Fatal(err)
	}
	if got := b.image("prod", "layers").Size; got != 1_000_000 {
		t.Errorf("an image of shared layers shrinks by its tag: %d", got)
	}
}
