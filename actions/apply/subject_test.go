package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// An attachment goes after its subject, also where it names only the beginning of its
// digest. A tag named after its own digest has no subject.
func TestWhatAnAttachmentWaitsFor(t *testing.T) {
	short := strings.Repeat("a", 64)
	one, two, other := "sha512:"+short+"1", "sha512:"+short+"2", "sha256:"+short
	list := []registry.Tag{{ID: "1", Name: "one", Digest: one}, {ID: "2", Name: "two", Digest: two}, {ID: "3", Name: "three", Digest: other}}
	for name, row := range map[string]struct {
		tag, digest string
		pending     []string // IDs of what is to go
		want        string
		free        bool
	}{
		"its subject is to go":                        {"sha256-" + short, "sha256:s", []string{"3"}, "three", true},
		"its subject stays":                           {"sha256-" + short + ".vex", "sha256:s", nil, "three", false},
		"it has no subject":                           {"sha256-" + strings.Repeat("b", 64), "sha256:s", nil, "", true},
		"it is named after its own digest":            {"sha256-" + short, other, nil, "", true},
		"both of its possible subjects are to go":     {"sha512-" + short, "sha256:s", []string{"1", "2"}, "one", true},
		"one of two possible subjects stays":          {"sha512-" + short + ".sig", "sha256:s", []string{"1"}, "two", false},
		"it is an ordinary tag":                       {"latest", "sha256:s", nil, "", true},
		"it is named after its own shortened digest":  {"sha512-" + short, one, nil, "", true},
		"no digest begins with the one that it names": {"sha512-" + short[1:] + "b", "sha256:s", nil, "", true},
	} {
		s := situation{reading: newReading(time.Time{}, registry.Image{}, list, nil)}
		pending := map[string]bool{"attachment": true}
		for _, id := range row.pending {
			pending[id] = true
		}
		got, free := s.first(&step{Step: &actions.Step{Tag: row.tag, Digest: row.digest, ID: "attachment"}}, pending)
		if row.want != "" {
			row.want = "its subject " + row.want + " is still there"
		}
		if got != row.want || free != row.free {
			t.Errorf("%s: waits for %q, free %v; want %q, %v", name, got, free, row.want, row.free)
		}
	}
}
