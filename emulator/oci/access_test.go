package oci_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// send sends a request to the data plane, with headers in pairs.
func (b *bench) send(method, path string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	return b.do(b.request(method, path, headers...))
}

func (b *bench) request(method, path string, headers ...string) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

// bearer is the header with a token for a scope.
func (b *bench) bearer(scope string) []string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+tokens+scope, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	req.SetBasicAuth("nologin", secretKey)
	_, body := b.do(req)
	var got struct{ Token string }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		b.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + got.Token}
}

const tokens = "/registry-internal/v1/regions/fr-par/tokens?service=registry&scope="

func TestAClientIsToldWhereItGetsAToken(t *testing.T) {
	b := serve(t, world)
	for path, want := range map[string]string{
		"/v2/":                           `Bearer realm="` + b.url + `/registry-internal/v1/regions/fr-par/tokens",service="registry"`,
		"/v2/prod/api/manifests/v1":      `Bearer realm="` + b.url + `/registry-internal/v1/regions/fr-par/tokens",service="registry",scope="repository:prod/api:pull"`,
		"/v2/oss/tool/tags/list":         `Bearer realm="` + b.url + `/registry-internal/v1/regions/nl-ams/tokens",service="registry",scope="repository:oss/tool:pull"`,
		"/v2/pl-waw/x/y/z/manifests/one": `Bearer realm="` + b.url + `/registry-internal/v1/regions/pl-waw/tokens",service="registry",scope="repository:pl-waw/x/y/z:pull"`,
	} {
		resp, body := b.send("GET", path)
		if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") != want || !strings.Contains(body, `"code":"UNAUTHORIZED"`) {
			t.Errorf("%s: %d %q %s, want %q", path, resp.StatusCode, resp.Header.Get("WWW-Authenticate"), body, want)
		}
	}
	resp, _ := b.send("POST", "/v2/prod/api/blobs/uploads/")
	if got := resp.Header.Get("WWW-Authenticate"); !strings.HasSuffix(got, `scope="repository:prod/api:pull,push"`) {
		t.Errorf("a push needs %q", got)
	}
}

func TestTheRegionIsThatOfTheHost(t *testing.T) {
	b := serve(t, world)
	for host, want := range map[string]string{"rg.nl-ams.scw.cloud": "nl-ams", "pl-waw.localhost:80": "pl-waw", "localhost": "fr-par"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/v2/prod/api/manifests/v1", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, _ := b.do(req)
		if got := resp.Header.Get("WWW-Authenticate"); !strings.Contains(got, "http://"+host+"/registry-internal/v1/regions/"+want+"/tokens") {
			t.Errorf("%s: %s", host, got)
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	b := serve(t, world)
	img, err := random.Image(1_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	wrong := remote.WithAuth(&authn.Basic{Username: "nologin", Password: "wrong"})
	anybody := remote.WithAuth(authn.Anonymous)
	for what, got := range map[string][2]string{
		"a wrong key":                  {b.head("prod/api:v1", wrong), "404"},
		"a private image":              {b.head("prod/api:v1", anybody), "403"},
		"an image that does not exist": {b.head("prod/none:v1", anybody), "403"},
		"a push without a key":         {refused(remote.Write(b.ref("oss/tool:v2"), img, anybody)), "403"},
		"a public image":               {b.head("oss/tool:v1", anybody), b.head("oss/tool:v1")},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %s, want %s", what, got[0], got[1])
		}
	}
	resp, body := b.send("GET", tokens+"repository:prod/api:pull")
	if want := `{"details":[{"action":"read", "resource":"registry"}], "message":"insufficient permissions", "type":"permissions_denied"}`; resp.StatusCode != 403 || body != want {
		t.Errorf("%d %s, want %s", resp.StatusCode, body, want)
	}
}

func TestATokenIsForWhatItWasGivenFor(t *testing.T) {
	now := start
	b := serveAt(t, world, func() time.Time { return now })
	pull := b.bearer("repository:prod/api:pull")
	for what, row := range map[string]struct {
		method, path string
		want         int
	}{
		"pulls it":          {"GET", "/v2/prod/api/tags/list", 200},
		"under its region":  {"GET", "/v2/fr-par/prod/api/tags/list", 200},
		"pulls another one": {"GET", "/v2/prod/proxy/tags/list", 401},
		"pushes":            {"POST", "/v2/prod/api/blobs/uploads/", 401},
		"asks for nothing":  {"GET", "/v2/", 200},
	} {
		if resp, _ := b.send(row.method, row.path, pull...); resp.StatusCode != row.want {
			t.Errorf("a token for prod/api %s: %d, want %d", what, resp.StatusCode, row.want)
		}
	}
	forged := []string{"Authorization", pull[1][:len(pull[1])-3] + "AAA"}
	if resp, _ := b.send("GET", "/v2/prod/api/tags/list", forged...); resp.StatusCode != 401 {
		t.Errorf("a forged token: %d", resp.StatusCode)
	}
	now = now.Add(5 * time.Minute)
	if resp, _ := b.send("GET", "/v2/prod/api/tags/list", pull...); resp.StatusCode != 401 {
		t.Errorf("an old token: %d", resp.StatusCode)
	}
}

func TestPagesOfTags(t *testing.T) {
	b := serve(t, `namespaces: [{name: prod, images: [{name: api, tags: [{name: b}, {name: a}, {name: c}]}]}]`)
	token := b.bearer("repository:prod/api:pull")
	for query, want := range map[string][2]string{
		"":                {`{"name":"prod/api","tags":["a","b","c"]}`, ""},
		"?n=2":            {`{"name":"prod/api","tags":["a","b"]}`, `</v2/prod/api/tags/list?last=b&n=2>; rel="next"`},
		"?n=2&last=b":     {`{"name":"prod/api","tags":["c"]}`, ""},
		"?last=bb":        {`{"name":"prod/api","tags":["c"]}`, ""},
		"?last=c":         {`{"name":"prod/api","tags":[]}`, ""},
		"?n=1000&last=aa": {`{"name":"prod/api","tags":["b","c"]}`, ""},
	} {
		resp, body := b.send("GET", "/v2/prod/api/tags/list"+query, token...)
		if diff := cmp.Diff(want, [2]string{body, resp.Header.Get("Link")}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", query, diff)
		}
	}
}

func TestBlobsElsewhere(t *testing.T) {
	b := serve(t, "settings: {blobs: redirect}"+world)
	if err := validate.Image(b.image("prod/api:v2")); err != nil {
		t.Error(err)
	}
	stored := 0
	for _, r := range b.Requests() {
		if strings.HasPrefix(r.Path, "/_emulator/blobs/") {
			stored++
			if !strings.HasPrefix(r.Host, "localhost:") || r.Status != 200 {
				t.Errorf("%+v", r)
			}
		}
	}
	if stored == 0 {
		t.Error("nothing was redirected")
	}
	m, err := b.image("prod/api:v2").Manifest()
	if err != nil {
		t.Fatal(err)
	}
	token := b.bearer("repository:prod/api:pull")
	resp, _ := b.send("GET", "/v2/prod/api/blobs/"+m.Layers[0].Digest.String(), token...)
	location := resp.Header.Get("Location")
	_, path, _ := strings.Cut(strings.TrimPrefix(location, "http://"), "/")
	if resp.StatusCode != 307 || !strings.HasPrefix(location, "http://localhost:") {
		t.Errorf("%d to %s", resp.StatusCode, location)
	}
	if resp, _ := b.send("GET", "/"+path, token...); resp.StatusCode != 400 {
		t.Errorf("with the token: %d", resp.StatusCode)
	}
	if resp, _ := b.send("GET", "/"+strings.Replace(path, "signature=", "signature=x", 1)); resp.StatusCode != 403 {
		t.Errorf("with another signature: %d", resp.StatusCode)
	}
}

func TestARangeOfABlob(t *testing.T) {
	b := serve(t, world)
	m, err := b.image("prod/api:v2").Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		path := "/v2/prod/api/blobs/" + l.Digest.String()
		token := b.bearer("repository:prod/api:pull")
		_, all := b.send("GET", path, token...)
		resp, part := b.send("GET", path, append(token, "Range", "bytes=10-29")...)
		if resp.StatusCode != 206 || part != all[10:30] {
			t.Errorf("%d with %d bytes", resp.StatusCode, len(part))
		}
	}
}

func TestReferrers(t *testing.T) {
	b := serve(t, world)
	subject, err := remote.Head(b.ref("prod/api:v2"), key())
	if err != nil {
		t.Fatal(err)
	}
	list := func() []v1.Descriptor {
		index, err := remote.Referrers(b.ref("prod/api:v2").Context().Digest(subject.Digest.String()), key())
		if err != nil {
			t.Fatal(err)
		}
		m, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		return m.Manifests
	}
	if got := list(); len(got) != 0 {
		t.Errorf("%d referrers at first", len(got))
	}
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	signature := mutate.Subject(mutate.MediaType(img, types.OCIManifestSchema1), *subject).(v1.Image)
	before := len(b.tags("prod", "api"))
	if err := remote.Write(b.ref("prod/api@"+digestOf(t, signature)), signature, key()); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 1 || got[0].ArtifactType != string(types.DockerConfigJSON) {
		t.Errorf("after a push: %+v", got)
	}
	const sbom = "application/vnd.example.sbom"
	if err := remote.Put(b.ref("prod/api@"+digestOf(t, artifact{signature, sbom})), artifact{signature, sbom}, key()); err != nil {
		t.Fatal(err)
	}
	if got := list(); !slices.ContainsFunc(got, func(d v1.Descriptor) bool { return d.ArtifactType == sbom }) || len(got) != 2 {
		t.Errorf("the manifest's own type is not that of the referrer: %+v", got)
	}
	resp, body := b.send("GET", "/v2/prod/api/referrers/"+subject.Digest.String()+"?artifactType="+sbom, b.bearer("repository:prod/api:pull")...)
	if resp.Header.Get("OCI-Filters-Applied") != "artifactType" || strings.Count(body, `"artifactType"`) != 1 || !strings.Contains(body, sbom) {
		t.Errorf("with a filter: %s", body)
	}
	if got := len(b.tags("prod", "api")); got != before {
		t.Errorf("a push by digest makes no tag: %d, were %d", got, before)
	}
}

// artifact is an image whose manifest says what it is.
type artifact struct {
	v1.Image
	of string
}

func (a artifact) RawManifest() ([]byte, error) {
	raw, err := a.Image.RawManifest()
	return []byte(strings.Replace(string(raw), `{`, `{"artifactType":"`+a.of+`",`, 1)), err
}

func (a artifact) Digest() (v1.Hash, error) {
	raw, err := a.RawManifest()
	if err != nil {
		return v1.Hash{}, err
	}
	hash, _, err := v1.SHA256(bytes.NewReader(raw))
	return hash, err
}

func TestWhatIsNotThereCannotBeNamed(t *testing.T) {
	b := serve(t, world)
	push := b.bearer("repository:prod/new:pull,push")
	put := func(reference, mediaType, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.url+"/v2/prod/new/manifests/"+reference, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(push[0], push[1])
		req.Header.Set("Content-Type", mediaType)
		resp, answer := b.do(req)
		return resp.StatusCode, answer
	}
	none := "sha256:" + strings.Repeat("0", 64)
	for what, row := range map[string]struct {
		reference, mediaType, body, want string
		status                           int
	}{
		"a layer":            {"v1", string(types.OCIManifestSchema1), `{"layers":[{"mediaType":"` + string(types.OCILayer) + `","digest":"` + none + `"}]}`, "MANIFEST_BLOB_UNKNOWN", 404},
		"a part":             {"v1", string(types.OCIImageIndex), `{"manifests":[{"mediaType":"` + string(types.OCIManifestSchema1) + `","digest":"` + none + `"}]}`, "MANIFEST_UNKNOWN", 404},
		"another digest":     {none, string(types.OCIManifestSchema1), `{}`, "DIGEST_INVALID", 400},
		"what is not JSON":   {"v1", string(types.OCIManifestSchema1), `<`, "MANIFEST_INVALID", 400},
		"a name with spaces": {"-x", string(types.OCIManifestSchema1), `{}`, "NAME_INVALID", 400},
	} {
		status, answer := put(row.reference, row.mediaType, row.body)
		if status != row.status || !strings.Contains(answer, row.want) {
			t.Errorf("%s: %d %s", what, status, answer)
		}
	}
	if resp, _ := b.send("DELETE", "/v2/prod/new/manifests/v1", push...); resp.StatusCode != 405 {
		t.Errorf("a deletion: %d", resp.StatusCode)
	}
	if resp, _ := b.send("DELETE", "/v2/prod/new/blobs/"+none, push...); resp.StatusCode != 405 {
		t.Errorf("a deletion of a blob: %d", resp.StatusCode)
	}
}

func TestAMountNeedsARightToTheOtherImage(t *testing.T) {
	b := serve(t, world)
	m, err := b.image("prod/api:v2").Manifest()
	if err != nil {
		t.Fatal(err)
	}
	path := "/v2/prod/new/blobs/uploads/?mount=" + m.Layers[0].Digest.String() + "&from=prod/api"
	for scope, want := range map[string]int{
		"repository:prod/new:pull,push":                                202,
		"repository:prod/new:pull,push&scope=repository:prod/api:pull": 201,
	} {
		if resp, _ := b.send("POST", path, b.bearer(scope)...); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", scope, resp.StatusCode, want)
		}
	}
}
