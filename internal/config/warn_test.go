package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsMostLikelyAMistakeIsAWarning(t *testing.T) {
	const del = ", delete: {older_than: 14d}}"
	for yaml, want := range map[string]string{
		`retention: [{match: {images: ["prod/*"]}` + del:                             `1:31: warning: retention[0].match.images[0]: matches only images whose own name has a slash, after "prod": "prod/*" (write namespaces: ["prod"])`,
		`retention: [{match: {images: ["prod/api-*"]}` + del:                         `1:31: warning: retention[0].match.images[0]: matches only images whose own name has a slash, after "prod": "prod/api-*" (write namespaces: ["prod"], images: ["api-*"])`,
		`retention: [{match: {images: ["*/api"]}` + del:                              `1:31: warning: retention[0].match.images[0]: matches only images whose own name has a slash, after "*": "*/api" (write images: ["api"])`,
		`retention: [{match: {images: ["rg.fr-par.scw.cloud/prod"]}` + del:           `1:31: warning: retention[0].match.images[0]: has a host, which no name has: "rg.fr-par.scw.cloud/prod" (write images: ["prod"])`,
		`retention: [{match: {images: ["rg.fr-par.scw.cloud/prod/api:v1"]}` + del:    `1:31: warning: retention[0].match.images[0]: has a host, which no name has: "rg.fr-par.scw.cloud/prod/api:v1" (write namespaces: ["prod"], images: ["api"], tags: ["v1"])`,
		`retention: [{match: {images: ["api:v1"]}` + del:                             `1:31: warning: retention[0].match.images[0]: has a tag, which the name of an image has not: "api:v1" (write images: ["api"], tags: ["v1"])`,
		`retention: [{match: {images: ["API"]}` + del:                                `1:31: warning: retention[0].match.images[0]: has capital letters, which no name has: "API" (write images: ["api"])`,
		`retention: [{match: {tags: ["pr-.*"]}` + del:                                `1:29: warning: retention[0].match.tags[0]: is a glob that looks like a regular expression: "pr-.*" (write tags: ["pr-*"], or tags_regex: 'pr-.*')`,
		`retention: [{match: {tags: ["^pr-[0-9]+$"]}` + del:                          `1:29: warning: retention[0].match.tags[0]: is a glob that looks like a regular expression: "^pr-[0-9]+$" (write tags_regex: 'pr-[0-9]+')`,
		`retention: [{match: {tags: ["api:latest"]}` + del:                           `1:29: warning: retention[0].match.tags[0]: has a colon, which no tag has: "api:latest" (write tags: ["latest"])`,
		`retention: [{match: {tags_regex: "pr-*"}` + del:                             `1:34: warning: retention[0].match.tags_regex: is a regular expression that looks like a glob: "pr-*" (write tags_regex: 'pr-.*', or the glob tags: ["pr-*"])`,
		`retention: [{match: {tags: [a]}, except: {tags_regex: "main*"}` + del:       `1:55: warning: retention[0].except.tags_regex: is a regular expression that looks like a glob: "main*" (write tags_regex: 'main.*', or the glob tags: ["main*"])`,
		`protect: {tags: ["(latest|main)"]}`:                                         `1:18: warning: protect.tags[0]: is a glob that looks like a regular expression: "(latest|main)" (write globs, such as tags: ["pr-*"]; alternatives are {a,b}, and digits [0-9])`,
		`scope: {include: ["rg.fr-par.scw.cloud/prod/**"]}`:                          `1:19: warning: scope.include[0]: has a host, which no name has: "rg.fr-par.scw.cloud/prod/**" (write "prod/**")`,
		`scope: {exclude: ["prod/api:latest"]}`:                                      `1:19: warning: scope.exclude[0]: has a tag, which the name of an image has not: "prod/api:latest" (write "prod/api")`,
		`limits: {overrides: [{match: {namespaces: ["dev-.*"]}, keep_at_least: 0}]}`: `1:44: warning: limits.overrides[0].match.namespaces[0]: is a glob that looks like a regular expression: "dev-.*" (write namespaces: ["dev-*"])`,

		`retention: [{name: a, match: {tags: [a]}, keep: {last: 3}}]`:                                                            `1:13: warning: retention[0]: no rule deletes anything; a only protects. Add delete: {}`,
		`retention: [{name: b, match: {tags: [b]}, keep: {all: true}}, {name: a, match: {tags: [a]}, keep: {last: 3}}]`:          `1:63: warning: retention[1]: no rule deletes anything; a and b only protect. Add delete: {}`,
		`retention: [{name: a, match: {semver: "*"}, keep: {all: true}}]`:                                                        `1:13: warning: retention[0]: no rule deletes anything; a only protects. Add a rule with delete: {older_than: 14d}`,
		`{retention: [{name: a, match: {tags: [a]}, keep: {last: 3}}], empty: {images: {older_than: 7d}}}`:                       ``,
		`{retention: [{name: a, match: {tags: [a]}, keep: {last: 3}}], policies: [own]}`:                                         ``,
		`{retention: [{name: a, match: {tags: [a]}, keep: {last: 3}}, {name: b, match: {tags: [b]}, delete: {older_than: 1d}}]}`: ``,

		// What may be meant.
		`retention: [{match: {tags: ["v1.*", "*.*", "1.[0-9].*", "{a,b}-*", "a?"]}` + del:   ``,
		`retention: [{match: {images: ["**/api", "**", "api.v2"], namespaces: ["*"]}` + del: ``,
		`retention: [{match: {tags_regex: "pr-.*"}` + del:                                   ``,
		`retention: [{match: {tags_regex: "[a-z]+(-[a-z]+)*"}` + del:                        ``,
		`retention: [{match: {tags_regex: "v\\d+"}` + del:                                   ``,
		`scope: {include: ["prod/**", "*/api", "**"], exclude: ["funcscw*/**"]}`:            ``,
	} {
		c, err := Parse("f", []byte(strings.ReplaceAll(yaml+closing(yaml), "\n", "")))
		if err != nil {
			t.Errorf("%s: %v", yaml, err)
			continue
		}
		var got []string
		for _, w := range c.Warnings() {
			got = append(got, strings.TrimPrefix(w.String(), "f:"))
		}
		if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", yaml, diff)
		}
	}
}

// closing ends the list of a rule.
func closing(yaml string) string {
	if strings.HasSuffix(yaml, "}}") && strings.HasPrefix(yaml, "retention: [") {
		return "]"
	}
	return ""
}
