package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// anyContent is a content with every field.
func anyContent() *registry.Content {
	return &registry.Content{
		Kind: registry.ContentIndex, MediaType: "application/vnd.oci.image.index.v1+json", Platforms: []string{"linux/amd64"},
		Labels: map[string]string{"team": "payments"}, Annotations: map[string]string{"a": "b"}, BuiltAt: now.Add(-30 * days),
		SizeBytes: 12, Parts: []string{"sha256:aa"}, Subject: "sha256:bb",
	}
}

func labeled(labels ...string) *registry.Content {
	c := &registry.Content{Kind: registry.ContentImage, Platforms: []string{"linux/amd64"}, Labels: map[string]string{}}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		c.Labels[key] = value
	}
	return c
}

// contentRow has tags a, b and so on, each a day older than the one before, the first
// 20 days old, with a digest and a content of its own.
type contentRow struct {
	config   string
	contents []*registry.Content // nil is not known
	deleted  string              // the tags that are marked, and not kept
}

func (r contentRow) image() *registry.Image {
	var tags []registry.Tag
	contents := map[string]*registry.Content{}
	for i, c := range r.contents {
		name := string(rune('a' + i))
		tags = append(tags, aTag(name, time.Duration(20+i)*days, digestOf(i)))
		if c != nil {
			contents["sha256:"+digestOf(i)] = c
		}
	}
	img := anImage(tags...)
	img.Contents = contents
	return img
}

func digestOf(i int) string { return fmt.Sprintf("%064x", i) }

func TestRulesByContent(t *testing.T) {
	source := func(url string) *registry.Content { return labeled("org.opencontainers.image.source=" + url) }
	index := func(platforms ...string) *registry.Content {
		return &registry.Content{Kind: registry.ContentIndex, Platforms: platforms, PartLabels: make([]map[string]string, len(platforms))}
	}
	platform := func(p string) *registry.Content {
		return &registry.Content{Kind: registry.ContentImage, Platforms: []string{p}}
	}
	built := func(at time.Time) *registry.Content { return &registry.Content{BuiltAt: at} }
	del := ", delete: {older_than: 1d, older_than_seconds: 86400}}]"
	for name, row := range map[string]contentRow{
		"a label with a glob over a URL": {
			`retention: [{name: x, match: {labels: {org.opencontainers.image.source: "https://github.com/acme/**"}}` + del,
			[]*registry.Content{source("https://github.com/acme/api"), source("https://github.com/acme/api/tree/v1"), source("https://github.com/acmex/api"), source("git@github.com:acme/api"), source("https://github.com/acme/"), labeled()}, "a b e",
		},
		"a star stops at a slash": {
			`retention: [{name: x, match: {labels: {a: "x*"}}` + del,
			[]*registry.Content{labeled("a=x"), labeled("a=x.y z"), labeled("a=x/y"), labeled("b=x")}, "a b",
		},
		"every label must match": {
			`retention: [{name: x, match: {labels: {a: "1", b: "*"}}` + del,
			[]*registry.Content{labeled("a=1", "b=2"), labeled("a=1"), labeled("b=2"), labeled("a=2", "b=2"), labeled("a=1", "b=")}, "a e",
		},
		"except takes labels out": {
			`retention: [{name: x, match: {tags: ["*"]}, except: {labels: {keep: "true"}}` + del,
			[]*registry.Content{labeled("keep=true"), labeled("keep=false"), labeled(), nil}, "b c",
		},
		"a platform takes its variants": {
			`retention: [{name: x, match: {platforms: [linux/arm64, linux/arm/v7]}` + del,
			[]*registry.Content{platform("linux/arm64"), platform("linux/arm64/v8"), platform("linux/arm/v7"), platform("linux/arm/v6"), platform("linux/arm64be"), index("linux/amd64", "linux/arm64/v8"), index("linux/amd64"), {}}, "a b c f",
		},
		"a kind, and an index of images": {
			`retention: [{name: x, match: {kind: [image]}` + del,
			[]*registry.Content{{Kind: "image"}, {Kind: "artifact"}, {Kind: "attachment"}, index("linux/amd64"), {Kind: "index"}, nil}, "a d",
		},
		"indexes alone": {
			`retention: [{name: x, match: {kind: [index, artifact]}` + del,
			[]*registry.Content{{Kind: "image"}, {Kind: "artifact"}, index("linux/amd64")}, "b c",
		},
		"the build date decides the order and the age": {
			`retention: [{name: x, match: {tags: ["*"]}, by: built_at, keep: {last: 2}, delete: {older_than: 30d, older_than_seconds: 2592000}}]`,
			[]*registry.Content{built(now.Add(-90 * days)), built(now.Add(-31 * days)), built(now.Add(-29 * days)), built(now.Add(-60 * days))}, "a d",
		},
		"a build date of 1970 or 1980 is none, and one in the future is new": {
			`retention: [{name: x, match: {tags: ["*"]}, by: built_at, delete: {older_than: 22d, older_than_seconds: 1900800}}]`,
			[]*registry.Content{built(time.Unix(0, 0)), built(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)), built(time.Time{}), built(now.Add(time.Hour)), built(time.Date(1981, 1, 1, 0, 0, 0, 0, time.UTC))}, "c e",
		},
		"without a known build date nothing is old": {
			`retention: [{name: x, match: {tags: ["*"]}, by: built_at, delete: {older_than: 1d, older_than_seconds: 86400}}]`,
			[]*registry.Content{nil, built(now.Add(-2 * days))}, "b",
		},
		"the age comes from a label": {
			`retention: [{name: x, match: {tags: ["*"]}, delete: {older_than_label: quay.expires-after}}]`,
			[]*registry.Content{labeled("quay.expires-after=2w"), labeled("quay.expires-after=3w"), labeled("quay.expires-after=22d"), labeled("quay.expires-after=600h"), labeled("quay.expires-after=1m"), labeled("quay.expires-after=9s"), labeled(), labeled("quay.expires-after=soon"), nil}, "a b c e f",
		},
		"the age of the rule counts too": {
			`retention: [{name: x, match: {tags: ["*"]}, delete: {older_than: 22d, older_than_seconds: 1900800, older_than_label: ttl}}]`,
			[]*registry.Content{labeled("ttl=1d"), labeled("ttl=23d"), labeled("ttl=1d"), labeled("ttl=3w"), labeled("ttl=90d"), labeled()}, "c d",
		},
		"what the rule keeps stays": {
			`retention: [{name: x, match: {tags: ["*"]}, keep: {last: 2}, delete: {older_than_label: ttl}}]`,
			[]*registry.Content{labeled("ttl=1d"), labeled("ttl=1d"), labeled("ttl=1d"), labeled()}, "c",
		},
		"last counts what matches": {
			`retention: [{name: x, match: {labels: {a: "1"}}, keep: {last: 1}` + del,
			[]*registry.Content{labeled(), labeled("a=1"), labeled("a=1")}, "c",
		},
		"last counts nothing while one of the tags is not known": {
			`retention: [{name: x, match: {labels: {a: "1"}}, keep: {last: 1}` + del,
			[]*registry.Content{labeled("a=1"), nil, labeled("a=1")}, "",
		},
		"a label protects, in whichever image of an index": {
			`{protect: {labels: {keep: "t*", hold: "*"}}, retention: [{name: x, match: {tags: ["*"]}` + del + "}",
			[]*registry.Content{labeled("keep=true"), labeled("keep=false"), labeled("hold="), {Kind: "index", PartLabels: []map[string]string{nil, {"keep": "true"}}}, labeled(), nil}, "b e",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, img := newEngine(t, row.config), row.image()
			if got := strings.Join(markedBy(t, e, now, img), " "); got != row.deleted {
				t.Errorf("got %q, want %q", got, row.deleted)
			}
		})
	}
}

// What is reported of a label says what to do, and a tag is reported by each rule.
func TestALabelThatIsNoAgeIsReported(t *testing.T) {
	e := newEngine(t, `retention: [{name: x, match: {tags: ["*"]}, delete: {older_than_label: ttl}}]`)
	img := contentRow{contents: []*registry.Content{labeled("ttl=never"), labeled("ttl=14"), labeled("ttl=1d"), labeled()}}.image()
	var got []string
	for _, v := range judge(t, e, img).Violations {
		got = append(got, fmt.Sprintf("%s %s %s: %s", v.Severity, v.Ref, v.Reason.Rule, v.Reason.Text))
	}
	advice := ", which is not an age limit, so the rule does not mark it: write a whole number and s, m, h, d or w, such as 2w, or build without the label"
	want := []string{
		`warn rg.fr-par.scw.cloud/prod/api:a retention/x: its label ttl is "never"` + advice,
		`warn rg.fr-par.scw.cloud/prod/api:b retention/x: its label ttl is "14"` + advice,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNamesOfTagsWithALabel(t *testing.T) {
	e := newEngine(t, `naming: [{name: x, subject: tag, match: {labels: {team: "*"}}, pattern: "[a-b]", severity: warn}]`)
	img := contentRow{contents: []*registry.Content{labeled("team=x"), nil, labeled("team=x"), labeled(), nil}}.image()
	j := e.At(now, WhatCounts)
	v, err := j.Image(context.Background(), img)
	if err != nil || len(v.Violations) != 1 || !strings.HasSuffix(v.Violations[0].Ref, ":c") {
		t.Errorf("got %v, %+v", err, v.Violations)
	}
	if got := j.NeedsContent(img, &v); !slices.Equal(got, []string{"sha256:" + digestOf(4)}) { // b has a right name
		t.Errorf("it needs %v", got)
	}
}

// What is not known is no reason to keep a tag that is kept anyway, or in use: the guard
// in_use holds it, and says so.
func TestUnknownLabelsKeepOnlyWhatWouldGo(t *testing.T) {
	e := newEngine(t, `{protect: {tags: [a], labels: {keep: "true"}}, retention: [{name: x, match: {tags: ["*"]}, delete: {older_than: 1d, older_than_seconds: 86400}}]}`)
	img := contentRow{contents: make([]*registry.Content, 3)}.image()
	uses := registry.NewUseIndex([]registry.Use{{Ref: img.TagRef("b"), By: "cluster prod"}})
	for _, depth := range []Depth{WhatCounts, Everything} {
		j := e.At(now, depth).WithUses(uses)
		v, err := j.Image(context.Background(), img)
		if err != nil || v.Err != nil {
			t.Fatal(err, v.Err)
		}
		var got []string
		for i, tag := range v.Tags {
			for _, r := range tag.Keep {
				got = append(got, img.Tags[i].Name+" "+r.Rule+": "+r.Text)
			}
		}
		want := []string{"a protect/tags: protected by a", "c protect/labels: its labels are not known, and may protect it"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", depth, diff)
		}
		if got := j.NeedsContent(img, &v); !slices.Equal(got, []string{"sha256:" + digestOf(2)}) {
			t.Errorf("%q: it needs %v", depth, got)
		}
	}
}

// With protect.labels, the content of an attachment is read too: else its labels would
// stay unknown, and it would not follow its subject.
func TestAttachmentsFollowOnceTheirLabelsAreKnown(t *testing.T) {
	e := newEngine(t, `{protect: {labels: {keep: "true"}}, retention: [{name: x, match: {tags: [a]}, delete: {older_than: 1d, older_than_seconds: 86400}}]}`)
	signature := "sha256:" + digestOf(7)
	img := anImage(aTag("a", 20*days, digestOf(0)), aTag("sha256-"+digestOf(0)+".sig", 20*days, digestOf(7)))
	img.Contents = map[string]*registry.Content{"sha256:" + digestOf(0): labeled()}
	j := e.At(now, WhatCounts)
	v, err := j.Image(context.Background(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	if got := j.NeedsContent(img, &v); !slices.Equal(got, []string{signature}) {
		t.Errorf("it needs %v", got)
	}
	img.Contents[signature] = &registry.Content{Kind: registry.ContentAttachment}
	v, err = j.Image(context.Background(), img)
	if err != nil || v.Err != nil || len(v.Tags[0].Delete) != 1 || len(v.Tags[0].Keep)+len(v.Tags[1].Keep) > 0 {
		t.Errorf("%+v, %v", v.Tags, err)
	}
}

func TestWaiversByContent(t *testing.T) {
	e := newEngine(t, `
naming: [{name: x, subject: tag, pattern: "[a-b]", severity: deny}]
retention: [{name: y, match: {tags: [a, b, d]}, delete: {older_than: 1d, older_than_seconds: 86400}}]
waivers: [{match: {labels: {team: data}}, owner: data, reason: audit, until: "2027-03-31"}]
`)
	img := contentRow{contents: []*registry.Content{labeled("team=data"), labeled(), labeled("team=data"), nil, nil}}.image()
	j := e.At(now, WhatCounts)
	v, err := j.Image(context.Background(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	var got []string
	for i := range v.Violations {
		got = append(got, string(v.Violations[i].Severity)+" "+v.Violations[i].Ref[len(v.Violations[i].Ref)-1:])
	}
	if want := []string{"waived c", "deny d", "deny e"}; !slices.Equal(got, want) {
		t.Errorf("violations: %v", got)
	}
	if got := strings.Join(markedBy(t, e, now, img), " "); got != "b" { // d may be waived
		t.Errorf("deleted: %s", got)
	}
	if got, want := j.NeedsContent(img, &v), []string{"sha256:" + digestOf(3), "sha256:" + digestOf(4)}; !slices.Equal(got, want) {
		t.Errorf("it needs %v", got)
	}
}

// Only what can change a decision is asked for.
func TestContentsThatAreNeeded(t *testing.T) {
	del := ", delete: {older_than: 22d, older_than_seconds: 1900800}}"
	for name, row := range map[string]struct{ config, own, needs string }{
		"nothing by rules without content":        {`retention: [{name: x, match: {tags: ["*"]}` + del + `]`, "", ""},
		"what is old enough":                      {`retention: [{name: x, match: {labels: {a: "1"}}` + del + `]`, "", "c d"},
		"what the rest of the rule matches":       {`retention: [{name: x, match: {tags: [a, d], labels: {a: "1"}}` + del + `]`, "", "d"},
		"not what except leaves out anyway":       {`retention: [{name: x, match: {tags: ["*"]}, except: {tags: [c]}, by: built_at, delete: {older_than: 1d, older_than_seconds: 86400}}]`, "", "a b d"},
		"all that a rule counts":                  {`retention: [{name: x, match: {labels: {a: "1"}}, keep: {last: 1}` + del + `]`, "", "a b c d"},
		"nothing if all that it counts is young":  {`retention: [{name: x, match: {tags: [a, b], labels: {a: "1"}}, keep: {last: 1}` + del + `]`, "", ""},
		"nothing that only keeps what stays":      {`retention: [{name: x, match: {labels: {a: "1"}}, keep: {all: true}}]`, "", ""},
		"what keeps where something is marked":    {`retention: [{name: x, match: {labels: {a: "1"}}, keep: {last: 1}}, {name: y, match: {tags: [d]}` + del + `]`, "", "a b c d"},
		"the labels of what is old enough":        {`retention: [{name: x, match: {tags: ["*"]}, delete: {older_than: 22d, older_than_seconds: 1900800, older_than_label: ttl}}]`, "", "c d"},
		"protect, of what would be deleted":       {`{protect: {labels: {keep: "true"}}, retention: [{name: x, match: {tags: ["*"]}` + del + `]}`, "", "c d"},
		"protect, not of what is kept otherwise":  {`{protect: {labels: {keep: "true"}, tags: [c]}, retention: [{name: x, match: {tags: ["*"]}` + del + `]}`, "", "d"},
		"own policies that name content, all":     {"", header + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.content.built_days > 3\n}", "a b c d"},
		"own policies that take it by its name":   {"", header + "delete contains tag.name if {\n\tsome tag in input.tags\n\tobject.get(tag, [\"content\", \"built_days\"], 0) > 3\n}", "a b c d"},
		"own policies that do not name it":        {"", header + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 3\n}", ""},
		"own policies, with rules that need some": {`retention: [{name: x, match: {labels: {a: "1"}}` + del + `]`, header + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days > 300\n}", "c d"},
	} {
		t.Run(name, func(t *testing.T) {
			var own []string
			if row.own != "" {
				own = []string{row.own}
			}
			j := newEngine(t, row.config, own...).At(now, WhatCounts)
			img := contentRow{contents: make([]*registry.Content, 4)}.image()
			img.Tags = append(img.Tags, aTag("z", 90*days, "ABC"), registry.Tag{Name: "y", Digest: "sha256:aa", Status: "error"})
			v, err := j.Image(context.Background(), img)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, digest := range j.NeedsContent(img, &v) {
				i := slices.IndexFunc(img.Tags, func(t registry.Tag) bool { return t.Digest == digest })
				got = append(got, img.Tags[i].Name)
			}
			if strings.Join(got, " ") != row.needs {
				t.Errorf("it needs %v, want %q", got, row.needs)
			}
			if row.needs == "" {
				if n := testing.AllocsPerRun(10, func() { j.NeedsContent(img, &v) }); n > 0 && row.own+row.config != "" && !j.engine.rules.ByContent() {
					t.Errorf("it allocates %.0f times to find nothing", n)
				}
			}
		})
	}
}

// A policy of the operator's own that reads contents cannot be trusted without them: its
// keep would be undefined. Where the reading failed, a gap says so already.
func TestOwnPoliciesFailWithoutTheContentsThatTheyRead(t *testing.T) {
	e := newEngine(t, `retention: [{name: x, match: {tags: ["*"]}, delete: {older_than: 1d, older_than_seconds: 86400}}]`,
		header+"keep contains tag.name if {\n\tsome tag in input.tags\n\ttag.content.labels[\"keep\"] == \"true\"\n}")
	img := contentRow{contents: []*registry.Content{labeled("keep=true"), nil, labeled()}}.image()
	j := e.At(now, WhatCounts)
	v, err := j.Image(context.Background(), img)
	if err != nil || v.Err == nil || !strings.Contains(v.Err.Error(), "the policies read tag.content, but the content of 1 digest is not known") {
		t.Errorf("got %v, %v", err, v.Err)
	}
	img.Unread = map[string]string{"sha256:" + digestOf(1): "403 Forbidden"}
	if v, _ = j.Image(context.Background(), img); v.Err != nil {
		t.Errorf("a content that was not read fails twice: %v", v.Err)
	}
	delete(img.Unread, "sha256:"+digestOf(1))
	img.Contents["sha256:"+digestOf(1)] = labeled()
	if got := strings.Join(markedBy(t, e, now, img), " "); got != "b c" {
		t.Errorf("deleted: %s", got)
	}
}

// Keys of labels and annotations are free, those of the content are not.
func TestNamesOfContents(t *testing.T) {
	const rule = header + "delete contains tag.name if {\n\tsome tag in input.tags\n\t%s\n}"
	for body, want := range map[string]string{
		`tag.content.labels.anything == "x"`:                                                          "",
		`tag.content.annotations["org.example/x"]`:                                                    "",
		`object.get(tag.content, ["labels", "some.label"], "") == ""`:                                 "",
		`labels := object.union(tag.content.annotations, tag.content.labels)` + "\n\tlabels.whatever": "",
		`tag.content.lables.x == "y"`:                                                                 "lables",
		`tag.content.built_day > 3`:                                                                   "built_day",
		`tag.contents.kind == "image"`:                                                                "contents",
	} {
		_, err := tryEngine(t, "", fmt.Sprintf(rule, body))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestExpiryLabels(t *testing.T) {
	for label, want := range map[string]time.Duration{"90s": 90 * time.Second, "5m": 5 * time.Minute, "12h": 12 * time.Hour, "2d": 2 * days, "3w": 21 * days, "007d": 7 * days} {
		e := newEngine(t, `retention: [{name: x, match: {tags: ["*"]}, delete: {older_than_label: ttl}}]`)
		for age, marked := range map[time.Duration]bool{want - time.Second: false, want: true} {
			img := anImage(aTag("a", age, digestOf(0)))
			img.Contents = map[string]*registry.Content{"sha256:" + digestOf(0): labeled("ttl=" + label)}
			if got := len(markedBy(t, e, now, img)) > 0; got != marked {
				t.Errorf("%s at %s: %v", label, age, got)
			}
		}
	}
}
