package archive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/registry"
)

// What a manifest needs is known only of known forms. Whatever else a registry takes is not
// archived, and comes back whole if it is.
func TestOnlyKnownFormsAreArchived(t *testing.T) {
	const image, artifact = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.artifact.manifest.v1+json"
	long := "sha512:" + strings.Repeat("0", 128)
	for name, tt := range map[string]struct {
		raw  string // with the digest and size of a blob for %s
		is   types.MediaType
		part types.MediaType // of an index that lists it as this; "": the tag is the manifest
		blob bool            // the part is a blob of the registry, and no manifest
		want string          // of the error
	}{
		"an image":                                                   {raw: `{"schemaVersion":2,"config":{%s},"layers":[]}`, is: image},
		"an image that the registry calls JSON":                      {raw: `{"schemaVersion":2,"config":{%s},"layers":[]}`, is: "application/json"},
		"an image whose type has a parameter":                        {raw: `{"schemaVersion":2,"mediaType":"` + image + `","config":{%s},"layers":[]}`, is: image + "; charset=utf-8"},
		"an image that says nothing, and whose type has a parameter": {raw: `{"schemaVersion":2,"config":{%s},"layers":[]}`, is: image + "; charset=utf-8"},
		"a large image in an index that does not tell":               {raw: `{"schemaVersion":2,"config":{%s},"x":"` + strings.Repeat("x", 5<<20) + `"}`, is: image, part: "application/vnd.example.sbom", want: "cannot be told from its content"},
		"an artifact": {raw: `{"mediaType":"` + artifact + `","blobs":[{%s}]}`, is: artifact},
		"an artifact in an index that does not tell": {raw: `{"mediaType":"` + artifact + `","blobs":[{%s}]}`, is: artifact, part: "application/vnd.example.sbom"},
		"schema 1":                                     {raw: `{"schemaVersion":1,"fsLayers":[]}`, is: types.DockerManifestSchema1, want: "schema 1"},
		"schema 1 that the registry calls JSON":        {raw: `{"schemaVersion":1,"fsLayers":[]}`, is: "application/json", want: "schema 1"},
		"schema 1 that the registry calls an image":    {raw: `{"fsLayers":[]}`, is: image, want: "schema 1"},
		"an unknown media type":                        {raw: `{"schemaVersion":2,"mediaType":"application/vnd.acme.manifest.v1+json","parts":[{%s}]}`, is: "application/vnd.acme.manifest.v1+json", want: "what belongs to it is not known"},
		"an image without a config":                    {raw: `{"schemaVersion":2,"parts":[{%s}]}`, is: image, want: "what belongs to it is not known"},
		"nothing":                                      {raw: `null`, is: image, want: "what belongs to it is not known"},
		"another algorithm":                            {raw: `{"schemaVersion":2,"config":{"digest":"` + long + `","size":1}}`, is: image, want: "is not a sha256 digest"},
		"more than a manifest may have":                {raw: `{"schemaVersion":2,"config":{%s},"x":"` + strings.Repeat("x", 33<<20) + `"}`, is: image, want: "more than a manifest may have"},
		"a blob in an index that does not tell":        {raw: `{"name":"sbom"}`, part: "application/vnd.example.sbom", blob: true},
		"a blob that looks like an image":              {raw: `{"schemaVersion":2,"config":{%s}}`, part: "application/vnd.example.sbom", blob: true, want: "cannot be told from its content"},
		"an image part that looks like something else": {raw: `{"name":"sbom"}`, is: image, part: "application/vnd.example.sbom", want: "cannot be told from its content"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // what is refused may be tried again after a pause
			p := newPlane(t)
			digest, needed := p.pushForm(tt.raw, tt.is, tt.part, tt.blob)
			a, _ := newFolder(t)
			o := options()
			o.Now = time.Now // as of the files
			c := archive.NewCopier(a, p.connect, o)
			_, err := c.Copy(t.Context(), step(api, digest))
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			check(t, errors.Join(err, c.Close(t.Context())))
			_, err = a.Purge(t.Context(), time.Now().AddDate(0, 0, 2)) // removes nothing
			check(t, err)
			p.wipe()
			_, err = restore(t.Context(), a, restorer(a, p), api)
			if check(t, err); p.digest(api) != digest {
				t.Error("it did not come back")
			}
			to := must(p.connect(must(registry.ParseRef(api))))
			is := must(to.Puller.Head(t.Context(), to.Repository.Tag("pr-12"))).MediaType
			if !is.IsImage() && !is.IsIndex() && is != artifact {
				t.Errorf("it came back as %s", is)
			}
			if _, err := must(to.Puller.Layer(t.Context(), to.Repository.Digest(needed.DigestStr()))).Size(); err != nil && !tt.blob {
				t.Errorf("it came back without its content: %v", err)
			}
		})
	}
}

// pushForm pushes a manifest, or an index of a part of that form, and what it needs.
func (p *plane) pushForm(raw string, is, part types.MediaType, isBlob bool) (digest string, needed name.Digest) {
	t := p.t
	to := must(p.connect(must(registry.ParseRef(api))))
	upload := func(l v1.Layer) name.Digest {
		check(t, to.Pusher.Upload(t.Context(), to.Repository, l))
		return to.Repository.Digest(must(l.Digest()).String())
	}
	needed = upload(static.NewLayer([]byte("needed"), types.OCILayer))
	raw = strings.Replace(raw, "%s", fmt.Sprintf(`"mediaType":"%s","digest":"%s","size":6`, types.OCILayer, needed.DigestStr()), 1)
	if part != "" {
		l := static.NewLayer([]byte(raw), types.OCILayer)
		if isBlob {
			upload(l)
		} else {
			check(t, to.Pusher.Put(t.Context(), to.Repository.Digest(must(l.Digest()).String()), store.Document{Raw: []byte(raw), Type: is}))
		}
		index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{{MediaType: part, Digest: must(l.Digest()), Size: must(l.Size())}}}
		raw, is = string(must(json.Marshal(index))), types.OCIImageIndex
	}
	check(t, to.Pusher.Put(t.Context(), to.Repository.Tag("pr-12"), store.Document{Raw: []byte(raw), Type: is}))
	return p.digest(api), needed
}
