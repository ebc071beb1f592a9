package config

import (
	"testing"
	"time"
)

func TestTheFirstOverrideThatMatchesCounts(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte(`
limits:
  min_age: 1h
  keep_at_least: 2
  overrides:
    - {match: {namespaces: [dev], images: ["base/**"]}, keep_at_least: 5}
    - {match: {namespaces: ["dev*"]}, keep_at_least: 0, min_age: 0s}
    - {match: {images: [web]}, min_age: 3h}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, namespace, image string
		minAge                 time.Duration
		keepAtLeast            int
	}{
		{"nothing matches", "prod", "api", time.Hour, 2},
		{"both globs match, and the age is that of the limits", "dev", "base/go", time.Hour, 5},
		{"the second matches, because the image is another one", "dev", "api", 0, 0},
		{"the second matches, and the third does not count", "dev-2", "web", 0, 0},
		{"only the image counts", "prod", "web", 3 * time.Hour, 2},
		{"a namespace is not an image", "dev", "", 0, 0},
		{"no override is about this namespace", "prod", "", time.Hour, 2},
	} {
		minAge, keepAtLeast := c.Limits.At(tt.namespace, tt.image)
		if minAge != tt.minAge || keepAtLeast != tt.keepAtLeast {
			t.Errorf("%s: %s/%s has min_age %s and keep_at_least %d, want %s and %d", tt.name, tt.namespace, tt.image, minAge, keepAtLeast, tt.minAge, tt.keepAtLeast)
		}
	}
}
