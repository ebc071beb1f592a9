package worlds_test

import (
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// tags is a world with one image.
func tags(list string) []byte {
	return []byte("namespaces: [{name: p, images: [{name: i, tags: [\n" + list + "]}]}]")
}

func TestWhatATagMaySayAboutItsContent(t *testing.T) {
	for _, list := range []string{
		`{name: a, labels: {org.example.keep: "true", empty: ""}, annotations: {k: "two\nlines"}, built_age: 3d}`,
		`{name: a, platforms: [linux/amd64, linux/arm/v7], labels: {a: b}}`,
		`{name: "1.{n}", count: 2, parts: ["1.{n}-amd64", 1.0-arm64]}, {name: "1.{n}-amd64", count: 3}, {name: 1.0-arm64, digest: A}`,
		`{name: a, digest: A}, {name: b, digest: A, labels: {k: v}}, {name: c, digest: A}, {name: "sha256-{digest:A}.sig"}`,
		`{name: "pr-{n}", count: 2, digest: "w{n}"}, {name: "sha256-{digest:w{n}}.att", count: 2}`,
	} {
		if _, err := worlds.Parse("w", tags(list)); err != nil {
			t.Errorf("%s: %v", list, err)
		}
	}
}

func TestBadContents(t *testing.T) {
	whole := `"sha256:` + strings.Repeat("ab", 32) + `"`
	for list, want := range map[string]string{
		`{name: a, label: {k: v}}`:                                                  `tags[0].label: is an unknown key (did you mean "labels"?`,
		`{name: a, labels: [k]}`:                                                    `tags[0].labels: must be a mapping, not a list`,
		`{name: a, platforms: [amd64]}`:                                             `tags[0].platforms[0]: is not a platform: "amd64" (write the system and the architecture, such as linux/arm64 or linux/arm/v7)`,
		`{name: a, parts: [b]}`:                                                     `tags[0].parts[0]: names "b", which is not a tag of the image (write one of a)`,
		`{name: a, built_age: -x}`:                                                  `tags[0].built_age: must be a duration`,
		`{name: a, parts: [a]}`:                                                     `tags[0].parts[0]: names "a", which has parts itself`,
		`{name: "sha256-{digest:A}.sig"}, {name: a, digest: A}`:                     `tags[0].name: needs the digest "A", which no earlier tag has (write the digest of a tag above this one)`,
		`{name: a, labels: {k: v}, digest: ` + whole + `}`:                          `tags[0].digest: is a whole digest, whose content is not known`,
		`{name: a, digest: A, labels: {k: v}}, {name: b, digest: A, built_age: 1d}`: `tags[1].digest: is described twice: "A" (describe its content in one tag; see namespaces[0].images[0].tags[0])`,
		`{name: a}, {name: b, parts: [a], labels: {k: v}}`:                          `tags[1].parts: has its labels, platforms, sizes and build dates from the parts (give these keys to the parts)`,
		`{name: a}, {name: b, parts: [a], size: 1MB}`:                               `tags[1].parts: has its labels`,
		`{name: a, digest: ` + whole + `}, {name: b, parts: [a]}`:                   `tags[1].parts[0]: names "a", whose content is not known`,
		`{name: a}, {name: b, parts: [a]}, {name: c, parts: [b]}`:                   `tags[2].parts[0]: names "b", which has parts itself`,
		`{name: y, digest: W}, {name: x, digest: U, parts: [y]}, {name: z, digest: W, parts: [v]}, {name: v, digest: U}`: `tags[1].parts[0]: names "y", which has parts itself`,
		`{name: a, count: 2, parts: [x]}, {name: x}`:                             `tags[0].name: would give 2 objects the same name`,
		`{name: "b-{n}", count: 3, parts: ["a-{n}"]}, {name: "a-{n}", count: 2}`: `tags[0].parts[0]: names "a-3", which is not a tag of the image (write one of b-{n}, a-{n})`,
	} {
		_, err := worlds.Parse("w", tags(list))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", list, err, want)
		}
	}
}
