package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
)

// A rule in YAML and its Rego in the guide make the same decisions, on any
// registry.
func TestYAMLAndRegoOfTheGuideAgree(t *testing.T) {
	text, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, guide, _ := strings.Cut(string(text), "## From YAML to Rego")
	pairs := regexp.MustCompile("(?s)### ([^\n]+)\n[^#]*?```yaml\n(.*?)```\n\n```rego\n(.*?)```").FindAllStringSubmatch(guide, -1)
	if len(pairs) < 10 {
		t.Fatalf("only %d pairs are found", len(pairs))
	}
	for _, pair := range pairs {
		t.Run(pair[1], func(t *testing.T) {
			t.Parallel()
			agree(t, pair[2], pair[3])
		})
	}
}

// So do the matches of the table.
func TestMatchesOfTheGuideAgree(t *testing.T) {
	text, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "<!-- match -->")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := regexp.MustCompile("(?m)^\\| `([^|]+?)` \\| ``?([^|]+?)``? \\|$").FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("only %d rows are found", len(rows))
	}
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			t.Parallel()
			agree(t, "retention: [{name: x, match: {"+row[1]+"}, delete: {older_than: 1s}}]",
				"# METADATA\n# title: x\npackage janitor.image.row\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_seconds >= 1\n\t"+
					strings.ReplaceAll(row[2], "; ", "\n\t")+"\n}\n")
		})
	}
}

// agree judges random images by the rules and by the policy.
func agree(t *testing.T, rules, rego string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.rego"), []byte(rego), 0o600); err != nil {
		t.Fatal(err)
	}
	byRules, byRego := judgeOf(t, filepath.Join(dir, "rules.yaml"), rules), judgeOf(t, filepath.Join(dir, "rego.yaml"), "policies: [own.rego]")
	random := rand.New(rand.NewPCG(1, 2))
	decisions := 0
	for i := range 300 {
		img := randomImage(random)
		want, got := outcome(t, byRules, img), outcome(t, byRego, img)
		if d := diff.Diff(want, got); d != "" {
			t.Fatalf("image %d, rules and policy differ (-rules +policy):\n%s", i, d)
		}
		decisions += len(want)
	}
	if decisions == 0 {
		t.Error("the rules decide nothing, so nothing is compared")
	}
}

func judgeOf(t *testing.T, file, text string) *policy.Judge {
	t.Helper()
	c, err := config.Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := janitor.Policies(t.Context(), c, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e.At(demoDay, policy.Everything)
}

// outcome is a verdict without the names of rules.
func outcome(t *testing.T, j *policy.Judge, img *registry.Image) []string {
	t.Helper()
	v, err := j.Image(t.Context(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	var out []string
	for i, tag := range v.Tags {
		if len(tag.Delete) > 0 && len(tag.Keep) == 0 {
			out = append(out, "delete "+img.Tags[i].Name)
		}
	}
	if len(v.Delete) > 0 && len(v.Keep) == 0 {
		out = append(out, "delete the image")
	}
	if v.Visibility != nil && v.Visibility.To != img.Visibility {
		out = append(out, "make it "+string(v.Visibility.To))
	}
	for _, violation := range v.Violations {
		out = append(out, string(violation.Severity)+" "+violation.Ref)
	}
	return out
}

// randomImage has tags of all kinds in the guide.
func randomImage(random *rand.Rand) *registry.Image {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	img := &registry.Image{
		Namespace: &registry.Namespace{
			ID: "n", Name: pick("prod", "oss", "ci"), Region: "fr-par", Status: registry.StatusReady, ImageCount: 1, IsPublic: random.IntN(2) == 0,
			ProjectID: pick("11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"),
		},
		ID: "i", Name: pick("api", "api/v2", "web"), Status: registry.StatusReady,
		Visibility: registry.Visibility(pick("inherit", "private", "public")), UpdatedAt: demoDay.Add(-time.Duration(random.IntN(20*24)) * time.Hour),
	}
	for i := range random.IntN(40) {
		digest, subject := fmt.Sprintf("%064x", random.IntN(30)), fmt.Sprintf("%064x", random.IntN(60))
		name := pick(
			fmt.Sprint("pr-", i), fmt.Sprintf("pr-%d.%d", i, i), fmt.Sprint("exp-", i), fmt.Sprint("main-", i), fmt.Sprint("main-", i), fmt.Sprint("main-x", i),
			fmt.Sprintf("env-%s-%d", pick("dev", "test"), i), fmt.Sprintf("v%d.%d.%d", random.IntN(4), random.IntN(3), random.IntN(3)),
			fmt.Sprintf("%d.%d.%d-rc.1", random.IntN(3), random.IntN(3), i), "latest", fmt.Sprint("Upper_", i),
			"sha256-"+subject+pick(".sig", ".vex", ""), "sha512-"+subject+pick(".sig", ""),
		)
		if slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return t.Name == name }) {
			continue
		}
		if registry.AttachmentSubject(name, "") != "" && random.IntN(4) == 0 {
			digest = subject // it is named after its own digest
		}
		// Ages of whole hours, so that some fall on the same time and on limits.
		updated := demoDay.Add(-time.Duration(random.IntN(40*24)) * time.Hour)
		status := registry.StatusReady
		if random.IntN(12) == 0 {
			status = "locked"
		}
		img.Tags = append(img.Tags, registry.Tag{
			ID: name, Name: name, Digest: pick("sha256:"+digest, "sha256:"+digest, "sha512:"+digest+digest), Status: status,
			UpdatedAt: updated, CreatedAt: updated.Add(-time.Duration(random.IntN(10*24)) * time.Hour),
		})
	}
	slices.SortFunc(img.Tags, func(a, b registry.Tag) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.Name, b.Name))
	})
	random = rand.New(rand.NewPCG(uint64(len(img.Tags)), uint64(img.UpdatedAt.Unix())))
	img.Contents = map[string]*registry.Content{}
	for _, t := range img.Tags {
		img.Contents[t.Digest] = &registry.Content{
			Kind:      registry.ContentKind(pick("image", "image", "index", "attachment", "artifact")),
			Platforms: []string{pick("linux/amd64", "linux/arm64", "linux/arm64/v8", "linux/arm/v7")},
			Labels:    map[string]string{pick("team", "squad"): pick("payments", "pay/x", "search"), pick("ttl", "age"): pick("2d", "12h", "1w", "0d", "soon"), pick("keep", "drop"): pick("true", "false")},
			BuiltAt:   demoDay.Add(-time.Duration(random.IntN(40*24)) * time.Hour),
		}
	}
	return img
}
