package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSentences(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		// retention: what is deleted
		{`retention: [{match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]`, "deletes tags pr-* of every image once older than 14 days"},
		{`retention: [{match: {tags: [latest]}, delete: {older_than: 1d12h}}]`, "deletes tag latest of every image once older than 1 day 12 hours"},
		{`retention: [{match: {tags: ["pr-*", "mr-*", x]}, delete: {older_than: 1h}}]`, "deletes tags pr-*, mr-* or x of every image once older than 1 hour"},
		{`retention: [{match: {tags: ["*"], images: ["api/**"], namespaces: [prod]}, delete: {older_than: 2w}}]`, "deletes tags of images api/** in namespace prod once older than 2 weeks"},
		{`retention: [{match: {images: ["*"]}, delete: {older_than: 2w}}]`, "deletes tags of images * once older than 2 weeks"},
		{`retention: [{match: {tags_regex: 'pr-[0-9]+'}, delete: {older_than: 14d}}]`, "deletes tags that match pr-[0-9]+ of every image once older than 14 days"},
		{`retention: [{match: {semver: "<1.0.0", younger_than: 1y}, delete: {older_than: 3mo}}]`, "deletes tags that are semantic versions in <1.0.0 and are younger than 1 year of every image once older than 3 months"},
		{`retention: [{match: {tags: ["*"], project_ids: [11111111-2222-3333-4444-555555555555]}, delete: {older_than: 3d}}]`, "deletes tags of every image of project 11111111-2222-3333-4444-555555555555 once older than 3 days"},
		{`retention: [{match: {tags: ["pr-*"]}, except: {tags: [pr-main], namespaces: [oss]}, delete: {older_than: 14d}}]`, "deletes tags pr-* of every image once older than 14 days, except tag pr-main of every image in namespace oss"},
		{`retention: [{match: {tags: ["exp-*"]}, delete: {older_than: 7d}, enforce: false}]`, "deletes tags exp-* of every image once older than 7 days; shown, but never applied"},
		{`retention: [{match: {tags: ["exp-*"]}, delete: {older_than: 7d}, by: created_at}]`, "deletes tags exp-* of every image once older than 7 days; age and order are by creation"},
		{`retention: [{match: {tags: ["pr-*"]}, delete: {older_than: 14d}, by: built_at}]`, "deletes tags pr-* of every image once older than 14 days; age and order are by the build"},
		{`retention: [{match: {tags: ["*"]}, delete: {older_than_label: quay.expires-after}}]`, "deletes tags of every image once older than what the label quay.expires-after of each says"},
		{`retention: [{match: {tags: ["*"]}, delete: {older_than: 1d, older_than_label: ttl}}]`, "deletes tags of every image once older than 1 day and than what the label ttl of each says"},
		{`retention: [{match: {labels: {team: "pay*"}}, except: {labels: {b: "2", a: "1"}}, delete: {older_than: 1d}}]`, "deletes tags that have the label team=pay* of every image once older than 1 day, except tags that have the labels a=1 and b=2 of every image"},
		{`retention: [{match: {tags: ["v*"], platforms: [linux/arm64, linux/arm/v7], kind: [image, artifact]}, delete: {older_than: 1d}}]`, "deletes tags v* that are of the kind image or artifact and are for linux/arm64 or linux/arm/v7 of every image once older than 1 day"},
		// retention: what is kept
		{`retention: [{match: {semver: "*"}, keep: {all: true}}]`, "keeps all tags that are semantic versions of every image"},
		{`retention: [{match: {tags: ["main-*"]}, keep: {last: 10, within: 30d}, delete: {older_than: 24h}}]`, "of tags main-* of every image, keeps the newest 10 digests and what is younger than 30 days, and deletes the others once older than 24 hours"},
		{`retention: [{match: {tags: ["main-*"]}, keep: {within: 1d, within_newest: 30d}}]`, "of tags main-* of every image, keeps what is younger than 1 day and what is less than 30 days older than the newest"},
		{`retention: [{match: {tags: ["main-*"]}, keep: {last: 1}, count: tags, delete: {}}]`, "of tags main-* of every image, keeps the newest tag, and deletes the others"},
		{`retention: [{match: {tags: ["main-*"]}, keep: {hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 1}}]`, "of tags main-* of every image, keeps the newest of each of the latest 24 hours with a tag, the newest of each of the latest 7 days with a tag, the newest of each of the latest 4 weeks with a tag, the newest of each of the latest 12 months with a tag and the newest of the latest year with a tag"},
		{`retention: [{match: {semver: "*"}, keep: {semver: {majors: 2, minors: 3, patches: 1}}, delete: {}}]`, "of tags that are semantic versions of every image, keeps the newest patch version of the newest 3 minor versions of the newest 2 major versions, with their pre-releases, and deletes the others"},
		{`retention: [{match: {semver: "*"}, keep: {semver: {majors: 2, prereleases: true}}, delete: {}}]`, "of tags that are semantic versions of every image, keeps every patch version of every minor version of the newest 2 major versions, pre-releases too, and deletes the others"},
		{`retention: [{match: {tags: ["*"]}, keep: {semver: {versions: 2, prereleases: false}}, delete: {}}]`, "of tags of every image, keeps the highest 2 versions, but no pre-release, and deletes the others; leaves alone what is not a version"},
		{`retention: [{match: {tags: ["api-*"]}, version: 'api-v(.+)', keep: {semver: {versions: 1, majors: 1}, last: 3}, delete: {}}]`, "of tags api-* of every image, keeps the newest 3 digests and every patch version of every minor version of the newest major version, the highest version, with their pre-releases, and deletes the others; the version is what api-v(.+) captures"},
		{`retention: [{match: {tags: ["env-*"]}, group_by: 'env-([a-z]+)-.*', keep: {last: 3}, delete: {}}]`, "of tags env-* of every image, keeps the newest 3 digests, and deletes the others; each group of names by env-([a-z]+)-.* counts for itself"},
		// empty
		{`empty: {images: {older_than: 7d}}`, "deletes images without tags once unchanged for 7 days"},
		{`empty: {namespaces: {older_than: 30d}}`, "deletes namespaces without images once unchanged for 30 days"},
		// visibility
		{`visibility: [{subject: image, match: {namespaces: ["*"]}, except: {namespaces: [oss]}, require: private, fix: true}]`, "requires every image, except every image in namespace oss, to be private, and makes them so"},
		{`visibility: [{subject: namespace, match: {namespaces: ["team-*"]}, require: private}]`, "requires namespaces team-* to be private, and denies others"},
		{`visibility: [{subject: image, match: {images: ["base/**"], older_than: 1d}, require: inherit, severity: warn}]`, "requires images base/** that are at least 1 day old to be inherit, and warns of others"},
		// naming
		{`naming: [{subject: image, pattern: '[a-z]+'}]`, "requires the names of every image to match [a-z]+, and denies others"},
		{`naming: [{subject: tag, match: {tags: ["v*"]}, except: {images: [old]}, pattern: 'v[0-9]+', severity: warn}]`, "requires the names of tags v* of every image, except tags of image old, to match v[0-9]+, and warns of others"},
		{`naming: [{subject: namespace, pattern: '[a-z]+'}]`, "requires the names of every namespace to match [a-z]+, and denies others"},
		// protect, attachments, guards and limits
		{`protect: {tags: [latest, "stable-*"]}`, "keeps tags latest or stable-* of every image, whatever the rules say"},
		{`protect: {digests: ["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]}`, "keeps every tag of digest sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, whatever the rules say"},
		{`content: {read: always, multi_arch: all}`, "reads what is inside the tags that decide something or would be deleted, and takes any tag for a possible part of a multi-platform image"},
		{`content: {read: never}`, "reads nothing of what is inside tags, so a part of a multi-platform image is deleted like any other tag"},
		{`protect: {labels: {keep: "true", hold: "*"}}`, "keeps every tag of an image with the labels hold=* or keep=true, whatever the rules say"},
		{`attachments: {orphans: delete}`, "deletes signatures, attestations and bills of materials whose subject is gone; the others follow theirs"},
		{`limits: {keep_at_least: 3}`, "holds deletions so that 3 ready tags of every image remain"},
		{`limits: {overrides: [{match: {namespaces: [dev]}, keep_at_least: 0, min_age: 0s}]}`, "in namespace dev, holds nothing because of its age and lets an image lose its last tag"},
		{`limits: {overrides: [{match: {namespaces: [prod], images: ["api/**"]}, min_age: 2d}]}`, "in images api/** of namespace prod, holds the deletion of everything younger than 2 days"},
		{`limits: {max_deletions: 1}`, "refuses a plan with more than 1 deletion"},
		{`limits: {canary: 1, max_failures: 3}`, "does the first 1 step of each kind one at a time"},
		{`limits: {canary: 0, max_failures: 3}`, "skips the remaining steps once 3 steps in a row fail"},
		{`notifications: [{name: ops, url_env: OPS_URL}]`, "sends a message to the service whose URL is in the variable OPS_URL when a run fails, is refused by a limit, could not read everything, finds a deny violation, finds a waiver that ends soon or has ended, deletes something or changes a visibility; a daemon sends the same again after 24 hours"},
		{`notifications: [{name: ops, url_file: /run/ops, on: [planned, failure], repeat: 0s}]`, "sends a message to the service whose URL is in the file /run/ops when a run fails or plans something"},
		{`archive: {to: /var/lib/archive}`, "copies every tag to /var/lib/archive before its deletion, and keeps the copy for 30 days; what cannot be copied is not deleted; keeps what was restored for 30 days"},
		{`archive: {to: "oci://rg.fr-par.scw.cloud/archive/janitor", keep: 2w, required: false, match: {namespaces: [prod]}, restored_stay: 0s}`, "copies what matches namespaces prod to oci://rg.fr-par.scw.cloud/archive/janitor before its deletion, and keeps the copy for 2 weeks; what cannot be copied is deleted all the same, with a warning"},
		{`shared_digest: untag`, "deletes a tag even if a kept tag has the same digest"},
	} {
		c, err := Parse("janitor.yaml", []byte(row.text))
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		var got []string
		for _, s := range c.Sentences() {
			got = append(got, s.Text)
		}
		if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+row.want+"\n") {
			t.Errorf("%s\ngot\n%s\nwant\n%s", row.text, strings.Join(got, "\n"), row.want)
		}
	}
}

// A key that is not set has no sentence, and rules have the order of the file.
func TestSentencesOfAFile(t *testing.T) {
	c, err := Parse("janitor.yaml", []byte("retention:\n  - {name: b, match: {tags: [x]}, keep: {all: true}}\n  - {name: a, match: {tags: [y]}, keep: {all: true}}\nlimits: {min_age: 0s, keep_at_least: 0}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Sentences() {
		got = append(got, s.Kind+"/"+s.Name)
	}
	want := []string{"retention/b", "retention/a", "attachments/orphans", "limits/max_deletions", "limits/max_deletion_percent", "limits/max_plan_age", "limits/canary", "limits/max_failures", "shared_digest/protect"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
