package archive_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
)

// What is said to be archived can be restored where nothing of it is left, whatever a
// manifest says of what it needs, and whatever else of it another tag has.
func TestWhatIsArchivedComesBackWhole(t *testing.T) {
	layer := func(edit func(*v1.Descriptor)) func(*v1.Manifest) {
		return func(m *v1.Manifest) { edit(&m.Layers[0]) }
	}
	elsewhere := []string{"https://layers.example.com/1"}
	absent := must(v1.NewHash("sha256:00000000000000000000000000000000000000000000000000000000000000ff"))
	for name, tt := range map[string]struct {
		image   func(*v1.Manifest)
		part    func(*v1.Descriptor) // the tag is an index of the other tag then
		refused bool
	}{
		"a layer of another size":        {image: layer(func(d *v1.Descriptor) { d.Size++ }), refused: true},
		"a layer that is also elsewhere": {image: layer(func(d *v1.Descriptor) { d.URLs = elsewhere })},
		"a layer that is only elsewhere": {image: layer(func(d *v1.Descriptor) {
			*d = v1.Descriptor{MediaType: types.OCIRestrictedLayer, Digest: absent, Size: 1, URLs: elsewhere}
		})},
		"a layer that should be there too":      {image: layer(func(d *v1.Descriptor) { d.Digest, d.URLs = absent, elsewhere }), refused: true},
		"a part of another size":                {part: func(d *v1.Descriptor) { d.Size++ }, refused: true},
		"a part without a media type":           {part: func(d *v1.Descriptor) { d.MediaType = "" }},
		"a part of an unknown media type":       {part: func(d *v1.Descriptor) { d.MediaType = "application/vnd.example.thing" }},
		"a part with the media type of another": {part: func(d *v1.Descriptor) { d.MediaType = types.OCIManifestSchema1 }},
	} {
		for _, first := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // a copy that is damaged is tried again after a pause
				p := newPlane(t)
				original := image(1)
				p.push(other, original)
				digest := p.push(api, edited(t, original, tt.image, tt.part))
				a, _ := newFolder(t)
				c := archive.NewCopier(a, p.connect, options())
				if !first {
					_, err := c.Copy(t.Context(), step(other, p.digest(other)))
					check(t, err)
				}
				_, err := c.Copy(t.Context(), step(api, digest))
				check(t, c.Close(t.Context()))
				if tt.refused {
					if err == nil {
						t.Error("it is archived")
					}
					return
				}
				check(t, err)
				p.wipe()
				q := newPlane(t)
				q.refuse = contradicts
				p.host = q.host
				_, err = restore(t.Context(), a, restorer(a, p), api)
				check(t, err)
				again, _ := newFolder(t)
				copied(t, again, p, api) // everything is there
				if p.digest(api) != digest {
					t.Errorf("it has %q, want %q", p.digest(api), digest)
				}
				_, err = a.Purge(t.Context(), now)
				check(t, err)
			})
		}
	}
}

// contradicts reports whether a manifest is pushed with another media type than its own.
func contradicts(r *http.Request) bool {
	if r.Method != http.MethodPut {
		return false
	}
	raw := must(io.ReadAll(r.Body))
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var m struct{ MediaType string }
	return json.Unmarshal(raw, &m) == nil && m.MediaType != "" && m.MediaType != r.Header.Get("Content-Type")
}

// edited is an image with another manifest, or an index that lists it in another way.
func edited(t *testing.T, original v1.Image, image func(*v1.Manifest), part func(*v1.Descriptor)) store.Document {
	t.Helper()
	if image != nil {
		m := must(original.Manifest()).DeepCopy()
		image(m)
		return store.Document{Raw: must(json.Marshal(m)), Type: m.MediaType}
	}
	index := must(mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: original}).IndexManifest()).DeepCopy()
	part(&index.Manifests[0])
	return store.Document{Raw: must(json.Marshal(index)), Type: types.OCIImageIndex}
}

// A copy stays as long as it was promised, if the same tag goes again after archive.keep was
// shortened.
func TestACopyStaysAsLongAsItWasPromised(t *testing.T) {
	p := newPlane(t)
	p.push(api, image(1))
	a, _ := newFolder(t)
	copied(t, a, p, api)
	o := options()
	o.Keep = 1
	copiedWith(t, a, p, o, api)
	if records := must(a.Records(t.Context())); len(records) != 1 || !records[0].Until.Equal(now.Add(options().Keep)) {
		t.Errorf("%+v", records)
	}
}
