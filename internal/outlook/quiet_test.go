package outlook

import (
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestAnImageIsQuietOnlyAsLongAsWhatIsInsideItsTags(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old, built := now.AddDate(0, 0, -100), now.AddDate(0, 0, -40)
	for name, tt := range map[string]struct {
		rules   string // what deletes
		content registry.Content
		unread  string
		want    time.Time
	}{
		"until the build reaches an age": {"older_than: 50d", registry.Content{BuiltAt: built}, "", built.AddDate(0, 0, 50).Add(-slack)},
		"not at all while it does":       {"older_than: 40d", registry.Content{BuiltAt: built}, "", time.Time{}},
		"for long without a build date":  {"older_than: 50d", registry.Content{}, "", now.AddDate(100, 0, 0).Add(-slack)},
		"not while something is unread":  {"older_than: 50d", registry.Content{}, "403", time.Time{}},
		"not if a label may have an age": {"older_than_label: ttl", registry.Content{}, "", time.Time{}},
	} {
		c, err := config.Parse("janitor.yaml", []byte("retention: [{match: {tags: [x]}, delete: {"+tt.rules+"}}]"))
		if err != nil {
			t.Fatal(err)
		}
		image := &registry.Image{CreatedAt: old, UpdatedAt: old, Tags: []registry.Tag{{Name: "v1", CreatedAt: old, UpdatedAt: old}}}
		image.Contents = map[string]*registry.Content{"sha256:aa": &tt.content}
		if tt.unread != "" {
			image.Unread = map[string]string{"sha256:bb": tt.unread}
		}
		if got := AgesIn(c.Document()).QuietUntil(image, now); !got.Equal(tt.want) {
			t.Errorf("%s: %s instead of %s", name, got, tt.want)
		}
	}
}
