package recipes_test

import (
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

func digests(t *testing.T, tags string, at time.Time) map[string]string {
	t.Helper()
	w, err := worlds.Parse("world.yaml", []byte("namespaces: [{name: prod, images: [{name: api, tags: ["+tags+"]}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := emulator.New(emulator.Options{World: w, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for name, d := range s.Tags(emulator.Address{Region: "fr-par", Namespace: "prod", Image: "api"}) {
		found[name] = d.String()
	}
	return found
}

func TestDigestsAreTheSameOnEveryStart(t *testing.T) {
	const tags = `{name: a}, {name: b, digest: B}, {name: c, digest: B}, {name: d, size: 3GB}, {name: m, parts: [a, b]}, {name: "sha256-{digest:B}.sig"}, {name: e, digest: E, built_age: 1d}`
	first, later := digests(t, tags, start), digests(t, tags, start.Add(time.Hour))
	seen := map[string]string{}
	for name, d := range first {
		if other := seen[d]; other != "" && !(name+other == "bc" || name+other == "cb") {
			t.Errorf("%s and %s share a digest", name, other)
		}
		seen[d] = name
		if (later[name] == d) != (name != "e") {
			t.Errorf("%s is %s, and %s an hour later", name, d, later[name])
		}
	}
	if first["b"] != first["c"] || first["sha256-"+first["b"][7:]+".sig"] == "" {
		t.Errorf("%v", first)
	}
}

func TestADigestIsThatOfTheContent(t *testing.T) {
	plain := digests(t, `{name: a, digest: A}`, start)["a"]
	for _, more := range []string{"size: 1MB", "labels: {k: v}", "annotations: {k: v}", "platforms: [linux/amd64]", "built_age: 1d"} {
		if got := digests(t, `{name: a, digest: A, `+more+`}`, start)["a"]; got == plain {
			t.Errorf("%s does not change the digest", more)
		}
	}
}
