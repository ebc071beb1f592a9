package registry

import (
	"slices"
	"strings"
	"testing"
	"time"
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

func TestFirst(t *testing.T) {
	hex := func(letter string) string { return strings.Repeat(letter, 64) }
	tag := func(name, letter string) Tag { return Tag{Name: name, Digest: "sha256:" + hex(letter)} }
	index := func(letters ...string) *Content {
		c := &Content{Kind: ContentIndex}
		for _, letter := range letters {
			c.Parts = append(c.Parts, "sha256:"+hex(letter))
		}
		return c
	}
	at := func(t Tag, seconds int64) Tag { t.UpdatedAt = time.Unix(seconds, 0); return t }
	for name, row := range map[string]struct {
		tags     []Tag
		contents map[string]*Content // by letter
		want     string              // part after index
	}{
		"an index before its parts":                        {[]Tag{tag("m", "a"), tag("x", "b"), tag("y", "c")}, map[string]*Content{"a": index("b", "c")}, "b after a, c after a"},
		"the index before the signature of an unseen part": {[]Tag{tag("m", "a"), tag("sha256-"+hex("f")+".sig", "d")}, map[string]*Content{"a": index("f")}, "d after a"},
		"an index of indexes before all that is in them":   {[]Tag{tag("m", "a"), tag("n", "b"), tag("x", "c")}, map[string]*Content{"a": index("b"), "b": index("c")}, "b after a, c after a b"},
		"what may be an index before what may be its part": {[]Tag{tag("1", "a"), tag("1-amd64", "b")}, nil, "b after a"},
		"what was read before what names say":              {[]Tag{tag("1", "b"), tag("1-linux", "a")}, map[string]*Content{"a": index("b")}, "b after a"},
		"the newer of two that may be parts of each other": {[]Tag{at(tag("1", "a"), 1), at(tag("1-linux", "b"), 2)}, nil, "a after b"},
		"in a circle of three, the oldest last":            {[]Tag{at(tag("1", "a"), 3), at(tag("1-linux", "b"), 2), at(tag("1-multi", "c"), 1)}, nil, "b after a, c after a b"},
		"two digests that are parts of each other by two names": {
			[]Tag{at(tag("1", "a"), 4), at(tag("2-amd64", "a"), 3), at(tag("2", "b"), 2), at(tag("1-amd64", "b"), 1)}, nil, "b after a"},
		"an index that is attached to its part":            {[]Tag{tag("x", "b"), tag("sha256-"+hex("b"), "a")}, map[string]*Content{"a": index("b")}, "b after a"},
		"a subject before what its content attaches to it": {[]Tag{tag("x", "b"), tag("y", "a")}, map[string]*Content{"a": {Subject: "sha256:" + hex("b")}}, "a after b"},
		"nothing to put in order":                          {[]Tag{tag("1", "a"), tag("2-amd64", "b"), {Name: "3"}, {Name: "3-amd64"}}, nil, ""},
	} {
		img := &Image{Tags: row.tags, Contents: map[string]*Content{}}
		for letter, content := range row.contents {
			img.Contents["sha256:"+hex(letter)] = content
		}
		var got []string
		for part, indexes := range img.First() {
			line := part[7:8] + " after"
			for _, digest := range slices.Sorted(slices.Values(indexes)) {
				line += " " + digest[7:8]
			}
			got = append(got, line)
		}
		slices.Sort(got)
		if text := strings.Join(got, ", "); text != row.want {
			t.Errorf("%s: got %q, want %q", name, text, row.want)
		}
	}
}
