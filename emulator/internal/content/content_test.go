package content_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
)

func seed(word string) content.Digest { return sha256.Sum256([]byte(word)) }

// descriptor and manifest are what the tests read of both.
type descriptor struct {
	MediaType string
	Digest    string
	Size      int64
	Platform  map[string]string
}

type manifest struct {
	MediaType   string
	Config      descriptor
	Layers      []descriptor
	Manifests   []descriptor
	Annotations map[string]string
}

type config struct {
	Architecture, OS, Variant string
	Created                   time.Time
	Config                    struct{ Labels map[string]string }
	RootFS                    struct {
		DiffIDs []string `json:"diff_ids"`
	}
}

func decode[T any](t *testing.T, data []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

func read(t *testing.T, b content.Blob) []byte {
	t.Helper()
	data, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func digest(data []byte) string { return content.Digest(sha256.Sum256(data)).String() }

// check verifies every digest and length of an image, and that its layers are archives.
func check(t *testing.T, c *content.Content) (int64, config) {
	t.Helper()
	m := decode[manifest](t, c.Manifest)
	if digest(c.Manifest) != c.Digest.String() || m.MediaType != c.MediaType || len(c.Blobs) != 1+len(m.Layers) {
		t.Fatalf("%s, %d blobs: %s", c.Digest, len(c.Blobs), c.Manifest)
	}
	settings := decode[config](t, read(t, c.Blobs[0]))
	var sum int64
	for i, d := range append([]descriptor{m.Config}, m.Layers...) {
		data := read(t, c.Blobs[i])
		if digest(data) != d.Digest || c.Blobs[i].Digest.String() != d.Digest || int64(len(data)) != d.Size || c.Blobs[i].Size != d.Size {
			t.Errorf("blob %d has %d bytes of the digest %s: %+v", i, len(data), digest(data), d)
		}
		sum += d.Size
		if i == 0 {
			continue
		}
		plain, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(plain)
		if err != nil {
			t.Fatal(err)
		}
		if digest(unpacked) != settings.RootFS.DiffIDs[i-1] {
			t.Errorf("layer %d unpacks to another digest", i)
		}
		if _, err := tar.NewReader(bytes.NewReader(unpacked)).Next(); !errors.Is(err, io.EOF) {
			t.Errorf("layer %d is not an empty archive: %v", i, err)
		}
	}
	if len(settings.RootFS.DiffIDs) != len(m.Layers) {
		t.Errorf("%d layers, but %d in the config", len(m.Layers), len(settings.RootFS.DiffIDs))
	}
	return sum, settings
}

func TestAnImageHasItsSizeToTheByte(t *testing.T) {
	var m content.Maker
	for _, size := range []int64{2_000, 2_001, 2_345, 10_000, 66_900, 67_000, 67_250, 70_000, 131_072, 1 << 20, 16_777_216, 16_779_000, 16_845_000, 33_559_999, 40_000_001} {
		for _, labels := range []map[string]string{nil, {"a": "b", "org.opencontainers.image.source": "https://example.org"}} {
			r := &content.Recipe{Seed: seed(fmt.Sprint(size)), Size: size, Labels: labels}
			c := m.Make(r)
			sum, _ := check(t, c)
			if sum != size && !(labels != nil && size < 2_100) {
				t.Errorf("an image of %d bytes has %d", size, sum)
			}
			if m.Digest(r) != c.Digest {
				t.Errorf("an image of %d bytes has two digests", size)
			}
		}
	}
	if sum, _ := check(t, m.Make(&content.Recipe{Size: 1})); sum < 1_024 || sum > 2_048 {
		t.Errorf("the smallest image has %d bytes", sum)
	}
}

// Layers of gigabytes are not read here; their table has a test of its own.
func TestLargeImages(t *testing.T) {
	for _, size := range []int64{120e6, 3e9, 4 << 30, 10e9} {
		c := new(content.Maker).Make(&content.Recipe{Size: size})
		var sum int64
		for _, b := range c.Blobs {
			sum += b.Size
			end := make([]byte, 8)
			if n, err := b.ReadAt(end, b.Size-8); n != 8 || err != nil {
				t.Errorf("%d bytes at the end of a blob of %d: %v", n, b.Size, err)
			}
		}
		if sum != size || len(c.Blobs) > 6 {
			t.Errorf("an image of %d bytes has %d in %d blobs", size, sum, len(c.Blobs))
		}
	}
}

func TestABlobCanBeReadFromAnywhere(t *testing.T) {
	c := new(content.Maker).Make(&content.Recipe{Size: 400_000})
	for _, b := range c.Blobs {
		if err := iotest.TestReader(io.NewSectionReader(b, 0, b.Size), read(t, b)); err != nil {
			t.Error(err)
		}
		for _, off := range []int64{0, 1, 15, 16, 63, 64, 66, 69, 300, b.Size - 1} {
			got := make([]byte, 5000)
			n, _ := b.ReadAt(got, off)
			if !bytes.Equal(got[:n], read(t, b)[off:min(off+5000, b.Size)]) {
				t.Errorf("a blob of %d bytes is different from %d on", b.Size, off)
			}
		}
	}
}

func TestWhatAnImageSays(t *testing.T) {
	built := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := new(content.Maker).Make(&content.Recipe{
		Size: 10_000, Name: "1.6.0-arm64v8", Labels: map[string]string{"b": "2", "a": "<1>"}, Annotations: map[string]string{"k": "v"}, Built: built,
	})
	_, got := check(t, c)
	want := config{Architecture: "arm64", OS: "linux", Variant: "v8", Created: built, RootFS: got.RootFS}
	want.Config.Labels = map[string]string{"b": "2", "a": "<1>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"k": "v"}, decode[manifest](t, c.Manifest).Annotations); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheNameTellsThePlatform(t *testing.T) {
	for name, want := range map[string]string{
		"1.6.0": "linux/amd64", "1.6.0-amd64": "linux/amd64", "1.6.0-arm64": "linux/arm64", "arm64v8-1.6.0": "linux/arm64/v8", "arm-latest": "linux/arm",
		"1.6.0_armv7": "linux/arm/v7", "alarm": "linux/amd64", "army": "linux/amd64", "charm64": "linux/amd64", "s390x": "linux/s390x",
	} {
		if got := new(content.Maker).Make(&content.Recipe{Name: name}).Platform; got != want {
			t.Errorf("%s is for %s, want %s", name, got, want)
		}
	}
}

func TestAnIndexOfPlatforms(t *testing.T) {
	var m content.Maker
	r := &content.Recipe{Size: 100_001, Platforms: []string{"linux/amd64", "linux/arm64/v8"}, Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"k": "v"}}
	c := m.Make(r)
	if digest(c.Manifest) != c.Digest.String() || m.Digest(r) != c.Digest {
		t.Errorf("wrong digest: %s", c.Manifest)
	}
	got := decode[manifest](t, c.Manifest)
	want := manifest{MediaType: c.MediaType, Annotations: map[string]string{"k": "v"}, Manifests: []descriptor{
		{c.Parts[0].MediaType, c.Parts[0].Digest.String(), int64(len(c.Parts[0].Manifest)), map[string]string{"os": "linux", "architecture": "amd64"}},
		{c.Parts[1].MediaType, c.Parts[1].Digest.String(), int64(len(c.Parts[1].Manifest)), map[string]string{"os": "linux", "architecture": "arm64", "variant": "v8"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	first, _ := check(t, c.Parts[0])
	second, settings := check(t, c.Parts[1])
	if first+second != 100_001 || settings.Variant != "v8" || settings.Config.Labels["a"] != "b" {
		t.Errorf("%d and %d bytes, %+v", first, second, settings)
	}
}

func TestAnIndexOfParts(t *testing.T) {
	var m content.Maker
	parts := []*content.Recipe{{Size: 3_000, Name: "1-amd64"}, {Size: 3_000, Name: "1-arm64"}}
	got := decode[manifest](t, m.Make(&content.Recipe{Parts: parts}).Manifest)
	for i, p := range parts {
		if got.Manifests[i].Digest != m.Digest(p).String() {
			t.Errorf("part %d is %s", i, got.Manifests[i].Digest)
		}
	}
	if got.Manifests[1].Platform["architecture"] != "arm64" {
		t.Errorf("%+v", got)
	}
}

func TestAnAttachmentSaysWhatItIs(t *testing.T) {
	subject := seed("subject")
	for suffix, want := range map[string]string{".sig": "application/vnd.dev.cosign.simplesigning.v1+json", ".att": "application/vnd.dsse.envelope.v1+json"} {
		c := new(content.Maker).Make(&content.Recipe{Name: "sha256-" + subject.String()[7:] + suffix, Size: 5_000})
		m := decode[manifest](t, c.Manifest)
		if len(m.Layers) != 1 || m.Layers[0].MediaType != want || m.Layers[0].Size+m.Config.Size != 5_000 {
			t.Errorf("%s: %s", suffix, c.Manifest)
		}
		payload := decode[struct {
			Critical struct{ Image map[string]string }
		}](t, read(t, c.Blobs[1]))
		if payload.Critical.Image["docker-manifest-digest"] != subject.String() || digest(read(t, c.Blobs[1])) != m.Layers[0].Digest {
			t.Errorf("%s: %+v", suffix, payload)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	var m content.Maker
	r := content.Recipe{Name: "pr-12"}
	b.ReportAllocs()
	for i := range b.N {
		r.Seed[0], r.Seed[1], r.Size = byte(i), byte(i>>8), 10_000_000+int64(i&0xffffff)*11
		m.Digest(&r)
	}
}
