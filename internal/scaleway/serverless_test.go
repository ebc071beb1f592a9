package scaleway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/registry"
)

// user lists one of the sources.
func user(t *testing.T, r *Reader, name string) ([]registry.RawUse, error) {
	t.Helper()
	all := r.Serverless()
	at := slices.IndexFunc(all, func(u UseSource) bool { return u.Name == name })
	if at < 0 {
		t.Fatalf("there is no %s in %v", name, all)
	}
	return all[at].List(t.Context())
}

func emulated(t *testing.T, world string) *Reader {
	t.Helper()
	w, err := worlds.Parse("w", []byte(world))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	return newTestReader(t, inProcess(server))
}

// inProcess answers without a network, so that a test can run in a bubble
// of its own time.
func inProcess(server http.Handler) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, req)
		return recorder.Result(), nil
	}
}

func TestServerlessUseSources(t *testing.T) {
	r := emulated(t, `
containers:
  - {name: api, namespace: shop, image: "rg.fr-par.scw.cloud/prod/api:v1"}
  - {name: new, namespace: shop}
  - {name: "c-{n}", count: 250, region: it-mil, image: "img:{n}"}
jobs: [{name: nightly, region: nl-ams, image: "rg.fr-par.scw.cloud/prod/job"}]
namespaces: []
`)
	var names []string
	for _, u := range r.Serverless() {
		names = append(names, u.Name)
	}
	want := []string{
		"serverless containers in fr-par", "serverless containers in nl-ams", "serverless containers in pl-waw", "serverless containers in it-mil",
		"serverless jobs in fr-par", "serverless jobs in nl-ams", "serverless jobs in pl-waw",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	got, err := user(t, r, "serverless containers in fr-par")
	api := registry.RawUse{Reference: "rg.fr-par.scw.cloud/prod/api:v1", By: "serverless container shop/api (fr-par)"}
	if diff := cmp.Diff([]registry.RawUse{api, api}, got); diff != "" || err != nil { // of both versions
		t.Error(err, diff)
	}
	got, err = user(t, r, "serverless containers in it-mil")
	if len(got) != 250 || err != nil {
		t.Errorf("%d containers, %v", len(got), err)
	}
	got, err = user(t, r, "serverless jobs in nl-ams")
	if diff := cmp.Diff([]registry.RawUse{{Reference: "rg.fr-par.scw.cloud/prod/job", By: "serverless job nightly (nl-ams)"}}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if got, err = user(t, r, "serverless jobs in pl-waw"); len(got) != 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// A fault that does not pass is an error, and never a
// shorter list.
func TestServerlessListingsThatFail(t *testing.T) {
	for name, row := range map[string]struct {
		fault string
		kind  error
	}{
		"no right":               {`{path: "/containers/v1/regions/fr-par/containers", status: 403}`, registry.ErrDenied},
		"no right, older":        {`{path: "/containers/v1beta1/regions/fr-par/containers", status: 403}`, registry.ErrDenied},
		"a server error":         {`{path: /containers, status: 503}`, nil},
		"a page is short":        {`{path: /containers, page: 2, kind: short_page}`, registry.ErrIncomplete},
		"a row comes twice":      {`{path: /containers, page: 2, kind: duplicate_row}`, registry.ErrIncomplete},
		"the total changes":      {`{path: /containers, kind: changed_total}`, registry.ErrIncomplete},
		"an empty body":          {`{path: /containers, kind: empty_body}`, nil},
		"a page of HTML":         {`{path: /containers, kind: html}`, nil},
		"half an answer":         {`{path: /containers, kind: truncated_json}`, nil},
		"a redirect":             {`{path: /containers, kind: redirect, location: "http://elsewhere.example"}`, nil},
		"the version is retired": {`{path: "/containers/v1beta1/regions/*/containers", status: 404}`, registry.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := emulated(t, "namespaces: []\ncontainers: [{name: \"c-{n}\", count: 150, image: a}]\nfaults: ["+row.fault+"]")
				got, err := user(t, r, "serverless containers in fr-par")
				if err == nil || got != nil || row.kind != nil && !errors.Is(err, row.kind) {
					t.Fatalf("%d containers, %v", len(got), err)
				}
				mustContain(t, err.Error(), "list serverless containers in fr-par: ")
			})
		})
	}
}

// A fault that passes does no harm. If the names cannot be listed, the reasons have
// IDs instead.
func TestServerlessFaultsThatPassDoNoHarm(t *testing.T) {
	for name, fault := range map[string]string{
		"a server error once": `{path: /containers, status: 503, times: 1}`,
		"too many requests":   `{path: /containers, status: 429, times: 2}`,
		"a short page once":   `{path: /containers, kind: short_page, times: 1}`,
		"no names":            `{path: "/containers/v1/regions/*/namespaces", status: 403}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := emulated(t, "namespaces: []\ncontainers: [{name: api, image: a}]\nfaults: ["+fault+"]")
				got, err := user(t, r, "serverless containers in fr-par")
				if err != nil || len(got) != 2 || !strings.HasPrefix(got[0].By, "serverless container ") || !strings.HasSuffix(got[0].By, "/api (fr-par)") {
					t.Errorf("%v, %v", got, err)
				}
			})
		})
	}
}

func TestARowWithoutAnImageIsAnError(t *testing.T) {
	const id = "11111111-0000-4000-8000-000000000001"
	for name, body := range map[string]string{
		"no image":     `{"containers":[{"id":"` + id + `","name":"a"}],"total_count":1}`,
		"a null image": `{"containers":[{"id":"` + id + `","name":"a","image":null}],"total_count":1}`,
		"a null row":   `{"containers":[null],"total_count":1}`,
		"no id":        `{"containers":[{"name":"a","image":"b"}],"total_count":1}`,
		"no list":      `{"total_count":0}`,
		"a null list":  `{"containers":null,"total_count":0}`,
		"no total":     `{"containers":[]}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) { return answer(req, 200, body), nil }))
			if got, err := user(t, r, "serverless containers in it-mil"); err == nil {
				t.Errorf("%s: %v", name, got)
			}
		})
	}
}

func TestServerlessListingsEndWithTheirContext(t *testing.T) {
	r := emulated(t, "namespaces: []\ncontainers: [{name: api, image: a}]")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, u := range r.Serverless() {
		if got, err := u.List(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %s, %v", u.Name, fmt.Sprint(got), err)
		}
	}
}
