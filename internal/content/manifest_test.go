package content

import (
	"maps"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

// What can be run has its say in the labels of an index, whatever its kind; what cannot, has not.
func TestAnIndexHasTheLabelsOfAllThatCanBeRun(t *testing.T) {
	image := &registry.Content{Kind: registry.ContentImage, Platforms: []string{"linux/amd64"}, Labels: map[string]string{"team": "data", "os": "x"}}
	artifact := &registry.Content{Kind: registry.ContentArtifact, Platforms: []string{"linux/arm64"}, Labels: map[string]string{"team": "data", "keep": "true"}}
	unlabeled := &registry.Content{Kind: registry.ContentAttachment, Platforms: []string{"linux/s390x"}}
	attestation := &registry.Content{Kind: registry.ContentAttachment}
	for name, row := range map[string]struct {
		parts  []*registry.Content
		labels map[string]string
		images int
	}{
		"an image and an attestation":      {[]*registry.Content{image, attestation}, image.Labels, 1},
		"an image and a runnable artifact": {[]*registry.Content{image, artifact}, map[string]string{"team": "data"}, 2},
		"one of them without labels":       {[]*registry.Content{image, unlabeled}, nil, 2},
		"nothing that can be run":          {[]*registry.Content{attestation}, nil, 0},
	} {
		got := (&manifest{Manifests: make([]descriptor, len(row.parts))}).index(row.parts)
		if !maps.Equal(got.Labels, row.labels) || len(got.PartLabels) != row.images || len(got.Platforms) != row.images {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
