package oci_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

type answers func(*http.Request) *http.Response

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func answer(r *http.Request, status int, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"token":"t"}`)), Request: r}
	for i := 0; i+1 < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

var api = registry.Ref{Region: "nl-ams", Namespace: "prod", Image: "team/api"}

// The login goes to the registry and to the provider, and to no other host that the
// registry names.
func TestTheLoginStaysWhereItBelongs(t *testing.T) {
	for realm, goes := range map[string]bool{
		"https://api.scaleway.com/tokens":  true,
		"https://rg.nl-ams.scw.cloud/tok":  true,
		"http://api.scaleway.com/tokens":   false,
		"https://scaleway.com.example.com": false,
		"https://example.com/tokens":       false,
		// Customers have hosts below names of the provider.
		"https://x.functions.fnc.nl-ams.scw.cloud/t": false,
	} {
		t.Run(realm, func(t *testing.T) {
			loggedIn := false
			plane := oci.NewReader(oci.Options{URL: "https://rg.{region}.scw.cloud", Password: "secret", Base: answers(func(r *http.Request) *http.Response {
				if _, password, ok := r.BasicAuth(); ok && password == "secret" {
					loggedIn = true
				}
				if strings.HasPrefix(r.URL.Path, "/v2/") && r.Header.Get("Authorization") == "" {
					return answer(r, http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="`+realm+`",service="registry"`)
				}
				return answer(r, http.StatusOK)
			})})
			to, err := plane.Connect(api)
			if err != nil {
				t.Fatal(err)
			}
			if got := to.Repository.Name(); got != "rg.nl-ams.scw.cloud/prod/team/api" {
				t.Error(got)
			}
			_, err = to.Puller.Head(t.Context(), to.Repository.Tag("v1"))
			if loggedIn != goes {
				t.Errorf("the login was sent: %v; %v", loggedIn, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Error(err)
			}
		})
	}
}

func TestAReaderDoesNotPush(t *testing.T) {
	sent := ""
	plane := oci.NewReader(oci.Options{URL: "http://registry.example.com", Base: answers(func(r *http.Request) *http.Response {
		sent += r.Method + " "
		if r.Method == http.MethodHead {
			return answer(r, http.StatusNotFound)
		}
		return answer(r, http.StatusOK)
	})})
	to, err := plane.Connect(api)
	if err != nil {
		t.Fatal(err)
	}
	image, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Pusher.Push(t.Context(), to.Repository.Tag("v1"), image); err == nil || strings.Contains(sent, http.MethodPost) || strings.Contains(sent, http.MethodPut) {
		t.Errorf("%s: %v", sent, err)
	}
}
