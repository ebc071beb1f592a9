package policy

import (
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

// A restored tag is kept whatever the rules mark, and another tag has the place that it
// would take.
func TestARestoredTagIsKeptAndTakesNoPlace(t *testing.T) {
	const config = "archive: {restored_stay: 1d, restored_stay_seconds: 86400}\nretention: [{name: builds, match: {tags: ['*']}, keep: {last: 1}, delete: {}}]"
	img := anImage(aTag("restored", 1*days, "aa"), aTag("newest", 2*days, "bb"), aTag("older", 3*days, "cc"))
	ref := img.TagRef("restored")
	for name, row := range map[string]struct {
		restored registry.Restoration
		kept     string
	}{
		"while it stays":          {registry.Restoration{Ref: ref, Digest: "sha256:aa", At: now.Add(-days), Until: now.Add(days)}, "restored newest"},
		"after its stay":          {registry.Restoration{Ref: ref, Digest: "sha256:aa", At: now.Add(-days), Until: now}, "restored"},
		"with another digest now": {registry.Restoration{Ref: ref, Digest: "sha256:ff", At: now.Add(-days), Until: now.Add(days)}, "restored"},
	} {
		t.Run(name, func(t *testing.T) {
			judge := newEngine(t, config).At(now, WhatCounts).WithRestored(registry.NewRestorations([]registry.Restoration{row.restored}))
			v, err := judge.Image(t.Context(), img)
			if err != nil || v.Err != nil {
				t.Fatal(err, v.Err)
			}
			var kept []string
			for i, tag := range v.Tags {
				for _, reason := range tag.Keep {
					if tag.Restored != (reason.Rule == "archive/restored") {
						t.Errorf("%s: %+v", img.Tags[i].Name, reason)
					}
				}
				if len(tag.Keep) > 0 {
					kept = append(kept, img.Tags[i].Name)
				}
			}
			if got := strings.Join(kept, " "); got != row.kept {
				t.Errorf("kept %q, want %q", got, row.kept)
			}
		})
	}
}
