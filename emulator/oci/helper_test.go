package oci_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

const secretKey = "11111111-1111-1111-1111-111111111111"

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// bench is an emulator with its data plane, and a client.
type bench struct {
	*emulator.Server
	t    *testing.T
	url  string
	host string
}

func serve(t *testing.T, world string) *bench {
	t.Helper()
	return serveAt(t, world, func() time.Time { return start })
}

func serveAt(t *testing.T, world string, now func() time.Time) *bench {
	t.Helper()
	w, err := worlds.Parse("world.yaml", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	s, err := emulator.New(emulator.Options{World: w, SecretKey: secretKey, DataPlane: oci.New, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return &bench{s, t, ts.URL, strings.TrimPrefix(ts.URL, "http://")}
}

func (b *bench) ref(text string) name.Reference {
	b.t.Helper()
	ref, err := name.ParseReference(b.host + "/" + text)
	if err != nil {
		b.t.Fatal(err)
	}
	return ref
}

func key() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: "nologin", Password: secretKey})
}

// head is the digest of a reference, or the status of the refusal.
func (b *bench) head(text string, options ...remote.Option) string {
	b.t.Helper()
	d, err := remote.Head(b.ref(text), append([]remote.Option{key()}, options...)...)
	if err != nil {
		return refused(err)
	}
	return d.Digest.String()
}

func (b *bench) image(text string) v1.Image {
	b.t.Helper()
	img, err := remote.Image(b.ref(text), key())
	if err != nil {
		b.t.Fatal(err)
	}
	return img
}

// tag and image are what the API shows.
type tag struct {
	ID, Name, Digest, Status string
	CreatedAt                string `json:"created_at"`
	UpdatedAt                string `json:"updated_at"`
}

type shown struct {
	ID, Name string
	Size     int64
	Tags     []string
}

func get[T any](b *bench, path string) (v T) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.call("GET", path)), &v); err != nil {
		b.t.Fatal(err)
	}
	return v
}

// call calls the API in fr-par.
func (b *bench) call(method, path string) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+"/registry/v1/regions/fr-par"+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", secretKey)
	_, body := b.do(req)
	return body
}

func (b *bench) do(req *http.Request) (*http.Response, string) {
	b.t.Helper()
	resp, body, err := try(req)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, body
}

// try sends a request once, and does not follow redirects.
func try(req *http.Request) (*http.Response, string, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// tags are those of an image of fr-par, by name.
func (b *bench) tags(namespace, image string) map[string]tag {
	b.t.Helper()
	list := get[struct{ Tags []tag }](b, "/images/"+b.find(namespace, image).ID+"/tags")
	byName := map[string]tag{}
	for _, t := range list.Tags {
		byName[t.Name] = t
	}
	return byName
}

func (b *bench) find(namespace, image string) shown {
	b.t.Helper()
	list := get[struct{ Images []shown }](b, "/images?name="+image+"&namespace_id="+emulator.NamespaceID("fr-par", namespace))
	if len(list.Images) != 1 {
		b.t.Fatalf("%d images %s/%s", len(list.Images), namespace, image)
	}
	return list.Images[0]
}
