package author_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

var files = fstest.MapFS{
	"previews.rego": {Data: []byte(`# METADATA
# title: Previews live two weeks
package janitor.image.previews

delete contains tag.name if {
	some tag in input.tags
	regex.match("pr-[0-9]+", tag.name)
	tag.age_days >= 14
}
`)},
	"previews_test.rego": {Data: []byte(`package janitor.image.previews_test

import data.janitor.image.previews
import data.janitor.testing

test_two_weeks if {
	image := testing.image([testing.tag("pr-1", "14d"), testing.tag("pr-2", "13d")])
	previews.delete == {"pr-1"} with input as image
}
`)},
}

// Check finds what compiles and is doubtful all the same.
func ExampleCheck() {
	findings, err := author.Check(policy.Options{FS: files, Paths: []string{"."}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Println(f.String())
	}
	// Output:
	// previews.rego:7:14: warning: package janitor.image.previews, rule delete: "pr-[0-9]+" matches anywhere in the text (write `^pr-[0-9]+$` for the whole text, `^pr-[0-9]+` for its beginning, or contains() for plain words) [unanchored-regex]
}

func ExampleTest() {
	report, findings, err := author.Test(context.Background(), policy.Options{FS: files, Paths: []string{"."}}, author.TestOptions{})
	if err != nil || len(findings) > 0 {
		fmt.Println(err, findings)
		return
	}
	fmt.Println(report.Passed, "passed,", report.Failed, "failed")
	// Output:
	// 1 passed, 0 failed
}
