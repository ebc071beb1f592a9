package packed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/ledger/packed"
	"github.com/registry-janitor/registry-janitor/registry"
)

func image() *registry.Content {
	c := &registry.Content{
		Kind: registry.ContentImage, MediaType: "application/vnd.oci.image.manifest.v1+json", Platforms: []string{"linux/amd64"}, SizeBytes: 12345678,
		Labels: map[string]string{
			"org.opencontainers.image.source": "https://github.com/acme/api", "org.opencontainers.image.revision": strings.Repeat("0af", 13) + "1",
			"org.opencontainers.image.created": "2026-11-03T10:00:00Z", "org.opencontainers.image.version": "1.2.3",
		},
		BuiltAt: time.Date(2026, 11, 3, 10, 0, 0, 123, time.UTC),
	}
	for i := range 10 {
		c.Blobs = append(c.Blobs, registry.Blob{Digest: fmt.Sprintf("sha256:%064x", i), Size: uint64(i) << 20})
	}
	return c
}

func TestContentsSurvivePacking(t *testing.T) {
	index := image()
	index.Kind, index.Parts, index.Subject = registry.ContentIndex, []string{"sha256:" + strings.Repeat("a", 64), "sha512:" + strings.Repeat("b", 128), "odd"}, "sha256:x"
	index.PartLabels, index.Annotations = []map[string]string{{"a": "b"}, nil}, map[string]string{"": "\x00é"}
	for name, c := range map[string]*registry.Content{"an image": image(), "an index": index, "nothing": {}} {
		body, err := packed.PackContent(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := packed.UnpackContent(body)
		if diff := cmp.Diff(c, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		for n := range body { // nothing that is damaged is taken for whole
			if _, err := packed.UnpackContent(body[:n]); err == nil {
				t.Errorf("%s: cut to %d of %d bytes", name, n, len(body))
			}
		}
		if _, err := packed.UnpackContent(append(body, 0)); err == nil {
			t.Errorf("%s: with a byte too many", name)
		}
	}
	if body, _ := packed.PackContent(image()); len(body) > 620 {
		t.Errorf("an image of ten blobs takes %d bytes", len(body))
	}
	for _, digest := range []string{"sha256:" + strings.Repeat("0f", 32), "sha256:" + strings.Repeat("0F", 32), "md5:1", ""} {
		if got := packed.UnpackDigest(packed.PackDigest(digest)); got != digest {
			t.Errorf("%q became %q", digest, got)
		}
	}
}

func FuzzUnpackContent(f *testing.F) {
	body, err := packed.PackContent(image())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := packed.UnpackContent(body)
		if err != nil {
			return
		}
		again, err := packed.PackContent(c)
		if err != nil {
			return // a year that JSON cannot express
		}
		got, err := packed.UnpackContent(again)
		if diff := cmp.Diff(c, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
