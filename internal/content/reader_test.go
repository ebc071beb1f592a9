package content_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/content"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestAnImageIsReadOnce(t *testing.T) {
	s := newServer(t)
	s.redirect = true
	img := mutate.Annotations(image(t, "linux/arm64/v8", map[string]string{"team": "data"}, "2026-03-01T10:00:00+02:00"), map[string]string{"note": "x"}).(v1.Image)
	digest := s.push(t, "prod/api", img)
	r := s.reader(t)
	got := read(t, r, "api", digest)
	want := &registry.Content{
		Kind: registry.ContentImage, MediaType: string(types.DockerManifestSchema2), Platforms: []string{"linux/arm64/v8"},
		Labels: map[string]string{"team": "data"}, Annotations: map[string]string{"note": "x"},
		BuiltAt: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), Blobs: blobsOf(t, img),
	}
	for _, b := range want.Blobs {
		want.SizeBytes += b.Size
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s.requests("manifests") != 1 || s.requests("GET blobs") != 1 || s.requests("storage") != 1 || s.requests("token") != 1 {
		t.Errorf("requests: %v", s.log)
	}
	before := len(s.log)
	read(t, r, "api", digest)
	read(t, r, "other", digest) // whatever the image is
	if len(s.log) != before {
		t.Errorf("what is known was read again: %v", s.log[before:])
	}
	if got := r.Counts(); got.Read != 1 || got.Found != 2 || got.Unread != 0 || got.Calls != int64(before) || got.Bytes < 100 {
		t.Errorf("%+v", got)
	}
}

// blobsOf are the config and the layers of an image.
func blobsOf(t *testing.T, img v1.Image) []registry.Blob {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var blobs []registry.Blob
	for _, d := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		blobs = append(blobs, registry.Blob{Digest: d.Digest.String(), Size: uint64(d.Size)})
	}
	return blobs
}

// The image without a date may be the newest of them.
func TestAnIndexOfAnUndatedImageHasNoBuildDate(t *testing.T) {
	s := newServer(t)
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: image(t, "linux/amd64", nil, "2019-03-01T10:00:00Z")},
		mutate.IndexAddendum{Add: image(t, "linux/arm64", nil, "1980-01-01T00:00:01Z")})
	if got := read(t, s.reader(t), "api", s.push(t, "prod/api", index)); !got.BuiltAt.IsZero() {
		t.Errorf("built at %s", got.BuiltAt)
	}
}

func TestAnIndexHasWhatItsImagesHave(t *testing.T) {
	s := newServer(t)
	amd := image(t, "linux/amd64", map[string]string{"team": "data", "keep": "true", "os": "a"}, "2026-03-01T10:00:00Z")
	arm := image(t, "linux/arm64", map[string]string{"team": "data", "os": "b"}, "2026-02-01T10:00:00Z")
	attestation := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	attestation, err := mutate.AppendLayers(attestation, static.NewLayer([]byte("{}"), "application/vnd.in-toto+json"))
	if err != nil {
		t.Fatal(err)
	}
	platform := func(os, arch string) v1.Descriptor {
		return v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch}}
	}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: amd, Descriptor: platform("linux", "amd64")},
		mutate.IndexAddendum{Add: arm, Descriptor: platform("linux", "arm64")},
		mutate.IndexAddendum{Add: attestation, Descriptor: platform("unknown", "unknown")})
	digest := s.push(t, "prod/api", index)
	r := s.reader(t)
	got := read(t, r, "api", digest)
	want := &registry.Content{
		Kind: registry.ContentIndex, MediaType: string(types.OCIImageIndex), Platforms: []string{"linux/amd64", "linux/arm64"},
		Labels: map[string]string{"team": "data"}, BuiltAt: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC),
		Blobs:      append(append(blobsOf(t, amd), blobsOf(t, arm)...), blobsOf(t, attestation)...),
		PartLabels: []map[string]string{{"team": "data", "keep": "true", "os": "a"}, {"team": "data", "os": "b"}},
	}
	for _, part := range []v1.Image{amd, arm, attestation} {
		hash, err := part.Digest()
		if err != nil {
			t.Fatal(err)
		}
		want.Parts = append(want.Parts, hash.String())
	}
	for _, b := range want.Blobs {
		want.SizeBytes += b.Size
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if m, b := s.requests("manifests"), s.requests("blobs"); m != 4 || b != 2 {
		t.Errorf("%d manifests and %d configs were read", m, b)
	}
	before := len(s.log)
	for _, part := range want.Parts {
		read(t, r, "api", part)
	}
	if len(s.log) != before {
		t.Errorf("a part is read again: %v", s.log[before:])
	}
	if got := read(t, r, "api", want.Parts[2]); got.Kind != registry.ContentAttachment {
		t.Errorf("the attestation is %+v", got)
	}
}

// What can be run has its labels, also if it is about something else.
func TestAnImageWithASubjectHasItsLabels(t *testing.T) {
	s := newServer(t)
	img := mutate.ConfigMediaType(mutate.MediaType(image(t, "linux/amd64", map[string]string{"keep": "true"}, ""), types.OCIManifestSchema1), types.OCIConfigJSON)
	subject, err := partial.Descriptor(image(t, "linux/amd64", nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, s.reader(t), "api", s.push(t, "prod/api", mutate.Subject(img, *subject).(v1.Image)))
	if got.Labels["keep"] != "true" || got.Kind != registry.ContentAttachment || got.Subject != subject.Digest.String() {
		t.Errorf("it is %+v", got)
	}
}

// raw is a manifest as it is.
type raw struct {
	body      string
	mediaType types.MediaType
}

func (r raw) RawManifest() ([]byte, error)        { return []byte(r.body), nil }
func (r raw) MediaType() (types.MediaType, error) { return r.mediaType, nil }
func (r raw) Digest() (v1.Hash, error)            { return partial.Digest(r) }

func TestOtherKindsAreReadWithOneCall(t *testing.T) {
	const oci = `"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`
	hex := func(c string) string { return "sha256:" + strings.Repeat(c, 64) }
	blob := func(c, mediaType string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":10}`, mediaType, hex(c))
	}
	imageConfig := blob("a", "application/vnd.oci.image.config.v1+json")
	for name, tt := range map[string]struct {
		raw
		want registry.Content
	}{
		"a signature of cosign": {
			raw{`{` + oci + `"config":` + imageConfig + `,"layers":[` + blob("b", "application/vnd.dev.cosign.simplesigning.v1+json") + `]}`, types.OCIManifestSchema1},
			registry.Content{Kind: registry.ContentAttachment, SizeBytes: 20},
		},
		"what has a subject": {
			raw{`{` + oci + `"config":` + imageConfig + `,"layers":[],"subject":` + blob("c", "application/vnd.oci.image.manifest.v1+json") + `}`, types.OCIManifestSchema1},
			registry.Content{Kind: registry.ContentAttachment, Subject: hex("c"), SizeBytes: 10},
		},
		"a chart of Helm": {
			raw{`{` + oci + `"config":` + blob("a", "application/vnd.cncf.helm.config.v1+json") + `,"layers":[` + blob("b", "application/tar+gzip") + `,` + blob("b", "application/tar+gzip") + `],"annotations":{"v":"1"}}`, types.OCIManifestSchema1},
			registry.Content{Kind: registry.ContentArtifact, SizeBytes: 20, Annotations: map[string]string{"v": "1"}},
		},
		"schema 1": {
			raw{`{"schemaVersion":1,"name":"api","tag":"v1","fsLayers":[{"blobSum":"` + hex("b") + `"}]}`, types.DockerManifestSchema1},
			registry.Content{Kind: registry.ContentArtifact},
		},
		"schema 1 with a history": {
			raw{`{"schemaVersion":1,"fsLayers":[{"blobSum":"` + hex("b") + `"}],"history":[
				{"v1Compatibility":"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2019-03-01T10:00:00Z\",\"config\":{\"Labels\":{\"keep\":\"true\"}}}"},
				{"v1Compatibility":"{\"config\":{\"Labels\":{\"base\":\"x\"}}}"}]}`, types.DockerManifestSchema1Signed},
			registry.Content{
				Kind: registry.ContentArtifact, Platforms: []string{"linux/amd64"}, Labels: map[string]string{"keep": "true"},
				BuiltAt: time.Date(2019, 3, 1, 10, 0, 0, 0, time.UTC),
			},
		},
		"a type that is not known": {
			raw{`{"schemaVersion":2,"mediaType":"application/vnd.acme.thing+json","layers":[` + blob("b", "x/y") + `]}`, "application/vnd.acme.thing+json"},
			registry.Content{Kind: registry.ContentArtifact, SizeBytes: 10},
		},
		"an index of layers, as a cache of a build is": {
			raw{`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + blob("b", "application/vnd.oci.image.layer.v1.tar+gzip") + `]}`, types.OCIImageIndex},
			registry.Content{Kind: registry.ContentIndex, Parts: []string{hex("b")}, SizeBytes: 10},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.blobs = manifests{tt.raw}
			hash, err := tt.Digest()
			if err != nil {
				t.Fatal(err)
			}
			got := *read(t, s.reader(t), "api", hash.String())
			tt.want.MediaType = string(tt.mediaType)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(registry.Content{}, "Blobs")); diff != "" {
				t.Error(diff)
			}
			if s.requests("manifests") != 1 || s.requests("blobs") != 0 {
				t.Errorf("requests: %v", s.log)
			}
		})
	}
}

// manifests serves one manifest under every digest.
type manifests struct{ raw }

func (m manifests) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", string(m.mediaType))
	fmt.Fprint(w, m.body)
}

func TestTheImagesOfANamespaceShareTheirTokens(t *testing.T) {
	s := newServer(t)
	digests := map[string][]string{}
	for _, name := range []string{"api", "web"} {
		for range 10 {
			digests[name] = append(digests[name], s.push(t, "prod/"+name, image(t, "linux/amd64", nil, "")))
		}
	}
	r := s.reader(t)
	for name, list := range digests {
		if found, unread := r.Read(t.Context(), ref(name), list); len(found) != 10 {
			t.Fatal(unread)
		}
	}
	if m, b, tokens, pings := s.requests("manifests"), s.requests("blobs"), s.requests("token"), len(s.log)-42; m != 20 || b != 20 || tokens != 2 || pings != 1 {
		t.Errorf("%d manifests, %d configs, %d tokens, %d others", m, b, tokens, pings)
	}
}

func TestATokenIsRenewed(t *testing.T) {
	for name, age := range map[string]int{"before its end": 11, "when it is refused": 0} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.age = age
			r := s.reader(t)
			first, second := s.push(t, "prod/api", image(t, "linux/amd64", nil, "")), s.push(t, "prod/api", image(t, "linux/amd64", nil, ""))
			read(t, r, "api", first)
			s.expire()
			read(t, r, "api", second)
			if n := s.requests("token"); n < 2 {
				t.Errorf("%d tokens", n)
			}
		})
	}
}

// unread reads what cannot be read, and returns why. The secret key is never in it.
func unread(t *testing.T, r *content.Reader, digest string) string {
	t.Helper()
	found, unread := r.Read(t.Context(), ref("api"), []string{digest})
	if found[digest] != nil {
		t.Fatalf("it was read: %+v", found[digest])
	}
	if strings.Contains(unread[digest], secret) {
		t.Errorf("the secret key is in an error: %s", unread[digest])
	}
	return unread[digest]
}

func TestWhatCannotBeReadHasARemedy(t *testing.T) {
	body := func(status int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/manifests/") || r.Header.Get("Authorization") == "" {
				return false
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
	}
	missing := "sha256:" + strings.Repeat("0", 64)
	for name, tt := range map[string]struct {
		key    string
		before func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		"a wrong key": {key: "11111111-1111-1111-1111-111111111111",
			want: "log in to the registry: 404 Not Found: key [secret key] not found: the registry does not accept the secret key (it answers so to a wrong one): check SCW_SECRET_KEY, and in the Scaleway console (IAM, API keys) that the key exists and has not expired"},
		"missing rights": {before: body(403, `{"details":[{"action":"read","resource":"registry"}],"message":"insufficient permissions","type":"permissions_denied"}`),
			want: "403 Forbidden: insufficient permissions read registry: give the API key the permission set ContainerRegistryReadOnly in the project of the namespace"},
		"a manifest that is gone": {want: "404 Not Found: Unknown manifest: the registry does not have it: if its tag is still listed, push it again or delete the tag"},
		"other bytes":             {before: body(200, `{"schemaVersion":2}`), want: "does not match requested digest"},
		"a huge manifest":         {before: body(200, strings.Repeat(" ", 5<<20)), want: "the answer is larger than 4 MiB"},
		"a refused token": {before: func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/manifests/") {
				w.Header().Set("WWW-Authenticate", "Bearer realm=\"http://"+r.Host+"/token\",service=\"x\"")
				w.WriteHeader(401)
				return true
			}
			return false
		}, want: "401 Unauthorized: give the API key the permission set ContainerRegistryReadOnly in the project of the namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.push(t, "prod/api", image(t, "linux/amd64", nil, ""))
			s.before = tt.before
			got := unread(t, s.reader(t, func(o *content.Options) {
				if tt.key != "" {
					o.SecretKey = tt.key
				}
			}), missing)
			prefix := "read the content of " + missing + ": "
			if rest, ok := strings.CutPrefix(got, prefix); !ok || rest != tt.want && !(len(tt.want) < 40 && strings.Contains(rest, tt.want)) {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestOneRefusedLoginIsEnough(t *testing.T) {
	s := newServer(t)
	r := s.reader(t, func(o *content.Options) { o.SecretKey = "11111111-1111-1111-1111-111111111111" })
	for i := range 5 {
		unread(t, r, fmt.Sprintf("sha256:%064d", i))
	}
	if n := s.requests("token"); n != 1 {
		t.Errorf("%d tries to log in", n)
	}
}

func TestTheSecretKeyGoesNowhereElse(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the thief was sent %s %v", r.URL, r.Header)
	}))
	defer thief.Close()
	other := strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)
	for name, realm := range map[string]string{
		"to another host": other + "/token", "to a public one": "https://registry.example.org/token",
		"to a user of the same host": "http://x@" + strings.TrimPrefix(other, "http://") + "/token",
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.realm = realm
			for _, address := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)} { // its own name, or that of the thief
				r := s.reader(t, func(o *content.Options) { o.URL = address })
				if got := unread(t, r, "sha256:"+strings.Repeat("0", 64)); !strings.Contains(got, "refused to send") {
					t.Errorf("%s", got)
				}
			}
		})
	}
}

func TestAFaultThatPassesIsTriedAgain(t *testing.T) {
	s := newServer(t)
	digest := s.push(t, "prod/api", image(t, "linux/amd64", nil, ""))
	faults := map[string]int{}
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		kind := strings.Split(r.URL.Path+"///", "/")[1]
		if strings.Contains(r.URL.Path, "manifests") {
			kind = "manifests"
		}
		if faults[kind]++; faults[kind] > 1 {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(map[string]int{"v2": 502, "token": 500, "manifests": 429}[kind])
		return true
	}
	read(t, s.reader(t), "api", digest)
	if faults["manifests"] < 2 || faults["token"] < 2 {
		t.Errorf("%v", faults)
	}
}

var _ remote.Taggable = raw{}
