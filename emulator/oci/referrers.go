package oci

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/emulator"
)

// referrer is a manifest with a subject, as the list of referrers has it.
type referrer struct {
	descriptor
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`

	subject string // a digest
}

// referrer is how the list has the manifest; nil without a subject. What the manifest says
// of its type comes before the type of its config.
func (doc *document) referrer(mediaType string, d digest, size int) *referrer {
	if doc.Subject == nil {
		return nil
	}
	r := &referrer{
		descriptor:   descriptor{types.MediaType(mediaType), d.String(), int64(size)},
		ArtifactType: doc.ArtifactType, Annotations: doc.Annotations, subject: doc.Subject.Digest,
	}
	if r.ArtifactType == "" && doc.Config != nil {
		r.ArtifactType = string(doc.Config.MediaType)
	}
	return r
}

// serveReferrers lists the manifests whose subject is a digest, by their own digests. Those
// of the world have none.
func (p *plane) serveReferrers(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		unsupported(w)
		return
	}
	if _, ok := parseDigest(a.Reference); !ok {
		problem(w, http.StatusBadRequest, "DIGEST_INVALID", "the subject must be a digest")
		return
	}
	only := r.URL.Query().Get("artifactType")
	list := []*referrer{}
	p.mu.Lock()
	img := p.image(r, a)
	p.sweep(r, a, img)
	for _, m := range img.manifests {
		if m.referrer != nil && m.referrer.subject == a.Reference && (only == "" || only == m.referrer.ArtifactType) {
			list = append(list, m.referrer)
		}
	}
	p.mu.Unlock()
	slices.SortFunc(list, func(a, b *referrer) int { return cmp.Compare(a.Digest, b.Digest) })
	if only != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	writeJSON(w, http.StatusOK, string(types.OCIImageIndex), map[string]any{"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": list})
}
