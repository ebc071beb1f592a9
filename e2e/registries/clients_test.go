package registries

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

const secretKey = "11111111-1111-1111-1111-111111111111"

const world = `
settings: {blobs: redirect, shared_digest: untag}
namespaces:
  - {name: prod, images: [
      {name: api, tags: [{name: v1, size: 20MB, labels: {keep: "true"}, built_age: 3d}, {name: "pr-{n}", count: 3, size: 70kB}]},
      {name: proxy, tags: [
        {name: 1.6.0-amd64, size: 300kB}, {name: 1.6.0-arm64, size: 280kB}, {name: 1.6.0, parts: [1.6.0-amd64, 1.6.0-arm64]},
        {name: multi, digest: M, platforms: [linux/amd64, linux/arm64/v8], size: 1MB}, {name: "sha256-{digest:M}.sig"}]}]}
  - {name: backup}`

// login is what crane shows to the emulator.
func login() crane.Option {
	return crane.WithAuth(&authn.Basic{Username: "nologin", Password: secretKey})
}

// skopeo runs skopeo, with a trust policy of its own.
func skopeo(t *testing.T, args ...string) string {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(`{"default": [{"type": "insecureAcceptAnything"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program.Find(t, "skopeo", "skopeo"), append([]string{"--policy", policy}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("skopeo %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

// raw is the manifest that skopeo reads.
func raw(t *testing.T, ref string, args ...string) string {
	t.Helper()
	return skopeo(t, append([]string{"inspect", "--raw", "--tls-verify=false"}, append(args, "docker://"+ref)...)...)
}

func TestSkopeoCopiesToAnotherRegistryAndBack(t *testing.T) {
	emulator, other := StartEmulator(t, world), StartDockerRegistry(t)
	for _, ref := range []string{"prod/api:v1", "prod/api:pr-2", "prod/proxy:multi", "prod/proxy:1.6.0"} {
		there, back := other+"/"+ref, emulator+"/backup/"+strings.TrimPrefix(ref, "prod/")
		skopeo(t, "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds", "nologin:"+secretKey, "docker://"+emulator+"/"+ref, "docker://"+there)
		skopeo(t, "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", "--dest-creds", "any:"+secretKey, "docker://"+there, "docker://"+back)
		want := raw(t, emulator+"/"+ref, "--creds", "nologin:"+secretKey)
		for _, copied := range []string{raw(t, there), raw(t, back, "--creds", "nologin:"+secretKey)} {
			if diff := cmp.Diff(want, copied); diff != "" {
				t.Errorf("%s changed (-before +after):\n%s", ref, diff)
			}
		}
	}
}

func TestSkopeoUnpacksAnImage(t *testing.T) {
	emulator := StartEmulator(t, world)
	archive := filepath.Join(t.TempDir(), "api.tar")
	skopeo(t, "copy", "--src-tls-verify=false", "--src-creds", "nologin:"+secretKey, "docker://"+emulator+"/prod/api:v1", "docker-archive:"+archive+":api:v1")
	if _, err := crane.Load(archive); err != nil {
		t.Error(err)
	}
}

func TestCraneCopiesMountsAndValidates(t *testing.T) {
	emulator := StartEmulator(t, world)
	for _, ref := range []string{"proxy:multi", "proxy:1.6.0", "api:v1"} {
		from, to := emulator+"/prod/"+ref, emulator+"/backup/"+ref
		if err := crane.Copy(from, to, login()); err != nil {
			t.Fatal(err)
		}
		if want, got := digest(t, from), digest(t, to); got != want {
			t.Errorf("%s is %s, want %s", to, got, want)
		}
		if want, got := digest(t, from), apiDigest(t, emulator, "backup", ref); got != want {
			t.Errorf("the API has %s for %s, want %s", got, to, want)
		}
	}
	mounted := 0
	for _, r := range requests(t, emulator) {
		if r.Method == "POST" && strings.Contains(r.Query, "mount=") && r.Status == http.StatusCreated {
			mounted++
		}
	}
	if mounted == 0 {
		t.Error("no layer was mounted")
	}
}

// cosign pushes what it makes by a tag that has the digest of its subject.
func TestAnAttachmentIsPushedByItsTag(t *testing.T) {
	emulator := StartEmulator(t, world)
	img, err := random.Image(1_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	signature := mutate.MediaType(img, types.OCIManifestSchema1)
	tag := strings.Replace(digest(t, emulator+"/prod/api:v1"), ":", "-", 1) + ".sig"
	if err := crane.Push(signature, emulator+"/prod/api:"+tag, login()); err != nil {
		t.Fatal(err)
	}
	if want, got := digest(t, emulator+"/prod/api:"+tag), apiDigest(t, emulator, "prod", "api:"+tag); got != want {
		t.Errorf("the API has %s, want %s", got, want)
	}
	tags, err := crane.ListTags(emulator+"/prod/api", login())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"pr-1", "pr-2", "pr-3", tag, "v1"}, tags); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAnIndexIsPushedAfterItsParts(t *testing.T) {
	emulator := StartEmulator(t, world)
	index, err := random.Index(1_000, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag(emulator + "/prod/new:v1")
	if err != nil {
		t.Fatal(err)
	}
	auth := remote.WithAuth(&authn.Basic{Username: "nologin", Password: secretKey})
	if err := remote.WriteIndex(ref, index, auth); err != nil {
		t.Fatal(err)
	}
	want, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got := apiDigest(t, emulator, "prod", "new:v1"); got != want.String() {
		t.Errorf("the API has %s, want %s", got, want)
	}
	parts, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range append(parts.Manifests, v1.Descriptor{Digest: want}) {
		if got := digest(t, emulator+"/prod/new@"+part.Digest.String()); got != part.Digest.String() {
			t.Errorf("%s is %s", part.Digest, got)
		}
	}
}

func digest(t *testing.T, ref string) string {
	t.Helper()
	d, err := crane.Digest(ref, login())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// apiDigest is the digest of a tag in the API.
func apiDigest(t *testing.T, emulator, namespace, ref string) string {
	t.Helper()
	image, tag, _ := strings.Cut(ref, ":")
	var namespaces struct{ Namespaces []struct{ ID string } }
	get(t, emulator, "/registry/v1/regions/fr-par/namespaces?name="+namespace, &namespaces)
	var images struct{ Images []struct{ ID string } }
	get(t, emulator, "/registry/v1/regions/fr-par/images?name="+image+"&namespace_id="+namespaces.Namespaces[0].ID, &images)
	var tags struct{ Tags []struct{ Digest string } }
	get(t, emulator, "/registry/v1/regions/fr-par/images/"+images.Images[0].ID+"/tags?name="+tag, &tags)
	return tags.Tags[0].Digest
}

type request struct {
	Method, Host, Path, Query string
	Status                    int
}

func requests(t *testing.T, emulator string) (all []request) {
	t.Helper()
	get(t, emulator, "/_emulator/requests", &all)
	return all
}

func get(t *testing.T, host, path string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", secretKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
}
