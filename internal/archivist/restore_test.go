package archivist

import (
	"slices"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/archive"
)

func TestUnderWhichReferenceARecordComesBack(t *testing.T) {
	const own = "rg.nl-ams.scw.cloud/prod/api:pr-1"
	for name, row := range map[string]struct{ record, as, want string }{
		"its own":                   {own, "", own},
		"another one":               {own, "rg.fr-par.scw.cloud/prod/web:x", "rg.fr-par.scw.cloud/prod/web:x"},
		"the short form":            {own, "prod/web:x", "rg.nl-ams.scw.cloud/prod/web:x"},
		"an image of two segments":  {own, "prod/team/web:x", "rg.nl-ams.scw.cloud/prod/team/web:x"},
		"an image":                  {own, "prod/web", ""},
		"a tag alone":               {own, "web:x", ""},
		"another registry":          {own, "registry.example.com/prod/web:x", ""},
		"a way up":                  {own, "rg.fr-par.scw.cloud/../../x:y", ""},
		"a way up in the image":     {own, "prod/a/../x:y", ""},
		"a segment that is a dot":   {own, "prod/./x:y", ""},
		"a way up in the tag":       {own, "prod/api:../../x", ""},
		"an empty segment":          {own, "prod//x:y", ""},
		"a record with a way up":    {"rg.fr-par.scw.cloud/../../x:y", "", ""},
		"a record of another host":  {"rg.x@example.com#.scw.cloud/prod/api:y", "", ""},
		"a record of another name":  {"rg.example.com?.scw.cloud/prod/api:y", "", ""},
		"a record of a deeper host": {"rg.a.b.scw.cloud/prod/api:y", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := restoreAs(archive.Record{Ref: row.record}, row.as)
			if row.want == "" && err == nil || row.want != "" && (err != nil || got.String() != row.want) {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

// A name made from that of the tag could be too long.
func TestATagOfARunComesBackUnderANameThatTheOperatorChooses(t *testing.T) {
	again := func(args ...string) string { return strings.Join(args, " ") }
	r := restoration{o: RestoreOptions{Choice: archive.Choice{Ref: "7"}, Again: again}}
	if got := r.otherName(archive.Record{Ref: "prod/api:pr-1"}); !strings.HasSuffix(got, ": restore prod/api:pr-1 --run 7 --as REF") {
		t.Error(got)
	}
}

func TestWhichAttachmentsComeBackWithTheirSubject(t *testing.T) {
	const image, hex = "rg.fr-par.scw.cloud/prod/api", "0000000000000000000000000000000000000000000000000000000000000001"
	record := func(ref string) archive.Record { return archive.Record{Ref: ref, Digest: "sha256:aa", Run: "1"} }
	subject, signature, attestation := record(image+":pr-1"), record(image+":sha256-"+hex+".sig"), record(image+":sha256-"+hex+".att")
	elsewhere := record("rg.fr-par.scw.cloud/prod/web:sha256-" + hex + ".sig")
	all := []archive.Record{attestation, signature, subject, elsewhere, record(image + ":pr-2")}
	for name, row := range map[string]struct{ chosen, want []archive.Record }{
		"those of its image":                 {[]archive.Record{subject}, []archive.Record{attestation, signature}},
		"not those that come by themselves":  {[]archive.Record{subject, signature}, []archive.Record{attestation}},
		"none of an image that has no other": {[]archive.Record{elsewhere}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := attachmentsOf(row.chosen, all)
			if !slices.EqualFunc(got, row.want, func(a, b archive.Record) bool { return a.Ref == b.Ref }) {
				t.Errorf("%+v", got)
			}
		})
	}
}
