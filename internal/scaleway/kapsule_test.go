package scaleway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

func TestClusters(t *testing.T) {
	r := emulated(t, `
namespaces: []
clusters: [{name: "c-{n}", count: 130, region: it-mil}, {name: new, status: pool_required}]
faults: [{path: /clusters, region: nl-ams, status: 403}, {path: /clusters, region: pl-waw, kind: short_page}]
`)
	got, err := r.Clusters(t.Context(), "fr-par")
	if len(got) != 1 || got[0].ID == "" || got[0].Name != "new" || got[0].Region != "fr-par" || got[0].Status != "pool_required" || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = r.Clusters(t.Context(), "it-mil"); len(got) != 130 || err != nil {
		t.Errorf("%d clusters, %v", len(got), err)
	}
	if got, err = r.Clusters(t.Context(), "nl-ams"); got != nil || !errors.Is(err, registry.ErrDenied) {
		t.Errorf("denied: %v, %v", got, err)
	}
	if got, err = r.Clusters(t.Context(), "pl-waw"); len(got) != 0 || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
}

// The secret key goes to the clusters of Scaleway and to this machine, over TLS. Of a
// kubeconfig only the address, the certificate and the token count.
func TestAccess(t *testing.T) {
	const ca, key = "LS0t", "5ec4e75e-c4e7-4a11-9a11-0123456789ab"
	kubeconfig := func(server, ca, user string) string {
		return fmt.Sprintf("clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %q}}]\nusers: [%s]", server, ca, user)
	}
	const ours, theirs = "https://x.api.k8s.fr-par.scw.cloud:6443", "https://scw.cloud.example.com"
	for name, row := range map[string]struct {
		kubeconfig    string
		server, token string
		problem       string
	}{
		"accepts API keys":  {kubeconfig(ours, ca, "{name: u, user: {token: REDACTED}}"), ours, key, ""},
		"without a user":    {kubeconfig(ours, ca, ""), ours, key, ""},
		"has a token":       {kubeconfig(ours, ca, "{name: u, user: {token: t1}}"), ours, "t1", ""},
		"a token elsewhere": {kubeconfig(theirs, ca, "{name: u, user: {token: t1}}"), theirs, "t1", ""},
		"here":              {kubeconfig("https://127.0.0.1:1", ca, "{name: u, user: {token: REDACTED}}"), "https://127.0.0.1:1", key, ""},
		"here, without TLS": {kubeconfig("http://localhost:1", ca, "{name: u, user: {token: t1}}"), "http://localhost:1", "", ""},
		"starts a program":  {kubeconfig(ours, ca, "{name: u, user: {exec: {command: rm}}}"), ours, key, ""},
		"elsewhere":         {kubeconfig(theirs, ca, "{name: u, user: {token: REDACTED}}"), "", "", "its server scw.cloud.example.com is not below scw.cloud: the secret key is not sent there"},
		"without TLS":       {kubeconfig("http://x.scw.cloud", ca, ""), "", "", "its server is not https"},
		"no server":         {kubeconfig("", ca, ""), "", "", "its server is not a URL"},
		"a password":        {kubeconfig("https://a:b@x.scw.cloud", ca, ""), "", "", "its server is not a URL"},
		"no certificate":    {kubeconfig(ours, "", ""), "", "", "its certificate-authority-data is missing or not base64"},
		"two clusters":      {"clusters: [{}, {}]", "", "", "it does not have exactly one cluster and one user"},
		"nothing":           {"", "", "", "it does not have exactly one cluster and one user"},
		"a null cluster":    {"clusters: [null]", "", "", "it does not have exactly one cluster and one user"},
		"not a kubeconfig":  {"token: " + key + "\nclusters: " + key, "", "", "the API answered with something else"},
	} {
		r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path != "/k8s/v1/regions/nl-ams/clusters/id/kubeconfig" || req.URL.Query().Get("redacted") != "true" {
				t.Errorf("%s: asked for %s", name, req.URL)
			}
			return answer(req, 200, `{"name":"k","content_type":"text/plain","content":"`+base64.StdEncoding.EncodeToString([]byte(row.kubeconfig))+`"}`), nil
		}))
		server, gotCA, token, err := r.Access(t.Context(), Cluster{ID: "id", Name: "prod", Region: "nl-ams"})
		if row.problem != "" {
			want := "get the kubeconfig of the cluster prod: " + row.problem
			if err == nil || err.Error() != want || server+token != "" || gotCA != nil {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
			continue
		}
		if diff := cmp.Diff([]string{row.server, row.token}, []string{server, token}); diff != "" || err != nil {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
	}
}

func TestAccessThatFails(t *testing.T) {
	for fault, want := range map[string]string{
		`{path: "/clusters/*/kubeconfig", status: 403}`:                   "403 Forbidden",
		`{path: "/clusters/*/kubeconfig", status: 503}`:                   "503 Service Unavailable",
		`{path: "/clusters/*/kubeconfig", kind: empty_body}`:              "its body is empty",
		`{path: "/clusters/*/kubeconfig", kind: truncated_json}`:          "not a complete JSON object",
		`{path: "/clusters/*/kubeconfig", kind: redirect, location: "x"}`: "redirects are not followed",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := emulated(t, "namespaces: []\nclusters: [{name: prod}]\nfaults: ["+fault+"]")
			clusters, err := r.Clusters(t.Context(), "fr-par")
			if err != nil {
				t.Fatal(err)
			}
			_, _, _, err = r.Access(t.Context(), clusters[0])
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", fault, err)
			}
		})
	}
}
