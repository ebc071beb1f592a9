package config

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/policy/rules"
)

func TestTheDocumentHasTheKeysOfTheFileAndTheDefaults(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte(`
timezone: Europe/Paris
retention:
  - {match: {tags: ["pr-*"], older_than: 1h30m}, keep: {within: 500ms}, delete: {}}
  - {name: groups, match: {tags: ["*"]}, keep: {daily: 7, semver: {patches: 2}}, group_by: '(.).*'}
empty: {images: {older_than: 7d}}
visibility: [{name: v, subject: image, match: {namespaces: ["*"]}, require: private, fix: true}]
naming: [{name: n, subject: image, pattern: a+}]
schedules: [{cron: "@daily", do: plan}]
notifications: [{name: ops, url_env: OPS_URL, link: "https://janitor.example.com"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"scaleway": map[string]any{"profile": "", "regions": []any{"fr-par", "nl-ams", "pl-waw"}, "project_ids": []any{}, "organization_id": "", "registry_url": ""},
		"timezone": "Europe/Paris",
		"scope":    map[string]any{"include": []any{"**"}, "exclude": []any{}},
		"retention": []any{map[string]any{
			"name":  "tags pr-* older than 1h30m",
			"match": map[string]any{"tags": []any{"pr-*"}, "older_than": "1h30m", "older_than_seconds": int64(5400)},
			"by":    "updated_at",
			"count": "digests",
			"keep": map[string]any{
				"within": "500ms", "within_seconds": 0.5, "all": false,
				"hourly": int64(0), "daily": int64(0), "weekly": int64(0), "monthly": int64(0), "yearly": int64(0),
			},
			"delete":  map[string]any{"older_than": "0s", "older_than_seconds": int64(0)},
			"enforce": true,
		}, map[string]any{
			"name":     "groups",
			"match":    map[string]any{"tags": []any{"*"}},
			"by":       "updated_at",
			"count":    "digests",
			"group_by": "(.).*",
			"keep": map[string]any{
				"all": false, "hourly": int64(0), "daily": int64(7), "weekly": int64(0), "monthly": int64(0), "yearly": int64(0),
				"semver": map[string]any{"patches": int64(2), "prereleases": "follow"},
			},
			"enforce": true,
		}},
		"empty":       map[string]any{"images": map[string]any{"older_than": "7d", "older_than_seconds": int64(604800)}},
		"visibility":  []any{map[string]any{"name": "v", "subject": "image", "match": map[string]any{"namespaces": []any{"*"}}, "require": "private", "fix": true}},
		"naming":      []any{map[string]any{"name": "n", "subject": "image", "pattern": "a+", "severity": "deny"}},
		"protect":     map[string]any{"tags": []any{}, "digests": []any{}, "serverless": false},
		"attachments": map[string]any{"orphans": "keep"},
		"content":     map[string]any{"read": "auto", "multi_arch": "related"},
		"policies":    []any{},
		"limits": map[string]any{
			"min_age": "1h", "min_age_seconds": int64(3600), "max_deletions": int64(1000), "max_deletion_percent": int64(50),
			"keep_at_least": int64(1), "max_plan_age": "24h", "max_plan_age_seconds": int64(86400), "anomaly": "", "canary": int64(5), "max_failures": int64(10),
		},
		"shared_digest": "protect",
		"grace":         "0s", "grace_seconds": int64(0),
		"schedules": []any{map[string]any{"cron": "@daily", "do": "plan", "jitter": "0s", "jitter_seconds": int64(0), "timezone": "Europe/Paris"}},
	}
	if diff := cmp.Diff(want, c.Document()); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
}

func TestTheDocumentIsTheCallersOwn(t *testing.T) {
	c, err := Load("testdata/everything.yaml", "policies", "policy", "protect", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	before := c.Digest()
	c.Document()["scope"].(map[string]any)["include"].([]any)[0] = "changed"
	if c.Digest() != before {
		t.Error("changing a document changes the configuration")
	}
}

func TestTheDocumentOfAZeroConfigHasNoNull(t *testing.T) {
	raw, err := json.Marshal((&Config{Retention: []rules.Retention{{}}}).Document())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "null") {
		t.Errorf("the document holds null: %s", raw)
	}
}

func TestTheDigestCoversWhatARunPlansAndApplies(t *testing.T) {
	digest := func(text string) string {
		t.Helper()
		c, err := Parse("janitor.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c.Digest()
	}
	const text = "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 3}}]\n"
	if d := digest(text); !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(d) {
		t.Fatalf("the digest is %q", d)
	}
	for name, same := range map[string]string{
		"a comment":          "# why\n" + text,
		"block style":        "retention:\n- match:\n    tags:\n    - a\n    - b\n  name: a\n  keep:\n    last: 3\n",
		"the order of globs": "retention: [{name: a, match: {tags: [b, a]}, keep: {last: 3}}]\n",
		"a default":          text + "limits: {keep_at_least: 1}\ntimezone: UTC\n",
		"a notification":     text + "notifications: [{name: ops, url_env: OPS_URL}]\n",
		"a schedule":         text + "schedules: [{cron: '@daily', do: plan}]\n",
		"a profile":          text + "scaleway: {profile: ops}\n",
		"a time limit":       text + "policy: {timeout: 1s, verification_key: a.pem}\n",
		"orphans that stay":  text + "attachments: {orphans: keep}\n",
		"another registry":   text + "scaleway: {registry_url: \"http://127.0.0.1:5000\"}\n",
		"a deadline":         text + "run_timeout: 1h\n",
		"a price":            text + "cost: {per_gb_month: 1, currency: USD}\n",
		"an empty ledger":    text + "ledger: {dsn: ''}\n",
	} {
		if digest(same) != digest(text) {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, other := range map[string]string{
		"another count":     "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 4}}]\n",
		"another glob":      "retention: [{name: a, match: {tags: [a, c]}, keep: {last: 3}}]\n",
		"another name":      "retention: [{name: b, match: {tags: [a, b]}, keep: {last: 3}}]\n",
		"a rule more":       "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 3}}, {name: b, match: {tags: [a]}, keep: {last: 3}}]\n",
		"not enforced":      "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 3}, enforce: false}]\n",
		"a limit":           text + "limits: {keep_at_least: 2}\n",
		"a protected tag":   text + "protect: {tags: [latest]}\n",
		"another time zone": text + "timezone: Europe/Paris\n",
		"other regions":     text + "scaleway: {regions: [fr-par]}\n",
		"shared digests":    text + "shared_digest: untag\n",
		"a calendar keep":   "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 3, daily: 1}}]\n",
		"a version keep":    "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 3, semver: {majors: 1}}}]\n",
		"groups":            "retention: [{name: a, match: {tags: [a, b]}, keep: {last: 3}, group_by: '(.)'}]\n",
		"orphans that go":   text + "attachments: {orphans: delete}\n",
		"what is read":      text + "content: {multi_arch: all}\n",
		"own policies":      text + "policies: [own/]\n",
		"policies on trial": text + "policies: [{path: own/, enforce: false}]\n",
		"another scope":     text + "scope: {exclude: [a/b]}\n",
		"empty images":      text + "empty: {images: {older_than: 7d}}\n",
	} {
		if digest(other) == digest(text) {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestAPolicyCanBeWrittenAsItsPath(t *testing.T) {
	c, err := Parse("/etc/janitor.yaml", []byte("policies: [own/, {path: more.rego}, {path: /trial, enforce: false}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"own/", "more.rego", map[string]any{"path": "/trial", "enforce": false}}
	if diff := cmp.Diff(want, c.Document()["policies"]); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	enforced, trial := c.EnforcedAndTrial()
	if diff := cmp.Diff([][]string{{"/etc/own", "/etc/more.rego"}, {"/trial"}}, [][]string{enforced, trial}); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestTheDigestDependsOnTheOrderOfOverrides(t *testing.T) {
	const dev, all = `{match: {namespaces: [dev]}, min_age: 0s}`, `{match: {namespaces: ["*"]}, min_age: 2h}`
	var digests []string
	for _, list := range []string{dev + ", " + all, all + ", " + dev} {
		c, err := Parse("janitor.yaml", []byte("limits: {overrides: ["+list+"]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, c.Digest())
	}
	if digests[0] == digests[1] {
		t.Error("the first override that matches counts, but their order does not change the digest")
	}
}

func TestTheDigestDoesNotDependOnOrder(t *testing.T) {
	for _, file := range []string{"testdata/sample.yaml", "testdata/everything.yaml"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(file, raw)
		if err != nil {
			t.Fatal(err)
		}
		seed := rand.Int63()
		random := rand.New(rand.NewSource(seed))
		for range 50 {
			var tree any
			if err := yaml.Unmarshal(raw, &tree); err != nil {
				t.Fatal(err)
			}
			text := flow(tree, random)
			shuffled, err := Parse("other.yaml", []byte(text))
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, text)
			}
			if shuffled.Digest() != c.Digest() {
				t.Fatalf("seed %d: another digest for\n%s", seed, text)
			}
		}
	}
}

// flow writes a value as YAML in flow style, its keys and entries in any order.
func flow(value any, random *rand.Rand) string {
	var parts []string
	open, end := "[", "]"
	switch value := value.(type) {
	case map[string]any:
		open, end = "{", "}"
		for k, v := range value {
			if k == "overrides" { // whose order matters
				raw, _ := json.Marshal(v) // which is YAML
				parts = append(parts, k+": "+string(raw))
				continue
			}
			parts = append(parts, k+": "+flow(v, random))
		}
	case []any:
		for _, v := range value {
			parts = append(parts, flow(v, random))
		}
	case string:
		return fmt.Sprintf("%q", value)
	default:
		return strings.Split(fmt.Sprint(value), " ")[0]
	}
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return open + strings.Join(parts, ",\n ") + end
}
