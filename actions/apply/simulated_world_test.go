package apply

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/registry"
)

const day = 24 * time.Hour

// someRegistry makes a registry whose digests are shared, whose tags have
// attachments, and whose API has any of the habits and faults that it may have.
func (s *simulation) someRegistry() worlds.World {
	w := worlds.World{Settings: worlds.Settings{
		SharedDigest: pick(s.world, "reject", "untag", "cascade"), DeleteDelay: pick(s.world, 0, 300*time.Millisecond, 3*time.Second), Latency: 10 * time.Millisecond,
		DeleteAgain: pick(s.world, "accept", "not_found", "conflict"), EmptyImages: pick(s.world, "keep", "remove"),
		RateLimit: pick(s.world, 0, 0, 50), InlineTags: pick(s.world, 0, 1),
	}}
	for n := range pick(s.world, 1, 1, 2) {
		ns := worlds.Namespace{Name: fmt.Sprintf("ns%d", n), Region: pick(s.world, "fr-par", "fr-par", "nl-ams"), IsPublic: s.chance(30), Age: 400 * day}
		for i := range pick(s.world, 0, 1, 1, 2, 3) {
			ns.Images = append(ns.Images, s.someImage(i))
		}
		w.Namespaces = append(w.Namespaces, ns)
	}
	for range pick(s.world, 0, 0, 1, 3) {
		w.Faults = append(w.Faults, s.someLie())
	}
	return w
}

func (s *simulation) someImage(i int) worlds.Image {
	img := worlds.Image{Name: fmt.Sprintf("img%d", i), Visibility: pick(s.world, "inherit", "public", "private"), Age: day}
	for k := range s.r.IntN(9) {
		tag := worlds.Tag{
			Name: fmt.Sprintf("t%d", k), Digest: digestOfWord(s.word(i, k)), Age: pick(s.world, time.Duration(1+s.r.IntN(60))*day, time.Duration(s.r.IntN(48))*time.Hour+time.Minute),
			Status: pick(s.world, "ready", "ready", "ready", "ready", "ready", "ready", "locked", "error"),
		}
		if s.chance(20) {
			tag.Name = "sha256-" + strings.TrimPrefix(digestOfWord(s.word(i, k)), "sha256:") + pick(s.world, "", ".sig", ".att")
			if slices.ContainsFunc(img.Tags, func(t worlds.Tag) bool { return t.Name == tag.Name }) {
				continue
			}
		}
		img.Tags = append(img.Tags, tag)
	}
	if s.chance(2) {
		img.Tags = append(img.Tags, worlds.Tag{Name: "v{n}", Count: 101 + s.r.IntN(20), Age: 30 * day, Step: time.Minute})
	}
	return img
}

// word is a digest, which several tags of the image may have.
func (w world) word(image, tag int) string {
	return fmt.Sprintf("%s-%d", pick(w, "A", "B", "C", fmt.Sprintf("own%d", tag)), image)
}

// someContents are what the digests of the first images are, such as indexes of others, if
// that is known. It gives some tags the names of parts of others.
func (s *simulation) someContents(dice world) map[string]*registry.Content {
	if dice.chance(50) {
		return nil
	}
	inside := make(map[string]*registry.Content)
	for image := range 3 {
		words := []string{"A", "own0", "own1", "B", "own2", "C", "own3", "own4"} // an index is before its parts
		for i, word := range words {
			content := &registry.Content{Kind: registry.ContentImage}
			for _, part := range words[i+1:] {
				if i < 5 && dice.chance(pick(dice, 0, 40)) {
					content.Kind, content.Parts = registry.ContentIndex, append(content.Parts, digestOfWord(fmt.Sprintf("%s-%d", part, image)))
				}
			}
			if i > 0 && content.Parts == nil && dice.chance(15) {
				content.Kind, content.Subject = registry.ContentAttachment, digestOfWord(fmt.Sprintf("%s-%d", pick(dice, words[:i]...), image))
			}
			if dice.chance(70) { // the others are not known
				inside[digestOfWord(fmt.Sprintf("%s-%d", word, image))] = content
			}
		}
	}
	for _, ns := range s.made.Namespaces {
		for _, img := range ns.Images {
			for i := range img.Tags {
				if tag := &img.Tags[i]; tag.Count == 0 && !strings.HasPrefix(tag.Name, "sha256") && dice.chance(20) {
					tag.Name = fmt.Sprintf("t%d-%s", (i+1)%9, pick(dice, "amd64", "linux", "multi"))
				}
			}
		}
	}
	return inside
}

func digestOfWord(word string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(word))) }

// isWhole reports whether a digest is an index of which that of a step is a part, or what the
// content of the step is about, unless its name says something else.
func (s *simulation) isWhole(digest string, step *actions.Step) bool {
	img := registry.Image{Contents: s.inside}
	about := s.inside[step.Digest]
	isAbout := about != nil && about.Subject == digest && registry.AttachmentSubject(step.Tag, step.Digest) == ""
	return digest != step.Digest && (isAbout || slices.Contains(img.PartsOf(digest), step.Digest))
}

// someLie is a fault of the API itself: an answer that is not true.
func (s *simulation) someLie() worlds.Fault {
	f := pick(s.world,
		worlds.Fault{Stale: pick(s.world, 2*time.Second, 15*time.Second, 40*time.Second)},
		worlds.Fault{Method: http.MethodGet, Hide: pick(s.world, "t*", "t3", "sha256-*", "img1", "t9", "t10")},
		worlds.Fault{SlowDelete: pick(s.world, 4*time.Second, 12*time.Second, 45*time.Second), Status: pick(s.world, 0, 0, 504)},
		worlds.Fault{SwapIDs: true},
		worlds.Fault{SwapIDs: true, Method: http.MethodGet},
		worlds.Fault{Kind: "short_page"}, worlds.Fault{Kind: "duplicate_row"}, worlds.Fault{Kind: "changed_total"},
		worlds.Fault{Delay: pick(s.world, 500*time.Millisecond, 1500*time.Millisecond, 3*time.Second)},
	)
	f.Every, f.Times = 1+s.r.IntN(5), pick(s.world, 0, 1, 4)
	if f.Method == "" && f.Stale > 0 {
		f.Path = pick(s.world, "", "/images/*/tags", "/tags/*")
	}
	return f
}

// isHonest reports whether every answer about tags that a client accepts is true.
func (s *simulation) isHonest() bool {
	return !slices.ContainsFunc(s.made.Faults, func(f worlds.Fault) bool { return slices.Contains([]string{"stale", "hide", "swap_ids"}, f.Effect()) })
}

func (s *simulation) someOptions() plan.Options {
	return plan.Options{
		SharedDigest: pick(s.world, actions.Protect, actions.Untag), KeepAtLeast: s.r.IntN(4), MinAge: pick(s.world, 0, 0, time.Hour, 3*day),
		Orphans: pick(s.world, plan.KeepOrphans, plan.DeleteOrphans), Content: plan.Content{Read: pick(s.dice("reads"), plan.ReadNever, plan.ReadNever, plan.ReadAuto)}, MaxDeletions: pick(s.world, -1, -1, -1, 1), MaxDeletionPercent: -1,
	}
}

// someUses are what is in use by the time that a plan is applied.
func (s *simulation) someUses() *registry.UseIndex {
	var uses []registry.Use
	for range pick(s.world, 0, 0, 1, 4) {
		image := s.r.IntN(3)
		u := registry.Use{By: "a cluster", Ref: registry.Ref{Region: pick[registry.Region](s.world, "fr-par", "fr-par", "nl-ams"), Namespace: fmt.Sprintf("ns%d", s.r.IntN(2)), Image: fmt.Sprintf("img%d", image)}}
		if s.chance(50) {
			u.Ref.Tag = fmt.Sprintf("t%d", s.r.IntN(9))
		} else {
			u.Digest = digestOfWord(s.word(image, s.r.IntN(9)))
		}
		uses = append(uses, u)
	}
	return registry.NewUseIndex(uses)
}

// policy marks tags by what the whole image looks like.
type policy struct {
	kind      string
	n         int
	protected string // a name
}

func (s *simulation) somePolicy() policy {
	return policy{pick(s.world, "dice", "dice", "the oldest half", "all but the newest", "the old", "shared digests", "every other name"), s.r.IntN(5), fmt.Sprintf("t%d", s.r.IntN(9))}
}

func (p policy) judge(s *simulation, v *registry.Verdict) {
	order := make([]int, len(v.Tags))
	digests := make(map[string]int)
	for i := range order {
		order[i] = i
		digests[v.Image.Tags[i].Digest]++
	}
	slices.SortFunc(order, func(a, b int) int { return registry.CompareAge(v.Image.Tags[a], v.Image.Tags[b]) })
	percent := pick(s.dice(v.Image.ID), 30, 80, 100)
	for rank, i := range order {
		tag, isMarked := &v.Image.Tags[i], false
		dice := s.dice(tag.ID)
		switch p.kind {
		case "dice":
			isMarked = dice.chance(percent)
		case "the oldest half":
			isMarked = rank >= (len(order)+1)/2
		case "all but the newest":
			isMarked = rank >= p.n
		case "the old":
			isMarked = time.Since(tag.UpdatedAt) > time.Duration(p.n*8)*day
		case "shared digests":
			isMarked = digests[tag.Digest] > 1
		case "every other name":
			isMarked = len(tag.Name)%2 == 1 || strings.HasSuffix(tag.Name, "1")
		}
		if isAttachment(*tag) {
			isMarked = isMarked && dice.chance(40)
		}
		if isMarked {
			v.Tags[i].Delete = markedBy
		}
		if tag.Name == p.protected || dice.chance(5) {
			v.Tags[i].Keep = markedBy
		}
	}
}

// change is what others do: they push or move a tag, of any name and digest, or
// delete one.
func (a *attempt) change(dice world) {
	region, ns, image := pick(dice, "fr-par", "fr-par", "nl-ams"), fmt.Sprintf("ns%d", dice.r.IntN(2)), dice.r.IntN(3)
	name, word := fmt.Sprintf("t%d", dice.r.IntN(11)), dice.word(image, dice.r.IntN(9))
	if dice.chance(30) {
		word = fmt.Sprintf("new%d-%d", dice.r.IntN(1000), image)
	}
	ref := fmt.Sprintf("rg.%s.scw.cloud/%s/img%d:%s", region, ns, image, name)
	a.mu.Lock()
	was, known := a.before[ref]
	a.others[ref] = true
	a.digests[digestOfWord(word)] = true
	a.mu.Unlock()
	if known && dice.chance(15) && a.made.Settings.SharedDigest != "cascade" {
		a.site.server.Plain().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodDelete, "/registry/v1/regions/"+region+"/tags/"+was.id, nil))
		return
	}
	// There may be no such namespace, or the image may be on its way out.
	_ = a.site.server.Push(region, ns, fmt.Sprintf("img%d", image), name, digestOfWord(word))
}

// fault is a way in which an exchange goes wrong on its way.
type fault struct {
	percent int
	reads   bool // it happens to reads too
	act     bool // the server acts before
	lies    bool // it says that the server has acted
	answer  func(*http.Request) (*http.Response, error)
}

func (s *simulation) someFaults() []fault {
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
		{answer: page(200, "application/json", `{"status":"deleting"}`), lies: true},
	}
	var some []fault
	for range pick(s.world, 0, 0, 1, 2, 4) {
		f := all[s.r.IntN(len(all))]
		if f.lies && !s.isHonest() {
			continue // with a listing that hides the tag, nothing contradicts
		}
		f.percent = pick(s.world, 2, 10, 40, 100)
		if f.reads {
			f.percent = min(f.percent, 40)
		}
		some = append(some, f)
	}
	return some
}

// exchange checks a request of a run, and lets it go wrong.
func (s *simulation) exchange(r *http.Request) (*http.Response, error) {
	a := s.busy
	if a == nil || a.calm {
		if a != nil && r.Method != http.MethodGet {
			a.permit(r)
		}
		return inProcess{s.site.server.Plain()}.RoundTrip(r)
	}
	key := r.Method + r.URL.Path + r.URL.Query().Get("page")
	s.mu.Lock()
	s.asked[key]++
	dice := s.dice(fmt.Sprint(key, s.asked[key]))
	s.mu.Unlock()
	if dead := a.end(); dead != nil {
		return nil, dead
	}
	if r.Method != http.MethodGet {
		a.permit(r)
		if dice.chance(s.pushes) {
			a.change(dice)
		}
	}
	response, err := s.transport(r, dice)
	if a.isDead.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

func (s *simulation) transport(r *http.Request, dice world) (*http.Response, error) {
	for _, f := range s.faults {
		if r.Method == http.MethodGet && !f.reads || !dice.chance(f.percent) {
			continue
		}
		if f.act {
			if _, err := (inProcess{s.site.server}).RoundTrip(r); err != nil {
				return nil, err
			}
		}
		return f.answer(r)
	}
	return inProcess{s.site.server}.RoundTrip(r)
}

// end ends the run when its time has come.
func (a *attempt) end() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	if a.requests == cmp.Or(a.ending.request, -1) {
		switch a.ending.kind {
		case "kill":
			a.isDead.Store(true)
			a.cancel()
		case "interrupt":
			a.cancel()
		}
	}
	if a.isDead.Load() {
		return io.ErrUnexpectedEOF
	}
	return nil
}
