package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

func TestKnownDigests(t *testing.T) {
	for digest, known := range map[string]bool{
		"sha256:" + strings.Repeat("a0", 32): true, "sha512:" + strings.Repeat("b", 128): true, "sha256:abc": true, "sha256+b64u:0f": true,
		"": false, "sha256": false, "sha256:": false, ":abc": false, "abc": false, "SHA256:abc": false, "sha256:ABC": false,
		"sha256:xyz": false, "sha256:abc ": false, "sha256:abc\n": false, "sha256:a:b": false, "sha256:é": false, "<none>": false,
	} {
		want := ""
		if known {
			want = digest
		}
		if got := (&registry.Tag{Digest: digest}).KnownDigest(); got != want {
			t.Errorf("%q: %q", digest, got)
		}
	}
}

func TestTheLaterOfBothTimesCounts(t *testing.T) {
	early, late := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	odd := registry.Tag{Name: "odd", CreatedAt: late, UpdatedAt: early}
	moved := registry.Tag{Name: "moved", CreatedAt: early, UpdatedAt: late.Add(-1)}
	if !odd.Changed().Equal(late) || !moved.Changed().Equal(late.Add(-1)) || registry.CompareAge(odd, moved) >= 0 {
		t.Errorf("%s, %s, order %d", odd.Changed(), moved.Changed(), registry.CompareAge(odd, moved))
	}
	if at := (&registry.Image{CreatedAt: late, UpdatedAt: early}).Changed(); !at.Equal(late) {
		t.Errorf("an image: %s", at)
	}
	if at := (&registry.Namespace{CreatedAt: late, UpdatedAt: early}).Changed(); !at.Equal(late) {
		t.Errorf("a namespace: %s", at)
	}
}

func TestOnlyWhatIsUnknownIsMissing(t *testing.T) {
	image := &registry.Image{
		Contents: map[string]*registry.Content{"sha256:aa": {}},
		Unread:   map[string]string{"sha256:bb": "403 Forbidden"},
	}
	if got := image.Missing([]string{"sha256:dd", "sha256:aa", "sha256:bb", "sha256:cc", "sha256:dd"}); !slices.Equal(got, []string{"sha256:dd", "sha256:cc"}) {
		t.Errorf("missing: %v", got)
	}
}
