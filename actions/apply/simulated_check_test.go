package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// look is what a run was told, and when it asked.
type look struct {
	at   time.Time
	took time.Duration
	rows []registry.Tag
	// gone are the tags that the run's own deletions have removed, listing by listing.
	gone [][]registry.Tag
}

// witness notes what a run reads.
type witness struct {
	Registry
	a *attempt
}

func (w witness) ListTags(ctx context.Context, region registry.Region, id string) ([]registry.Tag, time.Time, error) {
	began := time.Now()
	tags, at, err := w.Registry.ListTags(ctx, region, id)
	if err == nil {
		if w.a.isHonest() {
			w.a.checkComplete(region, id, tags, began)
		}
		w.a.listed(id, at, tags)
	}
	return tags, at, err
}

// names are the names of tags that a run was told of an image.
type names struct {
	rows   int
	inline map[string]int  // in how many of those
	listed map[string]bool // in any listing of its tags
}

func (a *attempt) namesOf(id string) *names {
	if a.named[id] == nil {
		a.named[id] = &names{inline: map[string]int{}, listed: map[string]bool{}}
	}
	return a.named[id]
}

// unlisted is a tag that every row of the image names and no listing shows.
func (n *names) unlisted() string {
	for name, rows := range n.inline {
		if rows == n.rows && !n.listed[name] {
			return name
		}
	}
	return ""
}

func (a *attempt) sawRow(row registry.Image) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.namesOf(row.ID)
	n.rows++
	for _, name := range row.TagNames {
		n.inline[name]++
	}
}

func (w witness) GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error) {
	row, at, err := w.Registry.GetImage(ctx, region, id)
	if err == nil {
		w.a.sawRow(row)
	}
	return row, at, err
}

func (w witness) ListImages(ctx context.Context, region registry.Region, id string) ([]registry.Image, time.Time, error) {
	images, at, err := w.Registry.ListImages(ctx, region, id)
	if err == nil {
		for _, row := range images {
			w.a.sawRow(row)
		}
		w.a.listed(id, at, make([]registry.Tag, len(images)))
	}
	return images, at, err
}

func (w witness) GetTag(ctx context.Context, region registry.Region, image, id string) (registry.Tag, time.Time, error) {
	tag, at, err := w.Registry.GetTag(ctx, region, image, id)
	if err == nil {
		w.a.mu.Lock()
		defer w.a.mu.Unlock()
		w.a.tags[id] = look{at: at, rows: []registry.Tag{tag}}
	}
	return tag, at, err
}

func (w witness) DeleteTag(ctx context.Context, region registry.Region, id string, before time.Time) (registry.Tag, error) {
	tag, err := w.Registry.DeleteTag(ctx, region, id, before)
	i := slices.IndexFunc(w.a.plan.Steps, func(s actions.Step) bool { return s.ID == id })
	if step := &w.a.plan.Steps[i]; err == nil && tag.Digest != "" && tag.Digest != step.Digest {
		w.a.mu.Lock()
		defer w.a.mu.Unlock()
		w.a.astray = append(w.a.astray, step.Ref+"@"+tag.Digest)
	}
	return tag, err
}

// listed notes a listing, and which of the run's own deletions it confirms.
func (a *attempt) listed(id string, at time.Time, rows []registry.Tag) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := &look{at: at, took: time.Since(at), rows: rows}
	for _, tag := range rows {
		a.namesOf(id).listed[tag.Name] = true
	}
	if last := a.looks[id]; last != nil {
		next.gone = last.gone
		var gone []registry.Tag
		for _, was := range last.rows {
			if now, ok := find(rows, was.ID); a.goes(was) && was.Status == registry.StatusReady && (!ok || now.Status == registry.StatusDeleting) {
				gone = append(gone, was)
			}
		}
		next.gone = append(next.gone, gone)
	}
	a.looks[id] = next
}

// goes reports whether the run has sent the deletion of a tag, or is to delete it and has sent
// that of another with its digest, which may take it along.
func (a *attempt) goes(tag registry.Tag) bool {
	steps := a.plan.Steps
	return a.sent[tag.ID] || slices.ContainsFunc(steps, func(s actions.Step) bool { return s.ID == tag.ID }) &&
		slices.ContainsFunc(steps, func(s actions.Step) bool { return a.sent[s.ID] && s.Digest == tag.Digest })
}

// checkComplete: a listing that was accepted has every tag that was there all the time.
func (a *attempt) checkComplete(region registry.Region, id string, rows []registry.Tag, began time.Time) {
	held, err := a.site.reader.Tags(context.Background(), region, id)
	if err != nil {
		return // the image has gone since
	}
	if len(rows) >= pageSize || len(held) >= pageSize {
		return // a deletion and a push between two pages shift a row out of sight
	}
	for _, tag := range held {
		if _, ok := find(rows, tag.ID); !ok && tag.UpdatedAt.Before(began.Add(-time.Second)) {
			a.t.Errorf("a listing was accepted in which %s is missing", tag.Name)
		}
	}
}

// permit checks a change that a run sends against its plan, its journal, and what it
// has read.
func (a *attempt) permit(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	i, planned := a.steps[r.Method+" "+r.URL.Path]
	if !planned || r.URL.RawQuery != "" {
		a.t.Errorf("%s %s was sent: planned %v", r.Method, r.URL, planned)
		return
	}
	step := &a.plan.Steps[i]
	a.journal.mu.Lock()
	defer a.journal.mu.Unlock()
	if !a.journal.intended[string(step.Action)+" "+step.Ref] {
		a.t.Errorf("%s %s was sent, and is not in the journal", step.Action, step.Ref)
	}
	why := ""
	switch look := a.looks[step.ID]; step.Action {
	case actions.DeleteTag:
		why = a.forbids(step)
		a.sent[step.ID] = true
	case actions.DeleteImage, actions.DeleteNamespace:
		if look == nil || len(look.rows) > 0 || time.Since(look.at) > MaxReadingAge {
			why = "it was not listed as empty within two seconds"
		}
	}
	if why != "" {
		a.t.Errorf("at %s, %s %s was sent, although %s", time.Now().Format(time.StampMilli), step.Action, step.Ref, why)
	}
}

// forbids is why the deletion of a tag must not be sent now, by what the run has read.
func (a *attempt) forbids(step *actions.Step) string {
	at, _ := a.plan.ImageOf(step)
	img := &a.plan.Images[at]
	listing := a.looks[img.ID]
	if listing == nil {
		return "its image was not listed"
	}
	tag, listed := find(listing.rows, step.ID)
	read := listing.at
	if single, ok := a.tags[step.ID]; ok && single.at.After(read) {
		tag, read = single.rows[0], single.at
	}
	switch {
	case !listed:
		return "the listing does not show it"
	case time.Since(read) > MaxReadingAge:
		return "it was read " + time.Since(read).String() + " before"
	case time.Since(listing.at) > MaxReadingAge && listing.took <= MaxReadingAge/2:
		return "its image was listed " + time.Since(listing.at).String() + " before"
	case tag.Digest != step.Digest || tag.Name != step.Tag || !tag.UpdatedAt.Equal(step.UpdatedAt) || tag.Status != registry.StatusReady:
		return "it is not as planned"
	}
	for name := range img.Stay.All() {
		if !slices.ContainsFunc(listing.rows, func(t registry.Tag) bool { return t.Name == name && t.Status != registry.StatusDeleting }) {
			return "the kept tag " + name + " is not listed"
		}
	}
	if name := a.namesOf(img.ID).unlisted(); name != "" {
		return "its image names " + name + ", which no listing shows"
	}
	if why := a.neighbors(step, listing); why != "" {
		return why
	}
	if why := a.vault.forbids(step, listing); why != "" {
		return why
	}
	if !a.isMarked(listing, img.ID, step) {
		return "the policies do not plan it"
	}
	return ""
}

// neighbors is why the other tags of an image forbid the deletion of one.
func (a *attempt) neighbors(step *actions.Step, listing *look) string {
	subject, stay := registry.AttachmentSubject(step.Tag, step.Digest), 0
	for _, other := range listing.rows {
		_, isStep := a.steps["DELETE /registry/v1/regions/"+string(step.Region)+"/tags/"+other.ID]
		switch {
		case other.ID == step.ID:
		case other.Digest == step.Digest && !isStep && a.o.SharedDigest != actions.Untag:
			return other.Name + " has its digest"
		case subject != "" && subject.Is(other.Digest) && (!isStep || other.Status != registry.StatusDeleting):
			return "its subject " + other.Name + " is still there"
		case a.isWhole(other.Digest, step):
			return "it is a part of " + other.Name + ", or about it, which is still there"
		case other.Status == registry.StatusReady && !a.sent[other.ID] && !isAttachment(other):
			stay++
		}
	}
	follows := slices.ContainsFunc(step.Reasons, func(r registry.Reason) bool { return r.Rule == actions.FollowRule })
	if stay < a.o.KeepAtLeast && !follows && subject == "" {
		return "too few tags would be kept"
	}
	return ""
}

func isAttachment(t registry.Tag) bool {
	return registry.AttachmentSubject(t.Name, t.Digest) != ""
}

// isMarked reports whether the policies plan a deletion on the listing as it is, or
// as it would be without the run's own deletions since one of its listings.
func (a *attempt) isMarked(listing *look, id string, step *actions.Step) bool {
	subject := a.subjects[id]
	if subject.Image == nil {
		return false
	}
	var rows []registry.Tag
	for _, tag := range listing.rows {
		if tag.Status != registry.StatusDeleting || !a.goes(tag) {
			rows = append(rows, tag)
		}
	}
	judge := a.site.environment(nil).Judge
	for i := len(listing.gone); i >= 0; i-- {
		if i < len(listing.gone) {
			if len(listing.gone[i]) == 0 {
				continue
			}
			rows = append(rows, listing.gone[i]...)
		}
		img := *subject.Image
		img.Tags = slices.Clone(rows)
		slices.SortFunc(img.Tags, registry.CompareAge)
		j, err := judge(context.Background(), Subject{Namespace: subject.Namespace, Image: &img})
		if err == nil && slices.ContainsFunc(j.Steps, func(s actions.Step) bool { return s.Action == actions.DeleteTag && s.ID == step.ID }) {
			return true
		}
	}
	return false
}

// checkGone holds results against what is really there, when everything that was
// asked for has happened.
func (a *attempt) checkGone(o *actions.Outcome) {
	after := make(map[string]string) // visibility or digest by ID
	for _, is := range a.site.snapshot() {
		after[is.id] = is.is
	}
	explained, slow := make(map[string]bool), a.slow()
	for i, r := range o.Results {
		step := &a.plan.Steps[i]
		is, there := after[step.ID]
		was, known := a.before[r.Ref]
		known = known && was.id == step.ID
		switch {
		case r.Result == actions.ResultFailed && uncertain(r.Detail), slow[step.ID] && (r.Result == actions.ResultSkipped || r.Result == actions.ResultFailed):
			explained[step.ID] = true
		case !r.Action.Deletes() && there && r.Result == actions.ResultDone && is != string(step.To):
			a.t.Errorf("%s is done; it is %s", r.Ref, is)
		case !r.Action.Deletes() && there && known && r.Result != actions.ResultDone && is != was.is:
			a.t.Errorf("%s is %s (%s); it was %s and is %s", r.Ref, r.Result, r.Detail, was.is, is)
		case !r.Action.Deletes():
		case r.Result == actions.ResultDone || r.Result == actions.ResultGone:
			if explained[step.ID] = true; there {
				a.t.Errorf("%s is %s, and is still there", r.Ref, r.Result)
			}
		}
	}
	for ref, was := range a.before {
		if _, there := after[was.id]; there || explained[was.id] || slices.Contains(o.Lost, ref) || strings.Contains(o.Stopped, ref+" (") {
			continue
		}
		parsed, _ := registry.ParseRef(ref)
		wentEmpty := a.site.emptyGo && parsed.Image != "" && parsed.Tag == ""
		// What others move onto a digest between a reading and a deletion goes with it.
		late := a.others[ref] || a.made.Settings.SharedDigest == "cascade" && a.digests[was.is]
		// A killed run reports no loss, and what lies about the tags of a digest may hide one.
		unreported := a.made.Settings.SharedDigest == "cascade" && (a.wasKilled || !a.isHonest() || a.isReplaced(was.is)) && a.wasIntended(was.is)
		// A step that another one blocks may go with it after the run.
		blocked := slices.ContainsFunc(a.plan.Steps, func(s actions.Step) bool { return s.ID == was.id }) &&
			slices.ContainsFunc(a.plan.Steps, func(s actions.Step) bool { return s.Digest == was.is && slow[s.ID] })
		if !wentEmpty && !late && !unreported && !blocked {
			a.t.Errorf("%s (%s) is gone, and nothing says so:\n%s", ref, was.is, a.story(o, parsed))
		}
	}
	a.checkWholes(o, after)
	for _, ref := range o.Lost {
		if _, there := after[a.before[ref].id]; there && a.isHonest() {
			a.t.Errorf("%s is lost, and is still there", ref)
		}
	}
}

// checkWholes: nothing has stayed of which the run has deleted a part, or what is about it.
func (a *attempt) checkWholes(o *actions.Outcome, after map[string]string) {
	for i, r := range o.Results {
		step := &a.plan.Steps[i]
		if r.Action != actions.DeleteTag || r.Result != actions.ResultDone || !a.isHonest() {
			continue
		}
		for ref, was := range a.before {
			parsed, _ := registry.ParseRef(ref)
			if parsed.WithoutTag() == step.Object() && !a.others[ref] && after[was.id] == was.is && a.isWhole(was.is, step) {
				a.t.Errorf("%s is done, and a part of %s, or about it, which has stayed:\n%s", r.Ref, ref, a.story(o, parsed))
			}
		}
	}
}

// story is what happened in an image, for the message of a failure.
func (a *attempt) story(o *actions.Outcome, ref registry.Ref) string {
	var b strings.Builder
	ref.Tag = ""
	for i, r := range o.Results {
		if step := &a.plan.Steps[i]; strings.HasPrefix(r.Ref, ref.String()) {
			fmt.Fprintf(&b, "%s %s %s: %s %s\n", step.Action, step.Ref, step.Digest, r.Result, r.Detail)
		}
	}
	for _, r := range a.site.server.Requests()[a.since:] {
		if r.Method != http.MethodGet || *simulationSeed != 0 {
			fmt.Fprintln(&b, r.Time.Format(time.StampMilli), r.Method, r.Path, r.Status, r.Fault)
		}
	}
	fmt.Fprintf(&b, "API %s, shared_digest %q, killed %v, lost %q, stopped %q, changed by others %v %v\n",
		a.made.Settings.SharedDigest, a.o.SharedDigest, a.wasKilled, o.Lost, o.Stopped, slices.Sorted(maps.Keys(a.others)), slices.Sorted(maps.Keys(a.digests)))
	return b.String()
}

// isReplaced reports whether others have pushed over a tag of a digest: a slow deletion
// of it takes the other tags along long after the tag itself is gone.
func (a *attempt) isReplaced(digest string) bool {
	return slices.ContainsFunc(a.plan.Steps, func(s actions.Step) bool { return s.Digest == digest && a.others[s.Ref] })
}

// wasIntended reports whether the journal has a deletion of a digest.
func (a *attempt) wasIntended(digest string) bool {
	return slices.ContainsFunc(a.plan.Steps, func(s actions.Step) bool {
		return s.Digest == digest && a.journal.intended[string(s.Action)+" "+s.Ref]
	})
}

// slow are the IDs of what the API has deleted long after its answer.
func (a *attempt) slow() map[string]bool {
	ids := make(map[string]bool)
	for _, r := range a.site.server.Requests()[a.since:] {
		if r.Fault == "slow_delete" {
			ids[r.Path[strings.LastIndexByte(r.Path, '/')+1:]] = true
		}
	}
	return ids
}

// checkTold holds an outcome against itself, the journal and what was lost.
func (a *attempt) checkTold(o *actions.Outcome, err error) {
	if len(o.Results) != len(a.plan.Steps) || o.Done+o.Gone+o.Changed+o.Blocked+o.Failed+o.Skipped != len(a.plan.Steps) {
		a.t.Errorf("%d results for %d steps: %+v", len(o.Results), len(a.plan.Steps), o)
	}
	if (err != nil) != (o.Stopped != "") {
		a.t.Errorf("error %v, stopped %q, skipped %d", err, o.Stopped, o.Skipped)
	}
	for _, ref := range a.astray {
		if !slices.Contains(o.Lost, ref) {
			a.t.Errorf("%s was deleted, and nothing says so", ref)
		}
	}
	if len(o.Lost) > len(a.astray) && len(a.others) == 0 && a.isHonest() && (a.o.SharedDigest != actions.Untag || a.made.Settings.SharedDigest != "cascade") {
		a.t.Errorf("%q were lost, and nothing deletes them", o.Lost)
	}
	for _, r := range o.Results {
		key := string(r.Action) + " " + r.Ref
		if result, ok := a.journal.done[key]; a.journal.intended[key] && (!ok || result != r.Result) {
			a.t.Errorf("%s is %s, and %q in the journal", key, r.Result, result)
		}
		if r.Result == actions.ResultDone && !a.journal.intended[key] {
			a.t.Errorf("%s is done, and not in the journal", key)
		}
	}
	a.vault.check(o)
	a.checkFile(o)
}

// checkFile: the outcome is the same after a file, and the secret key is not in it.
func (a *attempt) checkFile(o *actions.Outcome) {
	whole := *a.plan
	whole.Outcome = o
	var b bytes.Buffer
	must(a.t, whole.Encode(&b))
	if bytes.Contains(b.Bytes(), []byte(testCredentials.SecretKey)) {
		a.t.Error("the secret key is in the outcome")
	}
	again, err := actions.Decode(&b)
	must(a.t, err)
	want, _ := json.Marshal(o)
	got, _ := json.Marshal(again.Outcome)
	if !bytes.Equal(want, got) || again.ID != a.plan.ID {
		a.t.Errorf("the outcome is read as %s, was %s", got, want)
	}
}
