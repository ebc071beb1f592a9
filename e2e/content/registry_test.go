package content

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/bcrypt"

	"github.com/registry-janitor/registry-janitor/e2e/program"
	"github.com/registry-janitor/registry-janitor/internal/content"
	"github.com/registry-janitor/registry-janitor/registry"
)

const secret = "7b1d9c1e-3c5a-4a37-9a61-0c2f9e0d4b5a"

// configuration is that of a registry that wants a password.
const configuration = `version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: %q}}
http: {addr: "127.0.0.1:0"}
auth: {htpasswd: {realm: test, path: %q}}
`

// serve starts the registry, and returns its address.
func serve(t *testing.T) (host string) {
	t.Helper()
	binary, dir := program.Find(t, "docker-registry", "docker-registry"), t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	check(t, err)
	users, config := filepath.Join(dir, "htpasswd"), filepath.Join(dir, "config.yml")
	check(t, os.WriteFile(users, []byte("nologin:"+string(hash)+"\n"), 0o600))
	check(t, os.WriteFile(config, fmt.Appendf(nil, configuration, filepath.Join(dir, "data"), users), 0o600))
	cmd := exec.CommandContext(t.Context(), binary, "serve", config)
	log, err := cmd.StderrPipe()
	check(t, err)
	cmd.Stdout = cmd.Stderr
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return m[1]
		}
	}
	t.Fatal("the registry has ended")
	return ""
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// push pushes an image or an index, and returns its digest.
func push(t *testing.T, host string, what interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	hash, err := what.Digest()
	check(t, err)
	ref, err := name.NewDigest(host + "/prod/api@" + hash.String())
	check(t, err)
	auth := remote.WithAuth(authn.FromConfig(authn.AuthConfig{Username: "nologin", Password: secret}))
	if index, ok := what.(v1.ImageIndex); ok {
		check(t, remote.WriteIndex(ref, index, auth))
	} else {
		check(t, remote.Write(ref, what.(v1.Image), auth))
	}
	return hash.String()
}

func image(t *testing.T, arch string) v1.Image {
	t.Helper()
	img, err := random.Image(2000, 2)
	check(t, err)
	config, err := img.ConfigFile()
	check(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Config.Labels = "linux", arch, map[string]string{"team": "data", "arch": arch}
	img, err = mutate.ConfigFile(img, config)
	check(t, err)
	return img
}

func TestDebiansRegistryIsRead(t *testing.T) {
	host := serve(t)
	amd, arm := image(t, "amd64"), image(t, "arm64")
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex),
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	signature := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	signature, err := mutate.AppendLayers(signature, static.NewLayer([]byte("{}"), "application/vnd.dev.cosign.simplesigning.v1+json"))
	check(t, err)
	var digests []string
	for _, what := range []interface{ Digest() (v1.Hash, error) }{amd, arm, index, signature} {
		digests = append(digests, push(t, host, what))
	}
	reader, err := content.NewReader(content.Options{URL: "http://" + host, APIURL: "https://api.example.com", SecretKey: secret})
	check(t, err)
	found, unread := reader.Read(t.Context(), registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}, digests)
	if len(unread) > 0 {
		t.Fatal(unread)
	}
	for i, kind := range []registry.ContentKind{registry.ContentImage, registry.ContentImage, registry.ContentIndex, registry.ContentAttachment} {
		if got := found[digests[i]].Kind; got != kind {
			t.Errorf("%d is %s", i, got)
		}
	}
	whole := found[digests[2]]
	if !slices.Equal(whole.Parts, digests[:2]) || !slices.Equal(whole.Platforms, []string{"linux/amd64", "linux/arm64"}) || whole.SizeBytes != found[digests[0]].SizeBytes+found[digests[1]].SizeBytes {
		t.Errorf("%+v", whole)
	}
	if diff := cmp.Diff(map[string]string{"team": "data"}, whole.Labels); diff != "" {
		t.Error(diff)
	}

	wrong, err := content.NewReader(content.Options{URL: "http://" + host, APIURL: "https://api.example.com", SecretKey: "11111111-1111-1111-1111-111111111111", Base: http.DefaultTransport})
	check(t, err)
	if _, unread := wrong.Read(t.Context(), registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}, digests[:1]); !regexp.MustCompile("401 Unauthorized").MatchString(unread[digests[0]]) {
		t.Errorf("%v", unread)
	}
}
