package worlds

import (
	"strings"
	"time"
)

// platformNamespace is named like those that Serverless Functions make.
const platformNamespace = "funcscwacmewebhooksq7x2k9pl"

// company is the registry without its oddities.
func (d *demo) company() []Namespace {
	return []Namespace{
		d.namespace("fr-par", "prod", "what runs in production", 1100*day, []recipe{
			{name: "api", builds: byNumber, pulls: 50, mains: 54, releases: 26, signed: 6, megabytes: 95},
			{name: "web", builds: byCommit, pulls: 52, mains: 40, releases: 14, signed: 3, megabytes: 60},
			{name: "checkout", builds: byNumber, pulls: 24, mains: 30, releases: 22, signed: 3, megabytes: 110},
			{name: "payments", builds: byNumber, pulls: 20, mains: 30, releases: 24, signed: 5, megabytes: 105},
			{name: "catalog", builds: byCommit, pulls: 22, mains: 28, releases: 12, megabytes: 130},
			{name: "search", builds: byCommit, pulls: 18, mains: 24, releases: 10, megabytes: 240},
			{name: "notifications", builds: byNumber, pulls: 14, mains: 20, releases: 10, megabytes: 80},
			{name: "identity", builds: byNumber, pulls: 18, mains: 26, releases: 20, signed: 4, megabytes: 90},
			{name: "gateway", builds: byNumber, pulls: 16, mains: 22, releases: 16, signed: 4, megabytes: 45},
			{name: "legacy_api", builds: byNumber, mains: 12, releases: 9, megabytes: 420},
			{name: "status-page", visibility: "public", builds: byCommit, pulls: 8, mains: 16, releases: 4, megabytes: 30},
		}),
		d.namespace("fr-par", "staging", "previews of pull requests and what goes to production next", 1100*day, []recipe{
			{name: "api", builds: byNumber, pulls: 50, mains: 30, releases: 10, megabytes: 95},
			{name: "web", builds: byCommit, pulls: 52, mains: 30, releases: 10, megabytes: 60},
			{name: "checkout", builds: byNumber, pulls: 34, mains: 26, releases: 10, megabytes: 110},
			{name: "payments-simulator", builds: byNumber, pulls: 12, mains: 14, megabytes: 70},
			{name: "load_test", megabytes: 510},
			{name: "fixtures", megabytes: 15},
		}),
		d.namespace("fr-par", "ci", "images that build other images", 900*day, []recipe{
			{name: "runner", builds: byNumber, pulls: 40, mains: 28, megabytes: 700},
			{name: "go-builder", builds: byNumber, pulls: 16, mains: 20, releases: 12, megabytes: 480},
			{name: "node-builder", builds: byNumber, pulls: 16, mains: 20, releases: 12, megabytes: 390},
			{name: "e2e-browsers", builds: byCommit, pulls: 18, mains: 20, megabytes: 1400},
			{name: "cache/buildkit", builds: byCommit, mains: 24, megabytes: 850},
		}),
		d.openSource(),
		d.platform(),
		d.namespace("nl-ams", "prod", "production, second region", 500*day, []recipe{
			{name: "api", builds: byNumber, mains: 30, releases: 20, signed: 4, megabytes: 95},
			{name: "web", builds: byCommit, mains: 26, releases: 12, megabytes: 60},
			{name: "checkout", builds: byNumber, mains: 22, releases: 16, megabytes: 110},
			{name: "identity", builds: byNumber, mains: 20, releases: 14, megabytes: 90},
			{name: "edge-cache", builds: byCommit, pulls: 10, mains: 18, releases: 8, megabytes: 35},
		}),
		d.namespace("nl-ams", "data", "pipelines and models", 700*day, []recipe{
			{name: "etl", builds: byNumber, pulls: 36, mains: 28, releases: 10, megabytes: 620},
			{name: "dbt", builds: byNumber, pulls: 20, mains: 22, megabytes: 540},
			{name: "kafka-connect", builds: byNumber, pulls: 15, mains: 16, releases: 9, megabytes: 760},
			{name: "feature-store", builds: byCommit, pulls: 22, mains: 24, releases: 6, megabytes: 880},
			{name: "notebook", builds: byCommit, mains: 14, megabytes: 2100},
		}),
		d.namespace("pl-waw", "sandbox", "anybody may try anything here", 420*day, []recipe{
			{name: "ml-playground", builds: byCommit, mains: 12, megabytes: 3100},
			{name: "intern-projects", megabytes: 200},
		}),
		{Name: "hackathon-2024", Region: "pl-waw", Description: "autumn hackathon", Age: 410 * day, CreatedAge: 413 * day},
	}
}

func (d *demo) namespace(region, name, description string, created time.Duration, recipes []recipe) Namespace {
	ns := Namespace{Name: name, Region: region, Description: description, Age: 90*day + d.upTo(60*day), CreatedAge: created}
	for _, r := range recipes {
		ns.Images = append(ns.Images, d.image(region+"/"+name, r))
	}
	return ns
}

// openSource is the namespace that is public on purpose.
func (d *demo) openSource() Namespace {
	ns := d.namespace("fr-par", "oss", "what we give away", 950*day, []recipe{
		{name: "janitor-action", builds: byNumber, mains: 16, releases: 18, signed: 8, megabytes: 25},
		{name: "openapi-mock", builds: byNumber, pulls: 8, mains: 14, releases: 20, signed: 6, megabytes: 40},
		{name: "pg-backup", builds: byNumber, pulls: 4, mains: 12, releases: 16, signed: 4, megabytes: 85},
		{name: "terraform-runner", builds: byNumber, pulls: 6, mains: 14, releases: 30, megabytes: 150},
	})
	ns.IsPublic = true
	return ns
}

// platform belongs to Serverless Functions, which pull from it when a function
// that was scaled to zero wakes up.
func (d *demo) platform() Namespace {
	ns := Namespace{Name: platformNamespace, Region: "fr-par", Description: "managed by Serverless Functions", Age: 300 * day}
	for _, name := range []string{"resize-image", "send-invoice"} {
		img := Image{Name: name}
		for i, age := range d.ages(5, 20*day, 300*day) {
			img.Tags = append(img.Tags, Tag{Name: "build-" + string(rune('e'-i)), Age: age, Size: 55_000_000})
		}
		ns.Images = append(ns.Images, img)
	}
	return ns
}

// oddities adds what a janitor has to notice.
func (d *demo) oddities(w *World) {
	prod, staging, ci := &w.Namespaces[0], &w.Namespaces[1], &w.Namespaces[2]
	data, sandbox := &w.Namespaces[6], &w.Namespaces[7]
	sandbox.IsPublic = true

	// Unusual tags, all of them old enough to be deleted.
	old := oldPulls(find(prod, "api"))
	old[0].Status, old[1].Status, old[2].Status = "locked", "deleting", "error"
	oldPulls(find(prod, "payments"))[1].Status = "locked"

	// A pull request that was promoted to a release without a separate build.
	checkout := find(prod, "checkout")
	release := releaseNamed(checkout, "v2.0.0")
	promoted := oldPulls(checkout)[0]
	promoted.Digest, promoted.Size = release.Digest, release.Size

	// Signed pull requests.
	runner := find(ci, "runner")
	var signatures []Tag
	for _, t := range oldPulls(runner)[:6] {
		t.Digest = "fr-par/ci/runner " + t.Name
		signatures = append(signatures, attachment(*t, ".sig"))
	}
	runner.Tags = append(runner.Tags, signatures...)

	// A clock that was ahead when it pushed.
	find(staging, "web").Tags = append(find(staging, "web").Tags, Tag{Name: "pr-9001", Age: -7 * time.Minute, Size: 61_000_000})
	find(staging, "payments-simulator").Status = "locked"
	find(staging, "fixtures").Age = 45 * day
	d.leftovers(find(staging, "load_test"), 510, "pr-118", "pr-121", "pr-127")

	d.trials(find(data, "notebook"), 2100, 14)
	d.trials(find(sandbox, "ml-playground"), 3100, 24)
	d.leftovers(find(sandbox, "intern-projects"), 200,
		"final", "final2", "final-FINAL2", "demo_FOR_sales", "v1.4.0_hotfix", "TEST", "20241107", "1.2", "works-on-my-machine", "pr-7")
}

// leftovers makes tags that were not changed for months.
func (d *demo) leftovers(img *Image, megabytes int, names ...string) {
	for i, age := range d.ages(len(names), 40*day, 200*day) {
		img.Tags = append(img.Tags, Tag{Name: names[i], Age: age, Size: d.size(recipe{megabytes: megabytes})})
	}
}

// trials makes experiments of the last three weeks.
func (d *demo) trials(img *Image, megabytes, n int) {
	words := []string{"lora", "bigger-batch", "no-dropout", "cuda12", "quantized", "new-tokenizer", "adamw", "warmup"}
	for i, age := range d.ages(n, 6*time.Hour, 21*day) {
		name := "exp-" + words[i%len(words)] + "-" + []string{"a", "b", "c"}[i/len(words)]
		img.Tags = append(img.Tags, Tag{Name: name, Age: age, Size: d.size(recipe{megabytes: megabytes})})
	}
}

func find(ns *Namespace, name string) *Image {
	for i := range ns.Images {
		if ns.Images[i].Name == name {
			return &ns.Images[i]
		}
	}
	return new(Image) // the callers name what company makes
}

// oldPulls are the builds of pull requests older than three weeks, youngest first.
func oldPulls(img *Image) []*Tag {
	var old []*Tag
	for i := range img.Tags {
		if t := &img.Tags[i]; t.Age > 21*day && strings.HasPrefix(t.Name, "pr-") {
			old = append(old, t)
		}
	}
	return old
}

func releaseNamed(img *Image, name string) *Tag {
	for i := range img.Tags {
		if img.Tags[i].Name == name {
			return &img.Tags[i]
		}
	}
	return new(Tag) // the callers name what releases makes
}
