package actions

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// These plans have the right id, and contradict themselves.
func TestDecodeRefusesContradictoryImages(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(p *Plan)
		want string
	}{
		{"no image", func(p *Plan) { p.Images = nil }, "steps[1] (rg.fr-par.scw.cloud/prod/api:pr-12): images has no entry for its image"},
		{"another image", func(p *Plan) { p.Images[0].Ref += "x" }, "images has no entry for its image"},
		{"an image too many", func(p *Plan) {
			p.Images = append(p.Images, PlannedImage{Ref: "rg.fr-par.scw.cloud/prod/web", ID: "x"})
		}, "images[1] (rg.fr-par.scw.cloud/prod/web): no step deletes anything in it"},
		{"an image twice", func(p *Plan) { p.Images = append(p.Images, p.Images[0]) }, "out of order, or a duplicate"},
		{"a tag for an image", func(p *Plan) { p.Images[0].Ref += ":x" }, "does not fit"},
		{"no id", func(p *Plan) { p.Images[0].ID = "" }, "id is missing"},
		{"a tag that is deleted and kept", func(p *Plan) { p.Images[0].Stay = NamesOf("pr-12") }, "the tag is deleted, but stay lists it"},
		{"a tag twice", func(p *Plan) { p.Images[0].Stay = NamesOf("a", "a") }, `stay is out of order, or has "a" as a duplicate`},
		{"tags out of order", func(p *Plan) { p.Images[0].Stay = NamesOf("b", "a") }, "stay is out of order"},
		{"an image that is deleted while tags are kept", func(p *Plan) { p.Steps[0].Action, p.Steps[0].From, p.Steps[0].To = DeleteImage, "", "" }, "the image is deleted, but stay lists tags of it"},
		{"an image that is deleted under another id", func(p *Plan) {
			p.Steps[0].Action, p.Steps[0].From, p.Steps[0].To, p.Images[0].Stay, p.Images[0].ID = DeleteImage, "", "", Names{}, "x"
		}, "images has another id for it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := story(t)
			tt.edit(p)
			p.ID = ""
			_, err := Decode(strings.NewReader(encoded(t, p)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
}

// applied is a plan with an outcome.
func applied(t *testing.T) *Plan {
	p := story(t)
	p.Outcome = &Outcome{Stopped: "the run was stopped: disk full", Lost: []string{"rg.fr-par.scw.cloud/prod/api:latest"}}
	for i, s := range p.Steps {
		r := StepResult{Ref: s.Ref, Action: s.Action, Result: Results()[i], At: p.TakenAt}
		if i > 0 {
			r.Detail = "since <that> is so"
		}
		p.Outcome.Results = append(p.Outcome.Results, r)
	}
	must(t, p.Outcome.count())
	return p
}

func TestOutcomeJSON(t *testing.T) {
	p := applied(t)
	text := encoded(t, p)
	want := `"outcome":{"results":[` +
		`{"ref":"rg.fr-par.scw.cloud/prod/api","action":"set_image_visibility","result":"done","detail":""},` +
		`{"ref":"rg.fr-par.scw.cloud/prod/api:pr-12","action":"delete_tag","result":"gone","detail":"since <that> is so"},` +
		`{"ref":"` + p.Steps[2].Ref + `","action":"delete_tag","result":"changed","detail":"since <that> is so"}],` +
		`"done":1,"gone":1,"changed":1,"blocked":0,"failed":0,"skipped":0,"stopped":"the run was stopped: disk full","lost":["rg.fr-par.scw.cloud/prod/api:latest"]}`
	if !strings.Contains(text, want) {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if p.ID != story(t).ID {
		t.Error("the outcome changes the id")
	}
	var tagged, streamed bytes.Buffer
	enc := json.NewEncoder(&tagged)
	enc.SetEscapeHTML(false)
	must(t, enc.Encode(p))
	must(t, json.Compact(&streamed, []byte(text)))
	if diff := cmp.Diff(strings.TrimSpace(tagged.String()), streamed.String()); diff != "" {
		t.Errorf("(-tags +encoder):\n%s", diff)
	}
	again, err := Decode(strings.NewReader(text))
	must(t, err)
	for i := range p.Outcome.Results {
		p.Outcome.Results[i].At = again.Outcome.Results[i].At // is not in the file
	}
	if diff := cmp.Diff(p.Outcome, again.Outcome); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefusesAnOutcomeOfSomethingElse(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(o *Outcome)
		want string
	}{
		{"a result too few", func(o *Outcome) { o.Results = o.Results[:2]; o.Changed = 0 }, "2 results for 3 steps"},
		{"a result of another step", func(o *Outcome) { o.Results[0].Ref += "x" }, "does not belong to steps[0]"},
		{"an unknown result", func(o *Outcome) { o.Results[0].Result = "perhaps" }, `result "perhaps" is unknown`},
		{"a count that is wrong", func(o *Outcome) { o.Done = 3 }, `"done" is 3, but the results have 1`},
	} {
		p := applied(t)
		tt.edit(p.Outcome)
		if _, err := Decode(strings.NewReader(encoded(t, p))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want %q", tt.name, err, tt.want)
		}
	}
}

// What is attached to a tag that stays is blocked, by its name or by its content.
func TestWhatIsAttachedIsBlocked(t *testing.T) {
	img := &registry.Image{
		Tags:     []registry.Tag{{Name: "v1", Digest: "sha256:a1"}, {Name: "sbom", Digest: "sha256:b1"}},
		Contents: map[string]*registry.Content{"sha256:b1": {Subject: "sha256:a1"}},
	}
	signature := "sha256-" + strings.Repeat("a", 64) + ".sig"
	for name, row := range map[string]struct {
		image *registry.Image
		step  Step
		want  Result
	}{
		"an ordinary tag":            {img, Step{Action: DeleteTag, Tag: "v1", Digest: "sha256:a1"}, ResultChanged},
		"a tag with a subject":       {img, Step{Action: DeleteTag, Tag: "sbom", Digest: "sha256:b1"}, ResultBlocked},
		"a tag that is not there":    {img, Step{Action: DeleteTag, Tag: "old", Digest: "sha256:b1"}, ResultChanged},
		"a tag named like one":       {&registry.Image{}, Step{Action: DeleteTag, Tag: signature, Digest: "sha256:b1"}, ResultBlocked},
		"where the image is unknown": {nil, Step{Action: DeleteTag, Tag: signature, Digest: "sha256:b1"}, ResultBlocked},
	} {
		j := Decision{Verdict: registry.Verdict{Image: row.image}}
		if got, detail := j.NotPlanned(&row.step); got != row.want {
			t.Errorf("%s: got %s (%s), want %s", name, got, detail, row.want)
		}
	}
}
