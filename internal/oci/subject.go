package oci

import (
	"net/http"
	"path"
	"strings"
)

// noFallback keeps the library from setting tags that were not asked for. When it pushes a
// manifest with a subject, it asks whether the registry has the API of referrers, and if not,
// creates or moves the tag sha256-DIGEST of the subject. Whoever needs that tag has it
// archived and restored as any other, so the library is told that the API is there.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
type noFallback struct{ next http.RoundTripper }

func (t noFallback) RoundTrip(r *http.Request) (*http.Response, error) {
	list, digest := path.Split(r.URL.Path)
	if r.Method != http.MethodGet || path.Base(list) != "referrers" || !strings.HasPrefix(digest, "sha") {
		return t.next.RoundTrip(r)
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r,
	}, nil
}
