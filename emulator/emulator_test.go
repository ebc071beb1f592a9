package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

const (
	secretKey = "11111111-1111-4111-8111-111111111111"
	project   = "22222222-2222-4222-8222-222222222222"
	unknownID = "99999999-9999-4999-8999-999999999999"
)

// start has digits down to the nanosecond, so that rounding shows.
var start = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a server over a world, with the real SDK and plain HTTP as clients.
type bench struct {
	*emulator.Server
	t     testing.TB
	clock *clock
	url   string
	http  *http.Client
	api   *sdk.API
}

func serve(t testing.TB, world string) *bench {
	t.Helper()
	w, err := worlds.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	return serveWorld(t, w)
}

func serveWorld(t testing.TB, w worlds.World) *bench {
	t.Helper()
	c := &clock{now: start}
	s, err := emulator.New(emulator.Options{World: w, SecretKey: secretKey, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	client, err := scw.NewClient(scw.WithAPIURL(ts.URL), scw.WithAuth("SCWXXXXXXXXXXXXXXXXX", secretKey),
		scw.WithHTTPClient(ts.Client()), scw.WithDefaultRegion(scw.RegionFrPar), scw.WithDefaultProjectID(project))
	if err != nil {
		t.Fatal(err)
	}
	return &bench{Server: s, t: t, clock: c, url: ts.URL, http: ts.Client(), api: sdk.NewAPI(client)}
}

// reply is an answer as it came over the wire.
type reply struct {
	status int
	header http.Header
	body   string
}

// send sends a request to the registry of fr-par; path can also be absolute.
func (b *bench) send(method, path, body string) reply {
	b.t.Helper()
	r, err := b.try(method, path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) try(method, path, body string) (reply, error) {
	b.t.Helper()
	if !strings.HasPrefix(path, "/registry") {
		path = "/registry/v1/regions/fr-par" + path
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", secretKey)
	resp, err := b.http.Transport.RoundTrip(req) // redirects are not followed
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(data)}, err
}

func (b *bench) namespace(name string) *sdk.Namespace {
	b.t.Helper()
	n, err := b.api.GetNamespace(&sdk.GetNamespaceRequest{NamespaceID: emulator.NamespaceID("fr-par", name)})
	if err != nil {
		b.t.Fatalf("get namespace %s: %v", name, err)
	}
	return n
}

func (b *bench) image(namespace, name string) *sdk.Image {
	b.t.Helper()
	i, err := b.api.GetImage(&sdk.GetImageRequest{ImageID: emulator.ImageID("fr-par", namespace, name)})
	if err != nil {
		b.t.Fatalf("get image %s/%s: %v", namespace, name, err)
	}
	return i
}

// tags lists the tags of an image of namespace prod by name.
func (b *bench) tags(image string) map[string]*sdk.Tag {
	b.t.Helper()
	found := map[string]*sdk.Tag{}
	resp, err := b.api.ListTags(&sdk.ListTagsRequest{ImageID: emulator.ImageID("fr-par", "prod", image), PageSize: new(uint32(100))})
	if err != nil {
		b.t.Fatalf("list tags of %s: %v", image, err)
	}
	for _, tag := range resp.Tags {
		found[tag.Name] = tag
	}
	return found
}

func tagID(image, tag string) string { return emulator.TagID("fr-par", "prod", image, tag) }

// prod is a world with one image in namespace prod of fr-par.
func prod(settings, tags string) string {
	return fmt.Sprintf(`
settings: {%s}
namespaces:
  - {name: prod, age: 400d, images: [{name: api, tags: [%s]}]}`, settings, tags)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var listAll = &sdk.ListNamespacesRequest{PageSize: new(uint32(100))}
