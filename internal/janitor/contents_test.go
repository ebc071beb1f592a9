package janitor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/content"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// plane is the data plane of a registry, which needs no login.
type plane struct {
	bodies  map[string]string // by digest
	calls   atomic.Int64      // for manifests and configs
	before  func(path string) // each of them; may be nil
	failing func(path string) bool
}

func (p *plane) put(body string) (digest string) {
	sum := sha256.Sum256([]byte(body))
	digest = "sha256:" + hex.EncodeToString(sum[:])
	p.bodies[digest] = body
	return digest
}

// image is an image with one label, or none.
func (p *plane) image(name, label string) (digest string) {
	config := p.put(fmt.Sprintf(`{"os":"linux","architecture":"amd64","config":{"Labels":{"label":%q,"name":%q}}}`, label, name))
	return p.put(fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":100},"layers":[]}`, config))
}

func (p *plane) index(parts ...string) (digest string) {
	var list []string
	for _, part := range parts {
		list = append(list, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":100}`, part))
	}
	return p.put(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join(list, ",") + `]}`)
}

func (p *plane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v2/" {
		return
	}
	p.calls.Add(1)
	if p.before != nil {
		p.before(r.URL.Path)
	}
	body, ok := p.bodies[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
	if !ok || p.failing != nil && p.failing(r.URL.Path) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var kind struct {
		MediaType string `json:"mediaType"`
	}
	_ = json.Unmarshal([]byte(body), &kind)
	w.Header().Set("Content-Type", kind.MediaType)
	fmt.Fprint(w, body)
}

// imageWith has a tag for each "name digest", all 100 days old.
func imageWith(name string, tags ...string) scanner.Item {
	old := now.AddDate(0, 0, -100)
	ns := &registry.Namespace{Region: "fr-par", Name: "prod", ID: "ns", Status: registry.StatusReady, CreatedAt: old, UpdatedAt: old}
	image := &registry.Image{Namespace: ns, NamespaceID: "ns", Name: name, ID: name, Status: registry.StatusReady, Visibility: registry.Private, CreatedAt: old, UpdatedAt: old}
	for _, t := range tags {
		tag, digest, _ := strings.Cut(t, " ")
		image.Tags = append(image.Tags, registry.Tag{Name: tag, ID: name + tag, Digest: digest, Status: registry.StatusReady, CreatedAt: old, UpdatedAt: old})
	}
	return scanner.Item{Image: image}
}

// reading is a planner that reads contents from a plane; from none without one.
func reading(t *testing.T, p *plane, configuration string) *Planner {
	t.Helper()
	c, err := config.Parse("janitor.yaml", []byte(configuration))
	check(t, err)
	policies, err := Policies(t.Context(), c, policy.Options{})
	check(t, err)
	planner := &Planner{Config: c, Policies: policies, TakenAt: now}
	if p != nil {
		store := &contentStore{memory: new(KnownContents)}
		reader, err := content.NewReader(content.Options{URL: "http://localhost", APIURL: "http://localhost", SecretKey: "x", Base: inProcess{p}, Store: store})
		check(t, err)
		planner.contents = &contents{reader: reader, store: store}
	}
	return planner
}

const (
	deleteOld     = "limits: {max_deletion_percent: 100, keep_at_least: 0}\nretention: [{match: {tags: ['*']}, except: {tags: ['1.6.0', stays]}, delete: {older_than: 50d}}]\n"
	platformNamed = "rg.fr-par.scw.cloud/prod/api:1.6.0-amd64"
)

// stream delivers items once, as a scan does.
type stream <-chan scanner.Item

func (s stream) Items() <-chan scanner.Item { return s }
func (s stream) Err() error                 { return nil }

func planned(t *testing.T, p *Planner, feed items) *actions.Plan {
	t.Helper()
	plan, err := p.Plan(t.Context(), stream(feed.Items()))
	check(t, err)
	return plan
}

func guardOf(p *actions.Plan, ref string) actions.Guard {
	for _, h := range p.Held {
		if h.Ref == ref {
			return h.Guard
		}
	}
	return ""
}

func TestThePartsOfAKeptIndexAreFoundOnce(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	amd, arm, other := p.image("amd", ""), p.image("arm", ""), p.image("other", "")
	index := p.index(amd, arm)
	feed := func() items { return items{imageWith("api", "1.6.0 "+index, "1.6.0-amd64 "+amd, "1.6.0-arm64 "+other)} }
	planner := reading(t, p, deleteOld)
	for run := range 2 {
		plan := planned(t, planner, feed())
		if guardOf(plan, platformNamed) != actions.GuardPartOf || len(plan.Steps) != 1 || plan.Steps[0].Tag != "1.6.0-arm64" || plan.Summary.Gaps != 0 {
			t.Fatalf("%+v %+v", plan.Steps, plan.Held)
		}
		if n := p.calls.Load(); n != 5 {
			t.Errorf("after run %d: %d calls instead of one for the index and two for each part", run, n)
		}
	}
}

func TestAnIndexThatCannotBeReadHoldsWhatMayBeItsPart(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	amd := p.image("amd", "")
	index := p.index(amd)
	p.failing = func(path string) bool { return strings.HasSuffix(path, index) }
	feed := func() items { return items{imageWith("api", "1.6.0 "+index, "1.6.0-amd64 "+amd)} }
	plan := planned(t, reading(t, p, deleteOld), feed())
	if guardOf(plan, platformNamed) != actions.GuardPartOf || plan.Summary.Gaps != 0 || p.calls.Load() != 1 {
		t.Errorf("%+v %+v after %d calls", plan.Held, plan.Gaps, p.calls.Load())
	}
	if plan := planned(t, reading(t, nil, deleteOld), feed()); guardOf(plan, platformNamed) != actions.GuardPartOf {
		t.Errorf("from an inventory: %+v", plan.Held)
	}
	never := reading(t, p, deleteOld+"content: {read: never}\n")
	if plan := planned(t, never, feed()); len(plan.Steps) != 1 || p.calls.Load() != 1 {
		t.Errorf("never: %+v after %d calls", plan.Held, p.calls.Load())
	}
}

func TestNothingIsReadThatDecidesNothing(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	a, b := p.image("a", ""), p.image("b", "")
	plan := planned(t, reading(t, p, deleteOld), items{
		imageWith("api", "stays "+a, "old "+b), imageWith("web", "1.6.0 "+p.index(a), "stays "+a),
	})
	if len(plan.Steps) != 1 || p.calls.Load() != 0 {
		t.Errorf("%d calls, %+v", p.calls.Load(), plan.Steps)
	}
}

// byLabel decides by the contents of all tags.
func byLabel(img *registry.Image, _ *registry.Verdict) []string {
	var needs []string
	for i := range img.Tags {
		if digest := img.Tags[i].Digest; img.Contents[digest] == nil {
			needs = append(needs, digest)
		}
	}
	return needs
}

func TestAContentThatDecidesAndCannotBeReadIsAGapOfItsImage(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	good, bad := p.image("good", ""), p.image("bad", "")
	p.failing = func(path string) bool { return strings.HasSuffix(path, bad) }
	feed := func() items { return items{imageWith("api", "old "+bad, "older "+good), imageWith("web", "old "+good)} }
	const api, web = "rg.fr-par.scw.cloud/prod/api", "rg.fr-par.scw.cloud/prod/web:old"
	planner := reading(t, p, deleteOld)
	planner.decides = byLabel
	plan := planned(t, planner, feed())
	if guardOf(plan, api+":old") != actions.GuardGap || guardOf(plan, api+":older") != actions.GuardGap || len(plan.Steps) != 1 || plan.Steps[0].Ref != web {
		t.Errorf("%+v %+v", plan.Steps, plan.Held)
	}
	want := "read the content of " + bad + ": 403 Forbidden: give the API key the permission set ContainerRegistryReadOnly in the project of the namespace"
	if len(plan.Gaps) != 1 || plan.Gaps[0].Subject != api || plan.Gaps[0].Error != want {
		t.Errorf("%+v", plan.Gaps)
	}
	planner = reading(t, nil, deleteOld)
	planner.decides = byLabel
	plan = planned(t, planner, feed())
	if len(plan.Steps) != 0 || len(plan.Gaps) != 2 || !strings.Contains(plan.Gaps[0].Error, "the inventory does not have the content of sha256:") || !strings.Contains(plan.Gaps[0].Error, "(and 1 more digests of this image)") {
		t.Errorf("from an inventory: %+v %+v", plan.Steps, plan.Gaps)
	}
}

func TestTheCallsOfALabelRule(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	var feed items
	for i := range 100 {
		var tags []string
		for j := range 18 {
			tags = append(tags, fmt.Sprintf("v%d %s", j, p.image(fmt.Sprint(i, j), "")))
		}
		multi := p.index(p.image(fmt.Sprint(i, "amd"), ""), p.image(fmt.Sprint(i, "arm"), ""))
		feed = append(feed, imageWith(fmt.Sprint("img", i), append(tags, "multi "+multi, "again "+multi)...))
	}
	planner := reading(t, p, deleteOld)
	planner.decides = byLabel
	planned(t, planner, feed)
	best := int64(100 * (18*2 + 1 + 2*2))
	if n := p.calls.Load(); n != best { // the bar is 1.05 times that
		t.Errorf("%d calls for 2,000 tags instead of %d", n, best)
	}
	for _, item := range feed {
		item.Image.Contents, item.Image.Unread = nil, nil
	}
	planned(t, planner, feed)
	if n := p.calls.Load() - best; n != 0 {
		t.Errorf("%d calls in the second run", n)
	}
}

// What makes no run knows what runs have read, and the other way around. The ledger is
// opened only when a content is asked for, and is not needed.
func TestContentsAreSharedThroughTheLedger(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	amd := p.image("amd", "")
	feed := func() items {
		return items{imageWith("api", "1.6.0 "+p.index(amd), "1.6.0-amd64 "+amd), imageWith("web", "stays sha256:"+strings.Repeat("a", 64))}
	}
	path, opened := filepath.Join(t.TempDir(), "ledger.db"), 0
	open := func(ctx context.Context) *ledger.Ledger {
		opened++
		l, err := ledger.Open(ctx, path, ledger.Options{})
		check(t, err)
		return l
	}
	for _, row := range []struct {
		what   string
		feed   items
		open   func(context.Context) *ledger.Ledger
		opened int
		calls  int64 // in all
	}{
		{"nothing is asked for", feed()[1:], open, 0, 0},
		{"nothing is known", feed(), open, 1, 3},
		{"all is known", feed(), open, 2, 3},
		{"the ledger cannot be opened", feed(), func(context.Context) *ledger.Ledger { return nil }, 2, 6},
	} {
		planner := reading(t, p, deleteOld)
		planner.contents.openWhenAsked(row.open)
		planned(t, planner, row.feed)
		check(t, planner.contents.close(t.Context()))
		if opened != row.opened || p.calls.Load() != row.calls {
			t.Errorf("%s: opened %d times and called %d times, want %d and %d", row.what, opened, p.calls.Load(), row.opened, row.calls)
		}
	}
}

func TestImagesDoNotWaitForTheContentsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{bodies: map[string]string{}}
		release := make(chan struct{})
		p.before = func(string) { <-release }
		slow := p.image("slow", "")
		planner := reading(t, p, deleteOld)
		planner.decides = func(img *registry.Image, v *registry.Verdict) []string {
			if img.Name != "slow" {
				return nil
			}
			return byLabel(img, v)
		}
		feed := items{imageWith("slow", "old "+slow)}
		for i := range 50 {
			feed = append(feed, imageWith(fmt.Sprint("img", i), "old "+slow))
		}
		var mu sync.Mutex
		var done []string
		var err error
		go func() {
			in := intake.New(stream(feed.Items()))
			err = forEach(context.WithoutCancel(t.Context()), in, func(d []*decision) {
				mu.Lock()
				defer mu.Unlock()
				done = append(done, d[0].item.Image.Name)
			}, planner.judge(policy.WhatCounts, nil, planner.planOptions()))
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		mu.Lock()
		if len(done) != 50 || slices.Contains(done, "slow") {
			t.Errorf("%d images are done", len(done))
		}
		mu.Unlock()
		close(release)
		synctest.Wait()
		if len(done) != 51 || err != nil {
			t.Errorf("%d images at the end: %v", len(done), err)
		}
	})
}

func TestAnInventoryHasTheContentsThatItsPlanNeeds(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	amd, arm := p.image("amd", ""), p.image("arm", "")
	index := p.index(amd)
	first := imageWith("api", "1.6.0 "+index, "1.6.0-amd64 "+amd, "1.6.0-arm64 "+arm)
	feed := items{{Namespace: first.Image.Namespace}, first, imageWith("web", "1.6.0 "+index, "stays "+amd)}
	feed[2].Image.Namespace = first.Image.Namespace
	planner := reading(t, p, deleteOld)
	var file bytes.Buffer
	gaps, err := planner.Record(t.Context(), stream(feed.Items()), &file)
	check(t, err)
	if len(gaps) != 0 || p.calls.Load() != 3 {
		t.Errorf("%v after %d calls", gaps, p.calls.Load())
	}
	inventory, err := scanner.ReadInventory(&file)
	check(t, err)
	plan, err := reading(t, nil, deleteOld).Plan(t.Context(), inventory.Stream(t.Context()))
	check(t, err)
	if guardOf(plan, platformNamed) != actions.GuardPartOf || len(plan.Steps) != 1 || plan.Steps[0].Tag != "1.6.0-arm64" {
		t.Errorf("%+v %+v", plan.Steps, plan.Held)
	}
	planner = reading(t, p, deleteOld)
	planner.decides = byLabel
	p.failing = func(path string) bool { return strings.HasSuffix(path, arm) }
	gaps, err = planner.Record(t.Context(), stream(items{{Namespace: first.Image.Namespace}, first}.Items()), &file)
	if check(t, err); len(gaps) != 1 || !strings.Contains(gaps[0].Error, "403 Forbidden") {
		t.Errorf("%v", gaps)
	}
}

func TestADigestInUseIsFoundInAnIndex(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	amd, old := p.image("amd", ""), p.image("old", "")
	index := p.index(amd)
	feed := func() items {
		used := registry.Use{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}, Digest: amd, By: "kubernetes prod"}
		return items{{Use: &used}, imageWith("api", "3.0 "+index, "stays "+p.image("new", ""), "2.0 "+old), imageWith("web", "3.0 "+index)}
	}
	const api = "rg.fr-par.scw.cloud/prod/api:3.0"
	plan := planned(t, reading(t, p, deleteOld), feed())
	if guardOf(plan, api) != actions.GuardInUse || len(plan.Steps) != 2 || p.calls.Load() != 5 {
		t.Errorf("%+v %+v after %d calls", plan.Steps, plan.Held, p.calls.Load())
	}
	p.failing = func(path string) bool { return strings.HasSuffix(path, index) }
	if plan := planned(t, reading(t, p, deleteOld), feed()); guardOf(plan, api) != actions.GuardGap || len(plan.Gaps) != 1 {
		t.Errorf("%+v %+v", plan.Held, plan.Gaps)
	}
	if plan := planned(t, reading(t, p, deleteOld+"content: {read: never}\n"), feed()); len(plan.Steps) != 3 {
		t.Errorf("%+v", plan.Held)
	}
}

// What is in use decides what is read, also for an inventory.
func TestAnInventoryHasTheIndexOfADigestInUse(t *testing.T) {
	p := &plane{bodies: map[string]string{}}
	amd := p.image("amd", "")
	index := p.index(amd)
	used := registry.Use{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}, Digest: amd, By: "kubernetes prod"}
	image := imageWith("api", "3.0 "+index, "stays "+p.image("new", ""))
	var file bytes.Buffer
	gaps, err := reading(t, p, deleteOld).Record(t.Context(), stream(items{{Use: &used}, {Namespace: image.Image.Namespace}, image}.Items()), &file)
	if check(t, err); len(gaps) > 0 {
		t.Errorf("%v", gaps)
	}
	inventory, err := scanner.ReadInventory(&file)
	check(t, err)
	plan, err := reading(t, nil, deleteOld).Plan(t.Context(), inventory.Stream(t.Context()))
	if check(t, err); guardOf(plan, "rg.fr-par.scw.cloud/prod/api:3.0") != actions.GuardInUse || len(plan.Gaps) > 0 {
		t.Errorf("%+v %+v", plan.Held, plan.Gaps)
	}
}

// With multi_arch: all, any tag may be a part, also one that takes a place of keep.last.
func TestPartsOfAnyNameTakeNoPlaceOfLast(t *testing.T) {
	const configuration = "limits: {max_deletion_percent: 100, keep_at_least: 0, min_age: 0s}\nretention: [{match: {tags: ['*']}, keep: {last: 2}, delete: {}}]\ncontent: {multi_arch: all}\n"
	p := &plane{bodies: map[string]string{}}
	var tags []string
	for _, version := range []string{"7", "6", "5"} {
		a, b := p.image("a"+version, ""), p.image("b"+version, "")
		tags = append(tags, "build-"+version+"-a "+a, "build-"+version+"-b "+b, "v"+version+" "+p.index(a, b))
	}
	feed := func() items {
		item := imageWith("api", tags...)
		for i := range item.Image.Tags {
			tag := &item.Image.Tags[i]
			tag.CreatedAt = tag.CreatedAt.Add(-time.Duration(i) * time.Hour)
			tag.UpdatedAt = tag.CreatedAt
		}
		return items{item}
	}
	plan := planned(t, reading(t, p, configuration), feed())
	var deleted []string
	for _, step := range plan.Steps {
		deleted = append(deleted, step.Tag)
	}
	slices.Sort(deleted)
	if !slices.Equal(deleted, []string{"build-5-a", "build-5-b", "v5"}) {
		t.Errorf("%v are deleted, and held are %+v", deleted, plan.Held)
	}
	p.failing = func(path string) bool { return strings.HasSuffix(path, feed()[0].Image.Tags[2].Digest) }
	if plan := planned(t, reading(t, p, configuration), feed()); len(plan.Steps) > 0 {
		t.Errorf("v7 cannot be read, and %+v are deleted", plan.Steps)
	}
}

func TestAComparisonReadsWhatEitherSideNeeds(t *testing.T) {
	for name, configuration := range map[string]string{"both": deleteOld, "the other one": "timezone: UTC\n"} {
		p := &plane{bodies: map[string]string{}}
		amd := p.image("amd", "")
		feed := stream(items{imageWith("api", "1.6.0 "+p.index(amd), "1.6.0-amd64 "+amd)}.Items())
		c, err := reading(t, p, configuration).Compare(t.Context(), feed, reading(t, nil, deleteOld))
		check(t, err)
		if held := c.Before.Summary.Held; held != 1 || p.calls.Load() != 3 {
			t.Errorf("needed by %s: %d held after %d calls", name, held, p.calls.Load())
		}
	}
}
