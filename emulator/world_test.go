package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
)

const day = 24 * time.Hour

func TestAWorldFileIsTakenAsWritten(t *testing.T) {
	got, err := emulator.ParseWorld("world.yaml", []byte(`
settings: {latency: 20ms, rate_limit: 100, shared_digest: reject, delete_delay: 1s, page_size_default: 20, compact_json: false}   # shared_digest: reject | untag | cascade
faults: [{method: GET, path: "/images/*/tags", page: 2, status: 500, times: 1}, {method: DELETE, status: 429, every: 10}]
namespaces:
  - {name: prod, region: fr-par, is_public: false, age: 400d, images: [
      {name: api, visibility: inherit, tags: [
        {name: latest, digest: A, age: 2h, created_age: 400d}, {name: v1.4.0, digest: A, age: 2h}, {name: pr-12, age: 40d, status: ready, size: 120MB}]}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := emulator.World{
		Settings: emulator.Settings{Latency: 20 * time.Millisecond, RateLimit: 100, SharedDigest: "reject", DeleteDelay: time.Second, PageSizeDefault: 20},
		Faults:   []emulator.Fault{{Method: "GET", Path: "/images/*/tags", Page: 2, Status: 500, Times: 1}, {Method: "DELETE", Status: 429, Every: 10}},
		Namespaces: []emulator.Namespace{{Name: "prod", Region: "fr-par", Age: 400 * day, Images: []emulator.Image{{Name: "api", Visibility: "inherit", Tags: []emulator.Tag{
			{Name: "latest", Digest: "A", Age: 2 * time.Hour, CreatedAge: 400 * day}, {Name: "v1.4.0", Digest: "A", Age: 2 * time.Hour},
			{Name: "pr-12", Age: 40 * day, Status: "ready", Size: 120_000_000}}}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := emulator.New(emulator.Options{World: got}); err != nil {
		t.Error(err)
	}
}

func TestValuesOfAWorldFile(t *testing.T) {
	tests := []struct {
		yaml string
		want emulator.Tag
	}{
		{"age: 500ms", emulator.Tag{Age: 500 * time.Millisecond}},
		{"age: 30s", emulator.Tag{Age: 30 * time.Second}},
		{"age: 90m", emulator.Tag{Age: 90 * time.Minute}},
		{"age: 2w", emulator.Tag{Age: 14 * day}},
		{"age: 6mo", emulator.Tag{Age: 180 * day}},
		{"age: 1y", emulator.Tag{Age: 365 * day}},
		{"age: 1y2mo3w4d5h6m7s8ms", emulator.Tag{Age: (365+60+21+4)*day + 5*time.Hour + 6*time.Minute + 7*time.Second + 8*time.Millisecond}},
		{"age: -1h", emulator.Tag{Age: -time.Hour}},
		{"age: -1d12h", emulator.Tag{Age: -36 * time.Hour}},
		{"age: 0", emulator.Tag{}},
		{"age: 0s", emulator.Tag{}},
		{"age: 292y", emulator.Tag{Age: 292 * 365 * day}},
		{"size: 120MB", emulator.Tag{Size: 120_000_000}},
		{"size: 1.5GiB", emulator.Tag{Size: 1610612736}},
		{"size: 1.5kB", emulator.Tag{Size: 1500}},
		{"size: 1048576", emulator.Tag{Size: 1 << 20}},
		{"size: 12 MB", emulator.Tag{Size: 12_000_000}},
		{"digest: 5", emulator.Tag{Digest: "5"}},
		{"digest: on", emulator.Tag{Digest: "on"}},
		{"status: quarantined", emulator.Tag{Status: "quarantined"}},
	}
	for _, test := range tests {
		t.Run(test.yaml, func(t *testing.T) {
			w, err := emulator.ParseWorld("w", []byte("namespaces: [{name: p, images: [{name: i, tags: [{name: 1.4, "+test.yaml+"}]}]}]"))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Name = "1.4"
			if diff := cmp.Diff(test.want, w.Namespaces[0].Images[0].Tags[0]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAnchorsWork(t *testing.T) {
	w, err := emulator.ParseWorld("w", []byte("namespaces:\n- {name: a, images: &i [{name: api}]}\n- {name: b, images: *i}\n"))
	if err != nil || len(w.Namespaces[1].Images) != 1 {
		t.Errorf("%v: %+v", err, w)
	}
	if _, err := emulator.ParseWorld("w", []byte("namespaces: &a [*a]")); err == nil {
		t.Error("an anchor within itself must be an error")
	}
}

func TestAllProblemsOfAWorldAreReportedAtOnce(t *testing.T) {
	_, err := emulator.ParseWorld("world.yaml", []byte(`settings:
  latency: 20
  latncy: 1s
  rate_limit: many
  shared_digest: rejct
  delete_delay: -1s
  page_size_default: 101
  compact_json: "yes"
faults:
  - {method: get, path: "/images/[", status: 500}
  - {status: 200}
  - {kind: redirect}
  - {method: GET}
  - {kind: short_page, when: before, retry_after: 1500ms, rows: -1}
  - {kind: hangs}
namespaces:
  - name: prod
    region: fr-pra
    age: 400 days
    images:
      - {name: api, visibility: hidden, tags: [{name: a, age: }, {name: a, size: 12XB}, {name: "a b"}, {name: "x-{n}"}, {name: y, count: 2}]}
      - {name: api, status: raedy, nmae: x}
      - tags: {name: a}
      - {name: "svc-{n}", count: -1}
  - {name: prod, region: nl-ams, project_id: me}
  - {name: prod, region: nl-ams}
  - {name: a/b, name: c}
  - text
`))
	want := strings.TrimSpace(`
world.yaml:2: settings.latency: "20" has no unit (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)
world.yaml:3: settings.latncy: unknown key (did you mean latency?)
world.yaml:4: settings.rate_limit: "many" is no whole number (a whole number)
world.yaml:5: settings.shared_digest: "rejct" is unknown (did you mean reject?)
world.yaml:6: settings.delete_delay: is negative (zero or more)
world.yaml:7: settings.page_size_default: 101 is out of range (1 to 100)
world.yaml:8: settings.compact_json: "yes" is no truth value (true or false)
world.yaml:10: faults[0].method: "get" is no method (in capitals: GET, POST, PATCH or DELETE)
world.yaml:10: faults[0].path: "/images/[" is no glob (* for one segment, ** for any)
world.yaml:11: faults[1].status: 200 is no error status (400 to 599)
world.yaml:12: faults[2].location: is missing (a redirect needs one, such as https://registry.example)
world.yaml:13: faults[3]: nothing goes wrong (give a status or a kind)
world.yaml:14: faults[4].rows: is negative (zero or more)
world.yaml:14: faults[4].retry_after: goes only with kind status (remove it or change the kind)
world.yaml:14: faults[4].when: kind short_page comes after the API has acted (remove it)
world.yaml:14: faults[4].retry_after: is no whole number of seconds (the header holds seconds)
world.yaml:15: faults[5].kind: "hangs" is unknown (did you mean hang?)
world.yaml:18: namespaces[0].region: "fr-pra" is unknown (did you mean fr-par?)
world.yaml:19: namespaces[0].age: "400 days" has no unit (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)
world.yaml:21: namespaces[0].images[0].tags[0].age: is empty (want such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)
world.yaml:21: namespaces[0].images[0].tags[1].size: "12XB" is no size (such as 120MB, 1.5GiB or 1048576)
world.yaml:21: namespaces[0].images[0].visibility: "hidden" is unknown (one of inherit, public, private, visibility_unknown)
world.yaml:21: namespaces[0].images[0].tags[1].name: "a" is there already (see namespaces[0].images[0].tags[0])
world.yaml:21: namespaces[0].images[0].tags[2].name: "a b" is no valid name (letters, digits, dots, dashes and underscores)
world.yaml:21: namespaces[0].images[0].tags[3].name: "x-{n}" has {n} but no count (say how many with count)
world.yaml:21: namespaces[0].images[0].tags[4].name: "y" would be made more than once (put {n} into the name where its number goes)
world.yaml:22: namespaces[0].images[1].nmae: unknown key (did you mean name?)
world.yaml:22: namespaces[0].images[1].status: "raedy" is unknown (did you mean ready?)
world.yaml:22: namespaces[0].images[1].name: "api" is there already (see namespaces[0].images[0])
world.yaml:23: namespaces[0].images[2].tags: is a mapping (want a list)
world.yaml:23: namespaces[0].images[2].name: is missing (every namespace, image and tag needs one)
world.yaml:24: namespaces[0].images[3].count: -1 is out of range (0 to 10000000)
world.yaml:25: namespaces[1].project_id: "me" is no UUID (such as 11111111-2222-4333-8444-555555555555)
world.yaml:26: namespaces[2].name: "prod" is there already (see namespaces[1])
world.yaml:27: namespaces[3].name: is given twice (remove one of them)
world.yaml:28: namespaces[4]: is the value "text" (want a mapping of name, region, description, is_public, status, project_id, organization_id, age, created_age, count, images)`)
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBadWorldFiles(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{"", "w:1: yaml: the file is empty (write namespaces: [] for an empty registry)"},
		{"namespaces: []\n---\nnamespaces: []", "w:1: yaml: there is more than one document (remove the --- lines)"},
		{"namespaces: [\n{name: a", "w:2: yaml: did not find expected ',' or '}' (check the indentation and the quotes)"},
		{"faults: []\nnamespaces: []\nsettings: a: b", "w:3: yaml: mapping values are not allowed in this context (check the indentation and the quotes)"},
		{"[]", "w:1: is a list (want a mapping of settings, faults, namespaces, containers, jobs)"},
		{"settings: {latency: 1h1h}", `w:1: settings.latency: "1h1h" is no duration (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)`},
		{"settings: {latency: 1m1h}", `w:1: settings.latency: "1m1h" is no duration (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)`},
		{"settings: {latency: 1.5h}", `w:1: settings.latency: "1.5h" has no unit (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)`},
		{"settings: {latency: 300y}", `w:1: settings.latency: "300y" is too long a duration (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)`},
		{"settings: {latency: 99999999999999999999s}", `w:1: settings.latency: "99999999999999999999s" is too long a duration (such as 500ms, 30s, 90m, 12h, 14d, 2w, 6mo, 1y or 1d12h)`},
		{"namespaces: [{name: p, images: [{name: a, size: 1.5B}]}]", `w:1: namespaces[0].images[0].size: "1.5B" is no whole number of bytes (such as 120MB, 1.5GiB or 1048576)`},
		{"namespaces: [{name: p, images: [{name: a, size: -1}]}]", `w:1: namespaces[0].images[0].size: "-1" is no size (such as 120MB, 1.5GiB or 1048576)`},
		{"namespaces: [{name: p, images: [{name: a, size: 99999999TiB}]}]", `w:1: namespaces[0].images[0].size: "99999999TiB" is too large a size (such as 120MB, 1.5GiB or 1048576)`},
		{`namespaces: [{name: p, images: [{name: "a-{n}", count: 300, step: 1y}]}]`, `w:1: namespaces[0].images[0].step: 300 steps are too long a duration (290 years at most)`},
		{`namespaces: [{name: p, images: [{name: i, tags: [{name: "a-{n}", count: 3}, {name: a-3}]}]}]`, `w:1: namespaces[0].images[0].tags[1].name: "a-3" is there already (see namespaces[0].images[0].tags[0])`},
		{`faults: [{path: /registry/v1/regions/fr-pra/images, status: 500}]`, `w:1: faults[0].path: "fr-pra" is unknown (did you mean fr-par?)`},
		{`namespaces: [{name: p, images: [{name: /a}]}]`, `w:1: namespaces[0].images[0].name: "/a" is no valid name (letters, digits, dots, dashes and underscores)`},
	}
	for _, test := range tests {
		t.Run(test.yaml, func(t *testing.T) {
			_, err := emulator.ParseWorld("w", []byte(test.yaml))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestNewChecksAWorldMadeInGo(t *testing.T) {
	_, err := emulator.New(emulator.Options{World: emulator.World{
		Settings:   emulator.Settings{Latency: -1},
		Namespaces: []emulator.Namespace{{Name: "a"}, {Name: "a"}},
	}})
	want := "world: settings.latency: is negative (zero or more)\nnamespaces[1].name: \"a\" is there already (see namespaces[0])"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestACountMakesManyOfOneEntry(t *testing.T) {
	b := serve(t, `
namespaces:
  - {name: "prod", images: [{name: "svc-{n}", count: 3, age: 1d, step: 1h, tags: [
      {name: "pr-{n}", count: 2, age: 1d, step: 2h, digest: "build-{n}"}, {name: same-1, digest: build-1}]}]}
  - {name: "team-{n}", count: 2}`)
	if got := names(must(b.api.ListNamespaces(listAll)).Namespaces); got != "prod team-1 team-2" && got != "prod team-2 team-1" {
		t.Errorf("namespaces: %s", got)
	}
	if n := b.namespace("prod").ImageCount; n != 3 {
		t.Errorf("%d images, want 3", n)
	}
	at := func(age time.Duration) time.Time { return start.Truncate(time.Microsecond).Add(-age) }
	if got := b.image("prod", "svc-3").UpdatedAt; !got.Equal(at(26 * time.Hour)) {
		t.Errorf("svc-3 was updated at %v", got)
	}
	tags := b.tags("svc-2")
	if len(tags) != 3 || !tags["pr-2"].UpdatedAt.Equal(at(26*time.Hour)) || !tags["pr-1"].UpdatedAt.Equal(at(24*time.Hour)) {
		t.Errorf("tags: %+v", tags)
	}
	if tags["pr-1"].Digest != tags["same-1"].Digest || tags["pr-2"].Digest == tags["pr-1"].Digest {
		t.Errorf("{n} in the digest is the number too: %+v", tags)
	}
}

func TestTimesThatAreNotGiven(t *testing.T) {
	b := serve(t, `
namespaces:
  - {name: prod, images: [
      {name: api, tags: [{name: old, age: 3d}, {name: new, age: 1h}]},
      {name: empty},
      {name: ahead, tags: [{name: a, age: -1h}]}]}`)
	begin := start.Truncate(time.Microsecond)
	tags, image, ns := b.tags("api"), b.image("prod", "api"), b.namespace("prod")
	for name, tag := range tags {
		if gap := tag.UpdatedAt.Sub(*tag.CreatedAt); gap < 300*time.Millisecond || gap > 900*time.Millisecond {
			t.Errorf("%s was updated %v after it was created, want 0.3 to 0.9 s", name, gap)
		}
	}
	if !image.UpdatedAt.Equal(*tags["new"].UpdatedAt) || !image.CreatedAt.Equal(*tags["old"].CreatedAt) {
		t.Errorf("an image lives from its oldest tag to its newest: %+v", image)
	}
	if !b.image("prod", "empty").UpdatedAt.Equal(begin) {
		t.Error("an image without tags is from just now")
	}
	if !b.tags("ahead")["a"].UpdatedAt.Equal(begin.Add(time.Hour)) {
		t.Error("a negative age is in the future")
	}
	if !ns.CreatedAt.Equal(*image.CreatedAt) || !ns.UpdatedAt.Equal(begin.Add(time.Hour)) {
		t.Errorf("a namespace lives from its oldest image to its newest: %+v", ns)
	}
}

func TestSizes(t *testing.T) {
	b := serve(t, `
namespaces:
  - {name: prod, images: [
      {name: api, tags: [{name: a, digest: A, size: 5MB}, {name: b, digest: A}, {name: c, size: 2MB}, {name: d, status: deleting, size: 1MB}]},
      {name: made-up, tags: [{name: a}]},
      {name: leftover, size: 9MB},
      {name: layers, size: 3MB, tags: [{name: a, size: 2MB}, {name: b, size: 2MB}]}]}`)
	if got := b.image("prod", "api").Size; got != 7_000_000 {
		t.Errorf("a digest counts once, and deleting tags do not count: %d", got)
	}
	if got := b.image("prod", "made-up").Size; got < 10_000_000 || got > 200_000_000 {
		t.Errorf("a made-up size: %d", got)
	}
	if got := b.image("prod", "leftover").Size; got != 9_000_000 {
		t.Errorf("a declared size without tags: %d", got)
	}
	if got := b.namespace("prod").Size; got != 7_000_000+b.image("prod", "made-up").Size+9_000_000+3_000_000 {
		t.Errorf("the namespace: %d", got)
	}
	if err := b.deleteTag("layers", "a"); err != nil {
		t.Fatal(err)
	}
	if got := b.image("prod", "layers").Size; got != 1_000_000 {
		t.Errorf("an image of shared layers shrinks by its tag: %d", got)
	}
}

func FuzzParseWorld(f *testing.F) {
	f.Add([]byte(company))
	f.Add([]byte(orders))
	f.Add([]byte(`{settings: {latency: -1h}, faults: [{status: 429, every: 10, path: "/**"}]}`))
	f.Add([]byte("namespaces: &a [*a]"))
	f.Add([]byte("a: [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "count") {
			return // what takes long is not what is wrong
		}
		w, err := emulator.ParseWorld("w", data)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if strings.HasPrefix(line, "w:0") {
					t.Errorf("no line: %s", line)
				}
			}
			return
		}
		if _, err := emulator.New(emulator.Options{World: w}); err != nil {
			t.Errorf("ParseWorld accepts what New refuses: %v", err)
		}
	})
}
