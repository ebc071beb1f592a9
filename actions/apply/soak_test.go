package apply

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/registry"
)

var soakSeed = flag.Uint64("soak-seed", 0, "the only seed of TestSoak")

// TestSoak applies random plans to random registries over a network that fails in
// random ways, while others push. Whatever happens, only what the plan condemns
// is gone, and the outcome says what is.
func TestSoak(t *testing.T) {
	mixes := 50
	if os.Getenv("JANITOR_SOAK") == "full" {
		mixes = 2000
	}
	base := rand.Uint64()
	if *soakSeed != 0 {
		base, mixes = *soakSeed, 1
	}
	t.Logf("the first seed is %d", base)
	for i := range mixes {
		seed := base + uint64(i)
		ok := t.Run("", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { (&soak{world: world{rand.New(rand.NewPCG(seed, 11))}, seed: seed, t: t}).run() })
		})
		if !ok {
			t.Fatalf("failed with seed %d", seed)
		}
	}
}

// soak is one random registry and what goes wrong with it.
type soak struct {
	world
	seed    uint64
	t       *testing.T
	mu      sync.Mutex // the clients are concurrent, and rand is not
	site    *site
	plan    *actions.Plan
	journal *memoryJournal
	api     string
	faults  []fault
	pushes  int            // percent of the requests
	steps   map[string]int // index of the step by the path of its object
}

// fault is a way in which an exchange goes wrong.
type fault struct {
	percent int
	reads   bool // it happens to reads too
	act     bool // the server acts before
	answer  func(*http.Request) (*http.Response, error)
}

func (s *soak) run() {
	s.api = pick(s.world, "reject", "untag", "cascade")
	s.site = siteOf(s.t, s.registryWorld())
	o := unlimited()
	o.SharedDigest, o.KeepAtLeast = pick(s.world, actions.Protect, actions.Untag), s.r.IntN(3)
	s.plan = s.site.plan(o, s.judge)
	for range s.r.IntN(4) {
		time.Sleep(time.Second)
		s.push(true)
	}
	s.index()
	s.mixFaults()
	s.site.before = s.exchange
	s.journal = newMemoryJournal(s.t)
	before, sent := s.site.snapshot(), len(s.site.server.Requests())
	time.Sleep(time.Minute)
	outcome, err := Apply(s.t.Context(), reread(s.t, s.plan), s.site.environment(s.journal), Options{
		SharedDigest: o.SharedDigest, Concurrency: 1 + s.r.IntN(8),
		Canary: pick(s.world, -1, 2, 0), Breaker: pick(s.world, 0, 3, 1000), ConfirmTimeout: 20 * time.Second,
	})
	if outcome == nil {
		s.t.Fatal(err)
	}
	s.site.before = nil
	time.Sleep(time.Hour)
	s.site.compare(s.plan, outcome, before)
	s.site.checkRequests(s.plan, sent)
	s.checkListings(sent)
	s.checkOutcome(outcome, err, o)
	s.again(o)
}

// registryWorld makes a registry whose digests are shared, whose tags have
// attachments, and whose API has any of the habits that it may have.
func (s *soak) registryWorld() worlds.World {
	w := worlds.World{Settings: worlds.Settings{
		SharedDigest: s.api, DeleteDelay: pick(s.world, 0, 300*time.Millisecond, 3*time.Second), Latency: 10 * time.Millisecond,
		DeleteAgain: pick(s.world, "accept", "not_found", "conflict"), EmptyImages: pick(s.world, "keep", "remove"),
		RateLimit: pick(s.world, 0, 0, 50), InlineTags: pick(s.world, 0, 1),
	}}
	for n := range 1 + s.r.IntN(3) {
		ns := worlds.Namespace{Name: fmt.Sprintf("ns%d", n), Region: pick(s.world, "fr-par", "nl-ams"), IsPublic: s.chance(30), Age: 400 * 24 * time.Hour}
		for i := range s.r.IntN(4) {
			img := worlds.Image{Name: fmt.Sprintf("img%d", i), Visibility: pick(s.world, "inherit", "public", "private"), Age: 24 * time.Hour}
			for k := range s.r.IntN(9) {
				word := fmt.Sprintf("%s-%d", pick(s.world, "A", "B", "C", "own"), i)
				tag := worlds.Tag{Name: fmt.Sprintf("t%d", k), Digest: word, Age: time.Duration(1+s.r.IntN(60)) * 24 * time.Hour, Status: pick(s.world, "ready", "ready", "ready", "ready", "ready", "locked", "error")}
				if strings.HasPrefix(word, "own") {
					tag.Digest = ""
				}
				img.Tags = append(img.Tags, tag)
			}
			ns.Images = append(ns.Images, img)
		}
		w.Namespaces = append(w.Namespaces, ns)
	}
	return w
}

// judge votes at random, at a rate that differs from image to image, and the same
// each time it is asked.
func (s *soak) judge(v *registry.Verdict) {
	if v.Image == nil {
		dice := s.dice(v.Namespace.ID)
		if dice.chance(70) {
			v.Delete = condemnedBy
		}
		if dice.chance(30) {
			v.Visibility = &registry.VisibilityVerdict{To: pick(dice, registry.Private, registry.Public), Reasons: condemnedBy}
		}
		return
	}
	dice := s.dice(v.Image.ID)
	percent := pick(dice, 30, 80, 100)
	if dice.chance(50) {
		v.Delete = condemnedBy
	}
	if dice.chance(40) {
		v.Visibility = &registry.VisibilityVerdict{To: pick(dice, registry.Private, registry.Public, registry.Inherit), Reasons: condemnedBy}
	}
	for i := range v.Tags {
		dice := s.dice(v.Image.Tags[i].ID)
		if dice.chance(percent) {
			v.Tags[i].Delete = condemnedBy
		}
		if dice.chance(10) {
			v.Tags[i].Keep = condemnedBy
		}
	}
}

// dice are the same for the same subject.
func (s *soak) dice(subject string) world {
	h := fnv.New64a()
	h.Write([]byte(subject))
	return world{rand.New(rand.NewPCG(s.seed, h.Sum64()))}
}

func (s *soak) index() {
	kinds := map[actions.Action]string{actions.DeleteTag: "tags", actions.DeleteImage: "images", actions.DeleteNamespace: "namespaces", actions.SetImageVisibility: "images", actions.SetNamespaceVisibility: "namespaces"}
	s.steps = make(map[string]int)
	for i, step := range s.plan.Steps {
		method := http.MethodDelete
		if !step.Action.Deletes() {
			method = http.MethodPatch
		}
		s.steps[fmt.Sprintf("%s /registry/v1/regions/%s/%s/%s", method, step.Region, kinds[step.Action], step.ID)] = i
	}
}

func (s *soak) mixFaults() {
	page := func(code int, kind, body string) func(*http.Request) (*http.Response, error) {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
	}
	hang := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
	cut := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	all := []fault{
		{answer: page(500, "application/json", `{"message":"internal error"}`), reads: true}, {answer: page(502, "text/html", "<html>"), act: true},
		{answer: page(429, "", ""), reads: true}, {answer: page(409, "application/json", `{"type":"transient_state"}`)},
		{answer: page(412, "application/json", `{"type":"precondition_failed"}`)}, {answer: page(423, "application/json", `{"type":"locked"}`)},
		{answer: page(403, "text/plain", "no")}, {answer: page(404, "application/json", `{"message":"Tag was not found"}`)},
		{answer: page(302, "", "")}, {answer: page(200, "application/json", ""), reads: true}, {answer: page(200, "application/json", ""), act: true},
		{answer: page(200, "text/html", "<html>"), act: true}, {answer: page(200, "application/json", `{"id":`), act: true, reads: true},
		{answer: hang, reads: true}, {answer: hang, act: true}, {answer: cut, reads: true}, {answer: cut, act: true},
		{answer: page(200, "application/json", `{"status":"deleting"}`)}, // accepted, and nothing happens
	}
	for range s.r.IntN(5) {
		f := all[s.r.IntN(len(all))]
		f.percent = pick(s.world, 2, 10, 40, 100)
		if f.reads {
			f.percent = min(f.percent, 40)
		}
		s.faults = append(s.faults, f)
	}
	s.pushes = pick(s.world, 0, 0, 5)
}

// exchange checks a request of the run, and lets it go wrong.
func (s *soak) exchange(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodGet {
		i, planned := s.steps[r.Method+" "+r.URL.Path]
		s.journal.mu.Lock()
		if !planned || !s.journal.intended[string(s.plan.Steps[i].Action)+" "+s.plan.Steps[i].Ref] {
			s.t.Errorf("%s %s was sent, and is not in the journal", r.Method, r.URL.Path)
		}
		s.journal.mu.Unlock()
	}
	if s.chance(s.pushes) {
		s.push(false)
	}
	for _, f := range s.faults {
		if r.Method == http.MethodGet && !f.reads || !s.chance(f.percent) {
			continue
		}
		s.mu.Unlock()
		defer s.mu.Lock()
		if f.act {
			if _, err := (inProcess{s.site.server}).RoundTrip(r); err != nil {
				return nil, err
			}
		}
		return f.answer(r)
	}
	return nil, nil
}

// push is what somebody else does. During a run nobody pushes a digest that is to
// go: between a look and a deletion there is no way to see it.
func (s *soak) push(anyDigest bool) {
	word := fmt.Sprintf("new-%d", s.r.Uint64())
	image := s.r.IntN(5)
	if anyDigest && s.chance(60) {
		word = fmt.Sprintf("%s-%d", pick(s.world, "A", "B", "C"), image)
	}
	// There may be no such namespace, or the image may be on its way out.
	_ = s.site.server.Push(pick(s.world, "fr-par", "nl-ams"), fmt.Sprintf("ns%d", s.r.IntN(3)), fmt.Sprintf("img%d", image), fmt.Sprintf("t%d", s.r.IntN(11)), word)
}

// checkListings: before the first deletion in an image its tags are listed again.
func (s *soak) checkListings(since int) {
	images := make(map[string]string)
	for i := range s.plan.Steps {
		if step := &s.plan.Steps[i]; step.Action == actions.DeleteTag {
			at, _ := s.plan.ImageOf(step)
			images[step.ID] = s.plan.Images[at].ID
		}
	}
	listed := make(map[string]bool)
	for _, r := range s.site.server.Requests()[since:] {
		parts := strings.Split(strings.TrimPrefix(r.Path, "/registry/v1/regions/"), "/")
		switch {
		case r.Method == http.MethodGet && len(parts) == 4:
			listed[parts[2]] = true
		case r.Method == http.MethodDelete && parts[1] == "tags" && !listed[images[parts[2]]]:
			s.t.Errorf("tag %s is deleted, and its image was not listed again", parts[2])
		}
	}
}

func (s *soak) checkOutcome(outcome *actions.Outcome, err error, o plan.Options) {
	if len(outcome.Results) != len(s.plan.Steps) || outcome.Done+outcome.Gone+outcome.Changed+outcome.Blocked+outcome.Failed+outcome.Skipped != len(s.plan.Steps) {
		s.t.Errorf("%d results for %d steps: %+v", len(outcome.Results), len(s.plan.Steps), outcome)
	}
	if len(outcome.Lost) > 0 && (o.SharedDigest != actions.Untag || s.api != "cascade") {
		s.t.Errorf("with %s and an API that does %s, %q were lost", o.SharedDigest, s.api, outcome.Lost)
	}
	if (err != nil) != (outcome.Stopped != "") || outcome.Skipped > 0 && err == nil {
		s.t.Errorf("error %v, stopped %q, skipped %d", err, outcome.Stopped, outcome.Skipped)
	}
	for _, r := range outcome.Results {
		key := string(r.Action) + " " + r.Ref
		if result, ok := s.journal.done[key]; s.journal.intended[key] && (!ok || result != r.Result) {
			s.t.Errorf("%s is %s, and %q in the journal", key, r.Result, result)
		}
		if r.Result == actions.ResultDone && !s.journal.intended[key] {
			s.t.Errorf("%s is done, and not in the journal", key)
		}
	}
	whole := *s.plan
	whole.Outcome = outcome
	var b bytes.Buffer
	must(s.t, whole.Encode(&b))
	if bytes.Contains(b.Bytes(), []byte(testCredentials.SecretKey)) {
		s.t.Error("the secret key is in the outcome")
	}
	again, err := actions.Decode(&b)
	if err != nil {
		s.t.Fatal(err)
	}
	want, _ := json.Marshal(outcome)
	got, _ := json.Marshal(again.Outcome)
	if !bytes.Equal(want, got) || again.ID != s.plan.ID {
		s.t.Errorf("the outcome is read as %s, was %s", got, want)
	}
}

// again applies the same plan once more, without faults: nothing is repeated
// blindly, and nothing but what is left of it is done.
func (s *soak) again(o plan.Options) {
	before, sent := s.site.snapshot(), len(s.site.server.Requests())
	outcome, err := Apply(s.t.Context(), s.plan, s.site.environment(newMemoryJournal(s.t)), Options{SharedDigest: o.SharedDigest})
	if outcome == nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Hour)
	s.site.compare(s.plan, outcome, before)
	s.site.checkRequests(s.plan, sent)
	if outcome.Failed > 0 {
		s.t.Errorf("%q", resultsOf(outcome))
	}
}
