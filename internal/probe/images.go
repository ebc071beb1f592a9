package probe

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// pushable is an image or an index.
type pushable interface {
	remote.Taggable
	Digest() (v1.Hash, error)
}

// tiny makes an image of one layer, which is its name. Two names never give the same digest.
func tiny(name string) (v1.Image, error) {
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	image, err := mutate.AppendLayers(image, static.NewLayer([]byte("registry-janitor probe "+name+"\n"), types.OCIUncompressedLayer))
	if err != nil {
		return nil, err
	}
	return mutate.Config(image, v1.Config{Labels: map[string]string{"io.registry-janitor.probe": name}})
}

// multi makes an index of two platforms, and returns its images.
func multi(name string) (v1.ImageIndex, []v1.Image, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var images []v1.Image
	for _, architecture := range []string{"amd64", "arm64"} {
		image, err := tiny(name + " " + architecture)
		if err != nil {
			return nil, nil, err
		}
		images = append(images, image)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	return index, images, nil
}

// digestOf returns a digest as it is; anything else is a tag.
func digestOf(identifier string) (digest string, isTag bool) {
	if strings.Contains(identifier, ":") {
		return identifier, false
	}
	return "", true
}
