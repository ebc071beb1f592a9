package propose_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/propose"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

var takenAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Whatever is in a registry, a proposal for it is valid, for editors too, lint has
// nothing to say, and a plan is complete and deletes nothing. With every rule enforced, lint still has
// nothing to say, and the plan deletes neither a version, nor a moving name, nor the
// newest tag of any convention for names in an image.
func TestEveryProposal(t *testing.T) {
	schema, deleted := compileSchema(t), 0
	for seed := range uint64(40) {
		w := newWorld(seed)
		s := propose.New(takenAt)
		for _, img := range w.images {
			s.Add(img)
		}
		text := s.Write(w.options())
		c, err := config.Parse(filepath.Join(t.TempDir(), "janitor.yaml"), []byte(text))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		var document any
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Fatalf("seed %d: the schema: %v\n%s", seed, err, text)
		}
		for _, r := range c.Retention {
			if r.Enforce {
				t.Fatalf("seed %d: %s is enforced\n%s", seed, r.Name, text)
			}
		}
		c.Protect.Serverless, c.Protect.Kapsule = false, false // no use source is read here
		plan := w.check(t, seed, c, text)
		if plan.Summary.DeleteTags > 0 {
			t.Fatalf("seed %d: a proposal that is not enforced deletes %d tags\n%s", seed, plan.Summary.DeleteTags, text)
		}
		for i := range c.Retention {
			c.Retention[i].Enforce = true
		}
		plan = w.check(t, seed, c, text)
		deleted += plan.Summary.DeleteTags
		for _, step := range plan.Steps {
			if why := w.keep[step.Ref]; why != "" {
				t.Fatalf("seed %d: %s is deleted by %v, and is %s\n%s", seed, step.Ref, step.Reasons, why, text)
			}
		}
	}
	if deleted < 300 {
		t.Errorf("the proposals delete only %d tags, so they were hardly tested", deleted)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("janitor.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("janitor.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// check lints and plans.
func (w *world) check(t *testing.T, seed uint64, c *config.Config, text string) *actions.Plan {
	t.Helper()
	engine, err := janitor.Policies(t.Context(), c, policy.Options{})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, text)
	}
	p := &janitor.Planner{Config: c, Policies: engine, TakenAt: takenAt}
	lint, err := p.Lint(t.Context(), w.feed(t.Context()))
	if err != nil || len(lint.Findings)+len(lint.Gaps) > 0 {
		t.Fatalf("seed %d: lint: %v %+v\n%s", seed, err, lint, text)
	}
	plan, err := p.Plan(t.Context(), w.feed(t.Context()))
	if err != nil || plan.Incomplete() || plan.Summary.Deny > 0 {
		t.Fatalf("seed %d: plan: %v %v %v\n%s", seed, err, plan.Gaps, plan.Violations, text)
	}
	for _, v := range plan.Violations {
		if v.Rule == "retention/newest" {
			t.Fatalf("seed %d: %s %s\n%s", seed, v.Ref, v.Text, text)
		}
	}
	return plan
}

// world is a registry to which no rule was tuned.
type world struct {
	*rand.Rand
	images []*registry.Image
	keep   map[string]string // why a tag must not be deleted, by reference
}

// options are all that a proposal can say beside its rules.
func (w *world) options() propose.Options {
	states := []propose.Source{propose.Complete, propose.Failed, propose.NotRead, propose.NotListed, propose.NotInScope}
	return propose.Options{
		Schema: "janitor.schema.json", SchemaExists: w.IntN(2) == 0, Gaps: w.IntN(3), Serverless: pick(w, states...), Kapsule: pick(w, states...),
		Scope: pick(w,
			scanner.Scope{}, scanner.Scope{Exclude: []string{propose.Functions}},
			scanner.Scope{Regions: registry.Regions(), Include: []string{"**"}, ProjectIDs: []string{"11111111-2222-3333-4444-555555555555"}},
			scanner.Scope{OrganizationID: "11111111-2222-3333-4444-555555555555", Include: []string{"prod/{a,b}*"}, Exclude: []string{"x/**", propose.Functions}}),
	}
}

// feed is a scan of the world.
func (w *world) feed(ctx context.Context) intake.Feed {
	f := feed{make(chan scanner.Item)}
	go func() {
		defer close(f.items)
		for _, img := range w.images {
			select {
			case f.items <- scanner.Item{Image: img}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return f
}

type feed struct{ items chan scanner.Item }

func (f feed) Items() <-chan scanner.Item { return f.items }
func (f feed) Err() error                 { return nil }

func newWorld(seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), keep: map[string]string{}}
	conventions := w.conventions()
	for n := range 1 + w.IntN(3) {
		ns := &registry.Namespace{
			Region: registry.Regions()[w.IntN(3)], Name: pick(w, "prod", "on", "null", "1e3", "007", "a-b", fmt.Sprint("ns", n)), ID: fmt.Sprint("n", n),
			Status: registry.StatusReady, IsPublic: w.IntN(3) == 0, CreatedAt: takenAt.AddDate(-3, 0, 0), UpdatedAt: takenAt,
		}
		for i := range w.IntN(5) {
			w.images = append(w.images, w.image(ns, fmt.Sprintf("%s%d", pick(w, "api", "web/x", "null", "1e3-", "a.b_c"), i), conventions))
		}
	}
	return w
}

func pick[T any](w *world, list ...T) T { return list[w.IntN(len(list))] }

// convention is one way to name tags: the next name, and what it is to people.
type convention struct {
	is   string // a version, a moving name, or ""
	next func() string
}

func (w *world) hex(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("0123456789abcdef"[w.IntN(16)])
	}
	return b.String()
}

// conventions are those of one company, some of them strange.
func (w *world) conventions() []convention {
	separator, commit := pick(w, "-", "_"), pick(w, 7, 8, 12, 40)
	day := func() time.Time { return takenAt.AddDate(0, 0, -w.IntN(900)) }
	branch := pick(w, "main", "master", "develop", "trunk", "feature-x", "fix-issue-12", "release", "user-ana-try", "staging", "on", "v2-next")
	version := func(form string) func() string {
		return func() string { return fmt.Sprintf(form, w.IntN(3), w.IntN(12), w.IntN(30)) }
	}
	text := func(form string, args ...func() any) func() string {
		return func() string {
			values := make([]any, len(args))
			for i, arg := range args {
				values[i] = arg()
			}
			return strings.ReplaceAll(fmt.Sprintf(form, values...), "~", separator)
		}
	}
	number := func() any { return 1 + w.IntN(5000) }
	sha := func() any { return w.hex(commit) }
	all := []convention{
		{"a version", version(pick(w, "%d.%d.%d", "v%d.%d.%d", "%d.%d.%d-alpine", "app-v%d.%d.%d", "%d.%d.%d-rc.1", "release-%d.%d.%d", "v%d.%d.%d-amd64", "%d.%d.%d_x"))},
		{"a version", func() string { return day().Format(pick(w, "2006.01", "2006.1.2", "v2006.01.02", "06.01")) }},
		{"a version", func() string { return fmt.Sprint(pick(w, "", "v"), w.IntN(30), pick(w, "", "-alpine", "-bookworm")) }},
		{"a moving name", func() string {
			return pick(w, "latest", "main", "master", "stable", "edge", "dev", "prod", "latest-arm64", "nightly", "canary", "feature-x-latest", "16-latest")
		}},
		{"", text(pick(w, "pr-%d", "pr%d", "PR-%d", "mr~%d", "pull-request-%d", "preview-%d"), number)},
		{"", text("pr~%d~%s", number, sha)},
		{"", text(branch+"~%s", sha)},
		{"", text(branch+"~%s~%d", sha, number)},
		{"", text(branch+"~%d", number)},
		{"", text(pick(w, "%s", "sha-%s", "git-%s"), sha)},
		{"", func() string { return day().Format(pick(w, "20060102", "2006-01-02")) }},
		{"", text(pick(w, "nightly", "build", "snapshot", "bookworm", "release")+"~%s", func() any { return day().Format("20060102") })},
		{"", func() string {
			return day().Format("20060102") + pick(w, "-", "T", "") + fmt.Sprintf("%06d", w.IntN(236060))
		}},
		{"", text(pick(w, "buildcache", "cache", "cache~"+branch, branch+"~cache", "buildcache~%s"), sha)},
		{"", text(branch+"~%s~"+pick(w, "amd64", "arm64", "linux-arm64"), sha)},
		{"", func() string {
			return pick(w, "on", "off", "null", "~", "1e3", "0x1F", "007", "no", "y", ".5", "-", "'", strings.Repeat("x", 128))
		}},
		{"", w.anything},
	}
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+w.IntN(len(all))]
}

// anything is any legal name of a tag.
func (w *world) anything() string {
	const first, rest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", ".-"
	var b strings.Builder
	for i := range 1 + w.IntN(pick(w, 3, 8, 40, 127)) {
		letters := first
		if i > 0 {
			letters += rest
		}
		b.WriteByte(letters[w.IntN(len(letters))])
	}
	return b.String()
}

// image makes an image whose tags follow some conventions.
func (w *world) image(ns *registry.Namespace, name string, conventions []convention) *registry.Image {
	img := &registry.Image{
		Namespace: ns, NamespaceID: ns.ID, Name: name, ID: ns.ID + name, Status: registry.StatusReady, SizeBytes: uint64(w.IntN(1 << 40)),
		Visibility: pick(w, registry.Inherit, registry.Inherit, registry.Private, registry.Public), CreatedAt: takenAt.AddDate(-2, 0, 0), UpdatedAt: takenAt,
	}
	by := map[string]convention{}
	of := map[string]int{} // the position of its convention, by tag
	longAgo := pick(w, 10, 100, 900)
	for range w.IntN(60) {
		n := w.IntN(len(conventions))
		tag := conventions[n].next()
		if _, ok := by[tag]; ok {
			continue
		}
		by[tag], of[tag] = conventions[n], n
		age := time.Duration(w.IntN(longAgo*24)) * time.Hour
		t := registry.Tag{Name: tag, ID: tag, Digest: "sha256:" + w.hex(64), Status: registry.StatusReady, UpdatedAt: takenAt.Add(-age), CreatedAt: takenAt.Add(-age)}
		if w.IntN(30) == 0 {
			t.Status = "locked"
		}
		if len(img.Tags) > 0 && w.IntN(10) == 0 {
			t.Digest = img.Tags[0].Digest
		}
		img.Tags = append(img.Tags, t)
		if w.IntN(20) == 0 {
			signature := t
			signature.Name, signature.ID = strings.Replace(t.Digest, ":", "-", 1)+".sig", tag+".sig"
			signature.Digest = "sha256:" + w.hex(64)
			if _, ok := by[signature.Name]; !ok {
				by[signature.Name], of[signature.Name] = convention{}, -1
				img.Tags = append(img.Tags, signature)
			}
		}
	}
	slices.SortFunc(img.Tags, registry.CompareAge)
	w.expect(img, by, of)
	return img
}

// expect notes what must not be deleted.
func (w *world) expect(img *registry.Image, by map[string]convention, of map[string]int) {
	seen := map[string]bool{}
	for i := range img.Tags {
		t := &img.Tags[i]
		ref := img.TagRef(t.Name).String()
		switch is := by[t.Name].is; {
		case is != "":
			w.keep[ref] = is
		case rules.ParseVersion(t.Name) != nil:
			w.keep[ref] = "a version"
		}
		if t.Status != registry.StatusReady || of[t.Name] < 0 {
			continue
		}
		if shape := fmt.Sprint(of[t.Name]); !seen[shape] {
			seen[shape] = true
			w.keep[ref] = "the newest of its convention"
		}
	}
}
