package registry

import (
	"slices"
	"strings"
	"testing"
)

func TestAttachmentSubject(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	long := hex + hex
	for _, row := range []struct{ is, name, digest, want string }{
		{"an entry of the referrers tag schema", "sha256-" + hex, "sha256:b", "sha256:" + hex},
		{"a signature", "sha256-" + hex + ".sig", "sha256:b", "sha256:" + hex},
		{"an attestation", "sha256-" + hex + ".att", "sha256:b", "sha256:" + hex},
		{"a bill of materials", "sha256-" + hex + ".sbom", "sha256:b", "sha256:" + hex},
		{"a source image", "sha256-" + hex + ".src", "sha256:b", "sha256:" + hex},
		{"a Dockerfile", "sha256-" + hex + ".dockerfile", "sha256:b", "sha256:" + hex},
		{"a VEX document", "sha256-" + hex + ".vex", "sha256:b", "sha256:" + hex},
		{"a suffix of two parts", "sha256-" + hex + ".cosign.bundle", "sha256:b", "sha256:" + hex},
		{"an attachment whose own digest is not known", "sha256-" + hex + ".sig", "", "sha256:" + hex},
		{"a shortened sha512", "sha512-" + hex, "sha256:b", "sha512:" + hex},
		{"a sha512 that is shortened less", "sha512-" + long[:100] + ".sig", "sha256:b", "sha512:" + long[:100]},
		{"a whole sha512", "sha512-" + long, "sha256:b", "sha512:" + long},
		{"a tag with the same hex in another algorithm", "sha256-" + hex, "sha512:" + long, "sha256:" + hex},

		{"a tag named after its own digest", "sha256-" + hex, "sha256:" + hex, ""},
		{"a tag named after its own digest with a suffix", "sha256-" + hex + ".sig", "sha256:" + hex, ""},
		{"a tag named after its own shortened digest", "sha512-" + hex, "sha512:" + long, ""},
		{"a suffix that does not begin with a dot", "sha256-" + hex + "-sig", "sha256:b", ""},
		{"a sha256 that is too long", "sha256-" + hex + "0", "sha256:b", ""},
		{"a sha256 that is too short", "sha256-" + hex[1:], "sha256:b", ""},
		{"a sha512 that is too short", "sha512-" + hex[1:], "sha256:b", ""},
		{"a sha512 that is too long", "sha512-" + long + "0", "sha256:b", ""},
		{"capital letters", "sha256-" + strings.ToUpper(hex), "sha256:b", ""},
		{"another algorithm", "sha384-" + hex, "sha256:b", ""},
		{"something before the algorithm", "x-sha256-" + hex, "sha256:b", ""},
		{"a word", "latest", "sha256:b", ""},
		{"no name", "", "", ""},
	} {
		if got := AttachmentSubject(row.name, row.digest); got != Subject(row.want) {
			t.Errorf("%s: %s with the digest %s is attached to %q, want %q", row.is, row.name, row.digest, got, row.want)
		}
	}
}

func TestASubjectIsADigestOrItsBeginning(t *testing.T) {
	short, long := strings.Repeat("a", 64), strings.Repeat("a", 128)
	for _, row := range []struct {
		subject Subject
		digest  string
		want    bool
	}{
		{Subject("sha256:" + short), "sha256:" + short, true},
		{Subject("sha256:" + short), "sha256:" + long, false},
		{Subject("sha512:" + short), "sha512:" + long, true},
		{Subject("sha512:" + long), "sha512:" + long, true},
		{Subject("sha512:" + short), "sha512:" + strings.Repeat("b", 128), false},
		{Subject("sha512:" + short), "sha256:" + short, false},
		{"", "", false},
	} {
		if got := row.subject.Is(row.digest); got != row.want {
			t.Errorf("%s is %s: got %v", row.subject, row.digest, got)
		}
	}
}

func TestTheDigestsThatASubjectNames(t *testing.T) {
	short := strings.Repeat("a", 64)
	one, two, other := "sha512:"+short+strings.Repeat("1", 64), "sha512:"+short+strings.Repeat("2", 64), "sha256:"+short
	digests := DigestsOf([]Tag{{Digest: two}, {Digest: other}, {Digest: ""}, {Digest: one}, {Digest: one}})
	for _, row := range []struct {
		subject string
		want    []string
	}{
		{other, []string{other}},
		{one, []string{one}},
		{"sha512:" + short, []string{one, two}},
		{"sha512:" + short + "2", []string{two}},
		{"sha512:" + strings.Repeat("b", 64), nil},
		{"sha256:" + strings.Repeat("b", 64), nil},
	} {
		if got := digests.Named(Subject(row.subject)); !slices.Equal(got, row.want) {
			t.Errorf("%s names %q, want %q", row.subject, got, row.want)
		}
	}
}

func TestSubjects(t *testing.T) {
	hex := strings.Repeat("a", 64)
	img := &Image{
		Tags: []Tag{
			{Name: "v1", Digest: "sha256:a1"}, {Name: "sbom", Digest: "sha256:b1"}, {Name: "sbom-of-a-part", Digest: "sha256:c1"},
			{Name: "sbom-of-nothing", Digest: "sha256:d1"}, {Name: "sha256-" + hex + ".sig", Digest: "sha256:b1"}, {Name: "odd", Digest: "sha256:e1"}, {Name: "no digest"},
		},
		Contents: map[string]*Content{
			"sha256:a1": {Kind: ContentIndex, Parts: []string{"sha256:a2"}},
			"sha256:b1": {Kind: ContentAttachment, Subject: "sha256:a1"},
			"sha256:c1": {Kind: ContentAttachment, Subject: "sha256:a2"},
			"sha256:d1": {Kind: ContentAttachment, Subject: "sha256:f1"},
			"sha256:e1": {Kind: ContentIndex, Subject: "sha256:e2", Parts: []string{"sha256:e2"}}, // about a part of its own
		},
	}
	want := []Subject{"", "sha256:a1", "sha256:a2", "", Subject("sha256:" + hex), "", ""}
	if got := img.Subjects(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	img.Contents = nil
	if got := img.Subjects(); !slices.Equal(got, []Subject{"", "", "", "", Subject("sha256:" + hex), "", ""}) {
		t.Errorf("what is not read tells nothing, but got %q", got)
	}
}
