package worlds_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// company uses most of what a world file can contain.
const company = `
settings: {latency: 20ms, shared_digest: untag, clock_skew: -1h}
faults: [{method: GET, path: "/images/*/tags", ref: "prod/**", status: 500}]
namespaces:
- {name: prod, region: nl-ams, images: [{name: api, tags: [{name: 1.4, digest: A, age: -1h}, {name: "pr-12", size: 120MB}]}]}
containers: [{name: api, region: it-mil, image: "rg.nl-ams.scw.cloud/prod/api:1.4"}]
jobs: [{name: nightly}]
`

const day = 24 * time.Hour

func TestAWorldFileIsRead(t *testing.T) {
	got, err := worlds.Parse("world.yaml", []byte(`
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
	want := worlds.World{
		Settings: worlds.Settings{Latency: 20 * time.Millisecond, RateLimit: 100, SharedDigest: "reject", DeleteDelay: time.Second, PageSizeDefault: 20},
		Faults:   []worlds.Fault{{Method: "GET", Path: "/images/*/tags", Page: 2, Status: 500, Times: 1}, {Method: "DELETE", Status: 429, Every: 10}},
		Namespaces: []worlds.Namespace{{Name: "prod", Region: "fr-par", Age: 400 * day, Images: []worlds.Image{{Name: "api", Visibility: "inherit", Tags: []worlds.Tag{
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
		want worlds.Tag
	}{
		{"age: 500ms", worlds.Tag{Age: 500 * time.Millisecond}},
		{"age: 30s", worlds.Tag{Age: 30 * time.Second}},
		{"age: 90m", worlds.Tag{Age: 90 * time.Minute}},
		{"age: 2w", worlds.Tag{Age: 14 * day}},
		{"age: 6mo", worlds.Tag{Age: 180 * day}},
		{"age: 1y", worlds.Tag{Age: 365 * day}},
		{"age: 1y2mo3w4d5h6m7s8ms", worlds.Tag{Age: (365+60+21+4)*day + 5*time.Hour + 6*time.Minute + 7*time.Second + 8*time.Millisecond}},
		{"age: -1h", worlds.Tag{Age: -time.Hour}},
		{"age: -1d12h", worlds.Tag{Age: -36 * time.Hour}},
		{"age: 0", worlds.Tag{}},
		{"age: 0s", worlds.Tag{}},
		{"age: 292y", worlds.Tag{Age: 292 * 365 * day}},
		{"size: 120MB", worlds.Tag{Size: 120_000_000}},
		{"size: 1.5GiB", worlds.Tag{Size: 1610612736}},
		{"size: 1.5kB", worlds.Tag{Size: 1500}},
		{"size: 1048576", worlds.Tag{Size: 1 << 20}},
		{"size: 12 MB", worlds.Tag{Size: 12_000_000}},
		{"digest: 5", worlds.Tag{Digest: "5"}},
		{"digest: on", worlds.Tag{Digest: "on"}},
		{"status: quarantined", worlds.Tag{Status: "quarantined"}},
	}
	for _, test := range tests {
		t.Run(test.yaml, func(t *testing.T) {
			w, err := worlds.Parse("w", []byte("namespaces: [{name: p, images: [{name: i, tags: [{name: 1.4, "+test.yaml+"}]}]}]"))
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
	w, err := worlds.Parse("w", []byte("namespaces:\n- {name: a, images: &i [{name: api}]}\n- {name: b, images: *i}\n"))
	if err != nil || len(w.Namespaces[1].Images) != 1 {
		t.Errorf("%v: %+v", err, w)
	}
	if _, err := worlds.Parse("w", []byte("namespaces: &a [*a]")); err == nil {
		t.Error("an anchor within itself must be an error")
	}
}

func TestAllProblemsOfAWorldAreReportedAtOnce(t *testing.T) {
	_, err := worlds.Parse("world.yaml", []byte(`settings:
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
world.yaml:2:12: settings.latency: must be a duration, not the number 20 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)
world.yaml:3:3: settings.latncy: is an unknown key (did you mean "latency"? allowed here: latency, rate_limit, shared_digest, delete_delay, delete_again, empty_images, page_size_default, oversize_page, inline_tags, compact_json, clock_skew, blobs, secret_key, organization_id, project_id)
world.yaml:4:15: settings.rate_limit: must be a whole number, not the string "many" (write plain digits, without quotes)
world.yaml:5:18: settings.shared_digest: must be one of reject, untag, cascade, not "rejct" (did you mean "reject"?)
world.yaml:6:17: settings.delete_delay: must be a duration: "-1s" is negative (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)
world.yaml:7:22: settings.page_size_default: must be from 0 to 100, not 101 (write a number in that range, or remove the key)
world.yaml:8:17: settings.compact_json: must be true or false, not the string "yes" (write true or false, without quotes)
world.yaml:10:14: faults[0].method: is not a method: "get" (write it in capitals: GET, POST, PATCH or DELETE)
world.yaml:10:25: faults[0].path: is not a valid glob: "/images/[" (close every [, and write * for one segment, ** for any)
world.yaml:11:14: faults[1].status: must be an error status, not 200 (write a number from 400 to 599)
world.yaml:12:5: faults[2].location: is missing (a redirect needs one, such as https://registry.example)
world.yaml:13:5: faults[3]: has no effect (give a status or a kind)
world.yaml:14:51: faults[4].retry_after: is a key of the kind status only (remove it, or change the kind)
world.yaml:14:51: faults[4].retry_after: must be a whole number of seconds (round it: the header has seconds only)
world.yaml:14:65: faults[4].rows: must be at least 0, not -1 (write 0 or more, or remove the key)
world.yaml:14:30: faults[4].when: must not be before: the kind short_page changes what the API answered (remove the key)
world.yaml:15:12: faults[5].kind: must be one of status, empty_body, html, redirect, hang, reset, truncated_json, cut_body, short_page, changed_total, duplicate_row, stale, hide, slow_delete, swap_ids, delay, not "hangs" (did you mean "hang"?)
world.yaml:18:13: namespaces[0].region: must be one of fr-par, nl-ams, pl-waw, not "fr-pra" (did you mean "fr-par"?)
world.yaml:19:10: namespaces[0].age: must be a duration: "400 days" has the unknown unit " days" (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)
world.yaml:21:58: namespaces[0].images[0].tags[0].age: has no value (give it a value, or remove it)
world.yaml:21:73: namespaces[0].images[0].tags[1].name: is a duplicate: "a" (remove one of the two; see namespaces[0].images[0].tags[0])
world.yaml:21:82: namespaces[0].images[0].tags[1].size: is not a size: "12XB" (write a number of bytes, or a number with a unit, such as 120MB or 1.5GiB)
world.yaml:21:96: namespaces[0].images[0].tags[2].name: is not a valid name: "a b" (write letters, digits, dots, dashes and underscores)
world.yaml:21:111: namespaces[0].images[0].tags[3].name: has {n}, but no count: "x-{n}" (say how many with count)
world.yaml:21:128: namespaces[0].images[0].tags[4].name: would give 2 objects the same name: "y" (put {n} into the name where its number goes)
world.yaml:21:33: namespaces[0].images[0].visibility: must be one of inherit, public, private, visibility_unknown, not "hidden" (write one of them)
world.yaml:22:16: namespaces[0].images[1].name: is a duplicate: "api" (remove one of the two; see namespaces[0].images[0])
world.yaml:22:36: namespaces[0].images[1].nmae: is an unknown key (did you mean "name"? allowed here: name, visibility, status, size, age, created_age, count, step, tags)
world.yaml:22:29: namespaces[0].images[1].status: must be one of unknown, ready, deleting, error, locked, not "raedy" (did you mean "ready"?)
world.yaml:23:9: namespaces[0].images[2].name: is missing (every namespace, image, tag, container, job and cluster needs one)
world.yaml:23:9: namespaces[0].images[2].tags: must be a list, not a mapping (begin each entry with a dash)
world.yaml:24:34: namespaces[0].images[3].count: must be from 0 to 10000000, not -1 (write a number in that range, or remove the key)
world.yaml:25:46: namespaces[1].project_id: must be a UUID, not "me" (such as 11111111-2222-4333-8444-555555555555)
world.yaml:26:12: namespaces[2].name: is a duplicate: "prod" (remove one of the two; see namespaces[1])
world.yaml:27:17: namespaces[3].name: is a duplicate key, first given on line 27 (remove one of the two)
world.yaml:28:5: namespaces[4]: must be a mapping, not the string "text" (its keys: name, region, description, is_public, status, project_id, organization_id, size, age, created_age, count, images)`)
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBadWorldFiles(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{"", `w:1:1: is empty (write namespaces: [] for an empty registry)`},
		{"namespaces: []\n---\nnamespaces: []", `w:2:1: begins a second YAML document (put everything into one document, without ---)`},
		{"namespaces: [\n{name: a", `w:2:1: is not valid YAML: did not find expected ',' or '}' (close the bracket that opens here)`},
		{"faults: []\nnamespaces: []\nsettings: a: b", `w:3:11: is not valid YAML: mapping values are not allowed in this context (quote a value that has a colon and a space in it)`},
		{"[]", `w:1:1: must be a mapping, not a list (its keys: settings, faults, namespaces, containers, jobs, clusters)`},
		{"settings: {latency: 1h1h}", `w:1:21: settings.latency: must be a duration: "1h1h" has its units out of order: largest first, each once (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`},
		{"settings: {latency: 1m1h}", `w:1:21: settings.latency: must be a duration: "1m1h" has its units out of order: largest first, each once (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`},
		{"settings: {latency: 1.5h}", `w:1:21: settings.latency: must be a duration: "1.5h" has a fraction (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`},
		{"settings: {latency: 300y}", `w:1:21: settings.latency: must be a duration: "300y" is longer than 292 years (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`},
		{"settings: {latency: 99999999999999999999s}", `w:1:21: settings.latency: must be a duration: "99999999999999999999s" is longer than 292 years (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`},
		{"namespaces: [{name: p, images: [{name: a, size: 1.5B}]}]", `w:1:49: namespaces[0].images[0].size: is not a whole number of bytes: "1.5B" (write a number of bytes, or a number with a unit, such as 120MB or 1.5GiB)`},
		{"namespaces: [{name: p, images: [{name: a, size: -1}]}]", `w:1:49: namespaces[0].images[0].size: is not a size: "-1" (write a number of bytes, or a number with a unit, such as 120MB or 1.5GiB)`},
		{"namespaces: [{name: p, images: [{name: a, size: 99999999TiB}]}]", `w:1:49: namespaces[0].images[0].size: is too large: "99999999TiB" (write a number of bytes, or a number with a unit, such as 120MB or 1.5GiB)`},
		{`namespaces: [{name: p, images: [{name: "a-{n}", count: 300, step: 1y}]}]`, `w:1:67: namespaces[0].images[0].step: is too long for 300 steps (keep the sum within 290 years)`},
		{`namespaces: [{name: p, images: [{name: i, tags: [{name: "a-{n}", count: 3}, {name: a-3}]}]}]`, `w:1:84: namespaces[0].images[0].tags[1].name: is a duplicate: "a-3" (remove one of the two; see namespaces[0].images[0].tags[0])`},
		{`faults: [{path: /registry/v1/regions/fr-pra/images, status: 500}]`, `w:1:17: faults[0].path: is not a known region: "fr-pra" (did you mean "fr-par"?)`},
		{`faults: [{stale: 30s, status: 500}]`, `w:1:31: faults[0].status: is not a key of the kind stale (remove the status or the kind)`},
		{`faults: [{stale: 30s, hide: "x"}]`, `w:1:29: faults[0].hide: is a key of the kind hide only (remove it, or change the kind)`},
		{`faults: [{method: DELETE, stale: 30s}]`, `w:1:19: faults[0].method: must be GET: the kind stale applies to no other method (write GET, or remove the key)`},
		{`faults: [{method: GET, slow_delete: 45s}]`, `w:1:19: faults[0].method: must be DELETE: the kind slow_delete applies to no other method (write DELETE, or remove the key)`},
		{`faults: [{slow_delete: 45s, status: 302}]`, `w:1:37: faults[0].status: must be an error status, not 302 (write a number from 400 to 599)`},
		{`faults: [{slow_delete: 45s, body: text}]`, `w:1:35: faults[0].body: is a key of the kind status only (remove it, or change the kind)`},
		{`faults: [{hide: "["}]`, `w:1:17: faults[0].hide: is not a valid glob: "[" (close every [, and write * for one segment, ** for any)`},
		{`faults: [{kind: stale}]`, `w:1:10: faults[0].stale: is missing (say how long ago the answer was true, such as 30s)`},
		{`faults: [{kind: hide}]`, `w:1:10: faults[0].hide: is missing (give a glob, such as pr-*)`},
		{`faults: [{swap_ids: false}]`, `w:1:10: faults[0]: has no effect (give a status or a kind)`},
		{`faults: [{swap_ids: true, when: before}]`, `w:1:33: faults[0].when: must not be before: the kind swap_ids changes what the API answered (remove the key)`},
		{`namespaces: [{name: p, images: [{name: /a}]}]`, `w:1:40: namespaces[0].images[0].name: is not a valid name: "/a" (write letters, digits, dots, dashes and underscores)`},
	}
	for _, test := range tests {
		t.Run(test.yaml, func(t *testing.T) {
			_, err := worlds.Parse("w", []byte(test.yaml))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestBadServerlessWorlds(t *testing.T) {
	for text, want := range map[string]string{
		"containers: [{image: a}]":                    "w:1:14: containers[0].name: is missing",
		"containers: [{name: a, region: us-east}]":    `w:1:32: containers[0].region: must be one of fr-par, nl-ams, pl-waw, it-mil, not "us-east"`,
		"containers: [{name: a}, {name: a}]":          `w:1:32: containers[1].name: is a duplicate: "a"`,
		"containers: [{name: a, registry_image: b}]":  "w:1:24: containers[0].registry_image: is an unknown key",
		"containers: [{name: a, namespace: \"b c\"}]": "w:1:35: containers[0].namespace:",
		"jobs: [{name: a, region: it-mil}]":           `w:1:26: jobs[0].region: must be one of fr-par, nl-ams, pl-waw, not "it-mil"`,
		"jobs: [{name: a}, {name: b}, {name: a}]":     `w:1:37: jobs[2].name: is a duplicate: "a"`,
		"jobs: [{name: a, count: 2}]":                 "w:1:15: jobs[0].name:",
	} {
		_, err := worlds.Parse("w", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if _, err := worlds.Parse("w", []byte("containers: [{name: a}, {name: a, namespace: b}, {name: a, region: it-mil}]")); err != nil {
		t.Error(err)
	}
}

func TestAWorldMadeInGoIsChecked(t *testing.T) {
	_, err := emulator.New(emulator.Options{World: worlds.World{
		Settings:   worlds.Settings{Latency: -1},
		Namespaces: []worlds.Namespace{{Name: "a"}, {Name: "a"}},
	}})
	want := `world: namespaces[1].name: is a duplicate: "a" (remove one of the two; see namespaces[0])
settings.latency: must not be negative: -1ns (give it a length, or remove the key)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func FuzzParseWorld(f *testing.F) {
	f.Add([]byte(company))
	f.Add([]byte(`{settings: {latency: -1h}, faults: [{status: 429, every: 10, path: "/**"}]}`))
	f.Add([]byte("namespaces: &a [*a]"))
	f.Add([]byte("a: [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "count") {
			return // what takes long is not what is wrong
		}
		w, err := worlds.Parse("w", data)
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
