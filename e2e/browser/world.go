package browser

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Noon is the time of everything here.
var Noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// Company is the plan of a made-up company. Each of its images has the given number
// of tags, and about half of them are deleted.
func Company(tags int) *actions.Plan {
	o := plan.Options{TakenAt: Noon, MinAge: time.Hour, KeepAtLeast: 1, MaxDeletions: -1, MaxDeletionPercent: -1, ConfigDigest: digest(1), PolicyDigest: digest(2)}
	b := plan.NewBuilder(o)
	random := rand.New(rand.NewPCG(7, 7))
	for _, ns := range []struct {
		region registry.Region
		name   string
		public bool
		images []string
	}{
		{"fr-par", "prod", false, []string{"api", "checkout", "identity", "payments", "search", "web"}},
		{"fr-par", "ci", false, []string{"cache/buildkit", "e2e-browsers", "go-builder", "runner"}},
		{"fr-par", "oss", true, []string{"janitor-action", "openapi-mock", "terraform-runner"}},
		{"fr-par", "staging", false, []string{"api", "checkout", "load-test", "web"}},
		{"nl-ams", "prod", false, []string{"api", "checkout", "web"}},
		{"nl-ams", "data", false, []string{"dbt", "etl", "notebook"}},
		{"pl-waw", "sandbox", true, []string{"ml-playground"}},
	} {
		namespace := &registry.Namespace{
			ID: "id-" + ns.name, Name: ns.name, Region: ns.region, Status: registry.StatusReady, IsPublic: ns.public,
			ImageCount: uint64(len(ns.images)), UpdatedAt: Noon.Add(-time.Hour),
		}
		b.Add(plan.Decide(registry.Verdict{Namespace: namespace}, o))
		for _, name := range ns.images {
			b.Add(plan.Decide(*image(namespace, name, tags, random), o))
		}
	}
	return b.Plan()
}

// image is an image with releases, pull requests and builds of main.
func image(ns *registry.Namespace, name string, tags int, random *rand.Rand) *registry.Verdict {
	pulls := []registry.Reason{{Rule: "retention/pull request builds", Text: "older than 14d"}}
	branches := []registry.Reason{{Rule: "retention/branch builds", Text: "older than 24h"}}
	trial := []registry.Reason{{Rule: "retention/experiments", Text: "older than 7d", ReportOnly: true}}
	v := &registry.Verdict{Namespace: ns, Image: &registry.Image{
		Namespace: ns, NamespaceID: ns.ID, ID: "id-" + ns.Name + "-" + name, Name: name, Status: registry.StatusReady, Visibility: registry.Inherit,
		SizeBytes: uint64(1+random.IntN(40)) * 1_234_567_890, CreatedAt: Noon.Add(-400 * day), UpdatedAt: Noon.Add(-time.Hour),
	}}
	if ns.Name == "sandbox" {
		v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: []registry.Reason{{Rule: "visibility/only oss is public", Text: "the image is public, and must be private"}}}
	}
	for i := range tags {
		age := time.Duration(i+1) * 9 * time.Hour
		t := registry.Tag{ID: fmt.Sprintf("id-%d", i), Digest: digest(random.Uint64()), Status: registry.StatusReady, CreatedAt: Noon.Add(-age), UpdatedAt: Noon.Add(-age)}
		vote := registry.TagVerdict{}
		switch i % 4 {
		case 0:
			t.Name = fmt.Sprintf("v1.%d.0", tags-i)
			vote.Keep = []registry.Reason{{Rule: "retention/releases", Text: "kept"}}
		case 1, 2:
			t.Name = fmt.Sprintf("pr-%d", 2000+tags-i)
			if age > 14*day {
				vote.Delete = pulls
			}
		default:
			t.Name = fmt.Sprintf("main-%07x", random.Uint32()>>4)
			if age > 24*time.Hour {
				vote.Delete = branches
			}
		}
		if ns.Name == "data" && i%9 == 4 {
			t.Name, vote = fmt.Sprintf("exp-%d", i), registry.TagVerdict{Delete: trial}
		}
		v.Image.Tags, v.Tags = append(v.Image.Tags, t), append(v.Tags, vote)
	}
	return v
}

func digest(n uint64) string {
	return fmt.Sprintf("sha256:%016x%016x%016x%016x", n, n*3+1, n*7+5, n*11+9)
}

// Applied is the outcome of a plan in which some steps failed.
func Applied(p *actions.Plan) *actions.Outcome {
	o := &actions.Outcome{}
	for i := range p.Steps {
		r := actions.StepResult{Ref: p.Steps[i].Ref, Action: p.Steps[i].Action, Result: actions.ResultDone}
		switch {
		case i%97 == 5:
			r.Result, r.Detail = actions.ResultChanged, "its digest is another one than planned"
			o.Changed++
		case i%211 == 7:
			r.Result, r.Detail = actions.ResultFailed, "503 Service Unavailable (after 5 tries)"
			o.Failed++
		default:
			o.Done++
		}
		o.Results = append(o.Results, r)
	}
	return o
}

// Leader is a daemon with two weeks of runs.
func Leader(latest *actions.Plan) runs.Daemon {
	paris := time.FixedZone("CET", 3600)
	d := runs.Daemon{
		Version: "v0.4.0", Started: Noon.Add(-15*day - 3*time.Hour), Now: Noon, Leads: true, Leader: "registry-janitor-6d9f7c-x2x4p",
		Reload: runs.Reload{At: Noon.Add(-2*day - 40*time.Minute)}, MayPlan: true,
		Schedules: []runs.Schedule{
			{Name: "plan */30 * * * *", Cron: "*/30 * * * *", Timezone: "UTC", Do: "plan", Next: Noon.Add(30 * time.Minute), Last: Noon, LastRun: "run-0", Skipped: 2},
			{Name: "apply 0 3 * * *", Cron: "0 3 * * *", Timezone: "Europe/Paris", Do: "apply", Jitter: runs.Seconds(10 * time.Minute), Next: time.Date(2026, 11, 23, 3, 0, 0, 0, paris), Last: time.Date(2026, 11, 22, 3, 4, 0, 0, paris), LastRun: "run-20"},
		},
	}
	random := rand.New(rand.NewPCG(3, 3))
	for i := range 46 {
		r := runs.Summary{
			ID: fmt.Sprintf("run-%d", i), Kind: "plan", Trigger: "plan */30 * * * *", Started: Noon.Add(-time.Duration(i) * 30 * time.Minute),
			Duration: runs.Seconds(21*time.Second + time.Duration(random.IntN(9000))*time.Millisecond), Tags: latest.Summary.Tags, Kept: true,
			Steps: len(latest.Steps) - 3*i - random.IntN(9), Held: latest.Summary.Held, Violations: 8, Bytes: 562e9,
		}
		switch {
		case i == 20:
			r.Kind, r.Trigger, r.Duration = "apply", "apply 0 3 * * *", runs.Seconds(94*time.Second)
			r.Done, r.Failed, r.Exit = r.Steps-2, 2, 1
		case i > 20:
			r.Steps += 260
		}
		switch i {
		case 9, 31:
			r.Exit, r.Gaps, r.Error = 1, 1, "list tags of image feature-store: 500 Internal Server Error"
		case 27:
			r.Exit, r.Steps = 3, r.Steps+420
		}
		d.Runs = append(d.Runs, r)
	}
	return d
}
