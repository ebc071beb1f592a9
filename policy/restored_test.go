package policy

import (
	"slices"
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

// A policy of the operator's counts as the built-in ones do.
func TestARestoredTagTakesNoPlaceInOwnPolicies(t *testing.T) {
	const own = `package janitor.image.own

delete contains tag.name if some tag in input.tags

keep contains tag.name if {
	some tag in array.slice(input.tags, 0, 1)
}

warn contains {"tag": tag.name, "reason": sprintf("%d", [tag.rank])} if some tag in input.tags`
	const config = "archive: {restored_stay: 1d, restored_stay_seconds: 86400}"
	img := anImage(aTag("restored", 1*days, "aa"), aTag("newest", 2*days, "bb"), aTag("older", 3*days, "cc"))
	judge := newEngine(t, config, own).At(now, WhatCounts).WithRestored(registry.NewRestorations([]registry.Restoration{
		{Ref: img.TagRef("restored"), Digest: "sha256:aa", At: now.Add(-days), Until: now.Add(days)},
	}))
	v, err := judge.Image(t.Context(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	for i, want := range []string{"archive/restored", "own/keep", ""} {
		var rules []string
		for _, reason := range v.Tags[i].Keep {
			rules = append(rules, reason.Rule)
		}
		if got := strings.Join(rules, " "); got != want {
			t.Errorf("%s is kept by %q, want %q", img.Tags[i].Name, got, want)
		}
	}
	var ranks []string
	for _, violation := range v.Violations {
		ranks = append(ranks, violation.Ref[strings.LastIndex(violation.Ref, ":")+1:]+" "+violation.Reason.Text)
	}
	slices.Sort(ranks)
	if got, want := strings.Join(ranks, ", "), "newest 0, older 1, restored 2"; got != want {
		t.Errorf("ranks are %s, want %s", got, want)
	}
}

// Whatever the rules mark, the archive is not deleted.
func TestTheArchiveIsKept(t *testing.T) {
	img := anImage(aTag("pr-1", 2*days, "aa"), aTag("other", 3*days, "bb"))
	former := anImage(aTag("registry-janitor-layout", 2*days, "aa"), aTag("other", 3*days, "bb"))
	name := "/" + img.Namespace.Name + "/" + img.Name
	host := "rg." + string(img.Namespace.Region) + ".scw.cloud"
	for label, row := range map[string]struct {
		img     *registry.Image
		to, url string
		kept    bool
	}{
		"by the provider's host":         {img, "oci://" + host + name, "", true},
		"by the port of its scheme":      {img, "oci://" + host + ":443" + name, "", true},
		"by scaleway.registry_url":       {img, "oci://127.0.0.1:8080" + name, "http://127.0.0.1:8080/", true},
		"by the region in it":            {img, "oci://" + string(img.Namespace.Region) + ".example.com" + name, "https://{region}.example.com", true},
		"not in another image":           {img, "oci://" + host + name + "-2", "", false},
		"not in another namespace":       {img, "oci://" + host + "/a" + name, "", false},
		"not in another region":          {img, "oci://rg.xx-xxx.scw.cloud" + name, "", false},
		"not in another registry":        {img, "oci://registry.example.com" + name, "http://127.0.0.1:8080", false},
		"not in a directory of its name": {img, host + name, "", false},
		"wherever the archive is now":    {former, "oci://registry.example.com" + name, "", true},
		"even if there is none any more": {former, "", "", true},
	} {
		t.Run(label, func(t *testing.T) {
			config := "scaleway: {registry_url: '" + row.url + "'}\narchive: {to: '" + row.to + "', restored_stay: 0s, restored_stay_seconds: 0}\nretention: [{name: all, match: {tags: ['*']}, delete: {}}]"
			v, err := newEngine(t, config).At(now, WhatCounts).Image(t.Context(), row.img)
			if err != nil || v.Err != nil {
				t.Fatal(err, v.Err)
			}
			for i, tag := range v.Tags {
				if kept := len(tag.Keep) == 1 && tag.Keep[0].Rule == "archive/own"; kept != row.kept || len(tag.Keep) > 1 {
					t.Errorf("%s: kept by %+v, want that to be %t", row.img.Tags[i].Name, tag.Keep, row.kept)
				}
			}
		})
	}
}
