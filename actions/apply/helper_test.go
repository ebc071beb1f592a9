package apply

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// site is an emulated registry with clients of it. It is made in a bubble of its
// own time.
type site struct {
	t      testing.TB
	server *emulator.Server
	reader *scaleway.Reader // for what is planned
	editor *scaleway.Editor
	// before sees every request of the editor before the server does, and may answer
	// it instead.
	before func(*http.Request) (*http.Response, error)
	// emptyGo says that an image goes with its last tag.
	emptyGo bool
	// judge and options made the latest plan, and judge again while it is applied.
	judge   func(*registry.Verdict)
	options plan.Options
	uses    *registry.UseIndex // while a plan is applied
}

var testCredentials = &scaleway.Credentials{
	APIURL: "http://localhost", AccessKey: "SCWXXXXXXXXXXXXXXXXX", SecretKey: "11111111-1111-1111-1111-111111111111",
}

func newSite(t testing.TB, world string) *site {
	t.Helper()
	w, err := worlds.Parse("world.yaml", []byte(world))
	must(t, err)
	return siteOf(t, w)
}

// siteOf keeps the faults of the world away from what is planned and looked at.
func siteOf(t testing.TB, w worlds.World) *site {
	t.Helper()
	s := &site{t: t, emptyGo: w.Settings.EmptyImages == "remove"}
	var err error
	s.server, err = emulator.New(emulator.Options{World: w})
	must(t, err)
	s.editor, err = scaleway.NewEditor(optionsOver(roundTripper(func(r *http.Request) (*http.Response, error) {
		if s.before != nil {
			if response, err := s.before(r); response != nil || err != nil {
				return response, err
			}
		}
		return inProcess{s.server}.RoundTrip(r)
	})))
	must(t, err)
	s.reader = s.readerOver(inProcess{s.server.Plain()})
	return s
}

func (s *site) readerOver(base http.RoundTripper) *scaleway.Reader {
	reader, err := scaleway.NewReader(optionsOver(base))
	must(s.t, err)
	return reader
}

func optionsOver(base http.RoundTripper) scaleway.Options {
	return scaleway.Options{Credentials: testCredentials, Base: base, Concurrency: 16, RequestTimeout: 5 * time.Second}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inProcess hands requests to a handler without a network between.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if cut := recover(); cut != nil {
			response, err = nil, fmt.Errorf("the connection is cut: %w", io.ErrUnexpectedEOF)
		}
	}()
	if r.Body != nil {
		defer r.Body.Close()
	}
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, r)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	response = recorder.Result()
	response.Request = r
	return response, nil
}

// thing is an object of the registry: its ID, and the digest of a tag or the
// visibility of another.
type thing struct{ id, is string }

// snapshot is what the registry holds, by reference. What is being deleted is
// left out.
func (s *site) snapshot() map[string]thing {
	s.t.Helper()
	held := make(map[string]thing)
	s.walk(func(v registry.Verdict) {
		if v.Image == nil {
			held[v.Namespace.Ref().String()] = thing{v.Namespace.ID, string(v.Namespace.Visibility())}
			return
		}
		held[v.Image.Ref().String()] = thing{v.Image.ID, string(v.Image.Visibility)}
		for _, t := range v.Image.Tags {
			if t.Status != registry.StatusDeleting {
				held[v.Image.TagRef(t.Name).String()] = thing{t.ID, t.Digest}
			}
		}
	})
	return held
}

// walk visits every namespace and image, with empty verdicts.
func (s *site) walk(visit func(registry.Verdict)) {
	s.t.Helper()
	ctx := context.Background()
	for _, region := range registry.Regions() {
		namespaces, err := s.reader.Namespaces(ctx, registry.Query{Region: region})
		must(s.t, err)
		for i := range namespaces {
			ns := &namespaces[i]
			if ns.Status == registry.StatusDeleting {
				continue
			}
			empty := true
			for img, err := range s.reader.Images(ctx, registry.Query{Region: region, NamespaceID: ns.ID}) {
				must(s.t, err)
				empty = false
				if img.Status == registry.StatusDeleting {
					continue
				}
				img.Namespace = ns
				img.Tags, err = s.reader.Tags(ctx, region, img.ID)
				must(s.t, err)
				visit(registry.Verdict{Namespace: ns, Image: &img, Tags: make([]registry.TagVerdict, len(img.Tags)), Empty: len(img.Tags) == 0})
			}
			visit(registry.Verdict{Namespace: ns, Empty: empty})
		}
	}
}

var markedBy = []registry.Reason{{Rule: "retention/test", Text: "marked"}}

// plan plans what judge says about every namespace and image.
func (s *site) plan(o plan.Options, judge func(*registry.Verdict)) *actions.Plan {
	s.t.Helper()
	o.TakenAt = time.Now().UTC()
	s.judge, s.options = judge, o
	b := plan.NewBuilder(o)
	s.walk(func(v registry.Verdict) {
		judge(&v)
		b.Add(plan.Decide(v, o))
	})
	return b.Plan()
}

// markTags plans the deletion of the tags whose names begin with "pr", and
// what else judge adds.
func (s *site) markTags(o plan.Options) *actions.Plan {
	s.t.Helper()
	o.MaxDeletions, o.MaxDeletionPercent = -1, -1
	return s.plan(o, func(v *registry.Verdict) {
		if v.Image == nil {
			return
		}
		for i, t := range v.Image.Tags {
			if len(t.Name) > 1 && t.Name[:2] == "pr" {
				v.Tags[i].Delete = markedBy
			}
		}
	})
}

// apply applies a plan as it comes out of its file.
func (s *site) apply(p *actions.Plan, o Options) (*actions.Outcome, error) {
	s.t.Helper()
	time.Sleep(time.Minute) // of the bubble: a plan is older than its changes
	return Apply(s.t.Context(), reread(s.t, p), s.environment(newMemoryJournal(s.t)), o)
}

// environment judges again as the plan was judged.
func (s *site) environment(j Journal) Environment {
	return Environment{Registry: s.editor, Journal: j, Judge: func(_ context.Context, subject Subject) (actions.Decision, error) {
		v := registry.Verdict{Namespace: subject.Namespace, Image: subject.Image, Empty: subject.Empty}
		if v.Image != nil {
			v.Tags, v.Empty = make([]registry.TagVerdict, len(v.Image.Tags)), len(v.Image.Tags) == 0
		}
		s.judge(&v)
		if v.Image != nil {
			var tags [][]string
			v.InUse, tags = s.uses.InImage(v.Image)
			for i := range tags {
				v.Tags[i].InUse = tags[i]
			}
		}
		o := s.options
		o.TakenAt = time.Now().UTC()
		part := plan.Decide(v, o)
		return actions.Decision{Steps: part.Steps(), Held: part.Held(), Verdict: v}, nil
	}}
}

// memoryJournal checks the order of what it is told.
type memoryJournal struct {
	t    testing.TB
	fail func(event, ref string) error // may be nil

	mu       sync.Mutex
	intended map[string]bool
	done     map[string]actions.Result
}

func newMemoryJournal(t testing.TB) *memoryJournal {
	return &memoryJournal{t: t, intended: make(map[string]bool), done: make(map[string]actions.Result)}
}

func (j *memoryJournal) Intend(_ context.Context, s actions.Step) error {
	return j.note("intend", s.Ref, s.Action, "")
}

func (j *memoryJournal) Done(ctx context.Context, r actions.StepResult) error {
	if ctx.Err() != nil {
		j.t.Errorf("the result of %s comes with a context that is done", r.Ref)
	}
	return j.note("done", r.Ref, r.Action, r.Result)
}

func (j *memoryJournal) note(event, ref string, a actions.Action, result actions.Result) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := string(a) + " " + ref
	if j.fail != nil {
		if err := j.fail(event, ref); err != nil {
			return err
		}
	}
	if event == "intend" {
		if j.intended[key] {
			j.t.Errorf("%s is intended twice", key)
		}
		j.intended[key] = true
		return nil
	}
	if !j.intended[key] || j.done[key] != "" {
		j.t.Errorf("%s has a result: intended %v, before %q", key, j.intended[key], j.done[key])
	}
	j.done[key] = result
	return nil
}

// resultsOf lists results as "action ref result", without the common part of the
// references.
func resultsOf(o *actions.Outcome) []string {
	var out []string
	for _, r := range o.Results {
		out = append(out, fmt.Sprintf("%s %s", r.Ref[strings.IndexByte(r.Ref, '/')+1:], r.Result))
	}
	slices.Sort(out)
	return out
}

func find(rows []registry.Tag, id string) (registry.Tag, bool) {
	i := slices.IndexFunc(rows, func(t registry.Tag) bool { return t.ID == id })
	if i < 0 {
		return registry.Tag{}, false
	}
	return rows[i], true
}

func reread(t testing.TB, p *actions.Plan) *actions.Plan {
	t.Helper()
	var b bytes.Buffer
	must(t, p.Encode(&b))
	again, err := actions.Decode(&b)
	must(t, err)
	return again
}

var scanTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func digestOf(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

func unlimited() plan.Options {
	return plan.Options{TakenAt: scanTime, MaxDeletions: -1, MaxDeletionPercent: -1}
}

// story is a plan with one of everything.
func story(t testing.TB) *actions.Plan {
	t.Helper()
	file, err := os.Open("../plan/testdata/story.json")
	must(t, err)
	defer file.Close()
	p, err := actions.Decode(file)
	must(t, err)
	return p
}

// world makes random choices.
type world struct{ r *rand.Rand }

func (w world) chance(percent int) bool { return w.r.IntN(100) < percent }

func pick[T any](w world, list ...T) T { return list[w.r.IntN(len(list))] }

// soon is a time before which a request of a test is sent.
func soon() time.Time { return time.Now().Add(time.Minute) }
