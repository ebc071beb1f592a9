package policy

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/registry"
)

// tagAt is "name time digest status" with a time as 2026-10-25T02:30+02:00, and
// the rest optional; the digest may be "unknown". An attachment is written sig(a): it belongs to digest a.
func tagAt(t *testing.T, line string) registry.Tag {
	t.Helper()
	words := append(strings.Fields(line), "", "", "")
	at, err := time.Parse("2006-01-02T15:04Z07:00", words[1])
	if err != nil {
		t.Fatal(err)
	}
	name, digest, status := words[0], words[2], registry.StatusReady
	if letter, ok := strings.CutPrefix(name, "sig("); ok {
		name = "sha256-" + strings.Repeat(letter[:1], 64) + ".sig"
	}
	switch {
	case digest == "" || digest == "-":
		digest = name
	case len(digest) == 1:
		digest = strings.Repeat(digest, 64)
	}
	if words[3] != "" {
		status = registry.Status(words[3])
	}
	if digest = "sha256:" + digest; words[2] == "unknown" {
		digest = ""
	}
	return registry.Tag{ID: "id-" + name, Name: name, Digest: digest, Status: status, CreatedAt: at.UTC(), UpdatedAt: at.UTC()}
}

func TestWhatARuleKeepsAndWhy(t *testing.T) {
	for _, row := range []struct {
		name, rule string
		tags, want []string
	}{
		{
			"daily keeps the newest tag of each of the latest days that hold one",
			`match: {tags: ["*"]}, keep: {daily: 2}`,
			[]string{"a 2026-11-21T10:00Z", "b 2026-11-21T09:00Z", "c 2026-11-19T23:00Z", "d 2026-11-18T12:00Z"},
			[]string{"a: daily 2026-11-21", "c: daily 2026-11-20"}, // c is after midnight in Paris
		},
		{
			"periods without a tag do not count, however long ago the others are",
			`match: {tags: ["*"]}, keep: {yearly: 3}`,
			[]string{"a 2026-01-01T12:00Z", "b 2019-06-01T12:00Z", "c 2019-05-01T12:00Z", "d 2003-01-01T12:00Z", "e 2001-01-01T12:00Z"},
			[]string{"a: yearly 2026", "b: yearly 2019", "d: yearly 2003"},
		},
		{
			"the oldest tag gets no extra keep",
			`match: {tags: ["*"]}, keep: {monthly: 12}`,
			[]string{"a 2026-11-21T10:00Z", "b 2026-11-01T10:00Z"},
			[]string{"a: monthly 2026-11"},
		},
		{
			"a tag may be kept by several, and names them all",
			`match: {tags: ["*"]}, keep: {last: 1, within: 2d, within_seconds: 172800, hourly: 1, daily: 1, weekly: 1, monthly: 1, yearly: 1}`,
			[]string{"a 2026-11-21T13:59Z", "b 2025-11-21T13:00Z"},
			[]string{
				"a: daily 2026-11-21", "a: hourly 2026-11-21T14", "a: monthly 2026-11", "a: the newest digest", "a: weekly 2026-W47", "a: yearly 2026", "a: younger than 2d",
			},
		},
		{
			"the hour that comes twice is one bucket, and its second half is newer",
			`match: {tags: ["*"]}, keep: {hourly: 3}`,
			[]string{"first 2026-10-25T02:50+02:00", "second 2026-10-25T02:10+01:00", "before 2026-10-25T01:50+02:00", "after 2026-10-25T03:00+01:00"},
			[]string{"after: hourly 2026-10-25T03", "before: hourly 2026-10-25T01", "second: hourly 2026-10-25T02"},
		},
		{
			"the hour that is skipped is not a bucket",
			`match: {tags: ["*"]}, keep: {hourly: 2}`,
			[]string{"a 2026-03-29T01:59+01:00", "b 2026-03-29T03:00+02:00"},
			[]string{"a: hourly 2026-03-29T01", "b: hourly 2026-03-29T03"},
		},
		{
			"the day with 25 hours ends at midnight in summer time and in winter time",
			`match: {tags: ["*"]}, keep: {daily: 9}`,
			[]string{"first 2026-10-25T00:00+02:00", "last 2026-10-25T23:59+01:00", "eve 2026-10-24T23:59+02:00", "next 2026-10-26T00:00+01:00"},
			[]string{"eve: daily 2026-10-24", "last: daily 2026-10-25", "next: daily 2026-10-26"},
		},
		{
			"the first days of a year may be in the last ISO week of the year before",
			`match: {tags: ["*"]}, keep: {weekly: 9}`,
			[]string{"a 2027-01-03T12:00Z", "b 2026-12-28T12:00Z", "c 2026-12-27T12:00Z", "d 2027-01-04T12:00Z", "e 2024-12-30T12:00Z"},
			[]string{"a: weekly 2026-W53", "c: weekly 2026-W52", "d: weekly 2027-W01", "e: weekly 2025-W01"},
		},
		{
			"equal timestamps are ordered by name",
			`match: {tags: ["*"]}, keep: {last: 1, daily: 1}`,
			[]string{"b 2026-11-21T10:00Z", "a 2026-11-21T10:00Z", "c 2026-11-21T10:00Z"},
			[]string{"a: daily 2026-11-21", "a: the newest digest"},
		},
		{
			"last keeps digests with all their matched tags",
			`match: {tags: ["m-*"]}, keep: {last: 2}`,
			[]string{"m-1 2026-11-01T10:00Z a", "m-2 2026-11-02T10:00Z b", "m-3 2026-11-03T10:00Z c", "m-0 2026-10-01T10:00Z c", "x 2026-10-01T10:00Z c"},
			[]string{"m-0: one of the 2 newest digests", "m-2: one of the 2 newest digests", "m-3: one of the 2 newest digests"},
		},
		{
			"last counts tags where the rule says so",
			`match: {tags: ["*"]}, count: tags, keep: {last: 2}`,
			[]string{"1 2026-11-01T10:00Z c", "2 2026-11-02T10:00Z c", "3 2026-11-03T10:00Z c"},
			[]string{"2: one of the 2 newest tags", "3: one of the 2 newest tags"},
		},
		{
			"tags that are not ready and attachments are not counted",
			`match: {tags: ["*"]}, keep: {last: 1, daily: 1}`,
			[]string{"sig(a) 2026-11-21T13:00Z", "locked 2026-11-21T12:00Z - locked", "a 2026-11-21T11:00Z a", "b 2026-11-21T10:00Z"},
			[]string{"a: daily 2026-11-21", "a: the newest digest"},
		},
		{
			"attachments of every kind take no place, and a tag named after its own digest takes one",
			`match: {tags: ["*"]}, keep: {last: 2}`,
			[]string{
				"sha256-" + strings.Repeat("a", 64) + ".src 2026-11-21T13:00Z", "sha256-" + strings.Repeat("a", 64) + ".dockerfile 2026-11-21T13:00Z",
				"sha256-" + strings.Repeat("a", 64) + ".vex 2026-11-21T13:00Z", "sha512-" + strings.Repeat("a", 64) + " 2026-11-21T13:00Z",
				"sha256-" + strings.Repeat("b", 64) + " 2026-11-21T12:00Z b", "a 2026-11-21T11:00Z a", "c 2026-11-21T10:00Z c",
			},
			[]string{"a: one of the 2 newest digests", "sha256-" + strings.Repeat("b", 64) + ": one of the 2 newest digests"},
		},
		{
			"tags whose digests are not known do not share one",
			`match: {tags: ["*"]}, keep: {last: 2}`,
			[]string{"a 2026-11-21T13:00Z unknown", "b 2026-11-21T12:00Z unknown", "c 2026-11-21T11:00Z"},
			[]string{"a: one of the 2 newest digests", "b: one of the 2 newest digests"},
		},
		{
			"within and all keep what is not ready and what is attached too",
			`match: {tags: ["*"]}, keep: {within: 1d, within_seconds: 86400}`,
			[]string{"sig(a) 2026-11-22T11:00Z", "locked 2026-11-22T11:00Z - locked", "old 2026-11-21T11:00Z"},
			[]string{"locked: younger than 1d", "sha256-" + strings.Repeat("a", 64) + ".sig: younger than 1d"},
		},
		{
			"within_newest counts back from the newest tag, and not from now",
			`match: {tags: ["m-*"]}, keep: {within_newest: 2d, within_newest_seconds: 172800}`,
			[]string{
				"latest 2026-11-21T13:00Z", "m-1 2025-03-05T10:00Z", "m-2 2025-03-03T10:01Z", "m-3 2025-03-03T10:00Z", "m-4 2025-03-01T10:00Z",
			},
			[]string{"m-1: less than 2d older than the newest tag", "m-2: less than 2d older than the newest tag"},
		},
		{
			"it counts from a ready tag that is not an attachment, and keeps what is newer",
			`match: {tags: ["*"]}, keep: {within_newest: 1d, within_newest_seconds: 86400}`,
			[]string{
				"sig(a) 2026-11-21T13:00Z", "locked 2026-11-20T12:00Z - locked", "a 2026-11-10T11:00Z a", "b 2026-11-09T12:00Z", "old 2026-11-09T12:00Z - locked", "c 2026-11-09T11:00Z",
			},
			[]string{
				"a: less than 1d older than the newest tag", "b: less than 1d older than the newest tag", "locked: less than 1d older than the newest tag",
				"old: less than 1d older than the newest tag", "sha256-" + strings.Repeat("a", 64) + ".sig: less than 1d older than the newest tag",
			},
		},
		{
			"each group has its own newest tag",
			`match: {tags: ["*"]}, group_by: "env-(?P<group>[a-z]+)-.*", keep: {within_newest: 1d, within_newest_seconds: 86400}`,
			[]string{"env-prod-2 2026-11-20T10:00Z", "env-prod-1 2026-11-19T10:00Z", "env-dev-2 2026-10-01T10:00Z", "env-dev-1 2026-09-30T11:00Z", "x 2026-01-01T10:00Z"},
			[]string{
				"env-dev-1: less than 1d older than the newest tag of dev", "env-dev-2: less than 1d older than the newest tag of dev",
				"env-prod-2: less than 1d older than the newest tag of prod", "x: less than 1d older than the newest tag of the tags in no group",
			},
		},
		{
			"it follows the time that the rule follows, and a newest tag of the future is of now",
			`match: {tags: ["*"]}, by: created_at, keep: {within_newest: 1d, within_newest_seconds: 86400}`,
			[]string{"future 2027-02-01T10:00Z", "a 2026-11-21T13:00Z", "b 2026-11-21T11:00Z"},
			[]string{"a: less than 1d older than the newest tag", "future: less than 1d older than the newest tag"},
		},
		{
			"a time in the future counts as newest",
			`match: {tags: ["*"]}, keep: {last: 1, daily: 1, within: 1h, within_seconds: 3600}`,
			[]string{"now 2026-11-22T11:00Z", "future 2027-02-01T10:00Z"},
			[]string{"future: daily 2027-02-01", "future: the newest digest", "future: younger than 1h"},
		},
		{
			"periods follow the time that the rule follows",
			`match: {tags: ["*"]}, by: created_at, keep: {last: 1, monthly: 1}`,
			[]string{"moved 2026-11-22T11:00Z", "old 2026-10-22T11:00Z"},
			[]string{"moved: monthly 2026-11", "moved: the newest digest"},
		},
		{
			"the newest patches of the newest minors of the newest majors",
			`match: {semver: "*"}, keep: {semver: {majors: 2, minors: 2, patches: 1}}`,
			[]string{"3.0.1 2026-01-01T00:00Z", "3.0.0 2026-01-02T00:00Z", "2.10.0 2026-01-01T00:00Z", "2.9.9 2026-01-01T00:00Z", "2.8.0 2026-02-01T00:00Z", "1.9.9 2026-03-01T00:00Z"},
			[]string{
				"2.10.0: release 2.10.0: the newest patch of 2.10, one of the 2 newest minors of 2, one of the 2 newest majors",
				"2.9.9: release 2.9.9: the newest patch of 2.9, one of the 2 newest minors of 2, one of the 2 newest majors",
				"3.0.1: release 3.0.1: the newest patch of 3.0, one of the 2 newest minors of 3, one of the 2 newest majors",
			},
		},
		{
			"a count that is not given is unlimited",
			`match: {tags: ["*"]}, keep: {semver: {patches: 2}}`,
			[]string{"1.4.2 2026-01-01T00:00Z", "1.4.1 2026-01-01T00:00Z", "1.4.0 2026-01-01T00:00Z", "0.1.0 2026-01-01T00:00Z", "latest 2026-01-01T00:00Z"},
			[]string{
				"0.1.0: release 0.1.0: one of the 2 newest patches of 0.1",
				"1.4.1: release 1.4.1: one of the 2 newest patches of 1.4",
				"1.4.2: release 1.4.2: one of the 2 newest patches of 1.4",
			},
		},
		{
			"1.10.0 comes after 1.9.3, and the build metadata and the v do not count",
			`match: {semver: "*"}, keep: {semver: {minors: 1, patches: 1}}`,
			[]string{"1.9.3 2026-02-01T00:00Z", "1.10.0 2026-01-01T00:00Z", "v1.10.0 2025-01-01T00:00Z", "1.10.0_build.9 2024-01-01T00:00Z"},
			[]string{
				"1.10.0: release 1.10.0: the newest patch of 1.10, the newest minor of 1",
				"1.10.0_build.9: release 1.10.0: the newest patch of 1.10, the newest minor of 1",
				"v1.10.0: release 1.10.0: the newest patch of 1.10, the newest minor of 1",
			},
		},
		{
			"pre-releases that are never kept are not counted",
			`match: {semver: "*"}, keep: {semver: {majors: 1, prereleases: false}}`,
			[]string{"2.0.0-rc.1 2026-02-01T00:00Z", "1.0.0 2026-01-01T00:00Z", "0.9.0 2026-01-01T00:00Z"},
			[]string{"1.0.0: release 1.0.0: the newest major"},
		},
		{
			"a pre-release or variant takes no place, and follows its release or is above all",
			`match: {semver: "*"}, keep: {semver: {minors: 2, patches: 1}}`,
			[]string{
				"1.5.0-rc.1 2026-02-01T00:00Z", "1.4.0 2026-01-01T00:00Z", "v1.4.0-alpine 2026-01-01T00:00Z", "1.4.0-rc.1 2026-01-01T00:00Z",
				"1.3.2 2026-01-01T00:00Z", "1.3.1-alpine 2026-01-01T00:00Z", "1.2.0 2026-01-01T00:00Z", "1.2.0-alpine 2026-01-01T00:00Z",
			},
			[]string{
				"1.3.2: release 1.3.2: the newest patch of 1.3, one of the 2 newest minors of 1",
				"1.4.0-rc.1: pre-release 1.4.0-rc.1: follows 1.4.0",
				"1.4.0: release 1.4.0: the newest patch of 1.4, one of the 2 newest minors of 1",
				"1.5.0-rc.1: pre-release 1.5.0-rc.1: higher than every release that is kept",
				"v1.4.0-alpine: pre-release 1.4.0-alpine: follows 1.4.0",
			},
		},
		{
			"a pre-release between two releases that is of neither is not kept",
			`match: {semver: "*"}, keep: {semver: {versions: 2}}`,
			[]string{"1.5.0 2026-01-01T00:00Z", "1.4.0-rc.1 2026-01-01T00:00Z", "1.3.0 2026-01-01T00:00Z"},
			[]string{"1.3.0: release 1.3.0: one of the 2 highest versions", "1.5.0: release 1.5.0: one of the 2 highest versions"},
		},
		{
			"without a release all pre-releases stay, such as those of git describe",
			`match: {tags: ["*"]}, keep: {semver: {versions: 1}}`,
			[]string{"v0.0.1-9-g1a 2026-01-01T00:00Z", "v0.0.1-14-g3f 2026-01-02T00:00Z", "main 2026-01-02T00:00Z"},
			[]string{"v0.0.1-14-g3f: pre-release 0.0.1-14-g3f: no release is kept", "v0.0.1-9-g1a: pre-release 0.0.1-9-g1a: no release is kept"},
		},
		{
			"versions keeps the highest, whatever their majors and dates",
			`match: {semver: "*"}, keep: {semver: {versions: 3}}`,
			[]string{"3.0.0 2026-01-01T00:00Z", "2.10.0 2026-01-02T00:00Z", "v2.10.0 2026-01-03T00:00Z", "2.9.9 2026-02-01T00:00Z", "2.9.8 2026-03-01T00:00Z"},
			[]string{
				"2.10.0: release 2.10.0: one of the 3 highest versions", "2.9.9: release 2.9.9: one of the 3 highest versions",
				"3.0.0: release 3.0.0: one of the 3 highest versions", "v2.10.0: release 2.10.0: one of the 3 highest versions",
			},
		},
		{
			"versions beside majors, minors and patches is a union",
			`match: {semver: "*"}, keep: {semver: {versions: 2, majors: 2, minors: 1, patches: 1}}`,
			[]string{"2.0.1 2026-01-01T00:00Z", "2.0.0 2026-01-01T00:00Z", "2.0.0-alpine 2026-01-01T00:00Z", "1.9.0 2026-01-01T00:00Z", "1.8.0 2026-01-01T00:00Z"},
			[]string{
				"1.9.0: release 1.9.0: the newest patch of 1.9, the newest minor of 1, one of the 2 newest majors",
				"2.0.0-alpine: pre-release 2.0.0-alpine: follows 2.0.0",
				"2.0.0: release 2.0.0: one of the 2 highest versions",
				"2.0.1: release 2.0.1: one of the 2 highest versions",
				"2.0.1: release 2.0.1: the newest patch of 2.0, the newest minor of 2, one of the 2 newest majors",
			},
		},
		{
			"leading zeros are numbers",
			`match: {semver: "*"}, keep: {semver: {minors: 3}}`,
			[]string{
				"2026.08.0 2026-08-01T00:00Z", "2026.09.0 2026-09-01T00:00Z", "2026.10.0 2026-10-01T00:00Z", "2026.11.0 2026-11-01T00:00Z",
				"2027.01.0 2026-01-01T00:00Z", "2027.02.0 2026-02-01T00:00Z",
			},
			[]string{
				"2026.09.0: release 2026.9.0: one of the 3 newest minors of 2026", "2026.10.0: release 2026.10.0: one of the 3 newest minors of 2026",
				"2026.11.0: release 2026.11.0: one of the 3 newest minors of 2026", "2027.01.0: release 2027.1.0: one of the 3 newest minors of 2027",
				"2027.02.0: release 2027.2.0: one of the 3 newest minors of 2027",
			},
		},
		{
			"the version is what the pattern captures, with a fourth component after the patch",
			`match: {tags: ["*"]}, version: "api-v(?P<version>.+)", keep: {semver: {versions: 2}}`,
			[]string{
				"api-v1.2.3.4 2026-01-01T00:00Z", "api-v1.2.3.10 2026-01-01T00:00Z", "api-v1.2.4-rc.1 2026-01-01T00:00Z", "api-v1.2.3 2026-01-01T00:00Z",
				"9.9.9 2026-01-01T00:00Z", "web-v3.0.0 2026-01-01T00:00Z",
			},
			[]string{
				"api-v1.2.3.10: release 1.2.3.10: one of the 2 highest versions", "api-v1.2.3.4: release 1.2.3.4: one of the 2 highest versions",
				"api-v1.2.4-rc.1: pre-release 1.2.4-rc.1: higher than every release that is kept",
			},
		},
		{
			"the pattern also finds the version for match",
			`match: {semver: ">=2.0.0"}, version: "api-v(?P<version>.+)", keep: {all: true}`,
			[]string{"api-v1.2.3 2026-01-01T00:00Z", "api-v2.0.0.1 2026-01-01T00:00Z", "2.1.0 2026-01-01T00:00Z"},
			[]string{"api-v2.0.0.1: the rule keeps all it matches"},
		},
		{
			"with prereleases they come before their release, by their real order",
			`match: {semver: "*"}, keep: {semver: {patches: 3, prereleases: true}}`,
			[]string{
				"1.0.0 2026-01-01T00:00Z", "1.0.0-rc.2 2026-01-09T00:00Z", "1.0.0-rc.10 2026-01-02T00:00Z", "1.0.0-rc.1 2026-01-08T00:00Z",
				"1.0.0-beta 2026-01-03T00:00Z", "1.0.0-99999999999999999999999 2026-01-03T00:00Z",
			},
			[]string{
				"1.0.0-rc.10: release 1.0.0-rc.10: one of the 3 newest patches of 1.0",
				"1.0.0-rc.2: release 1.0.0-rc.2: one of the 3 newest patches of 1.0",
				"1.0.0: release 1.0.0: one of the 3 newest patches of 1.0",
			},
		},
		{
			"without any count every release is kept",
			`match: {tags: ["*"]}, keep: {semver: {prereleases: false}}`,
			[]string{"v1.0.0 2026-01-01T00:00Z", "1.0.0-rc.1 2026-01-01T00:00Z", "20261122 2026-01-01T00:00Z", "1.2 2026-01-01T00:00Z"},
			[]string{"v1.0.0: release 1.0.0: the rule keeps every release"},
		},
		{
			"each group has its own counts, and what is in none is one of its own",
			`match: {tags: ["*"]}, group_by: "env-(?P<group>[a-z]+)-.*", keep: {last: 1, daily: 1}`,
			[]string{
				"env-prod-2 2026-11-20T10:00Z", "env-prod-1 2026-11-19T10:00Z", "env-dev-1 2026-11-18T10:00Z", "my-env-dev-9 2026-11-17T10:00Z", "latest 2026-11-16T10:00Z",
			},
			[]string{
				"env-dev-1: daily 2026-11-18 of dev", "env-dev-1: the newest digest of dev",
				"env-prod-2: daily 2026-11-20 of prod", "env-prod-2: the newest digest of prod",
				"my-env-dev-9: daily 2026-11-17 of the tags in no group", "my-env-dev-9: the newest digest of the tags in no group",
			},
		},
		{
			"a group without a name is told apart from no group",
			`match: {tags: ["*"]}, group_by: "env-(dev)?.*", keep: {last: 1}`,
			[]string{"env-dev-1 2026-11-20T10:00Z", "env-2 2026-11-19T10:00Z", "env-1 2026-11-18T10:00Z", "x 2026-11-17T10:00Z"},
			[]string{`env-2: the newest digest of ""`, "env-dev-1: the newest digest of dev", "x: the newest digest of the tags in no group"},
		},
		{
			"releases are counted in each group too",
			`match: {tags: ["*"]}, group_by: "(v?).*", keep: {semver: {majors: 1}}`,
			[]string{"v2.0.0 2026-11-20T10:00Z", "v1.0.0 2026-11-20T10:00Z", "1.5.0 2026-11-20T10:00Z"},
			[]string{`1.5.0: release 1.5.0 of "": the newest major`, "v2.0.0: release 2.0.0 of v: the newest major"},
		},
		{
			"the keep scope is what match took, less what except took",
			`match: {tags: ["m-*"], younger_than: 30d, younger_than_seconds: 2592000}, except: {tags_regex: "m-[0-9]", older_than: 1d, older_than_seconds: 86400}, keep: {last: 9}`,
			[]string{"m-1 2026-11-22T10:00Z", "m-2 2026-11-20T10:00Z", "m-x 2026-11-20T10:00Z", "m-y 2026-10-01T10:00Z"},
			[]string{"m-1: one of the 9 newest digests", "m-x: one of the 9 newest digests"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEngine(t, "timezone: Europe/Paris\nretention:\n  - {name: r, "+row.rule+"}\n")
			var tags []registry.Tag
			for _, line := range row.tags {
				tags = append(tags, tagAt(t, line))
			}
			got := []string{}
			for _, line := range words(judge(t, e, anImage(tags...))) {
				got = append(got, strings.Replace(strings.TrimPrefix(line, "keep "), ": retention/r: ", ": ", 1))
			}
			if diff := cmp.Diff(sorted(row.want), sorted(got)); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func sorted(lines []string) []string {
	return spoken(refVotes{keep: map[string][]string{"": lines}})
}

// In some zones clocks went back over midnight, so that a day came twice.
func TestADayThatComesTwiceIsOnePeriod(t *testing.T) {
	e := newEngine(t, "timezone: America/St_Johns\nretention:\n  - {name: r, match: {tags: [\"*\"]}, keep: {daily: 9}}\n")
	v := judge(t, e, anImage(
		tagAt(t, "again 2010-11-06T23:30-03:30"), tagAt(t, "between 2010-11-07T00:00-02:30"), tagAt(t, "before 2010-11-06T23:59-02:30"),
	))
	want := []string{"keep again: retention/r: daily 2010-11-06", "keep between: retention/r: daily 2010-11-07"}
	if diff := cmp.Diff(want, words(v)); diff != "" {
		t.Error(diff)
	}
}

func TestARuleThatIsNotEnforcedOnlyReports(t *testing.T) {
	e := newEngine(t, `
retention:
  - {name: trial, match: {tags: ["exp-*"]}, delete: {older_than: 7d, older_than_seconds: 604800}, enforce: false}
  - {name: real, match: {tags: ["*"]}, delete: {older_than: 9d, older_than_seconds: 777600}, enforce: true}
`)
	want := []string{
		"delete exp-1: retention/trial: older than 7d (report only)",
		"delete exp-2: retention/real: older than 9d",
		"delete exp-2: retention/trial: older than 7d (report only)",
	}
	if diff := cmp.Diff(want, words(judge(t, e, anImage(aTag("exp-1", 8*days), aTag("exp-2", 9*days), aTag("exp-3", 6*days))))); diff != "" {
		t.Error(diff)
	}
}

func TestRulesOfEveryKindTakeMatchAndExcept(t *testing.T) {
	const config = `
retention:
  - {name: keep, match: {namespaces: ["p*"], project_ids: [p1]}, except: {images: ["web/**"], tags: ["b*"]}, keep: {all: true}}
  - {name: drop, match: {images: ["web/*"]}, except: {namespaces: [dev]}, keep: {last: 1}, delete: {older_than: 0s, older_than_seconds: 0}}
visibility:
  - {name: closed, subject: image, match: {namespaces: ["*"], older_than: 1d, older_than_seconds: 86400}, except: {images: ["web/*"]}, require: private, severity: deny}
naming:
  - {name: lower, subject: image, match: {images: ["**"]}, except: {project_ids: [p2]}, pattern: "[A-Z]+", severity: warn}
  - {name: tags, subject: tag, match: {tags: ["b*"]}, except: {younger_than: 1d, younger_than_seconds: 86400}, pattern: "x", severity: warn}
`
	e := newEngine(t, config)
	judged := func(namespace, project, image string, public bool) []string {
		img := anImage(aTag("a", 0), aTag("b1", 2*days), aTag("b2", time.Hour))
		img.Namespace.Name, img.Namespace.ProjectID, img.Name, img.Namespace.IsPublic = namespace, project, image, public
		var lines []string
		for _, line := range words(judge(t, e, img)) {
			if !strings.HasPrefix(line, "visibility ") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	for _, row := range []struct {
		name string
		got  []string
		want []string
	}{
		{
			"what except does not take with all it says is kept",
			judged("prod", "p1", "api", true),
			[]string{
				"keep a: retention/keep: the rule keeps all it matches", "keep b2: retention/keep: the rule keeps all it matches", "keep b1: retention/keep: the rule keeps all it matches",
				"deny rg.fr-par.scw.cloud/prod/api: visibility/closed: the image is public, and must be private",
				`warn rg.fr-par.scw.cloud/prod/api: naming/lower: the image name "api" does not match [A-Z]+`,
				`warn rg.fr-par.scw.cloud/prod/api:b1: naming/tags: the tag name "b1" does not match x`,
			},
		},
		{
			"what except matches is not",
			judged("prod", "p1", "web/a", true),
			[]string{
				"delete a: retention/drop: kept by no criterion of the rule", "keep a: retention/drop: the newest digest", "keep a: retention/keep: the rule keeps all it matches",
				"delete b2: retention/drop: kept by no criterion of the rule", "delete b1: retention/drop: kept by no criterion of the rule",
				`warn rg.fr-par.scw.cloud/prod/web/a: naming/lower: the image name "web/a" does not match [A-Z]+`,
				`warn rg.fr-par.scw.cloud/prod/web/a:b1: naming/tags: the tag name "b1" does not match x`,
			},
		},
		{
			"another project and another namespace",
			judged("dev", "p2", "web/a", false),
			[]string{`warn rg.fr-par.scw.cloud/dev/web/a:b1: naming/tags: the tag name "b1" does not match x`},
		},
	} {
		if diff := cmp.Diff(sorted(row.want), sorted(row.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestOrphansAreMarkedOnlyOnRequest(t *testing.T) {
	img := anImage(tagAt(t, "sig(a) 2026-01-01T00:00Z"), tagAt(t, "sig(b) 2026-01-01T00:00Z"), tagAt(t, "latest 2026-01-01T00:00Z b"))
	for config, want := range map[string][]string{
		"attachments: {orphans: delete}": {"delete sha256-" + strings.Repeat("a", 64) + ".sig: attachments/orphans: no tag of the image has its subject sha256:" + strings.Repeat("a", 64)},
		"attachments: {orphans: keep}":   nil,
		"timezone: UTC":                  nil,
	} {
		if diff := cmp.Diff(want, words(judge(t, newEngine(t, config), img))); diff != "" {
			t.Errorf("%s: %s", config, diff)
		}
	}
}

// A rule that keeps by version alone neither keeps nor marks what is not a version: it
// cannot order it. With another criterion beside it, it is about all that it matches.
func TestARuleThatKeepsByVersionLeavesOthersAlone(t *testing.T) {
	img := anImage(
		tagAt(t, "2027.02.0 2026-01-01T00:00Z"), tagAt(t, "2027.01.0 2026-01-01T00:00Z"), tagAt(t, "2026.12.0 2026-01-01T00:00Z"), tagAt(t, "main 2026-01-01T00:00Z"),
		tagAt(t, "1.11 2026-01-01T00:00Z"), tagAt(t, "api-v1.1.0 2026-01-01T00:00Z"), tagAt(t, "20261122 2026-01-01T00:00Z"), tagAt(t, "sig(a) 2026-01-01T00:00Z"),
	)
	const drop = ", delete: {older_than: 0s, older_than_seconds: 0}"
	for _, row := range []struct {
		rule string
		want []string // marked and not kept
	}{
		{`match: {tags: ["*"]}, keep: {semver: {versions: 2}}` + drop, []string{"2026.12.0"}},
		{`match: {tags: ["*"]}, keep: {semver: {minors: 1}}` + drop, []string{"2027.01.0"}},
		{`match: {tags: ["*"]}, version: "api-v(.+)", keep: {semver: {versions: 1}}` + drop, nil},
		{`match: {tags: ["*"]}, keep: {semver: {versions: 3}, yearly: 1}` + drop, []string{"20261122", "api-v1.1.0", "main", "sha256-" + strings.Repeat("a", 64) + ".sig"}},
	} {
		e := newEngine(t, "retention:\n  - {name: r, "+row.rule+"}\n")
		if diff := cmp.Diff(append([]string{}, row.want...), markedBy(t, e, now, img)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.rule, diff)
		}
	}
}

// A tag named after its own digest is attached to nothing: it is not an orphan, and its
// name has to follow the rules on names.
func TestATagNamedAfterItsOwnDigestIsAnOrdinaryTag(t *testing.T) {
	b, c, d := strings.Repeat("b", 64), strings.Repeat("c", 64), strings.Repeat("d", 64)
	img := anImage(tagAt(t, "sha256-"+b+" 2026-01-01T00:00Z b"), tagAt(t, "sha256-"+c+".vex 2026-01-01T00:00Z"), tagAt(t, "sha512-"+d+" 2026-01-01T00:00Z"))
	img.Tags = append(img.Tags, registry.Tag{Name: "latest", Digest: "sha512:" + d + d, Status: registry.StatusReady})
	e := newEngine(t, `{attachments: {orphans: delete}, naming: [{name: short, subject: tag, pattern: "[a-z]+", severity: warn}]}`)
	want := []string{
		"delete sha256-" + c + ".vex: attachments/orphans: no tag of the image has its subject sha256:" + c,
		"warn rg.fr-par.scw.cloud/prod/api:sha256-" + b + `: naming/short: the tag name "sha256-` + b + `" does not match [a-z]+`,
	}
	if diff := cmp.Diff(sorted(want), sorted(words(judge(t, e, img)))); diff != "" {
		t.Error(diff)
	}
}

// In Rego too, tags whose digests are not known share nothing.
func TestUnknownDigestsAreNotShared(t *testing.T) {
	e := newEngine(t, "timezone: UTC", header+`warn contains sprintf("%s shares its digest", [tag.name]) if {
	some tag in input.tags
	count(tag.shares_digest_with) > 0
}
`)
	img := anImage(tagAt(t, "a 2026-01-01T00:00Z unknown"), tagAt(t, "b 2026-01-01T00:00Z unknown"), tagAt(t, "e 2026-01-01T00:00Z E"), tagAt(t, "f 2026-01-01T00:00Z E"), tagAt(t, "c 2026-01-01T00:00Z c"), tagAt(t, "d 2026-01-01T00:00Z c"))
	want := []string{"warn rg.fr-par.scw.cloud/prod/api: own/warn: c shares its digest", "warn rg.fr-par.scw.cloud/prod/api: own/warn: d shares its digest"}
	if diff := cmp.Diff(want, words(judge(t, e, img))); diff != "" {
		t.Error(diff)
	}
}

func TestSatisfiedVisibilityIsSilentUnlessAnotherRuleDecides(t *testing.T) {
	const config = `visibility: [{name: closed, subject: image, match: {namespaces: ["*"]}, require: private, fix: true, severity: deny}]`
	open := header + "visibility := \"public\"\n"
	for name, row := range map[string]struct {
		modules []string
		want    registry.Visibility
	}{
		"alone":                 {nil, ""},
		"against an own policy": {[]string{open}, registry.Inherit}, // inherits private, the most private
	} {
		v, err := newEngine(t, config, row.modules...).At(now, WhatCounts).Image(context.Background(), anImage(aTag("a", 0)))
		if err != nil || v.Err != nil {
			t.Fatal(err, v.Err)
		}
		got := registry.Visibility("")
		if v.Visibility != nil {
			got = v.Visibility.To
		}
		if got != row.want {
			t.Errorf("%s: the image is to be %q, want %q", name, got, row.want)
		}
	}
}

func TestThousandsOfTagsMayShareADigest(t *testing.T) {
	var tags []registry.Tag
	for i := range 5000 {
		tags = append(tags, aTag(fmt.Sprintf("t-%d", i), time.Duration(i)*time.Second, "11"))
	}
	e := newEngine(t, "timezone: UTC", header+`warn contains "itself" if {
	some tag in input.tags
	tag.name in tag.shares_digest_with
}

warn contains sprintf("%d different others", [count({other | some other in tag.shares_digest_with})]) if some tag in input.tags
`)
	for _, count := range []int{1, 2, 3, 63, 64, 74} {
		want := []string{fmt.Sprintf("warn rg.fr-par.scw.cloud/prod/api: own/warn: %d different others", count-1)}
		if diff := cmp.Diff(want, words(judge(t, e, anImage(tags[:count]...)))); diff != "" {
			t.Errorf("%d tags: %s", count, diff)
		}
	}
	j := e.At(now, WhatCounts)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	j.facts.Image(anImage(tags...), nil).Document(facts.Marking)
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 60 {
		t.Errorf("the input of 5,000 tags of one digest takes %d MiB", took)
	}
}
