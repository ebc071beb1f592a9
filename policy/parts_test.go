package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Three versions of two platforms, each with its index, and one that has none.
func versions(t *testing.T) *registry.Image {
	t.Helper()
	var tags []registry.Tag
	for _, line := range []string{
		"1.3.0 2026-11-13T12:00Z d", "1.3.0-arm64 2026-11-13T11:00Z e", "1.3.0-amd64 2026-11-13T10:00Z f",
		"1.2.0 2026-11-12T12:00Z a", "1.2.0-arm64 2026-11-12T11:00Z b", "1.2.0-amd64 2026-11-12T10:00Z c",
		"1.1.0-arm64 2026-11-11T11:00Z 1", "1.0.0 2026-11-10T12:00Z 2", "1.0.0-amd64 2026-11-10T10:00Z 3",
	} {
		tags = append(tags, tagAt(t, line))
	}
	return anImage(tags...)
}

func TestPartsTakeNoPlaceOfLast(t *testing.T) {
	digest := func(tag string) string { return tagAt(t, "x 2026-11-13T12:00Z "+tag).Digest }
	index := func(parts ...string) *registry.Content {
		c := &registry.Content{Kind: registry.ContentIndex}
		for _, part := range parts {
			c.Parts = append(c.Parts, digest(part))
		}
		return c
	}
	for _, row := range []struct {
		name, rule string
		contents   map[string]*registry.Content
		unread     map[string]string
		kept       []string
		needs      []string // once more, letters of digests
	}{
		{
			"as long as nothing is known they count, and the indexes of those in the places are needed",
			`keep: {last: 2}`, nil, nil, []string{"1.3.0", "1.3.0-arm64"}, []string{"a", "d"},
		},
		{
			"then they do not: those that were kept still are, and the versions too",
			`keep: {last: 2}`, map[string]*registry.Content{digest("d"): index("e", "f"), digest("a"): index("b", "c")}, nil,
			[]string{"1.3.0", "1.3.0-arm64", "1.2.0"}, nil,
		},
		{
			"what has no index counts",
			`keep: {last: 3}`, map[string]*registry.Content{digest("d"): index("e", "f"), digest("a"): index("b", "c")}, nil,
			[]string{"1.3.0", "1.3.0-arm64", "1.3.0-amd64", "1.2.0", "1.1.0-arm64"}, nil,
		},
		{
			"what is an image by itself has no parts",
			`keep: {last: 2}`, map[string]*registry.Content{digest("d"): {Kind: registry.ContentImage}, digest("a"): {Kind: registry.ContentImage}}, nil,
			[]string{"1.3.0", "1.3.0-arm64"}, nil,
		},
		{
			"those of an index that cannot be read take no place either",
			`keep: {last: 2}`, map[string]*registry.Content{digest("a"): index("b", "c")}, map[string]string{digest("d"): "403"},
			[]string{"1.3.0", "1.3.0-arm64", "1.3.0-amd64", "1.2.0"}, nil, // -amd64 is none if only -arm64 is
		},
		{
			"what a content attaches to another tag takes no place",
			`keep: {last: 2}`, map[string]*registry.Content{digest("d"): {Kind: registry.ContentAttachment, Subject: digest("e")}, digest("a"): {Kind: registry.ContentImage}}, nil,
			[]string{"1.3.0-arm64", "1.3.0-amd64"}, nil,
		},
		{
			"so it is where tags are counted",
			`count: tags, keep: {last: 2}`, map[string]*registry.Content{digest("d"): index("e", "f"), digest("a"): index("b", "c")}, nil,
			[]string{"1.3.0", "1.3.0-arm64", "1.2.0"}, nil,
		},
		{
			"a rule that counts nothing needs nothing",
			`keep: {within: 230h, within_seconds: 828000}`, nil, nil, []string{"1.3.0", "1.3.0-arm64", "1.3.0-amd64"}, nil,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEngine(t, `retention: [{name: versions, match: {tags: ["*"]}, `+row.rule+`, delete: {older_than: 0s, older_than_seconds: 0}}]`)
			img := versions(t)
			img.Contents, img.Unread = row.contents, row.unread
			v := judge(t, e, img)
			var kept []string
			for i := range v.Tags {
				if len(v.Tags[i].Keep) > 0 {
					kept = append(kept, img.Tags[i].Name)
				}
			}
			if diff := cmp.Diff(row.kept, kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			var needs []string
			for _, digest := range e.At(now, WhatCounts).NeedsParts(img, &v) {
				needs = append(needs, digest[len("sha256:"):][:1])
			}
			if diff := cmp.Diff(row.needs, needs); diff != "" {
				t.Errorf("needs (-want +got):\n%s", diff)
			}
		})
	}
}

// What keep.last keeps once every index is known is also kept once only what NeedsParts asks
// for was read, and some of it could not be. With multi_arch: all, names tell nothing.
func TestWhatLastKeepsIsKeptWhateverIsRead(t *testing.T) {
	partly := 0
	for _, count := range []string{"digests", "tags"} {
		e := newEngine(t, `{retention: [{name: versions, count: `+count+`, match: {tags: ["*"]}, keep: {last: 2}, delete: {older_than: 0s, older_than_seconds: 0}}], content: {multi_arch: all}}`)
		for seed := range uint64(150) {
			r := rand.New(rand.NewPCG(seed, 3))
			img, truth := randomIndexes(t, r)
			img.Contents = truth
			want := judge(t, e, img)
			img.Contents, img.Unread = map[string]*registry.Content{}, map[string]string{}
			got := judge(t, e, img)
			for needs := img.Missing(e.At(now, WhatCounts).NeedsParts(img, &got)); len(needs) > 0; needs = img.Missing(e.At(now, WhatCounts).NeedsParts(img, &got)) {
				for _, digest := range needs {
					if r.IntN(6) == 0 {
						img.Unread[digest] = "403"
					} else {
						img.Contents[digest] = truth[digest]
					}
				}
				got = judge(t, e, img)
			}
			if len(img.Contents)+len(img.Unread) < len(truth) {
				partly++
			}
			for i := range img.Tags {
				if len(want.Tags[i].Keep) > 0 && len(got.Tags[i].Keep) == 0 {
					t.Errorf("seed %d: %s is kept if all is known, but not with %d contents and %d that cannot be read", seed, img.Tags[i].Name, len(img.Contents), len(img.Unread))
				}
			}
		}
	}
	t.Logf("%d images were read in part", partly)
}

// randomIndexes is an image whose names tell nothing, and what is in its digests.
func randomIndexes(t *testing.T, r *rand.Rand) (*registry.Image, map[string]*registry.Content) {
	t.Helper()
	var tags []registry.Tag
	truth := map[string]*registry.Content{}
	for i := range 3 + r.IntN(7) {
		tag := tagAt(t, fmt.Sprintf("build-%d 2026-11-%02dT12:00Z %c", i, 20-i, "0123456789abcdef"[r.IntN(9)]))
		tags, truth[tag.Digest] = append(tags, tag), &registry.Content{Kind: registry.ContentImage}
	}
	for range r.IntN(4) {
		index, part := tags[r.IntN(len(tags))].Digest, tags[r.IntN(len(tags))].Digest
		if index != part && len(truth[part].Parts) == 0 {
			truth[index].Kind, truth[index].Parts = registry.ContentIndex, append(truth[index].Parts, part)
		}
	}
	return anImage(tags...), truth
}
