package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/retry"
)

const (
	// maxManifest bounds what is read of a manifest, in bytes.
	maxManifest = 32 << 20
	// maxGuessed bounds what is read of a blob to find out whether it is a manifest: what
	// every registry takes as one.
	maxGuessed = 4 << 20
)

// manifest has the fields of a manifest and of an index that are needed here.
type manifest struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`

	Config    *v1.Descriptor  `json:"config"`
	Layers    []v1.Descriptor `json:"layers"`
	Blobs     []v1.Descriptor `json:"blobs"`     // of the artifact manifests of earlier drafts
	Manifests []v1.Descriptor `json:"manifests"` // of an index

	FSLayers json.RawMessage `json:"fsLayers"` // of schema 1
}

// content are the config and layers of a manifest.
func (m *manifest) content() []store.Blob {
	var all []store.Blob
	if m.Config != nil {
		all = append(all, blobOf(*m.Config, false))
	}
	for _, d := range append(m.Layers, m.Blobs...) {
		// A layer that may not be distributed is stored elsewhere, and recorded without its content.
		if len(d.URLs) == 0 || d.MediaType.IsDistributable() {
			all = append(all, blobOf(d, false))
		}
	}
	return all
}

// mediaType is the media type with which a registry accepts a manifest: what it says itself, and
// only otherwise what the index above it says. Only manifests of OCI need not say it.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md
func (m *manifest) mediaType(above types.MediaType) types.MediaType {
	bare, _, _ := strings.Cut(string(above), ";") // a header may have parameters
	above = types.MediaType(strings.TrimSpace(bare))
	switch {
	case m.MediaType != "":
		return m.MediaType
	case m.SchemaVersion != 2 || isManifest(above) && !strings.Contains(string(above), "docker"):
		return above
	case m.Manifests != nil:
		return types.OCIImageIndex
	}
	return types.OCIManifestSchema1
}

// artifacts are the media types of the artifact manifests of earlier drafts.
var artifacts = []types.MediaType{"application/vnd.oci.artifact.manifest.v1+json", "application/vnd.cncf.oras.artifact.manifest.v1+json"}

// refusal is why a manifest cannot be archived: it would come back without what belongs to
// it, or not at all. nil if it can.
func refusal(b store.Blob, raw []byte) error {
	if len(raw) > maxManifest {
		return fmt.Errorf("%s has %d bytes, more than a manifest may have", b.Digest, len(raw))
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("%s: its manifest cannot be read: %w", b.Digest, err)
	}
	switch t := m.mediaType(b.MediaType); {
	case m.SchemaVersion == 1, m.FSLayers != nil, t.IsSchema1():
		return fmt.Errorf("%s has the schema 1, which a layout cannot hold: push it again with a current tool", b.Digest)
	case t.IsImage() && m.Config == nil, t.IsIndex() && m.Manifests == nil, !t.IsImage() && !t.IsIndex() && !slices.Contains(artifacts, t):
		return fmt.Errorf("%s has the media type %q, but not the form of an image, an index or an artifact, so what belongs to it is not known: keep the tag, or leave it out with archive.except", b.Digest, t)
	}
	all := append(m.content(), b)
	for _, d := range m.Manifests {
		all = append(all, blobOf(d, false))
	}
	for _, b := range all {
		if b.Digest.Algorithm != "sha256" {
			return fmt.Errorf("%s is not a sha256 digest, and an archive has no other: keep the tag, or leave it out with archive.except", b.Digest)
		}
	}
	return nil
}

func isManifest(t types.MediaType) bool {
	return t.IsImage() || t.IsIndex() || strings.Contains(string(t), "manifest")
}

func isContent(t types.MediaType) bool {
	return strings.Contains(string(t), "layer") || strings.Contains(string(t), "rootfs") || strings.Contains(string(t), "config")
}

func blobOf(d v1.Descriptor, isManifest bool) store.Blob {
	return store.Blob{Digest: d.Digest, Size: d.Size, MediaType: d.MediaType, Manifest: isManifest}
}

// visitor is what walk does with a tree.
type visitor struct {
	// open reads a manifest, verified.
	open func(ctx context.Context, b store.Blob) ([]byte, error)
	// opens reports whether a part of an index, whose media type does not tell, is a manifest.
	opens func(ctx context.Context, b store.Blob) (bool, error)
	// enter reports whether to go below a manifest; nil always does.
	enter func(ctx context.Context, b store.Blob) (bool, error)
	// blobs takes the configs and layers of one manifest.
	blobs func(ctx context.Context, all []store.Blob) error
	// leave takes a manifest, after everything below it.
	leave func(ctx context.Context, b store.Blob, raw []byte) error
}

// walk visits each manifest of a tree once, from the bottom to the top.
func walk(ctx context.Context, root store.Blob, v visitor) error {
	return v.walk(ctx, root, map[v1.Hash]bool{})
}

func (v visitor) walk(ctx context.Context, b store.Blob, seen map[v1.Hash]bool) error {
	if seen[b.Digest] {
		return nil
	}
	seen[b.Digest] = true
	if v.enter != nil {
		if ok, err := v.enter(ctx, b); err != nil || !ok {
			return err
		}
	}
	raw, err := v.open(ctx, b)
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("%s: its manifest cannot be read: %w", b.Digest, err)
	}
	b.MediaType = m.mediaType(b.MediaType)
	blobs := m.content()
	for _, d := range m.Manifests {
		part, err := v.part(ctx, d)
		switch {
		case err != nil:
			return err
		case !part.Manifest:
			blobs = append(blobs, part)
			continue
		}
		if err := v.walk(ctx, part, seen); err != nil {
			return err
		}
	}
	if err := v.blobs(ctx, blobs); err != nil {
		return err
	}
	return v.leave(ctx, b, raw)
}

// part is what an index lists: a manifest, or a layer, as the index of a build cache does.
func (v visitor) part(ctx context.Context, d v1.Descriptor) (b store.Blob, err error) {
	b = blobOf(d, isManifest(d.MediaType))
	if !b.Manifest && !isContent(d.MediaType) {
		b.Manifest, err = v.opens(ctx, b)
	}
	return b, err
}

// manifest reads a manifest of the archive, whole and verified.
func (a *Archive) manifest(ctx context.Context, b store.Blob) ([]byte, error) {
	if b.Size > maxManifest {
		return nil, fmt.Errorf("%s has %d bytes, more than a manifest may have", b.Digest, b.Size)
	}
	var raw []byte
	err := repeat(ctx, func() error {
		from, err := a.store.Open(ctx, b)
		if err != nil {
			return err
		}
		defer from.Close()
		var whole bytes.Buffer
		_, err = io.Copy(&whole, store.Verify(from, b))
		raw = whole.Bytes()
		return err
	})
	return raw, err
}

// opens reports whether a part of an index is a manifest, by its content.
func (a *Archive) opens(ctx context.Context, b store.Blob) (bool, error) {
	if b.Size > maxGuessed {
		return false, nil
	}
	b.Manifest = true // a registry has manifests elsewhere
	raw, err := a.manifest(ctx, b)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && looksLikeManifest(raw), err
}

// looksLikeManifest reports whether the content of a part, whose media type in the index does
// not tell, is that of a manifest. Whoever copies a part and whoever reads it again must agree.
func looksLikeManifest(raw []byte) bool {
	var m manifest
	if json.Unmarshal(raw, &m) != nil {
		return false
	}
	return isManifest(m.MediaType) || m.SchemaVersion != 0 && (m.Manifests != nil || m.Config != nil || m.Layers != nil || m.Blobs != nil)
}

// tries is how often something is tried at a store.
const tries = 4

// repeat tries again after a fault of a store that may pass. Unlike a change of the
// registry, what is done to a store may be done twice: blobs go by their digests, and the
// index is read again after a write that failed. Nothing is done once the context has
// ended: then another process may hold the lock.
func repeat(ctx context.Context, try func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	loop := retry.Loop{
		Tries: tries,
		Again: func(err error, n int) (time.Duration, bool) {
			return retry.Pause(200*time.Millisecond, 2*n-1), mayPass(err)
		},
		Before: func(error, int, time.Duration) {},
	}
	_, err := loop.Do(ctx, try)
	return err
}

func mayPass(err error) bool {
	for _, stays := range []error{store.ErrRefused, store.ErrNotFound, store.ErrChanged, store.ErrFrozen, context.Canceled} {
		if errors.Is(err, stays) {
			return false
		}
	}
	var answer *transport.Error
	if errors.As(err, &answer) {
		return answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout
	}
	return true
}
