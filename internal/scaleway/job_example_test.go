package scaleway

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	jobs "github.com/scaleway/scaleway-sdk-go/api/jobs/v1alpha2"
)

// The API takes the definition of the example: every key of it is one of the SDK, and it
// has no secret.
func TestTheAPITakesTheDefinitionOfTheJob(t *testing.T) {
	text, err := os.ReadFile("../../examples/serverless-job/job-definition.json")
	if err != nil {
		t.Fatal(err)
	}
	var job jobs.CreateJobDefinitionRequest
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&job); err != nil {
		t.Fatal(err)
	}
	if job.CronSchedule == nil || job.CronSchedule.Timezone == "" || job.RetryPolicy == nil || job.RetryPolicy.MaxRetries != 0 || job.JobTimeout == nil {
		t.Errorf("%+v", job)
	}
	if !slices.Equal(job.StartupCommand, []string{"/usr/local/bin/registry-janitor"}) {
		t.Errorf("it starts %q", job.StartupCommand)
	}
	for _, secret := range []string{"SCW_SECRET_KEY", "PGPASSWORD"} {
		if _, found := job.EnvironmentVariables[secret]; found {
			t.Errorf("%s is in the definition", secret)
		}
	}
}
