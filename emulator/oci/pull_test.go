package oci_test

import (
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/registry-janitor/registry-janitor/emulator"
)

const world = `
namespaces:
  - {name: prod, images: [
      {name: api, tags: [
        {name: latest, digest: A}, {name: v1, digest: A, size: 300kB, labels: {keep: "true"}, built_age: 3d},
        {name: v2, size: 70kB}, {name: pinned, digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"},
        {name: "sha256-{digest:A}.sig"}]},
      {name: proxy, tags: [
        {name: 1.0-amd64, size: 10kB, labels: {a: b}}, {name: 1.0-arm64, size: 20kB}, {name: "1.0", parts: [1.0-amd64, 1.0-arm64]},
        {name: multi, platforms: [linux/amd64, linux/arm64/v8], size: 50kB}]}]}
  - {name: oss, region: nl-ams, is_public: true, images: [{name: tool, tags: [{name: v1, size: 3kB}]}]}`

// refused is the status of a refusal.
func refused(err error) string {
	var e *transport.Error
	if errors.As(err, &e) {
		return strconv.Itoa(e.StatusCode)
	}
	return err.Error()
}

func TestTheWorldCanBePulled(t *testing.T) {
	b := serve(t, world)
	for _, tag := range []string{"api:latest", "api:v1", "api:v2", "proxy:1.0-arm64"} {
		if err := validate.Image(b.image("prod/" + tag)); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	for _, tag := range []string{"proxy:1.0", "proxy:multi"} {
		index, err := remote.Index(b.ref("prod/"+tag), key())
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Index(index); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	shown := b.tags("prod", "api")
	for name, tag := range shown {
		got := b.head("prod/api:" + name)
		if want := tag.Digest; name != "pinned" && got != want || name == "pinned" && got != "404" {
			t.Errorf("%s is %s in the registry, and %s in the API", name, got, want)
		}
	}
	if shown["latest"].Digest != shown["v1"].Digest || b.Digest("A") != shown["v1"].Digest {
		t.Error("tags with the same word must share a digest")
	}
}

func TestWhatTheWorldSaysIsInTheImage(t *testing.T) {
	b := serve(t, world)
	settings, err := b.image("prod/api:latest").ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"keep": "true"}, settings.Config.Labels); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if built := settings.Created.Time; !built.Equal(start.AddDate(0, 0, -3)) {
		t.Errorf("built at %v", built)
	}
}

func TestSizesAreThoseOfTheWorld(t *testing.T) {
	b := serve(t, world)
	for tag, want := range map[string]int64{"v1": 300_000, "v2": 70_000} {
		if got := size(t, b.image("prod/api:"+tag)); got != want {
			t.Errorf("%s has %d bytes, want %d", tag, got, want)
		}
	}
	if got := b.find("prod", "proxy").Size; got != 80_000 {
		t.Errorf("an index shares the blobs of its parts, so the image has 80,000 bytes, not %d", got)
	}
	got := get[shown](b, "/namespaces/"+emulator.NamespaceID("fr-par", "prod")).Size
	if want := b.find("prod", "api").Size + b.find("prod", "proxy").Size; got != want {
		t.Errorf("the namespace has %d bytes, and its images %d", got, want)
	}
}

// size of the config and the layers.
func size(t *testing.T, img v1.Image) int64 {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	sum := m.Config.Size
	for _, l := range m.Layers {
		sum += l.Size
	}
	return sum
}

func TestARegionIsFoundByItsNamespace(t *testing.T) {
	b := serve(t, world+`
  - {name: prod, region: pl-waw, images: [{name: api, tags: [{name: v1}]}]}`)
	for text, want := range map[string]string{
		"oss/tool:v1": b.head("nl-ams/oss/tool:v1"), "fr-par/prod/api:v1": b.Digest("A"), "prod/api:v1": b.Digest("A"), "pl-waw/oss/tool:v1": "404", "none/api:v1": "404",
	} {
		if got := b.head(text); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	if got := b.head("pl-waw/prod/api:v1"); len(got) < 10 || got == b.Digest("A") {
		t.Errorf("the other region has %s", got)
	}
}
