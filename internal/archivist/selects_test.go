package archivist

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// What belongs to a tag is copied with it.
func TestAttachmentsAreCopiedWithTheirSubjects(t *testing.T) {
	one, sig, two := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	step := func(image, tag, digest string, rules ...string) actions.Step {
		s := actions.Step{Action: actions.DeleteTag, Region: "fr-par", Namespace: "prod", Image: image, Tag: tag, Digest: "sha256:" + digest}
		s.Ref = image + ":" + tag
		for _, rule := range rules {
			s.Reasons = append(s.Reasons, registry.Reason{Rule: rule})
		}
		return s
	}
	steps := []actions.Step{
		{Action: actions.DeleteImage, Region: "fr-par", Namespace: "prod", Image: "old"},
		step("api", "sha256-"+sig+".sbom", "b"), // of the signature
		step("api", "sha256-"+one+".sig", sig),
		step("api", "sha256-"+two+".sig", "c"),
		step("api", "pr-1", one), step("api", "build-1", two),
		step("api", "notes-1", "d", actions.FollowRule), // which its content says
		step("web", "sha256-"+one+".sig", sig), step("web", "notes-1", "d", actions.FollowRule),
	}
	of := func(tags ...string) *rules.Match { return &rules.Match{Tags: tags} }
	for name, row := range map[string]struct {
		archive *config.Archive
		want    string
	}{
		"all":                         {&config.Archive{}, "api:build-1 api:notes-1 api:pr-1 api:sha256-1.sig api:sha256-2.sbom api:sha256-3.sig web:notes-1 web:sha256-1.sig"},
		"what matches":                {&config.Archive{Match: of("pr-*")}, "api:notes-1 api:pr-1 api:sha256-1.sig api:sha256-2.sbom"},
		"nothing matches":             {&config.Archive{Match: of("rc-*")}, ""},
		"without what is left out":    {&config.Archive{Match: of("pr-*"), Except: of("notes-*", "*.sbom")}, "api:pr-1 api:sha256-1.sig"},
		"all but what is left out":    {&config.Archive{Except: of("build-*", "notes-*", "*.sbom", "*.sig")}, "api:pr-1"},
		"attachments of another name": {&config.Archive{Match: of("build-*"), Except: of("notes-*")}, "api:build-1 api:sha256-3.sig"},
	} {
		t.Run(name, func(t *testing.T) {
			selects, err := Selects(&config.Config{Archive: row.archive}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			isCopied := selects(steps)
			for i := range steps {
				if isCopied(&steps[i]) {
					got = append(got, strings.NewReplacer(one, "1", sig, "2", two, "3").Replace(steps[i].Ref))
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(row.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
