package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

func TestTheSampleIsRead(t *testing.T) {
	got, err := Load("testdata/sample.yaml", "policies", "policy", "protect", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File:     "testdata/sample.yaml",
		Scaleway: Scaleway{Regions: []string{"fr-par", "nl-ams", "pl-waw"}},
		Timezone: "Europe/Paris",
		Scope:    Scope{Include: []string{"**"}, Exclude: []string{"funcscw*/**"}},
		Retention: []rules.Retention{
			{
				Name: "pull request builds", By: "updated_at", Count: "digests", Enforce: true,
				Match:  &rules.Match{Images: []string{"**"}, Tags: []string{"pr-*"}},
				Delete: &rules.Delete{OlderThan: strictyaml.MustDuration("14d")},
			},
			{
				Name: "branch builds", By: "updated_at", Count: "digests", Enforce: true,
				Match:  &rules.Match{Tags: []string{"main-*"}},
				Keep:   &rules.Keep{Last: 10, Within: strictyaml.MustDuration("30d"), Daily: 7, Weekly: 4, Monthly: 12, Yearly: 3},
				Delete: &rules.Delete{OlderThan: strictyaml.MustDuration("24h")},
			},
			{
				Name: "releases", By: "updated_at", Count: "digests", Enforce: true,
				Match: &rules.Match{Semver: "*"},
				Keep:  &rules.Keep{All: true},
			},
			{
				Name: "trial", By: "updated_at", Count: "digests",
				Match:  &rules.Match{Tags: []string{"exp-*"}},
				Delete: &rules.Delete{OlderThan: strictyaml.MustDuration("7d")},
			},
		},
		Empty: rules.Empty{
			Images:     &rules.EmptyRule{OlderThan: strictyaml.MustDuration("7d")},
			Namespaces: &rules.EmptyRule{OlderThan: strictyaml.MustDuration("30d")},
		},
		Visibility: []rules.Visibility{{
			Name: "only oss is public", Subject: "image", Require: "private", Fix: true,
			Match:  &rules.Match{Namespaces: []string{"*"}},
			Except: &rules.Match{Namespaces: []string{"oss"}},
		}},
		Naming:      []rules.Naming{{Name: "kebab case", Subject: "image", Pattern: "[a-z0-9]+(-[a-z0-9]+)*", Severity: "deny"}},
		Protect:     Protect{Tags: []string{"latest"}},
		Attachments: Attachments{Orphans: "keep"},
		Content:     Content{Read: "auto", MultiArch: "related"},
		Policies:    []PolicySource{{Path: "policies/", Enforce: true}},
		Policy:      Policy{Timeout: strictyaml.MustDuration("10s")},
		Limits: Limits{
			MinAge: strictyaml.MustDuration("1h"), MaxDeletions: 1000, MaxDeletionPercent: 50, KeepAtLeast: 1, MaxPlanAge: strictyaml.MustDuration("24h"), Canary: 5, MaxFailures: 10,
		},
		SharedDigest: "protect",
		RunTimeout:   strictyaml.MustDuration("6h"),
		Ledger:       Ledger{Keep: LedgerKeep{Runs: strictyaml.MustDuration("90d")}},
		Scan:         Scan{MaxCacheAge: strictyaml.MustDuration("24h")},
		Schedules: []Schedule{
			{Cron: "*/30 * * * *", Do: "plan", Timezone: "Europe/Paris"},
			{Cron: "0 3 * * *", Do: "apply", Jitter: strictyaml.MustDuration("10m"), Timezone: "Europe/Paris"},
		},
		Cost: Cost{PerGBMonth: 0.027, Currency: "EUR"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestAnEmptyFileHasAllTheDefaults(t *testing.T) {
	want := &Config{
		File:        "janitor.yaml",
		Scaleway:    Scaleway{Regions: []string{"fr-par", "nl-ams", "pl-waw"}},
		Timezone:    "UTC",
		Scope:       Scope{Include: []string{"**"}},
		Attachments: Attachments{Orphans: "keep"},
		Content:     Content{Read: "auto", MultiArch: "related"},
		Policy:      Policy{Timeout: strictyaml.MustDuration("10s")},
		Limits: Limits{
			MinAge: strictyaml.MustDuration("1h"), MaxDeletions: 1000, MaxDeletionPercent: 50, KeepAtLeast: 1, MaxPlanAge: strictyaml.MustDuration("24h"), Canary: 5, MaxFailures: 10,
		},
		SharedDigest: "protect",
		RunTimeout:   strictyaml.MustDuration("6h"),
		Ledger:       Ledger{Keep: LedgerKeep{Runs: strictyaml.MustDuration("90d")}},
		Scan:         Scan{MaxCacheAge: strictyaml.MustDuration("24h")},
		Cost:         Cost{PerGBMonth: 0.027, Currency: "EUR"},
	}
	empty := map[string]string{
		"no byte":                  "",
		"a comment":                "# nothing yet\n",
		"a document mark":          "---\n",
		"null":                     "null\n",
		"an empty mapping":         "{}\n",
		"a byte order mark":        "\ufeff# windows\r\n",
		"sections that are empty":  "scaleway: {}\nscope: {}\nempty: {}\nprotect: {}\nattachments: {}\npolicy: {}\nlimits: {}\nledger: {}\ncost: {}\n",
		"lists that are empty":     "retention: []\nvisibility: []\nnaming: []\npolicies: []\nschedules: []\nnotifications: []\n",
		"the defaults written out": "scaleway: {regions: [fr-par, nl-ams, pl-waw], profile: ''}\ntimezone: UTC\nshared_digest: protect\nlimits: {min_age: 60m}\nattachments: {orphans: keep}\ncontent: {read: auto, multi_arch: related}\npolicy: {timeout: 10000ms, verification_key: ''}\ngrace: 0d\nrun_timeout: 360m\ncost: {per_gb_month: 0.0270}\n",
	}
	for name, text := range empty {
		got, err := Parse("janitor.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRulesWithoutANameAreNamedByTheirMatch(t *testing.T) {
	const text = `
retention:
  - {match: {tags: ["pr-*"]}, delete: {older_than: 14d}}
  - {match: {tags: [b, a], images: ["api/**"]}, except: {tags_regex: 'x.*'}, keep: {all: true}}
  - {match: {tags: ["main-*"], younger_than: 1y}, keep: {last: 3}}
  - {match: {tags: ["main-*"], younger_than: 1y}, keep: {within: 14d}, delete: {}}
  - {match: {tags: ["env-*"]}, keep: {last: 3}}
  - {match: {tags: ["env-*"]}, keep: {last: 3}, group_by: 'env-(.).*'}
  - {match: {tags: ["env-*"]}, keep: {daily: 7, semver: {majors: 2, prereleases: true}}}
visibility:
  - {subject: image, match: {namespaces: ["*"]}, require: private}
naming:
  - {subject: image, pattern: '[a-z]+'}
  - {subject: tag, pattern: '[a-z]+'}
  - {subject: tag, pattern: '[a-z]+', match: {images: [api]}}
`
	c, err := Parse("janitor.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range c.Retention {
		got = append(got, r.Name)
	}
	for _, r := range c.Visibility {
		got = append(got, r.Name)
	}
	for _, r := range c.Naming {
		got = append(got, r.Name)
	}
	want := []string{
		"tags pr-*",
		"images api/** tags a, b except tags regex x.*",
		"tags main-* younger than 1y keep last 3",
		"tags main-* younger than 1y keep within 14d delete",
		"tags env-* keep last 3",
		"tags env-* keep last 3 group by env-(.).*",
		"tags env-* keep daily 7 semver majors 2 prereleases true",
		"namespaces *",
		"image [a-z]+",
		"tag [a-z]+",
		"tag [a-z]+ images api",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestAMissingDeleteIsNotAnEmptyDelete(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte(`
retention:
  - {name: a, match: {tags: [a]}, keep: {last: 1}}
  - {name: b, match: {tags: [b]}, keep: {last: 1}, delete: {}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Retention[0].Delete != nil {
		t.Error("a rule without delete deletes")
	}
	if d := c.Retention[1].Delete; d == nil || d.OlderThan.Duration() != 0 {
		t.Errorf("delete: {} is %v", d)
	}
}

func TestSeverityIsDenyUnlessGivenOrFixed(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte(`
visibility:
  - {name: a, subject: image, match: {images: ["**"]}, require: private}
  - {name: b, subject: image, match: {images: ["**"]}, require: private, severity: warn}
  - {name: c, subject: image, match: {images: ["**"]}, require: private, fix: true}
naming:
  - {name: a, subject: image, pattern: a}
  - {name: b, subject: image, pattern: a, severity: warn}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range c.Visibility {
		got = append(got, r.Severity)
	}
	for _, r := range c.Naming {
		got = append(got, r.Severity)
	}
	if diff := cmp.Diff([]string{"deny", "warn", "", "deny", "warn"}, got); diff != "" {
		t.Errorf("severities (-want +got):\n%s", diff)
	}
}

func TestVariablesAreNotExpanded(t *testing.T) {
	t.Setenv("JANITOR_NAME", "expanded")
	c, err := Parse("janitor.yaml", []byte("retention: [{name: \"${JANITOR_NAME}\", match: {tags: [a]}, keep: {all: true}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Retention[0].Name; got != "${JANITOR_NAME}" {
		t.Errorf("the name is %q", got)
	}
}

func TestPoliciesStartAtTheFolderOfTheFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "janitor.yaml")
	if err := os.WriteFile(file, []byte("policies: [policies/, ../shared/a.rego, /etc/own]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, "policies")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "policies"), filepath.Join(filepath.Dir(dir), "shared", "a.rego"), "/etc/own"}
	if diff := cmp.Diff(want, c.PolicyPaths()); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestTheReferencesFileStartsAtTheFolderOfTheFile(t *testing.T) {
	for written, want := range map[string]string{
		"in-use.txt":      filepath.Join("dir", "in-use.txt"),
		"../in-use.txt":   "in-use.txt",
		"/etc/in-use.txt": "/etc/in-use.txt",
		`""`:              "",
	} {
		c, err := Parse(filepath.Join("dir", "janitor.yaml"), []byte("protect: {references_file: "+written+", serverless: true}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Resolve(c.Protect.ReferencesFile); got != want || !c.Protect.Serverless {
			t.Errorf("%s: got %q, want %q; serverless %v", written, got, want, c.Protect.Serverless)
		}
	}
}

func TestADashAsTheReferencesFileIsStandardInput(t *testing.T) {
	c, err := Parse(filepath.Join("dir", "janitor.yaml"), []byte(`protect: {references_file: "-"}`))
	if err != nil || c.Protect.ReferencesFile != StandardInput {
		t.Errorf("got %v: %v", c, err)
	}
}

func TestTheVerificationKeyStartsAtTheFolderOfTheFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "",
		"policy: {verification_key: ''}":         "",
		"policy: {verification_key: a.pem}":      filepath.Join("/etc/janitor", "a.pem"),
		"policy: {verification_key: ../a.pem}":   filepath.Join("/etc", "a.pem"),
		"policy: {verification_key: /own/a.pem}": "/own/a.pem",
	} {
		c, err := Parse("/etc/janitor/janitor.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Resolve(c.Policy.VerificationKey); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "janitor.yaml"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	huge := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(huge, []byte(strings.Repeat("#\n", maxFileSize)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(huge); err == nil || !strings.Contains(err.Error(), "is larger than 4 MiB") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestTheLocationIsTheTimezone(t *testing.T) {
	for zone, want := range map[string]string{"Europe/Paris": "CEST", "UTC": "UTC", "": "UTC", "Mars": "UTC"} {
		c := &Config{Timezone: zone}
		if got, _ := time.Date(2026, 7, 1, 0, 0, 0, 0, c.Location()).Zone(); got != want {
			t.Errorf("timezone %q has the zone %s, want %s", zone, got, want)
		}
	}
}

func TestAnAliasBombIsRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("protect: {tags: &tags [" + strings.TrimSuffix(strings.Repeat("a, ", 1000), ", ") + "]}\n")
	b.WriteString("retention:\n  - &rule {match: {tags: *tags, images: *tags}, keep: {all: true}}\n")
	b.WriteString(strings.Repeat("  - *rule\n", 2000))
	_, err := Parse("janitor.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "aliases more than 100000 values (write fewer aliases of aliases)") {
		t.Fatalf("an alias bomb: %.300v", err)
	}
	if n := strings.Count(err.Error(), "aliases more than"); n != 1 {
		t.Errorf("it is reported %d times", n)
	}
}

func TestAnAliasOfItselfIsRefused(t *testing.T) {
	if _, err := Parse("janitor.yaml", []byte("retention: &a\n  - *a\n")); err == nil {
		t.Error("a list that holds itself is accepted")
	}
}
