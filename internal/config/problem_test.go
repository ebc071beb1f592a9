package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

func TestBadConfigurationsAreReportedWithLinePathAndRemedy(t *testing.T) {
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			config, err := Parse("janitor.yaml", []byte(c.yaml))
			if config != nil {
				t.Errorf("a bad file has the configuration %+v", config)
			}
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("want Problems, got %v", err)
			}
			var got []string
			for _, line := range strings.Split(err.Error(), "\n") {
				got = append(got, strings.TrimPrefix(line, "janitor.yaml:"))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.NewReplacer("SCW_SECRET_KEY", "", "AWS_SECRET_ACCESS_KEY", "").Replace(err.Error()), "SECRET") {
				t.Errorf("a secret is in the message: %v", err)
			}
			for _, p := range problems {
				if p.Hint == "" {
					t.Errorf("no remedy: %s", p)
				}
			}
		})
	}
}

// bad are files with their problems: line, path, message and remedy.
var bad = []struct {
	name string
	yaml string
	want []string
}{
	{
		"the file is a list",
		"- a\n- b\n",
		[]string{
			`1:1: must be a mapping, not a list (its keys: scaleway, timezone, scope, retention, empty, visibility, naming, waivers, waivers_file, protect, attachments, content, policies, policy, limits, archive, shared_digest, grace, run_timeout, scan, ledger, approvals, schedules, notifications, cost)`,
		},
	},
	{
		"the file is a word",
		"hello\n",
		[]string{
			`1:1: must be a mapping, not the string "hello" (its keys: scaleway, timezone, scope, retention, empty, visibility, naming, waivers, waivers_file, protect, attachments, content, policies, policy, limits, archive, shared_digest, grace, run_timeout, scan, ledger, approvals, schedules, notifications, cost)`,
		},
	},
	{
		"a bracket stays open",
		"retention: [\nlimits: {}\n",
		[]string{
			`1:12: is not valid YAML: did not find expected ',' or ']' (close the bracket that opens here)`,
		},
	},
	{
		"a quote stays open",
		"timezone: \"Europe/Paris\n",
		[]string{
			`1:11: is not valid YAML: found unexpected end of stream (close the quote that opens here)`,
		},
	},
	{
		"a tab indents",
		"limits:\n\tmin_age: 1h\n",
		[]string{
			`2:1: is not valid YAML: found character that cannot start any token (indent with spaces: YAML allows no tabs there)`,
		},
	},
	{
		"a value without quotes begins with a star",
		`timezone: UTC
protect:
  tags: [latest, *stable]
`,
		[]string{
			`3:18: is not valid YAML: unknown anchor 'stable' referenced (quote a value that begins with *: "*stable")`,
		},
	},
	{
		"a colon is in the wrong place",
		"timezone: a: b\n",
		[]string{
			`1:11: is not valid YAML: mapping values are not allowed in this context (quote a value that has a colon and a space in it)`,
		},
	},
	{
		"an indentation is wrong",
		`limits:
    min_age: 1h
  max_deletions: 3
`,
		[]string{
			`3:3: is not valid YAML: did not find expected key (the line is indented by 2 spaces; line 2, which it most likely belongs to, by 4)`,
		},
	},
	{
		"a star alone",
		"timezone: UTC\nprotect:\n  tags:\n    - *\n",
		[]string{
			`4:7: is not valid YAML: did not find expected alphabetic or numeric character (quote a value that begins with *: "*")`,
		},
	},
	{
		"a star after the same text in a comment and in quotes",
		"# *-rc\nprotect:\n  tags: [\"*-rc\", *-rc]\n",
		[]string{
			`3:18: is not valid YAML: unknown anchor '-rc' referenced (quote a value that begins with *: "*-rc")`,
		},
	},
	{
		"a tab indents the second key",
		"limits:\n  min_age: 1h\n\tmax_deletions: 3\n",
		[]string{
			`3:1: is not valid YAML: found a tab character that violates indentation (indent with spaces: YAML allows no tabs there)`,
		},
	},
	{
		"a key of an entry is not below the first one",
		"retention:\n  - match: {tags: [a]}\n   keep: {all: true}\n",
		[]string{
			`3:4: is not valid YAML: did not find expected '-' indicator (the line is indented by 3 spaces; line 2, which it most likely belongs to, by 4)`,
		},
	},
	{
		"a key is deeper than its neighbor",
		"limits:\n  min_age: 1h\n   max_deletions: 3\n",
		[]string{
			`3:4: is not valid YAML: mapping values are not allowed in this context (the line is indented by 3 spaces; line 2, which it most likely belongs to, by 2)`,
		},
	},
	{
		"an entry is not below the others",
		"retention:\n  - match: {tags: [a]}\n    keep: {all: true}\n - match: {tags: [b]}\n",
		[]string{
			`4:2: is not valid YAML: did not find expected key (the line is indented by 1 space; line 2, which it most likely belongs to, by 2)`,
		},
	},
	{
		"no-break spaces indent a key and follow a colon",
		"limits:\n\u00a0\u00a0min_age: 1h\ntimezone:\u00a0UTC\n",
		[]string{
			`2:1: has a no-break space (U+00A0), which YAML does not take for a space (replace it by a plain space; it often comes with text that was copied from a page)`,
			`3:10: has a no-break space (U+00A0), which YAML does not take for a space (replace it by a plain space; it often comes with text that was copied from a page)`,
		},
	},
	{
		"a value begins with a reserved character",
		"timezone: UTC\nprotect: {references_file: @in-use}\n",
		[]string{
			`2:28: is not valid YAML: found character that cannot start any token (quote a value that begins with @: "@in-use")`,
		},
	},
	{
		"no space follows a colon",
		"limits:\n  min_age:1h\n",
		[]string{
			`2:3: limits: must be a mapping, not the string "min_age:1h" (write a space after the colon of the key)`,
		},
	},
	{
		"keys of other tools",
		"secret_key: SECRET\nscaleway: {access_key: SECRET}\nprotect: {namespaces: [prod]}\nschedules: [{cron: \"@daily\", do: plan, enabled: true}]\nretention: [{match: {tags: [a]}, keep: {last: 1}, enabled: false}]\n",
		[]string{
			`1:1: secret_key: is not allowed here (credentials are not part of the configuration: set SCW_ACCESS_KEY and SCW_SECRET_KEY, or name a profile with scaleway.profile)`,
			`2:12: scaleway.access_key: is not allowed here (credentials are not part of the configuration: set SCW_ACCESS_KEY and SCW_SECRET_KEY, or name a profile with scaleway.profile)`,
			`3:11: protect.namespaces: is not allowed here (protect names tags, digests and what uses them. To keep whole namespaces or images, add a retention rule such as {match: {namespaces: [prod]}, keep: {all: true}}, or leave them out with scope: {exclude: ["prod/**"]})`,
			`4:40: schedules[0].enabled: is not allowed here (nothing has a switch: what is in the file is on. Remove the key, or comment out what you do not want)`,
			`5:51: retention[0].enabled: is not allowed here (write enforce: false to show what the rule would delete without ever applying it, or remove the rule)`,
		},
	},
	{
		"a ledger that another program expands",
		"ledger: {dsn: \"${LEDGER_DSN}\"}\n",
		[]string{
			`1:15: ledger.dsn: is not expanded: it refers to a variable (write ledger: {dsn_env: LEDGER_DSN}, and set that variable to the whole DSN)`,
		},
	},
	{
		"a ledger with a part that another program expands",
		"ledger: {dsn: \"postgres://janitor:${PASSWORD}@db/ledger\"}\n",
		[]string{
			`1:15: ledger.dsn: is not expanded: it refers to a variable (write ledger: {dsn_env: LEDGER_DSN}, and set that variable to the whole DSN)`,
		},
	},
	{
		"a ledger in the home of a shell",
		"ledger: {dsn: ~/ledger.db}\n",
		[]string{
			`1:15: ledger.dsn: is not expanded: it begins with ~ (write the path out; a relative one starts at the folder of this file)`,
		},
	},
	{
		"a DSN in place of where it is",
		"ledger: {dsn_env: \"postgres://janitor:SECRET@db/ledger\"}\n",
		[]string{
			`1:19: ledger.dsn_env: must be the name of an environment variable, not a URL (for the DSN itself, write dsn; to keep a password out of this file, put the DSN into an environment variable or a file, and name that with dsn_env or dsn_file)`,
		},
	},
	{
		"two ledgers",
		"ledger: {dsn: a.db, dsn_env: LEDGER_DSN, dsn_file: b}\n",
		[]string{
			`1:30: ledger.dsn_env: cannot be used together with dsn (remove one of the two)`,
			`1:52: ledger.dsn_file: cannot be used together with dsn (remove one of the two)`,
		},
	},
	{
		"a references file without a bound",
		"protect: {references_file: {path: a, min_references: 0}}\n",
		[]string{
			`1:54: protect.references_file.min_references: must be at least 1, not 0 (write 1 or more, or remove the key)`,
		},
	},
	{
		"values without the quotes or the unit that make them right",
		"limits: {anomaly: 5}\nledger: {dsn: a.db}\nretention: [{match: {semver: true}, keep: {all: true}}]\n",
		[]string{
			`1:19: limits.anomaly: must be a string, not the number 5 (write 5x)`,
			`3:30: retention[0].match.semver: must be a string, not true (write "*" for every version)`,
		},
	},
	{
		"the file is not UTF-8",
		"timezone: UTC\nscope: {include: [\"\xff/**\"]}\n",
		[]string{
			`2:20: is not UTF-8 (save the file as UTF-8 text)`,
		},
	},
	{
		"a second document follows",
		`timezone: UTC
---
timezone: UTC
`,
		[]string{
			`2:1: begins a second YAML document (put everything into one document, without ---)`,
		},
	},
	{
		"a second document is not YAML",
		`timezone: UTC
---
limits: {
`,
		[]string{
			`3:9: is not valid YAML: did not find expected node content (close the bracket that opens here)`,
		},
	},
	{
		"a merge key",
		`retention:
  - &a
    match: {tags: ["*"]}
    keep: {all: true}
  - <<: *a
    name: second
`,
		[]string{
			`5:5: retention[1]: has a merge key, <<, which is not supported (alias the whole value, or write the keys out)`,
		},
	},
	{
		"a key in brackets",
		"? [a, b]\n: 1\n",
		[]string{
			`1:3: has a key that is not a plain word (write keys out, without brackets and aliases)`,
		},
	},
	{
		"an unknown key at the top",
		"retentoin: []\n",
		[]string{
			`1:1: retentoin: is an unknown key (did you mean "retention"? allowed here: scaleway, timezone, scope, retention, empty, visibility, naming, waivers, waivers_file, protect, attachments, content, policies, policy, limits, archive, shared_digest, grace, run_timeout, scan, ledger, approvals, schedules, notifications, cost)`,
		},
	},
	{
		"an unknown key near nothing",
		"dry_run: true\n",
		[]string{
			`1:1: dry_run: is not allowed here (remove it: plan never changes anything, and apply asks first. To show what one rule would delete without ever applying it, give that rule enforce: false)`,
		},
	},
	{
		"an unknown key in camel case",
		`retention:
  - match: {tags: ["*"]}
    delete: {olderThan: 14d}
`,
		[]string{
			`3:14: retention[0].delete.olderThan: is an unknown key (did you mean "older_than"? allowed here: older_than, older_than_label)`,
		},
	},
	{
		"an unknown key in limits",
		"limits: {max_delete: 3}\n",
		[]string{
			`1:10: limits.max_delete: is an unknown key (did you mean "max_deletions"? allowed here: min_age, max_deletions, max_deletion_percent, keep_at_least, max_plan_age, anomaly, canary, max_failures, overrides)`,
		},
	},
	{
		"a key of a match beside it",
		`retention:
  - tags: ["*"]
    keep: {all: true}
`,
		[]string{
			`2:5: retention[0].match: is missing (say which tags the rule is about, such as match: {tags: ["pr-*"]})`,
			`2:5: retention[0].tags: is an unknown key (it belongs in retention.match or retention.except; allowed here: name, match, except, by, count, group_by, version, keep, delete, enforce)`,
		},
	},
	{
		"a count inside the keep",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3, count: tags}
`,
		[]string{
			`3:21: retention[0].keep.count: is an unknown key (it belongs in retention; allowed here: last, within, within_newest, all, hourly, daily, weekly, monthly, yearly, semver)`,
		},
	},
	{
		"a misspelled match is not missing too",
		`retention:
  - mtach: {tags: ["*"]}
    keep: {all: true}
`,
		[]string{
			`2:5: retention[0].mtach: is an unknown key (did you mean "match"? allowed here: name, match, except, by, count, group_by, version, keep, delete, enforce)`,
		},
	},
	{
		"a key of Go's flags",
		"limits:\n  dryrun: yes\n",
		[]string{
			`2:3: limits.dryrun: is an unknown key (allowed here: min_age, max_deletions, max_deletion_percent, keep_at_least, max_plan_age, anomaly, canary, max_failures, overrides)`,
		},
	},
	{
		"a duplicate key",
		"timezone: UTC\ntimezone: Europe/Paris\n",
		[]string{
			`2:1: timezone: is a duplicate key, first given on line 1 (remove one of the two)`,
		},
	},
	{
		"a duplicate key in a rule",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3, last: 5}
`,
		[]string{
			`3:21: retention[0].keep.last: is a duplicate key, first given on line 3 (remove one of the two)`,
		},
	},
	{
		"a top-level key without a value",
		"retention:\nlimits: {}\n",
		[]string{
			`1:1: retention: has no value (give it a value, or remove it)`,
		},
	},
	{
		"a rule without a match",
		`retention:
  - name: x
    delete: {older_than: 14d}
`,
		[]string{
			`2:5: retention[0].match: is missing (say which tags the rule is about, such as match: {tags: ["pr-*"]})`,
		},
	},
	{
		"a match without a value",
		`retention:
  - match:
    delete: {older_than: 14d}
`,
		[]string{
			`2:5: retention[0].match: has no value (say which tags the rule is about, such as match: {tags: ["pr-*"]})`,
		},
	},
	{
		"an empty match",
		`retention:
  - match: {}
    delete: {older_than: 14d}
`,
		[]string{
			`2:5: retention[0].match: is empty (say which tags the rule is about, such as match: {tags: ["pr-*"]})`,
		},
	},
	{
		"an empty except",
		`retention:
  - match: {tags: ["*"]}
    except: {}
    delete: {older_than: 14d}
`,
		[]string{
			`3:5: retention[0].except: is empty (say what the rule leaves out, or remove the key)`,
		},
	},
	{
		"an empty list in a match",
		`retention:
  - match: {tags: []}
    delete: {older_than: 14d}
`,
		[]string{
			`2:13: retention[0].match.tags: is an empty list (name at least one entry, or remove the key)`,
		},
	},
	{
		"an empty list of regions",
		"scaleway: {regions: []}\n",
		[]string{
			`1:12: scaleway.regions: is an empty list (name at least one entry, or remove the key)`,
		},
	},
	{
		"an empty list in the scope",
		"scope: {include: []}\n",
		[]string{
			`1:9: scope.include: is an empty list (name at least one entry, or remove the key)`,
		},
	},
	{
		"a delete without a value",
		`retention:
  - match: {tags: ["*"]}
    delete:
`,
		[]string{
			`3:5: retention[0].delete: has no value (write delete: {older_than: 14d}, delete: {} for all that keep does not keep, or remove the key)`,
		},
	},
	{
		"a keep without a value",
		`retention:
  - match: {tags: ["*"]}
    keep:
    delete: {older_than: 14d}
`,
		[]string{
			`3:5: retention[0].keep: has no value (write keep: {last: 10}, or remove the key)`,
		},
	},
	{
		"neither keep nor delete",
		`retention:
  - name: idle
    match: {tags: ["*"]}
`,
		[]string{
			`2:5: retention[0]: has neither keep nor delete (say what happens to the matched tags, such as delete: {older_than: 14d})`,
		},
	},
	{
		"an empty delete without a keep",
		`retention:
  - match: {tags: ["*"]}
    delete: {}
`,
		[]string{
			`3:5: retention[0].delete: needs an age: without keep, the rule would delete every matched tag (write delete: {older_than: 14d}, or say what to keep)`,
		},
	},
	{
		"keys of contents that are wrong",
		`retention:
  - match: {labels: {}, platforms: [arm64, linux/x86_64, linux/arm64/v8], kind: [images]}
    except: {labels: {team: true, keep: "[", a.b: }}
    delete: {older_than_label: ""}
  - match: {labels: [team], kind: image, platforms: []}
    by: build
    delete: {older_than: 1d}
protect: {labels: {keep: }}
`,
		[]string{
			`2:82: retention[0].match.kind[0]: must be one of image, index, attachment, artifact, not "images" (did you mean "image"?)`,
			`2:13: retention[0].match.labels: is an empty mapping (name at least one entry, or remove the key)`,
			`2:37: retention[0].match.platforms[0]: is not a platform: "arm64" (write system/architecture, such as linux/arm64, or system/architecture/variant, such as linux/arm/v7)`,
			`2:44: retention[0].match.platforms[1]: is not a platform of images: "linux/x86_64" (write linux/amd64)`,
			`3:46: retention[0].except.labels.a.b: has no value (give it a value, or remove it)`,
			`3:41: retention[0].except.labels.keep: is not a valid glob: "[" (close every [ and {, and write \ before a character that stands for itself)`,
			`3:29: retention[0].except.labels.team: must be a string, not true (put it in quotes: "true")`,
			`4:32: retention[0].delete.older_than_label: must not be empty (give it a value, or remove it)`,
			`5:35: retention[1].match.kind: must be a list, not the string "image" (write ["image"])`,
			`5:13: retention[1].match.labels: must be a mapping, not a list (write {name: value})`,
			`5:42: retention[1].match.platforms: is an empty list (name at least one entry, or remove the key)`,
			`6:9: retention[1].by: must be one of updated_at, created_at, built_at, not "build" (write one of them)`,
			`8:20: protect.labels.keep: has no value (give it a value, or remove it)`,
		},
	},
	{
		"keys of contents, and contents that are never read",
		`content: {read: never}
retention:
  - {name: a, match: {labels: {a: b}}, except: {kind: [index]}, by: built_at, delete: {older_than_label: ttl}}
naming: [{subject: tag, match: {platforms: [linux/arm64]}, pattern: a}]
protect: {labels: {keep: "true"}}
waivers: [{match: {labels: {a: b}}, owner: me, reason: audit, until: 2027-01-01}]
`,
		[]string{
			`3:69: retention[0].by: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
			`3:106: retention[0].delete.older_than_label: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
			`3:49: retention[0].except.kind: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
			`3:23: retention[0].match.labels: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
			`4:33: naming[0].match.platforms: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
			`5:11: protect.labels: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
			`6:20: waivers[0].match.labels: needs the content of tags, but content.read is never (write content: {read: auto}, or remove the key)`,
		},
	},
	{
		"keys of contents in rules about images and namespaces",
		`visibility:
  - {subject: image, match: {labels: {team: x}}, require: private}
  - {subject: namespace, match: {namespaces: [a]}, except: {kind: [index]}, require: private}
naming:
  - {subject: image, match: {platforms: [linux/arm64]}, pattern: a}
  - {subject: tag, match: {labels: {team: x}}, pattern: a}
`,
		[]string{
			`2:30: visibility[0].match.labels: cannot be used in a rule with the subject image (remove the key)`,
			`3:61: visibility[1].except.kind: cannot be used in a rule with the subject namespace (remove the key)`,
			`5:30: naming[0].match.platforms: cannot be used in a rule with the subject image (remove the key)`,
		},
	},
	{
		"a delete at age zero without a keep",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 0s}
`,
		[]string{
			`3:5: retention[0].delete: needs an age: without keep, the rule would delete every matched tag (write delete: {older_than: 14d}, or say what to keep)`,
		},
	},
	{
		"a delete that is a duration",
		`retention:
  - match: {tags: ["*"]}
    delete: 14d
`,
		[]string{
			`3:13: retention[0].delete: must be a mapping, not the string "14d" (write delete: {older_than: 14d}, delete: {} for all that keep does not keep, or remove the key)`,
		},
	},
	{
		"keep last 0",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 0}
`,
		[]string{
			`3:18: retention[0].keep.last: must be at least 1, not 0 (write 1 or more, or remove the key)`,
		},
	},
	{
		"keep last below 0",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: -3}
`,
		[]string{
			`3:18: retention[0].keep.last: must be at least 1, not -3 (write 1 or more, or remove the key)`,
		},
	},
	{
		"keep within nothing",
		`retention:
  - match: {tags: ["*"]}
    keep: {within: 0d}
`,
		[]string{
			`3:20: retention[0].keep.within: must be longer than 0d (give it a length, or remove the key)`,
		},
	},
	{
		"an empty keep",
		`retention:
  - match: {tags: ["*"]}
    keep: {}
`,
		[]string{
			`3:5: retention[0].keep: keeps nothing (say what to keep: last, within, within_newest, hourly to yearly, semver or all: true)`,
		},
	},
	{
		"a keep of nothing",
		`retention:
  - match: {tags: ["*"]}
    keep: {all: false, daily: 0}
    delete: {}
`,
		[]string{
			`3:5: retention[0].keep: keeps nothing (say what to keep: last, within, within_newest, hourly to yearly, semver or all: true)`,
		},
	},
	{
		"keep last in words",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: ten}
`,
		[]string{
			`3:18: retention[0].keep.last: must be a whole number, not the string "ten" (write plain digits, without quotes)`,
		},
	},
	{
		"keep last in quotes",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: "10"}
`,
		[]string{
			`3:18: retention[0].keep.last: must be a whole number, not the string "10" (write plain digits, without quotes)`,
		},
	},
	{
		"keep last as a fraction",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 1.5}
`,
		[]string{
			`3:18: retention[0].keep.last: must be a whole number, not the number 1.5 (write plain digits, without quotes)`,
		},
	},
	{
		"keep last as an octal",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 010}
`,
		[]string{
			`3:18: retention[0].keep.last: must be a whole number, not the number 010 (write plain digits, without quotes)`,
		},
	},
	{
		"keep last beyond all numbers",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 99999999999}
`,
		[]string{
			`3:18: retention[0].keep.last: is out of range: 99999999999 (write a number with fewer digits)`,
		},
	},
	{
		"yes is not a boolean",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
    delete: {}
    enforce: yes
`,
		[]string{
			`5:14: retention[0].enforce: must be true or false, not the string "yes" (write true or false, without quotes)`,
		},
	},
	{
		"a boolean in quotes",
		`retention:
  - match: {tags: ["*"]}
    keep: {all: "true"}
`,
		[]string{
			`3:17: retention[0].keep.all: must be true or false, not the string "true" (write true or false, without quotes)`,
		},
	},
	{
		"a wrong order",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
    by: created
`,
		[]string{
			`4:9: retention[0].by: must be one of updated_at, created_at, built_at, not "created" (did you mean "created_at"?)`,
		},
	},
	{
		"a wrong count",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
    count: images
`,
		[]string{
			`4:12: retention[0].count: must be digests or tags, not "images" (write one of them)`,
		},
	},
	{
		"a duration without a unit",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 14}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration, not the number 14 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"a duration in quotes without a unit",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: "14"}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "14" has no unit after 14 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"a negative duration",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: -3d}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "-3d" is negative (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"a fraction of a duration",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 1.5d}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "1.5d" has a fraction (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"an unknown unit",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 3 days}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "3 days" has the unknown unit " days" (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"units out of order",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 30m1h}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "30m1h" has its units out of order: largest first, each once (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"a unit twice",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 1d1d}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "1d1d" has its units out of order: largest first, each once (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"a duration beyond all times",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 300y}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "300y" is longer than 292 years (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"text after a duration",
		`retention:
  - match: {tags: ["*"]}
    delete: {older_than: 14d ago}
`,
		[]string{
			`3:26: retention[0].delete.older_than: must be a duration: "14d ago" has the unknown unit "d ago" (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"a number for a tag",
		`retention:
  - match: {tags: [1.10]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: must be a string, not the number 1.10 (put it in quotes: "1.10")`,
		},
	},
	{
		"a whole number for a tag",
		`retention:
  - match: {tags: [latest, 7]}
    keep: {all: true}
`,
		[]string{
			`2:28: retention[0].match.tags[1]: must be a string, not the number 7 (put it in quotes: "7")`,
		},
	},
	{
		"a boolean for a tag",
		`retention:
  - match: {tags: [true]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: must be a string, not true (put it in quotes: "true")`,
		},
	},
	{
		"nothing for a tag",
		`retention:
  - match: {tags: [~]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: has no value (give it a value, or remove it)`,
		},
	},
	{
		"an empty string for a tag",
		`retention:
  - match: {tags: [""]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: must not be empty (give it a value, or remove it)`,
		},
	},
	{
		"a word for a list of tags",
		`retention:
  - match: {tags: pr-*}
    keep: {all: true}
`,
		[]string{
			`2:19: retention[0].match.tags: must be a list, not the string "pr-*" (write ["pr-*"])`,
		},
	},
	{
		"a mapping for a list of tags",
		`retention:
  - match: {tags: {a: b}}
    keep: {all: true}
`,
		[]string{
			`2:13: retention[0].match.tags: must be a list, not a mapping (write a list)`,
		},
	},
	{
		"a list for a regex",
		`retention:
  - match: {tags_regex: [a, b]}
    keep: {all: true}
`,
		[]string{
			`2:13: retention[0].match.tags_regex: must be a string, not a list (write one string)`,
		},
	},
	{
		"a tag twice",
		`retention:
  - match: {tags: [a, b, a]}
    keep: {all: true}
`,
		[]string{
			`2:26: retention[0].match.tags[2]: repeats "a" of line 2 (remove one of the two)`,
		},
	},
	{
		"an open class in a glob",
		`retention:
  - match: {tags: ["pr-[0-9"]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: is not a valid glob: "pr-[0-9" (close every [ and {, and write \ before a character that stands for itself)`,
		},
	},
	{
		"an open brace in a glob",
		`retention:
  - match: {images: ["{api,web"]}
    keep: {all: true}
`,
		[]string{
			`2:22: retention[0].match.images[0]: is not a valid glob: "{api,web" (close every [ and {, and write \ before a character that stands for itself)`,
		},
	},
	{
		"a negated glob",
		`retention:
  - match: {tags: ["!latest"]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: never matches a name: "!latest" (globs cannot be negated: use except or exclude)`,
		},
	},
	{
		"a slash in a tag glob",
		`retention:
  - match: {tags: ["feature/*"]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: never matches a name: "feature/*" (names of namespaces and tags have no slash; use the key images for images)`,
		},
	},
	{
		"a slash in a namespace glob",
		`retention:
  - match: {namespaces: ["prod/api"]}
    keep: {all: true}
`,
		[]string{
			`2:26: retention[0].match.namespaces[0]: never matches a name: "prod/api" (names of namespaces and tags have no slash; use the key images for images)`,
		},
	},
	{
		"a space around a glob",
		`retention:
  - match: {tags: [" pr-*"]}
    keep: {all: true}
`,
		[]string{
			`2:20: retention[0].match.tags[0]: must not begin or end with a space: " pr-*" (remove the space)`,
		},
	},
	{
		"a line break in a name",
		`retention:
  - name: "a\nb"
    match: {tags: ["*"]}
    keep: {all: true}
`,
		[]string{
			`2:11: retention[0].name: must not have line breaks or control characters (write it on one line)`,
		},
	},
	{
		"an open group in a regex",
		`retention:
  - match: {tags_regex: "v(1"}
    keep: {all: true}
`,
		[]string{
			`2:25: retention[0].match.tags_regex: is not a valid regular expression: missing closing ): "v(1" (write RE2 syntax, without lookaround and backreferences)`,
		},
	},
	{
		"a lookahead in a regex",
		`retention:
  - match: {tags_regex: "(?!latest).*"}
    keep: {all: true}
`,
		[]string{
			`2:25: retention[0].match.tags_regex: is not a valid regular expression: invalid or unsupported Perl syntax: "(?!latest).*" (write RE2 syntax, without lookaround and backreferences)`,
		},
	},
	{
		"a regex of many characters",
		"naming:\n  - {subject: tag, pattern: '" + strings.Repeat("a", 120_000) + "'}\n",
		[]string{
			`2:29: naming[0].pattern: is too large: it has 120,000 characters, and 4,096 are possible: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..." (shorten it: write classes such as [a-z0-9]+ instead of lists of words, and smaller repetitions)`,
		},
	},
	{
		"regexes of many steps",
		`retention:
  - match: {tags_regex: "a{1000}b{1000}c{1000}d{1000}e{1000}f{1000}"}
    except: {tags_regex: "((((x{10}){10}){10})|y{1000}){1,9}"}
    group_by: '(((a|b|c|d|e|f){10}){10}){10}'
    keep: {all: true}
`,
		[]string{
			`2:25: retention[0].match.tags_regex: is too large: with its repetitions written out it has about 12,006 steps, and 10,000 are possible: "a{1000}b{1000}c{1000}d{1000}e{1000}f{1000}" (shorten it: write classes such as [a-z0-9]+ instead of lists of words, and smaller repetitions)`,
			`3:26: retention[0].except.tags_regex: is not a valid regular expression: invalid repeat count: "((((x{10}){10}){10})|y{1000}){1,9}" (write RE2 syntax, without lookaround and backreferences)`,
		},
	},
	{
		"a regex that would escape its anchors",
		`retention:
  - match: {tags_regex: "a)|(b"}
    keep: {all: true}
`,
		[]string{
			`2:25: retention[0].match.tags_regex: is not a valid regular expression: unexpected ): "a)|(b" (write RE2 syntax, without lookaround and backreferences)`,
		},
	},
	{
		"a range in words",
		`retention:
  - match: {semver: "newest"}
    keep: {all: true}
`,
		[]string{
			`2:21: retention[0].match.semver: is not a version range: "newest" (write a range such as ">=1.0.0 <2.0.0", "^1.2", or "*")`,
		},
	},
	{
		"a number for a range",
		`retention:
  - match: {semver: 1.2}
    keep: {all: true}
`,
		[]string{
			`2:21: retention[0].match.semver: must be a string, not the number 1.2 (put it in quotes: "1.2")`,
		},
	},
	{
		"a project by name",
		`retention:
  - match: {project_ids: [default]}
    keep: {all: true}
`,
		[]string{
			`2:27: retention[0].match.project_ids[0]: must be a UUID, not "default" (copy the ID, in lower case, such as 11111111-2222-3333-4444-555555555555)`,
		},
	},
	{
		"an age of zero in a match",
		`retention:
  - match: {older_than: 0s}
    keep: {all: true}
`,
		[]string{
			`2:25: retention[0].match.older_than: must be longer than 0s (give it a length, or remove the key)`,
		},
	},
	{
		"ages that exclude each other",
		`retention:
  - match: {older_than: 30d, younger_than: 10d}
    keep: {all: true}
`,
		[]string{
			`2:44: retention[0].match.younger_than: matches nothing together with older_than: 30d (make it longer than older_than, or remove one of the two)`,
		},
	},
	{
		"a region without a registry",
		"scaleway:\n  regions: [fr-par, it-mil]\n",
		[]string{
			`2:21: scaleway.regions[1]: must be one of fr-par, nl-ams, pl-waw, not "it-mil" (remove it: it-mil runs containers, but has no registry)`,
		},
	},
	{
		"a misspelled region",
		"scaleway:\n  regions: [fr-pra]\n",
		[]string{
			`2:13: scaleway.regions[0]: must be one of fr-par, nl-ams, pl-waw, not "fr-pra" (did you mean "fr-par"?)`,
		},
	},
	{
		"a region twice",
		`scaleway:
  regions:
    - fr-par
    - fr-par
`,
		[]string{
			`4:7: scaleway.regions[1]: repeats "fr-par" of line 3 (remove one of the two)`,
		},
	},
	{
		"a word for the regions",
		"scaleway: {regions: fr-par}\n",
		[]string{
			`1:21: scaleway.regions: must be a list, not the string "fr-par" (write ["fr-par"])`,
		},
	},
	{
		"an organization in capitals",
		"scaleway: {organization_id: 11111111-2222-3333-4444-55555555555F}\n",
		[]string{
			`1:29: scaleway.organization_id: must be a UUID, not "11111111-2222-3333-4444-55555555555F" (copy the ID, in lower case, such as 11111111-2222-3333-4444-555555555555)`,
		},
	},
	{
		"an unknown time zone",
		"timezone: Europe/Pariss\n",
		[]string{
			`1:11: timezone: is not a known time zone: "Europe/Pariss" (write a name of the IANA database, such as Europe/Paris or UTC)`,
		},
	},
	{
		"the time zone of the machine",
		"timezone: Local\n",
		[]string{
			`1:11: timezone: is not a known time zone: "Local" (write a name of the IANA database, such as Europe/Paris or UTC)`,
		},
	},
	{
		"an empty time zone",
		"timezone: \"\"\n",
		[]string{
			`1:11: timezone: must not be empty (give it a value, or remove it)`,
		},
	},
	{
		"a scope is only a slash",
		"scope: {include: [/]}\n",
		[]string{
			`1:19: scope.include[0]: matches no namespace/image: "/" (write "**" for all images)`,
		},
	},
	{
		"a scope is not a valid glob",
		"scope: {include: [\"prod[\"]}\n",
		[]string{
			`1:19: scope.include[0]: is not a valid glob: "prod[" (close every [ and {, and write \ before a character that stands for itself)`,
		},
	},
	{
		"a scope of namespaces only",
		`scope:
  include: ["**"]
  exclude: ["funcscw*"]
`,
		[]string{
			`3:13: scope.exclude[0]: matches no namespace/image: "funcscw*" (write "funcscw*/**" for all images of a namespace)`,
		},
	},
	{
		"a percentage over 100",
		"limits: {max_deletion_percent: 101}\n",
		[]string{
			`1:32: limits.max_deletion_percent: must be from 0 to 100, not 101 (write a number in that range, or remove the key)`,
		},
	},
	{
		"a negative limit",
		"limits: {max_deletions: -1, keep_at_least: -1}\n",
		[]string{
			`1:44: limits.keep_at_least: must be at least 0, not -1 (write 0 or more, or remove the key)`,
			`1:25: limits.max_deletions: must be at least 0, not -1 (write 0 or more, or remove the key)`,
		},
	},
	{
		"wrong policies",
		"policies:\n  - own/\n  - {path: own/, enforce: maybe}\n  - {enforce: false}\n  - [a]\n  - {path: x, enforced: false}\n",
		[]string{
			`3:5: policies[1]: repeats "own/" of line 2 (remove one of the two)`,
			`3:27: policies[1].enforce: must be true or false, not the string "maybe" (write true or false, without quotes)`,
			`4:5: policies[2].path: is missing (name a file, a folder or a bundle)`,
			`5:5: policies[3]: must be a string, not a list (write one string)`,
			`6:15: policies[4].enforced: is an unknown key (did you mean "enforce"? allowed here: path, enforce)`,
		},
	},
	{
		"an override without a place",
		"limits: {overrides: [{keep_at_least: 0}, {match: {}, keep_at_least: 0}, {match: , min_age: 0s}]}\n",
		[]string{
			`1:22: limits.overrides[0].match: is missing (say where, such as match: {namespaces: [dev]})`,
			`1:43: limits.overrides[1].match: is empty (say where, such as match: {namespaces: [dev]})`,
			`1:74: limits.overrides[2].match: has no value (say where, such as match: {namespaces: [dev]})`,
		},
	},
	{
		"an archive without a place",
		"archive: {keep: 30d}\n",
		[]string{
			`1:1: archive.to: is missing (say where, such as to: /var/lib/registry-janitor/archive)`,
		},
	},
	{
		"an archive with a password",
		"archive: {to: \"s3://KEY:SECRET@bucket/prefix\"}\n",
		[]string{
			`1:15: archive.to: must not have a user or a password (put credentials into the environment)`,
		},
	},
	{
		"an archive whose address is no path",
		"archive: {to: \"s3:/bucket/prefix\", access_key: SECRET, storage_class: GLACIER}\n",
		[]string{
			`1:36: archive.access_key: is not allowed here (credentials are not part of the configuration: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for a bucket, or run docker login for a registry)`,
			`1:56: archive.storage_class: is not allowed here (it is a parameter of the bucket: write it into to, such as s3://bucket/prefix?endpoint=https://s3.fr-par.scw.cloud&storage_class=GLACIER)`,
			`1:15: archive.to: has no // after s3: (write a path, file:///path, s3://bucket/prefix?endpoint=…&region=… or oci://host/repository)`,
		},
	},
	{
		"an archive of another kind",
		"archive: {to: \"ftp://host/x\", keep: 0s, max_bandwidth: fast, match: {}}\n",
		[]string{
			`1:37: archive.keep: must be longer than 0s (give it a length, or remove the key)`,
			`1:62: archive.match: is empty (say which tags are copied, or remove the key)`,
			`1:56: archive.max_bandwidth: is not a number of bytes per second: "fast" (write at least 1kB, such as 50MB, or 400MiB)`,
			`1:15: archive.to: has an unknown scheme: "ftp" (write a path, file:///path, s3://bucket/prefix?endpoint=…&region=… or oci://host/repository)`,
		},
	},
	{
		"an override that overrides nothing",
		"limits: {overrides: [{match: {namespaces: [dev]}}]}\n",
		[]string{
			`1:22: limits.overrides[0]: overrides nothing (give it min_age, keep_at_least or both, or remove it)`,
		},
	},
	{
		"two overrides of one place",
		"limits:\n  overrides:\n    - {match: {namespaces: [dev, test]}, min_age: 0s}\n    - {match: {namespaces: [test, dev]}, keep_at_least: 0}\n",
		[]string{
			`4:8: limits.overrides[1].match: is that of limits.overrides[0], and the first that matches counts (put the keys of both into one entry)`,
		},
	},
	{
		"an override with wrong keys and values",
		"limits: {overrides: [{match: {tags: [a], namespaces: [], images: [\"[a\"]}, keep_at_least: -1, min_age: soon, max_deletions: 3}, {match: {namespaces: [a/b]}, min_age: }]}\n",
		[]string{
			`1:90: limits.overrides[0].keep_at_least: must be at least 0, not -1 (write 0 or more, or remove the key)`,
			`1:67: limits.overrides[0].match.images[0]: is not a valid glob: "[a" (close every [ and {, and write \ before a character that stands for itself)`,
			`1:42: limits.overrides[0].match.namespaces: is an empty list (name at least one entry, or remove the key)`,
			`1:31: limits.overrides[0].match.tags: is an unknown key (allowed here: namespaces, images)`,
			`1:109: limits.overrides[0].max_deletions: is an unknown key (it belongs in limits; allowed here: match, keep_at_least, min_age)`,
			`1:103: limits.overrides[0].min_age: must be a duration: "soon" needs a whole number before each unit (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
			`1:150: limits.overrides[1].match.namespaces[0]: never matches a name: "a/b" (names of namespaces and tags have no slash; use the key images for images)`,
			`1:157: limits.overrides[1].min_age: has no value (give it a value, or remove it)`,
		},
	},
	{
		"a limit with a percent sign",
		"limits: {max_deletion_percent: 50%}\n",
		[]string{
			`1:32: limits.max_deletion_percent: must be a whole number, not the string "50%" (write plain digits, without quotes)`,
		},
	},
	{
		"a list for a mapping",
		"limits:\n  - min_age: 1h\n",
		[]string{
			`1:1: limits: must be a mapping, not a list (its keys: min_age, max_deletions, max_deletion_percent, keep_at_least, max_plan_age, anomaly, canary, max_failures, overrides)`,
		},
	},
	{
		"a registry_url that is none",
		"scaleway: {registry_url: rg.fr-par.scw.cloud}\n",
		[]string{
			`1:26: scaleway.registry_url: is not the address of a registry: "rg.fr-par.scw.cloud" (write https:// and a host alone, such as https://rg.{region}.scw.cloud)`,
		},
	},
	{
		"a registry_url with a path and another placeholder",
		"scaleway: {registry_url: \"https://rg.{zone}.scw.cloud/v2\"}\n",
		[]string{
			`1:26: scaleway.registry_url: is not the address of a registry: "https://..." (write https:// and a host alone, such as https://rg.{region}.scw.cloud)`,
		},
	},
	{
		"a wrong content",
		"content: {read: sometimes, multi_arch: most}\n",
		[]string{
			`1:40: content.multi_arch: must be related or all, not "most" (write one of them)`,
			`1:17: content.read: must be one of auto, always, never, not "sometimes" (write one of them)`,
		},
	},
	{
		"a wrong shared_digest",
		"shared_digest: untagged\n",
		[]string{
			`1:16: shared_digest: must be one of protect, untag, auto, not "untagged" (did you mean "untag"?)`,
		},
	},
	{
		"a short digest to protect",
		"protect: {digests: [\"sha256:abc\"]}\n",
		[]string{
			`1:21: protect.digests[0]: must be a digest, not "sha256:abc" (write sha256: and 64 hexadecimal digits in lower case)`,
		},
	},
	{
		"an empty rule for images without an age",
		"empty: {images: {}}\n",
		[]string{
			`1:9: empty.images.older_than: is missing (say how long it must have been left alone, such as older_than: 30d)`,
		},
	},
	{
		"an empty rule that is switched on",
		"empty: {images: true}\n",
		[]string{
			`1:17: empty.images: must be a mapping, not true (write images: {older_than: 7d}, or remove the key)`,
		},
	},
	{
		"an empty rule without a value",
		"empty:\n  namespaces:\n",
		[]string{
			`2:3: empty.namespaces: has no value (write namespaces: {older_than: 30d}, or remove the key)`,
		},
	},
	{
		"a visibility rule without anything",
		"visibility:\n  - name: x\n",
		[]string{
			`2:5: visibility[0].match: is missing (say what the rule is about, such as match: {namespaces: ["*"]})`,
			`2:5: visibility[0].require: is missing (say which visibility it must have: private, public or inherit)`,
			`2:5: visibility[0].subject: is missing (say what the rule is about: image or namespace)`,
		},
	},
	{
		"a namespace that inherits",
		`visibility:
  - {subject: namespace, match: {namespaces: ["*"]}, require: inherit}
`,
		[]string{
			`2:63: visibility[0].require: must be private or public for namespaces (write one of them: only an image can inherit its visibility)`,
		},
	},
	{
		"tags in a visibility rule",
		`visibility:
  - subject: image
    match: {tags: ["*"]}
    require: private
`,
		[]string{
			`3:13: visibility[0].match.tags: cannot be used in a rule with the subject image (remove the key)`,
		},
	},
	{
		"images in a rule on namespaces",
		`naming:
  - subject: namespace
    pattern: '[a-z]+'
    match: {namespaces: ["*"]}
    except:
      images: [api]
`,
		[]string{
			`6:7: naming[0].except.images: cannot be used in a rule with the subject namespace (remove the key)`,
		},
	},
	{
		"versions in a rule on images",
		`naming:
  - {subject: image, pattern: '[a-z]+', match: {semver: "*"}}
`,
		[]string{
			`2:57: naming[0].match.semver: cannot be used in a rule with the subject image (remove the key)`,
		},
	},
	{
		"an unknown visibility",
		`visibility:
  - {subject: image, match: {images: ["**"]}, require: internal}
`,
		[]string{
			`2:56: visibility[0].require: must be one of private, public, inherit, not "internal" (write one of them)`,
		},
	},
	{
		"a visibility of a tag",
		`visibility:
  - {subject: tag, match: {images: ["**"]}, require: private}
`,
		[]string{
			`2:15: visibility[0].subject: must be image or namespace, not "tag" (write one of them)`,
		},
	},
	{
		"a naming rule without a pattern",
		"naming:\n  - {subject: image}\n",
		[]string{
			`2:5: naming[0].pattern: is missing (say how names must look, such as pattern: '[a-z0-9-]+')`,
		},
	},
	{
		"a naming rule with a wrong severity",
		`naming:
  - {subject: image, pattern: 'a+', severity: error}
`,
		[]string{
			`2:47: naming[0].severity: must be deny or warn, not "error" (write one of them)`,
		},
	},
	{
		"two rules with the same name",
		`naming:
  - {name: kebab, subject: image, pattern: 'a+'}
  - {name: kebab, subject: tag, pattern: 'b+'}
`,
		[]string{
			`3:12: naming[1].name: has the same name as naming[0]: "kebab" (give each rule its own name: plans and reports use it)`,
		},
	},
	{
		"two rules that are the same",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
  - match: {tags: ["*"]}
    keep: {last: 3}
`,
		[]string{
			`4:5: retention[1]: has the same name as retention[0]: "tags * keep last 3" (give each rule its own name: plans and reports use it)`,
		},
	},
	{
		"a cron expression of six fields",
		"schedules: [{cron: \"0 0 3 * * *\", do: plan}]\n",
		[]string{
			`1:20: schedules[0].cron: is not a cron expression: expected exactly 5 fields, found 6: [0 0 3 * * *] (write minute, hour, day, month and weekday, such as "0 3 * * *", or @daily, @every 6h)`,
		},
	},
	{
		"a cron expression out of range",
		"schedules: [{cron: \"61 * * * *\", do: plan}]\n",
		[]string{
			`1:20: schedules[0].cron: is not a cron expression: end of range (61) above maximum (59): 61 (write minute, hour, day, month and weekday, such as "0 3 * * *", or @daily, @every 6h)`,
		},
	},
	{
		"a cron expression with a zone",
		"schedules: [{cron: \"TZ=UTC 0 3 * * *\", do: plan}]\n",
		[]string{
			`1:20: schedules[0].cron: must not name a time zone: "TZ=UTC 0 3 * * *" (use the key timezone)`,
		},
	},
	{
		"a day that never happens",
		"schedules: [{cron: \"0 3 30 2 *\", do: plan}]\n",
		[]string{
			`1:20: schedules[0].cron: never happens: "0 3 30 2 *" (write a day that the calendar has)`,
		},
	},
	{
		"a schedule without a pause",
		"schedules: [{cron: \"@every -5m\", do: plan}]\n",
		[]string{
			`1:20: schedules[0].cron: is not a cron expression: "@every -5m" is shorter than a second (write minute, hour, day, month and weekday, such as "0 3 * * *", or @daily, @every 6h)`,
		},
	},
	{
		"a schedule that deletes",
		"schedules: [{cron: \"@daily\", do: delete}]\n",
		[]string{
			`1:34: schedules[0].do: must be plan or apply, not "delete" (write one of them)`,
		},
	},
	{
		"a schedule without anything",
		"schedules:\n  - jitter: 10m\n",
		[]string{
			`2:5: schedules[0].cron: is missing (say when, such as cron: "0 3 * * *")`,
			`2:5: schedules[0].do: is missing (say what to do: plan or apply)`,
		},
	},
	{
		"a schedule in an unknown zone",
		"schedules: [{cron: \"@daily\", do: plan, timezone: CEST+1}]\n",
		[]string{
			`1:50: schedules[0].timezone: is not a known time zone: "CEST+1" (write a name of the IANA database, such as Europe/Paris or UTC)`,
		},
	},
	{
		"a schedule that is a word",
		"schedules: [\"@daily\"]\n",
		[]string{
			`1:13: schedules[0]: must be a mapping, not the string "@daily" (its keys: name, cron, do, jitter, timezone, catch_up)`,
		},
	},
	{
		"an empty path of policies",
		"policies: [\"\"]\n",
		[]string{
			`1:12: policies[0]: must not be empty (give it a value, or remove it)`,
		},
	},
	{
		"a run without time",
		"run_timeout: 0s\n",
		[]string{
			`1:14: run_timeout: must be longer than 0s (give it a length, or remove the key)`,
		},
	},
	{
		"grace without a ledger",
		"grace: 2d\n",
		[]string{
			`1:8: grace: needs ledger.dsn (set ledger.dsn or ledger.dsn_env, or remove the key)`,
		},
	},
	{
		"calendar keeps that keep nothing",
		`retention:
  - match: {tags: ["*"]}
    keep: {hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0}
    delete: {}
`,
		[]string{
			`3:5: retention[0].keep: keeps nothing (say what to keep: last, within, within_newest, hourly to yearly, semver or all: true)`,
		},
	},
	{
		"calendar keeps that are not counts",
		`retention:
  - match: {tags: ["*"]}
    keep:
      hourly: -1
      daily: 7d
      weekly: 1.5
      monthly: "12"
      yearly: true
      quarterly: 4
`,
		[]string{
			`4:15: retention[0].keep.hourly: must be at least 0, not -1 (write 0 or more, or remove the key)`,
			`5:14: retention[0].keep.daily: must be a whole number, not the string "7d" (write plain digits, without quotes)`,
			`6:15: retention[0].keep.weekly: must be a whole number, not the number 1.5 (write plain digits, without quotes)`,
			`7:16: retention[0].keep.monthly: must be a whole number, not the string "12" (write plain digits, without quotes)`,
			`8:15: retention[0].keep.yearly: must be a whole number, not true (write plain digits, without quotes)`,
			`9:7: retention[0].keep.quarterly: is an unknown key (allowed here: last, within, within_newest, all, hourly, daily, weekly, monthly, yearly, semver)`,
		},
	},
	{
		"ages of nothing",
		`retention:
  - match: {tags: ["*"]}
    keep: {within: 0s, within_newest: 0s}
    delete: {}
  - match: {tags: ["a*"]}
    keep: {within_newest: 30}
`,
		[]string{
			`3:20: retention[0].keep.within: must be longer than 0s (give it a length, or remove the key)`,
			`3:39: retention[0].keep.within_newest: must be longer than 0s (give it a length, or remove the key)`,
			`6:27: retention[1].keep.within_newest: must be a duration, not the number 30 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
		},
	},
	{
		"semver keeps of nothing",
		`retention:
  - match: {semver: "*"}
    keep: {semver: {majors: 0, minors: -2, patches: all}}
`,
		[]string{
			`3:29: retention[0].keep.semver.majors: must be at least 1, not 0 (write 1 or more, or remove the key)`,
			`3:40: retention[0].keep.semver.minors: must be at least 1, not -2 (write 1 or more, or remove the key)`,
			`3:53: retention[0].keep.semver.patches: must be a whole number, not the string "all" (write plain digits, without quotes)`,
		},
	},
	{
		"semver keeps that say nothing",
		`retention:
  - match: {semver: "*"}
    keep: {semver: {}}
`,
		[]string{
			`3:12: retention[0].keep.semver: is empty (say how many: semver: {majors: 2, minors: 3, patches: 2})`,
		},
	},
	{
		"semver keeps as a range",
		`retention:
  - match: {tags: ["*"]}
    keep: {semver: ">=1.0.0"}
`,
		[]string{
			`3:20: retention[0].keep.semver: must be a mapping, not the string ">=1.0.0" (its keys: majors, minors, patches, versions, prereleases)`,
		},
	},
	{
		"semver keeps with a typo",
		`retention:
  - match: {tags: ["*"]}
    keep: {semver: {major: 2, prerelease: true}}
`,
		[]string{
			`3:21: retention[0].keep.semver.major: is an unknown key (did you mean "majors"? allowed here: majors, minors, patches, versions, prereleases)`,
			`3:31: retention[0].keep.semver.prerelease: is an unknown key (did you mean "prereleases"? allowed here: majors, minors, patches, versions, prereleases)`,
		},
	},
	{
		"pre-releases that are neither followed, ranked nor left",
		`retention:
  - match: {semver: "*"}
    keep: {semver: {versions: 3, prereleases: keep}}
  - match: {tags: ["*"]}
    keep: {semver: {versions: 0, prereleases: "true"}}
  - match: {images: ["*"]}
    keep: {semver: {versions: 1, prereleases: 3}}
`,
		[]string{
			`3:47: retention[0].keep.semver.prereleases: must be one of follow, true, false, not "keep" (write one of them)`,
			`5:47: retention[1].keep.semver.prereleases: must be one of follow, true, false, not the string "true" (remove the quotes)`,
			`5:31: retention[1].keep.semver.versions: must be at least 1, not 0 (write 1 or more, or remove the key)`,
			`7:47: retention[2].keep.semver.prereleases: must be a string, not the number 3 (write one of follow, true, false)`,
		},
	},
	{
		"versions without a capture group, and versions that nothing looks at",
		`retention:
  - match: {tags: ["*"]}
    version: 'api-v.+'
    keep: {semver: {versions: 3}}
  - match: {images: ["*"]}
    version: 'api-v(.+'
    keep: {semver: {versions: 3}}
  - match: {tags: ["api-*"]}
    version: 'api-v(.+)'
    keep: {last: 3}
`,
		[]string{
			`3:14: retention[0].version: has no capture group: "api-v.+" (put the version into parentheses, such as 'api-v(?P<version>.+)')`,
			`6:14: retention[1].version: is not a valid regular expression: missing closing ): "api-v(.+" (write RE2 syntax, without lookaround and backreferences)`,
			`9:14: retention[2].version: has no effect: the rule does not use versions (add keep: {semver: {versions: 3}} or a semver to match, or remove the key)`,
		},
	},
	{
		"groups without a capture group",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
    group_by: 'env-(?:[a-z]+)-\(.*'
`,
		[]string{
			`4:15: retention[0].group_by: has no capture group: "env-(?:[a-z]+)-\\(.*" (put the part that names the group into parentheses, such as 'env-(?P<group>[a-z]+)-.*')`,
		},
	},
	{
		"groups of a bad regular expression",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
    group_by: 'env-(?P<group>[a-z]+-.*'
`,
		[]string{
			`4:15: retention[0].group_by: is not a valid regular expression: missing closing ): "env-(?P<group>[a-z]+-.*" (write RE2 syntax, without lookaround and backreferences)`,
		},
	},
	{
		"groups by several expressions",
		`retention:
  - match: {tags: ["*"]}
    keep: {last: 3}
    group_by: ['(a)', '(b)']
`,
		[]string{
			`4:5: retention[0].group_by: must be a string, not a list (write one string)`,
		},
	},
	{
		"attachments that do what they cannot",
		"attachments: {orphans: remove}\n",
		[]string{
			`1:24: attachments.orphans: must be keep or delete, not "remove" (write one of them)`,
		},
	},
	{
		"attachments as a word",
		"attachments: delete\n",
		[]string{
			`1:14: attachments: must be a mapping, not the string "delete" (its keys: orphans)`,
		},
	},
	{
		"attachments with a typo",
		"attachments: {orphan: delete}\n",
		[]string{
			`1:15: attachments.orphan: is an unknown key (did you mean "orphans"? allowed here: orphans)`,
		},
	},
	{
		"policies without any time",
		"policy: {timeout: 0s}\n",
		[]string{
			`1:19: policy.timeout: must be longer than 0s (give it a length, or remove the key)`,
		},
	},
	{
		"policies under the wrong key",
		`policy:
  paths: [policies/]
  timeout: 10
  verification_key: true
`,
		[]string{
			`2:3: policy.paths: is an unknown key (allowed here: timeout, verification_key)`,
			`3:12: policy.timeout: must be a duration, not the number 10 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
			`4:21: policy.verification_key: must be a string, not true (put it in quotes: "true")`,
		},
	},
	{
		"clusters without a distinct name",
		`protect:
  kubernetes:
    - {name: prod}
    - {in_cluster: true, context: prod}
    - {in_cluster: true, kubeconfig: k.yaml}
    - {in_cluster: false, namespaces: [shop]}
    - {}
    - prod
`,
		[]string{
			`3:7: protect.kubernetes[0]: needs kubeconfig, context or in_cluster (write kubeconfig: FILE, context: NAME of the default kubeconfig, or in_cluster: true)`,
			`4:20: protect.kubernetes[1].in_cluster: cannot be used together with kubeconfig or context (a pod reaches its own cluster without either: remove in_cluster, or the others)`,
			`5:20: protect.kubernetes[2].in_cluster: cannot be used together with kubeconfig or context (a pod reaches its own cluster without either: remove in_cluster, or the others)`,
			`6:7: protect.kubernetes[3]: needs kubeconfig, context or in_cluster (write kubeconfig: FILE, context: NAME of the default kubeconfig, or in_cluster: true)`,
			`7:7: protect.kubernetes[4]: is empty (write kubeconfig: FILE, context: NAME of the default kubeconfig, or in_cluster: true)`,
			`8:7: protect.kubernetes[5]: must be a mapping, not the string "prod" (its keys: name, kubeconfig, context, in_cluster, namespaces, replica_sets, required)`,
		},
	},
	{
		"no cluster",
		"protect: {kubernetes: []}\n",
		[]string{
			`1:11: protect.kubernetes: is an empty list (name at least one entry, or remove the key)`,
		},
	},
	{
		"a cluster that is not a list",
		"protect: {kubernetes: {in_cluster: true}}\n",
		[]string{
			`1:11: protect.kubernetes: must be a list, not a mapping (begin each entry with a dash)`,
		},
	},
	{
		"two clusters with the same name",
		`protect:
  kubernetes:
    - {context: prod}
    - {name: prod, kubeconfig: k.yaml}
    - {in_cluster: true}
    - {in_cluster: true, namespaces: [shop]}
`,
		[]string{
			`4:14: protect.kubernetes[1].name: has the same name as protect.kubernetes[0]: "prod" (give each cluster its own name: reasons use it)`,
			`6:7: protect.kubernetes[3]: has the same name as protect.kubernetes[2]: "in-cluster" (give each cluster its own name: reasons use it)`,
		},
	},
	{
		"clusters with keys that make no sense",
		`protect:
  kubernetes:
    - context: prod
      namespace: [shop]
      replica_sets: 0
      required: "no"
    - kubeconfig: ~/.kube/config
      namespaces: []
    - kubeconfig: $HOME/.kube/config
      namespaces: ["shop-*", Shop, shop, shop]
`,
		[]string{
			`4:7: protect.kubernetes[0].namespace: is an unknown key (did you mean "namespaces"? allowed here: name, kubeconfig, context, in_cluster, namespaces, replica_sets, required)`,
			`5:21: protect.kubernetes[0].replica_sets: must be at least 1, not 0 (write 1 or more, or remove the key)`,
			`6:17: protect.kubernetes[0].required: must be true or false, not the string "no" (write true or false, without quotes)`,
			`7:19: protect.kubernetes[1].kubeconfig: is not expanded: "~/.kube/config" (write the path out; a relative one starts at the folder of this file)`,
			`8:7: protect.kubernetes[1].namespaces: is an empty list (name at least one entry, or remove the key)`,
			`9:19: protect.kubernetes[2].kubeconfig: is not expanded: "$HOME/.kube/config" (write the path out; a relative one starts at the folder of this file)`,
			`10:20: protect.kubernetes[2].namespaces[0]: is not a Kubernetes namespace: "shop-*" (write its whole name; for all namespaces, remove the key)`,
			`10:30: protect.kubernetes[2].namespaces[1]: is not a Kubernetes namespace: "Shop" (write its whole name; for all namespaces, remove the key)`,
			`10:42: protect.kubernetes[2].namespaces[3]: repeats "shop" of line 10 (remove one of the two)`,
		},
	},
	{
		"sources that say too little or too much",
		`protect:
  serverless: {}
  references_file: {required: false}
`,
		[]string{
			`2:3: protect.serverless: is empty (write the value alone, or add the key required)`,
			`3:3: protect.references_file.path: is missing (name the file, or - for standard input)`,
		},
	},
	{
		"sources that are written wrongly",
		`protect:
  serverless: {requird: false}
  references_file: [in-use.txt]
`,
		[]string{
			`2:16: protect.serverless.requird: is an unknown key (did you mean "required"? allowed here: required)`,
			`3:3: protect.references_file: must be a string, not a list (write one string)`,
		},
	},
	{
		"a ledger in the keyword form of libpq",
		"ledger:\n  dsn: \"host=db user=ops password=hunter2 dbname=janitor\"\n",
		[]string{
			`2:8: ledger.dsn: must be the path of a file or a URL, not a list of keywords (write postgres://user:password@host:port/database, special characters percent-encoded; or postgres:// alone, with PGHOST, PGUSER and PGPASSWORD in the environment)`,
		},
	},
	{
		"a ledger in the keyword form, with blanks",
		"ledger:\n  dsn: \"password = 'hunter 2' host = db\"\n",
		[]string{
			`2:8: ledger.dsn: must be the path of a file or a URL, not a list of keywords (write postgres://user:password@host:port/database, special characters percent-encoded; or postgres:// alone, with PGHOST, PGUSER and PGPASSWORD in the environment)`,
		},
	},
	{
		"a ledger in the keyword form of other drivers",
		"ledger:\n  dsn: \"Server=db;Database=janitor;Pwd=hunter2\"\n",
		[]string{
			`2:8: ledger.dsn: must be the path of a file or a URL, not a list of keywords (write postgres://user:password@host:port/database, special characters percent-encoded; or postgres:// alone, with PGHOST, PGUSER and PGPASSWORD in the environment)`,
		},
	},
	{
		"a ledger in a database that the program does not know",
		"ledger:\n  dsn: \"mysql://ops:hunter2@db/janitor\"\n",
		[]string{
			`2:8: ledger.dsn: must be the path of a file, or start with postgres:// (for SQLite, write the path alone, such as /var/lib/registry-janitor/ledger.db)`,
		},
	},
	{
		"a ledger in the memory",
		"ledger:\n  dsn: \":memory:\"\n",
		[]string{
			`2:8: ledger.dsn: must be the path of a file, or start with postgres:// (for SQLite, write the path alone, such as /var/lib/registry-janitor/ledger.db)`,
		},
	},
	{
		"an anomaly without a ledger",
		"limits: {anomaly: 5x}\n",
		[]string{
			`1:19: limits.anomaly: needs ledger.dsn, where earlier runs are recorded (set ledger.dsn or ledger.dsn_env, or remove the key)`,
		},
	},
	{
		"an anomaly that is not a factor",
		"limits:\n  anomaly: 0.5x\nledger: {dsn: runs.db}\n",
		[]string{
			`2:12: limits.anomaly: is not a factor above 1: "0.5x" (write how many times the usual number is too much, such as 5x)`,
		},
	},
	{
		"problems all over the file, out of order",
		`scaleway: {regions: [it-mil]}
retention:
  - name: a
    match: {tags: [1.10]}
    delete:
  - name: b
    delete: {older_than: 3}
  - name: a
    match: {}
    keep: {last: 0}
timezone: Mars
limits: {max_deletion_percent: 200}
`,
		[]string{
			`1:22: scaleway.regions[0]: must be one of fr-par, nl-ams, pl-waw, not "it-mil" (remove it: it-mil runs containers, but has no registry)`,
			`4:20: retention[0].match.tags[0]: must be a string, not the number 1.10 (put it in quotes: "1.10")`,
			`5:5: retention[0].delete: has no value (write delete: {older_than: 14d}, delete: {} for all that keep does not keep, or remove the key)`,
			`6:5: retention[1].match: is missing (say which tags the rule is about, such as match: {tags: ["pr-*"]})`,
			`7:26: retention[1].delete.older_than: must be a duration, not the number 3 (write whole numbers with units, largest first, such as 14d, 12h or 1h30m)`,
			`8:11: retention[2].name: has the same name as retention[0]: "a" (give each rule its own name: plans and reports use it)`,
			`9:5: retention[2].match: is empty (say which tags the rule is about, such as match: {tags: ["pr-*"]})`,
			`10:18: retention[2].keep.last: must be at least 1, not 0 (write 1 or more, or remove the key)`,
			`11:11: timezone: is not a known time zone: "Mars" (write a name of the IANA database, such as Europe/Paris or UTC)`,
			`12:32: limits.max_deletion_percent: must be from 0 to 100, not 200 (write a number in that range, or remove the key)`,
		},
	},
	{
		"a singular key that makes no sense either",
		`visibility:
  - {subject: namespace, match: {image: [api]}, require: private}
`,
		[]string{
			`2:34: visibility[0].match.image: is an unknown key (did you mean "images"? allowed here: namespaces, images, tags, tags_regex, semver, project_ids, older_than, younger_than, labels, platforms, kind)`,
		},
	},
	{
		"a bracket in a key of an alias",
		`protect:
  tags: &t [latest]
  *t : x
`,
		[]string{
			`3:3: protect: has a key that is not a plain word (write keys out, without brackets and aliases)`,
		},
	},
	{
		"a key of a match that is a number",
		`retention:
  - match: {1: [a]}
    keep: {all: true}
`,
		[]string{
			`2:13: retention[0].match.1: is an unknown key (allowed here: namespaces, images, tags, tags_regex, semver, project_ids, older_than, younger_than, labels, platforms, kind)`,
		},
	},
	{
		"an unnamed rule beside one of its name",
		`retention:
  - match: {tags: [a]}
    keep: {last: 1}
  - name: tags a keep last 1
    match: {tags: [b]}
    keep: {last: 1}
  - match: {tags: [a]}
    keep: {last: 1}
`,
		[]string{
			`4:11: retention[1].name: has the same name as retention[0]: "tags a keep last 1" (give each rule its own name: plans and reports use it)`,
			`7:5: retention[2]: has the same name as retention[0]: "tags a keep last 1" (give each rule its own name: plans and reports use it)`,
		},
	},
	{
		"a mapping for a list of rules",
		"retention:\n  name: a\n",
		[]string{
			`1:1: retention: must be a list, not a mapping (begin each entry with a dash)`,
		},
	},
	{
		"a boolean that is tagged as one",
		"protect: {serverless: !!bool maybe}\n",
		[]string{
			`1:23: protect.serverless: must be true or false, not "maybe" (write true or false, without quotes)`,
		},
	},
	{
		"a value of a type of the caller",
		"timezone: !zone Paris\n",
		[]string{
			`1:11: timezone: must be a string, not a value tagged !zone (write a name of the IANA database, such as Europe/Paris or UTC)`,
		},
	},
	{
		"a URL in the configuration",
		"notifications:\n  - {name: ops, url: \"slack://hook:T-B-SECRET@webhook\"}\n",
		[]string{
			`2:17: notifications[0].url: is not allowed here (the URL is a secret: put it into an environment variable or a file, and name that with url_env or url_file)`,
		},
	},
	{
		"URLs where their names belong",
		"notifications:\n  - {name: ops, url_env: \"slack://hook:T-B-SECRET@webhook\"}\n  - {name: chat, url_file: \"https://hooks.example.com/SECRET\"}\n",
		[]string{
			`2:26: notifications[0].url_env: must be the name of an environment variable, not a URL (the URL is a secret: put it into an environment variable or a file, and name that with url_env or url_file)`,
			`3:28: notifications[1].url_file: must be the path of a file, not a URL (the URL is a secret: put it into an environment variable or a file, and name that with url_env or url_file)`,
		},
	},
	{
		"a URL in place of a notification",
		"notifications: [\"slack://hook:T-B-SECRET@webhook\"]\n",
		[]string{
			`1:17: notifications[0]: must be a mapping, not the string "slack://..." (its keys: name, url_env, url_file, on, owners, template, link, repeat)`,
		},
	},
	{
		"the name of a variable that no shell takes",
		"notifications: [{name: ops, url_env: SLACK-URL}]\n",
		[]string{
			`1:38: notifications[0].url_env: must be the name of an environment variable (write letters, digits and underscores, such as SLACK_URL, without $ and braces)`,
		},
	},
	{
		"notifications without a place and without a name",
		"notifications:\n  - {name: ops}\n  - {url_env: A, url_file: b}\n",
		[]string{
			`2:5: notifications[0]: needs url_env or url_file (name the environment variable that has the URL of the service, or the file)`,
			`3:5: notifications[1].name: is missing (give it a name for logs, such as name: ops)`,
			`3:28: notifications[1].url_file: cannot be used together with url_env (remove one of the two)`,
		},
	},
	{
		"two notifications of one name",
		"notifications:\n  - {name: ops, url_env: A}\n  - {name: ops, url_env: B}\n",
		[]string{
			`3:12: notifications[1].name: has the same name as notifications[0]: "ops" (give each notification its own name: logs and metrics use it)`,
		},
	},
	{
		"an occasion that there is none of",
		"notifications: [{name: ops, url_env: A, on: [failures]}]\n",
		[]string{
			`1:46: notifications[0].on[0]: must be one of failure, refused, gap, violation, waiver, deleted, visibility, planned, not "failures" (did you mean "failure"?)`,
		},
	},
	{
		"an empty list of occasions",
		"notifications: [{name: ops, url_env: A, on: []}]\n",
		[]string{
			`1:41: notifications[0].on: is an empty list (name at least one entry, or remove the key)`,
		},
	},
	{
		"a template that does not parse",
		"notifications:\n  - name: ops\n    url_env: A\n    template: |\n      {{.Headline}}\n      {{if .Gaps}}gaps\n",
		[]string{
			`4:15: notifications[0].template: is not a valid template: unexpected EOF (line 3 of the template) (write a template for Go's text/template, such as "{{.Headline}}")`,
		},
	},
	{
		"links that are none, and one with a password",
		"notifications:\n  - {name: a, url_env: A, link: janitor}\n  - {name: b, url_env: A, link: \"https://u:SECRET@janitor.example.com\"}\n",
		[]string{
			`2:33: notifications[0].link: must be a link (write a URL, such as https://janitor.example.com/)`,
			`3:33: notifications[1].link: must not have a user or password (remove them: every reader of the message sees the link)`,
		},
	},
	{
		"a password where a mapping belongs",
		"ledger: postgres://janitor:SECRET@db/janitor\n",
		[]string{
			`1:9: ledger: must be a mapping, not the string "postgres://..." (its keys: dsn, dsn_env, dsn_file, keep)`,
		},
	},
	{
		"a key longer than any",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz: 1\n",
		[]string{
			`1:1: abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcde...: is an unknown key (allowed here: scaleway, timezone, scope, retention, empty, visibility, naming, waivers, waivers_file, protect, attachments, content, policies, policy, limits, archive, shared_digest, grace, run_timeout, scan, ledger, approvals, schedules, notifications, cost)`,
		},
	},
	{
		"a price below nothing",
		"cost:\n  per_gb_month: -0.5\n",
		[]string{
			`2:17: cost.per_gb_month: must be from 0 to 1000000, not -0.5 (write a number in that range, or remove the key)`,
		},
	},
	{
		"a price beyond all bounds",
		"cost: {per_gb_month: 1000001}\n",
		[]string{
			`1:22: cost.per_gb_month: must be from 0 to 1000000, not 1000001 (write a number in that range, or remove the key)`,
		},
	},
	{
		"a price in quotes",
		"cost: {per_gb_month: '0.027'}\n",
		[]string{
			`1:22: cost.per_gb_month: must be a number, not the string "0.027" (write plain digits, such as 0.027, without quotes)`,
		},
	},
	{
		"a price with a comma",
		"cost:\n  per_gb_month: 0,027\n",
		[]string{
			`2:17: cost.per_gb_month: must be a number, not the string "0,027" (write plain digits, such as 0.027, without quotes)`,
		},
	},
	{
		"a currency by its sign",
		"cost: {currency: €}\n",
		[]string{
			`1:18: cost.currency: is not a currency code: "€" (write its three capital letters, such as EUR)`,
		},
	},
	{
		"no currency",
		"cost: {currency: ''}\n",
		[]string{
			`1:18: cost.currency: must not be empty (give it a value, or remove it)`,
		},
	},
	{
		"a price of another name",
		"cost: {per_gb: 1}\n",
		[]string{
			`1:8: cost.per_gb: is an unknown key (allowed here: per_gb_month, currency)`,
		},
	},
}
