package registry

import (
	"slices"
	"strings"
	"testing"
)

// wholesOf names, for each tag, the digests that it is and may be a part of.
func wholesOf(img *Image) map[string]string {
	wholes, out := img.Wholes(), map[string]string{}
	for i := range img.Tags {
		known, maybe := wholes.Of(i), wholes.MaybeOf(i)
		if len(known)+len(maybe) > 0 {
			out[img.Tags[i].Name] = strings.Join(known, " ") + "|" + strings.Join(maybe, " ")
		}
	}
	return out
}

func TestWholes(t *testing.T) {
	tag := func(name, digest string) Tag { return Tag{Name: name, Digest: "sha256:" + digest} }
	index := func(parts ...string) *Content { return &Content{Kind: ContentIndex, Parts: parts} }
	img := &Image{Tags: []Tag{
		tag("1.6.0", "a"), tag("latest", "a"), tag("1.6.0-amd64", "b"), tag("1.6.0-arm64", "c"), tag("other", "b"), tag("1.5.0-amd64", "d"), {Name: "1.5.0"},
	}}
	expect := func(what string, want map[string]string) {
		t.Helper()
		if got := wholesOf(img); len(got) != len(want) || !slices.Equal(sorted(got), sorted(want)) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	expect("before anything is read, names tell", map[string]string{"1.6.0-amd64": "|sha256:a", "1.6.0-arm64": "|sha256:a"})
	img.Contents = map[string]*Content{"sha256:a": index("sha256:b", "sha256:f", "sha256:f")}
	expect("an index tells", map[string]string{"1.6.0-amd64": "sha256:a|", "other": "sha256:a|"})
	img.Contents["sha256:f"] = index("sha256:c", "sha256:a") // which contains itself
	expect("so does an index in it", map[string]string{"1.6.0-amd64": "sha256:a|", "other": "sha256:a|", "1.6.0-arm64": "sha256:a|"})
}

func sorted(m map[string]string) []string {
	var out []string
	for k, v := range m {
		out = append(out, k+" "+v)
	}
	slices.Sort(out)
	return out
}
