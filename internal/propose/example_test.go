package propose_test

import (
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/propose"
	"github.com/registry-janitor/registry-janitor/registry"
)

// A proposal has a rule for each kind of name that is in the registry.
func Example() {
	takenAt := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	prod := &registry.Namespace{Region: "fr-par", Name: "prod", Status: registry.StatusReady}
	api := &registry.Image{Namespace: prod, Name: "api", Status: registry.StatusReady, Visibility: registry.Private, SizeBytes: 300_000_000}
	for i, name := range []string{"latest", "pr-2", "pr-1"} {
		api.Tags = append(api.Tags, registry.Tag{Name: name, Status: registry.StatusReady, UpdatedAt: takenAt.AddDate(0, 0, -20*i)})
	}

	survey := propose.New(takenAt)
	survey.Add(api)
	fmt.Print(survey.Write(propose.Options{Schema: "janitor.schema.json", SchemaExists: true}))
	// Output:
	// # yaml-language-server: $schema=janitor.schema.json
	// #
	// # registry-janitor init proposed this for what was in the registry at 2026-11-22T12:00:00Z: 3 tags
	// # in 1 image of 1 namespace, 300 MB.
	// #
	// # Every rule has "enforce: false": plan shows what the rule would delete, and apply deletes nothing.
	// # Read the plan, change what does not fit, and remove that line from the rules that you trust. A tag
	// # that no rule marks is kept, and a tag that any rule keeps is kept.
	// #
	// # Ages are those of the last push. Sizes are estimates: the registry knows the size of an image
	// # only, so each of its tags counts as an equal part of it.
	//
	// timezone: UTC # of calendar periods and schedules, such as Europe/Paris
	//
	// retention:
	//   # Pull request builds: 2 tags in 1 image, 20d to 40d old, about 200 MB. For example:
	//   #   rg.fr-par.scw.cloud/prod/api:pr-2
	//   #   rg.fr-par.scw.cloud/prod/api:pr-1
	//   # They are deleted 14 days after their last push. Each image keeps its newest one.
	//   - name: pull request builds
	//     match: {tags_regex: 'pr-[0-9]+'}
	//     keep: {last: 1}
	//     delete: {older_than: 14d}
	//     enforce: false
	//
	// # No image is public. This rule reports one that is as a violation. It changes nothing, unless you
	// # add fix: true.
	// visibility:
	//   - name: no image is public
	//     subject: image
	//     match: {namespaces: ["*"]}
	//     require: private
	//
	// protect:
	//   # Moving names: 1 tag in 1 image, 0s old, about 100 MB. For example:
	//   #   rg.fr-par.scw.cloud/prod/api:latest
	//   # They are kept, whatever the rules say.
	//   tags: ["latest"]
	//
	//   # Images that serverless containers and jobs use are kept.
	//   serverless: true
	//
	//   # Do Kapsule clusters run these images? Then turn this on, so that what they run is kept:
	//   # kapsule: true
	//
	//   # The same for other Kubernetes clusters:
	//   # kubernetes: [{context: NAME}]
}
