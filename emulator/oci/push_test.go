package oci_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestAPushAppearsInTheAPI(t *testing.T) {
	b := serve(t, world)
	img, err := random.Image(10_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	before := b.tags("prod", "api")["v2"]
	for _, ref := range []string{"prod/api:v2", "prod/new/one:v1", "prod/new/one:v2"} {
		if err := remote.Write(b.ref(ref), img, key()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	after := b.tags("prod", "api")["v2"]
	if after.ID != before.ID || after.CreatedAt != before.CreatedAt || after.Digest != d.String() || !strings.HasPrefix(after.UpdatedAt, "2026-11-22T12:00:00") {
		t.Errorf("a push moves a tag: %+v, was %+v", after, before)
	}
	if got, want := b.find("prod", "new/one").Size, size(t, img); got != want {
		t.Errorf("the image has %d bytes, want %d", got, want)
	}
	if err := remote.Write(b.ref("nowhere/api:v1"), img, key()); err == nil || refused(err) != "404" {
		t.Errorf("a push needs a namespace: %v", err)
	}
}
