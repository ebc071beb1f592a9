package oci_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

func shared(setting string) string {
	return "settings: {delete_delay: 1h, shared_digest: " + setting + "}" + world
}

func (b *bench) delete(image, tag string) {
	b.t.Helper()
	b.call("DELETE", "/tags/"+wire.Identify("fr-par", "prod", image, tag).String())
}

func TestADeletionInTheAPIIsOneInTheRegistry(t *testing.T) {
	for setting, want := range map[string][3]string{
		"reject":  {"served", "served", "served"},
		"untag":   {"404", "served", "served"},
		"cascade": {"404", "404", "404"},
	} {
		b := serve(t, shared(setting))
		d := b.Digest("A")
		b.delete("api", "latest")
		for i, ref := range []string{"prod/api:latest", "prod/api:v1", "prod/api@" + d} {
			got := b.head(ref)
			if got == d {
				got = "served"
			}
			if got != want[i] {
				t.Errorf("%s: %s is %s, want %s", setting, ref, got, want[i])
			}
		}
	}
}

func TestAManifestGoesWithItsLastTag(t *testing.T) {
	b := serve(t, shared("untag"))
	img := b.push("prod/api:new", 2)
	b.tag("prod/api:other", img)
	d := digestOf(t, img)
	b.delete("api", "new")
	if got := b.head("prod/api@" + d); got != d {
		t.Errorf("a tag is left, but the manifest is %s", got)
	}
	b.delete("api", "other")
	if got := b.head("prod/api@" + d); got != "404" {
		t.Errorf("no tag is left, but the manifest is %s", got)
	}
	b.tag("prod/api:back", img)
	if got := b.head("prod/api:back"); got != d {
		t.Errorf("pushed again, the tag is %s", got)
	}
}

func TestAPartStaysWithItsIndex(t *testing.T) {
	b := serve(t, shared("untag"))
	part := b.tags("prod", "proxy")["1.0-arm64"].Digest
	b.delete("proxy", "1.0-arm64")
	if got := b.head("prod/proxy:1.0-arm64"); got != "404" {
		t.Errorf("the tag is %s", got)
	}
	if got := b.head("prod/proxy@" + part); got != part {
		t.Errorf("the index is left, but its part is %s", got)
	}
	if got := b.find("prod", "proxy").Size; got != 80_000 {
		t.Errorf("the index still has the blobs, but the image has %d bytes", got)
	}
	b.delete("proxy", "1.0")
	if got := b.head("prod/proxy@" + part); got != "404" {
		t.Errorf("the index is gone, but its part is %s", got)
	}
	if got := b.find("prod", "proxy").Size; got != 60_000 {
		t.Errorf("the image has %d bytes, want 60,000", got)
	}
}

func TestAPushedIndexKeepsItsParts(t *testing.T) {
	b := serve(t, shared("untag"))
	index, err := random.Index(1_000, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	// A part of the world beside those that are pushed.
	index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: b.image("prod/api:v2")})
	if err := remote.WriteIndex(b.ref("prod/api:index"), index, key()); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(b.tags("prod", "api")); got != 6 {
		t.Errorf("parts make no tags, but there are %d", got)
	}
	b.delete("api", "v2")
	for _, part := range manifest.Manifests {
		if got := b.head("prod/api@" + part.Digest.String()); got != part.Digest.String() {
			t.Errorf("a part is %s", got)
		}
	}
	b.delete("api", "index")
	for _, part := range manifest.Manifests {
		if got := b.head("prod/api@" + part.Digest.String()); got != "404" {
			t.Errorf("a part without its index is %s", got)
		}
	}
}

func TestAnImageStartsAnewAfterItsDeletion(t *testing.T) {
	b := serve(t, world)
	img := b.push("prod/api:new", 2)
	b.call("DELETE", "/images/"+emulator.ImageID("fr-par", "prod", "api"))
	for _, ref := range []string{"prod/api:new", "prod/api:v2", "prod/api@" + digestOf(t, img)} {
		if got := b.head(ref); got != "404" {
			t.Errorf("%s is %s", ref, got)
		}
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	b.push("prod/api:again", 1)
	if resp, _ := b.send("HEAD", "/v2/prod/api/blobs/"+m.Layers[0].Digest.String(), b.bearer("repository:prod/api:pull")...); resp.StatusCode != 404 {
		t.Errorf("a layer that the image had before: %d", resp.StatusCode)
	}
	if got := b.head("prod/api@" + digestOf(t, img)); got != "404" {
		t.Errorf("what the image had before is %s", got)
	}
	if got := b.head("prod/api:again"); len(got) < 10 {
		t.Errorf("the new tag is %s", got)
	}
}

func TestANamespaceTakesEverythingWithIt(t *testing.T) {
	b := serve(t, world)
	img := b.push("prod/api:new", 2)
	b.call("DELETE", "/namespaces/"+emulator.NamespaceID("fr-par", "prod"))
	if got := b.head("prod/api:v1"); got != "404" {
		t.Errorf("a tag is %s", got)
	}
	if err := remote.Write(b.ref("prod/api:new"), img, key()); refused(err) != "404" {
		t.Errorf("a push into it: %v", err)
	}
}

func TestALayerCountsOnceInAnImage(t *testing.T) {
	b := serve(t, shared("untag"))
	img := b.push("prod/new:v1", 2)
	more, err := random.Layer(5_000, types.OCILayer)
	if err != nil {
		t.Fatal(err)
	}
	larger, err := mutate.AppendLayers(img, more)
	if err != nil {
		t.Fatal(err)
	}
	b.tag("prod/new:v2", larger)
	config, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	both := size(t, larger) + config.Config.Size
	if got := b.find("prod", "new").Size; got != both {
		t.Errorf("the image has %d bytes, want %d", got, both)
	}
	b.delete("new", "v2")
	if got := b.find("prod", "new").Size; got != size(t, img) {
		t.Errorf("the image has %d bytes, want %d", got, size(t, img))
	}
}

// push pushes a new image by a tag.
func (b *bench) push(ref string, layers int64) v1.Image {
	b.t.Helper()
	img, err := random.Image(1_000, layers)
	if err != nil {
		b.t.Fatal(err)
	}
	b.tag(ref, img)
	return img
}

func (b *bench) tag(ref string, img v1.Image) {
	b.t.Helper()
	if err := remote.Write(b.ref(ref), img, key()); err != nil {
		b.t.Fatal(err)
	}
}

func digestOf(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}
