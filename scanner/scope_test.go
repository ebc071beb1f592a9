package scanner

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestGlobs(t *testing.T) {
	tests := []struct {
		include, exclude []string
		path             string // a namespace, or namespace/image
		want             bool
	}{
		{nil, nil, "prod", true},
		{nil, nil, "prod/api", true},
		{[]string{"prod/**"}, nil, "prod", true},
		{[]string{"prod/**"}, nil, "prod/api", true},
		{[]string{"prod/**"}, nil, "prod/team/api", true},
		{[]string{"prod/**"}, nil, "production/api", false},
		{[]string{"prod/*"}, nil, "prod/api", true},
		{[]string{"prod/*"}, nil, "prod/team/api", false},
		{[]string{"prod/*"}, nil, "prod", false},
		{[]string{"prod"}, nil, "prod/api", false},
		{[]string{"*/api"}, nil, "prod/api", true},
		{[]string{"**"}, []string{"funcscw*/**"}, "funcscwab12/f", false},
		{[]string{"**"}, []string{"funcscw*/**"}, "funcscwab12", false},
		{[]string{"**"}, []string{"funcscw*/**"}, "myfuncscw/f", true},
		{[]string{"{prod,test}/**"}, []string{"test/tmp-*"}, "test/tmp-1", false},
		{[]string{"{prod,test}/**"}, []string{"test/tmp-*"}, "test/api", true},
	}
	for _, tt := range tests {
		g := Scope{Include: tt.include, Exclude: tt.exclude}
		namespace, image, isImage := strings.Cut(tt.path, "/")
		got := g.holdsNamespace(namespace)
		if isImage {
			got = g.holdsImage(namespace, image)
		}
		if got != tt.want {
			t.Errorf("%s in include %q, exclude %q: %v", tt.path, tt.include, tt.exclude, got)
		}
	}
}

func TestNamespacesOutOfScopeAreNotListed(t *testing.T) {
	tests := []struct {
		include, exclude []string
		namespace        string
		want             bool
	}{
		{nil, nil, "prod", true},
		{nil, []string{"funcscw*/**"}, "funcscwab", false},
		{nil, []string{"**"}, "prod", false},
		{nil, []string{"*/**"}, "prod", false},
		{nil, []string{"prod/*"}, "prod", true}, // prod/team/api remains
		{[]string{"prod/**"}, nil, "prod", true},
		{[]string{"prod/**"}, nil, "test", false},
		{[]string{"prod"}, nil, "prod", false},
		{[]string{"**/api"}, nil, "prod", true},
		{[]string{"pr*/api", "x/**"}, nil, "prod", true},
	}
	for _, tt := range tests {
		if got := (Scope{Include: tt.include, Exclude: tt.exclude}).mayHoldImages(tt.namespace); got != tt.want {
			t.Errorf("%s, include %q, exclude %q: %v", tt.namespace, tt.include, tt.exclude, got)
		}
	}
}

// Whenever an image is in scope, its namespace must be listed.
func TestEveryImageInScopeIsListed(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"a", "b", "ab", "*", "**", "?", "{a,b}", "{a/b,b}", "[ab]", "/", "/", "/**", `\a`, "a*"}
	names := []string{"a", "b", "ab", "ba"}
	pattern := func() string {
		var b strings.Builder
		for range 1 + random.IntN(5) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		return b.String()
	}
	checked := 0
	for range 200_000 {
		s := Scope{Include: []string{pattern()}}
		if random.IntN(2) == 0 {
			s.Exclude = []string{pattern()}
		}
		if s.Validate() != nil {
			continue
		}
		namespace, image := names[random.IntN(4)], names[random.IntN(4)]
		if random.IntN(2) == 0 {
			image += "/" + names[random.IntN(4)]
		}
		if g := s; g.holdsImage(namespace, image) {
			checked++
			if !g.mayHoldImages(namespace) {
				t.Fatalf("%s/%s is in scope of %+v, but would not be listed", namespace, image, s)
			}
		}
	}
	if checked < 1000 {
		t.Errorf("only %d images were in any scope", checked)
	}
}

func TestScopesOfWholeNamespaces(t *testing.T) {
	tests := []struct {
		include, exclude []string
		want             bool
	}{
		{nil, nil, true},
		{[]string{"**"}, []string{"funcscw*/**"}, true},
		{[]string{"prod/**", "test-?/**"}, nil, true},
		{[]string{"prod/*"}, nil, false}, // without prod/team/api
		{[]string{"prod"}, nil, false},   // the namespace without its images
		{[]string{"**"}, []string{"prod/api"}, false},
		{[]string{"{prod/api,test}/**"}, nil, false},
		{[]string{"**/api"}, nil, false},
	}
	for _, tt := range tests {
		if got := (Scope{Include: tt.include, Exclude: tt.exclude}).TakesWholeNamespaces(); got != tt.want {
			t.Errorf("include %q, exclude %q: %v", tt.include, tt.exclude, got)
		}
	}
}
