package content

import (
	"net/http"
	"net/url"
	"testing"
)

func TestWhereCredentialsMayGo(t *testing.T) {
	parse := func(address string) *url.URL {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	g := &guard{registry: parse("https://rg.fr-par.scw.cloud"), api: parse("https://api.scaleway.com")}
	for _, tt := range []struct {
		method, address, authorization string
		allowed                        bool
	}{
		{"GET", "https://rg.fr-par.scw.cloud/v2/", "", true},
		{"GET", "https://rg.fr-par.scw.cloud/v2/", "Bearer x", true},
		{"HEAD", "https://rg.fr-par.scw.cloud/v2/", "Bearer x", false},
		{"GET", "https://rg.fr-par.scw.cloud/token", "Basic x", true},
		{"GET", "https://api.scaleway.com/registry-internal/v1/regions/fr-par/tokens", "Basic x", true},
		{"GET", "https://auth.fr-par.scw.cloud/token", "Basic x", true},
		{"GET", "https://s3.fr-par.scw.cloud/bucket/blob", "", true},
		{"GET", "https://api.scaleway.com/registry-internal/v1/regions/fr-par/tokens", "Bearer x", false},
		{"GET", "https://s3.fr-par.scw.cloud/bucket/blob", "Bearer x", false},
		{"GET", "https://1-2-3-4.pub.instances.scw.cloud/token", "Basic x", false}, // of a customer
		{"GET", "https://x.functions.fnc.fr-par.scw.cloud/token", "basic x", false},
		{"GET", "https://rg.fr-par.scw.cloud.example.com/token", "Basic x", false},
		{"GET", "https://rg.fr-par.scw.cloud:8443/v2/", "Bearer x", false},
		{"GET", "http://api.scaleway.com/token", "Basic x", false},
		{"GET", "http://s3.fr-par.scw.cloud/bucket/blob", "", false},
		{"GET", "https://user@rg.fr-par.scw.cloud/v2/", "", false},
		{"POST", "https://rg.fr-par.scw.cloud/token", "", false},
		{"DELETE", "https://rg.fr-par.scw.cloud/v2/prod/api/manifests/v1", "Bearer x", false},
	} {
		req := &http.Request{Method: tt.method, URL: parse(tt.address), Header: http.Header{}}
		if tt.authorization != "" {
			req.Header.Set("Authorization", tt.authorization)
		}
		if err := g.check(req); (err == nil) != tt.allowed {
			t.Errorf("%s %s with %q: %v", tt.method, tt.address, tt.authorization, err)
		}
	}
}
