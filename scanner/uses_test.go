package scanner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	aDigest  = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	aDigest5 = "sha512:" + "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
)

func TestReferencesAreReadAsContainerToolsReadThem(t *testing.T) {
	api := registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}
	with := func(r registry.Ref, tag string) registry.Ref { r.Tag = tag; return r }
	deep := registry.Ref{Region: "pl-waw", Namespace: "prod", Image: "team/api"}
	for text, want := range map[string]registry.Use{
		"rg.fr-par.scw.cloud/prod/api:v1":               {Ref: with(api, "v1")},
		"rg.fr-par.scw.cloud/prod/api@" + aDigest:       {Ref: api, Digest: aDigest},
		"rg.fr-par.scw.cloud/prod/api:v1@" + aDigest:    {Ref: with(api, "v1"), Digest: aDigest},
		"rg.fr-par.scw.cloud/prod/api@" + aDigest5:      {Ref: api, Digest: aDigest5},
		"rg.fr-par.scw.cloud/prod/api":                  {Ref: with(api, "latest")},
		"rg.fr-par.scw.cloud:443/prod/api:v1":           {Ref: with(api, "v1")},
		"RG.fr-par.SCW.cloud/prod/api:v1":               {Ref: with(api, "v1")},
		"rg.pl-waw.scw.cloud/prod/team/api:1.2_build.3": {Ref: with(deep, "1.2_build.3")},
		aDigest:               {Digest: aDigest},
		aDigest[7:]:           {Digest: aDigest},
		"nginx":               {},
		"nginx:1.27":          {},
		"prod/api:v1":         {},
		"docker.io/p/a:v1":    {},
		"localhost/p/a:v1":    {},
		"example.com/a:1":     {},
		"prod/api@" + aDigest: {},
		"rg.fr-par.scw.cloud.example.com/prod/api:v1": {},
		"rg.fr-par.scw.cloud:5000/prod/api:v1":        {},
		"rg.it-mil.scw.cloud/prod/api:v1":             {},
		"api.fr-par.scw.cloud/prod/api:v1":            {},
	} {
		use, ours, err := ParseUse(registry.Mention{Reference: text, By: "x"})
		ignored := want == registry.Use{}
		if !ignored {
			want.By = "x"
		}
		if err != nil || ours == ignored {
			t.Errorf("%s: ours %v, %v", text, ours, err)
		}
		if ours && use != want {
			t.Errorf("%s: got %+v, want %+v", text, use, want)
		}
	}
}

func TestWhatIsNoReferenceIsAnError(t *testing.T) {
	for _, text := range []string{
		"", " ", "https://rg.fr-par.scw.cloud/prod/api:v1", "docker://rg.fr-par.scw.cloud/prod/api:v1",
		"rg.fr-par.scw.cloud/prod/API:v1", "rg.fr-par.scw.cloud/prod/api:", "rg.fr-par.scw.cloud/prod/api:a b",
		"rg.fr-par.scw.cloud/prod/api:v1 # the web", "rg.fr-par.scw.cloud/prod/api@sha256:abc", "rg.fr-par.scw.cloud/prod/api@md5:" + aDigest[7:39],
		"rg.fr-par.scw.cloud/prod", "rg.fr-par.scw.cloud/prod:v1", "rg.fr-par.scw.cloud/prod/api:v*", "rg.fr-par.scw.cloud/prod/api:" + strings.Repeat("x", 129),
	} {
		if use, _, err := ParseUse(registry.Mention{Reference: text}); err == nil {
			t.Errorf("%q is taken as %+v", text, use)
		}
	}
}

func TestAReferencesFileIsReadLineByLine(t *testing.T) {
	text := "\ufeff# what runs\r\n\r\nrg.fr-par.scw.cloud/prod/api:v2\r\n  rg.fr-par.scw.cloud/prod/api:v1  \n\t\n#nginx\nnginx:1\nrg.fr-par.scw.cloud/prod/api:v2"
	got, err := ReadReferences("in-use.txt", strings.NewReader(text), "me")
	want := []registry.Use{
		{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: "v1"}, By: "me"},
		{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: "v2"}, By: "me"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if got, err := ReadReferences("in-use.txt", strings.NewReader(""), "me"); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %v, %v", got, err)
	}
}

func TestABadReferencesFileIsAnErrorWithItsLines(t *testing.T) {
	good := "rg.fr-par.scw.cloud/prod/api:v1\n"
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"one line":           {good + "a b\n" + good, []string{`f:2: "a b" is no valid reference`}},
		"several":            {"a b\n\n#\n" + good + "?", []string{"f:1: ", "f:5: "}},
		"a line beyond hope": {good + strings.Repeat("x", 1<<20), []string{"f:2: ", "too long"}},
		"no text":            {good + "rg.fr-par.scw.cloud/prod/api:\xff\n", []string{"f:2: ", "is no text"}},
		"a binary":           {"\x00\x01\n", []string{"f:1: "}},
		"no image":           {"rg.fr-par.scw.cloud/prod\n", []string{"f:1: ", "names no image"}},
	} {
		uses, err := ReadReferences("f", strings.NewReader(row.text), "me")
		if readable := strings.Contains(row.text, good); err == nil || readable != (len(uses) == 1) {
			t.Errorf("%s: %v, %v", name, uses, err)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
	if _, err := ReadReferences("f", iotest.ErrReader(errBoom), "me"); !errors.Is(err, errBoom) {
		t.Errorf("a reader that fails: %v", err)
	}
	many := strings.Repeat("a b\n", 1000)
	if _, err := ReadReferences("f", strings.NewReader(many), "me"); err == nil || strings.Count(err.Error(), "\n") > 20 {
		t.Errorf("a thousand bad lines: %v", err)
	}
}

func TestASourceThatCannotBeAskedIsAGap(t *testing.T) {
	list := func(references ...string) func(context.Context) ([]registry.Mention, error) {
		return func(context.Context) ([]registry.Mention, error) {
			var out []registry.Mention
			for _, r := range references {
				out = append(out, registry.Mention{Reference: r, By: "someone"})
			}
			return out, nil
		}
	}
	uses, gaps := Uses(t.Context(), []UseSource{
		{"one", list("rg.fr-par.scw.cloud/prod/api:v1", "nginx", "rg.fr-par.scw.cloud/prod/api:v1")},
		{"two", func(context.Context) ([]registry.Mention, error) { return nil, errBoom }},
		{"three", list("rg.fr-par.scw.cloud/prod/api:v2", "what?")},
		{"four", func(ctx context.Context) ([]registry.Mention, error) { // which names some all the same
			mentions, _ := list("rg.fr-par.scw.cloud/prod/api:v3")(ctx)
			return mentions, errBoom
		}},
		{"five", list(strings.Split(strings.Repeat("what? ", 99)+"what?", " ")...)},
	})
	wantGaps := []registry.Gap{
		{Subject: "two", Error: errBoom.Error(), Blinds: registry.BlindsAll},
		{Subject: "three", Error: `someone: "what?" is no valid reference: invalid reference format`, Blinds: registry.BlindsAll},
		{Subject: "four", Error: errBoom.Error(), Blinds: registry.BlindsAll},
	}
	if five := gaps[len(gaps)-1]; five.Subject != "five" || !strings.HasSuffix(five.Error, "and 90 more references that cannot be read") {
		t.Errorf("many that cannot be read: %+v", five)
	}
	gaps = gaps[:len(gaps)-1]
	if diff := cmp.Diff(wantGaps, gaps); diff != "" {
		t.Error(diff)
	}
	if len(uses) != 3 || uses[0].Ref.Tag != "v1" || uses[1].Ref.Tag != "v2" || uses[2].Ref.Tag != "v3" {
		t.Errorf("uses %+v", uses)
	}
}

func FuzzParseUse(f *testing.F) {
	f.Add("rg.fr-par.scw.cloud/prod/team/api:v1@" + aDigest)
	f.Add("nginx")
	f.Add(aDigest)
	f.Fuzz(func(t *testing.T, text string) {
		use, ours, err := ParseUse(registry.Mention{Reference: text, By: "x"})
		if err != nil || !ours {
			return
		}
		if use.Ref.Tag == "" && use.Digest == "" {
			t.Fatalf("%q uses nothing: %+v", text, use)
		}
		if use.Ref == (registry.Ref{}) {
			return
		}
		if use.Ref.Region == "" || use.Ref.Namespace == "" || use.Ref.Image == "" {
			t.Fatalf("%q names no image: %+v", text, use)
		}
		written := use.Ref.String()
		if use.Digest != "" {
			written += "@" + use.Digest
		}
		again, ours, err := ParseUse(registry.Mention{Reference: written, By: "x"})
		if err != nil || !ours || again != use {
			t.Errorf("%q is %+v, which is written %s, which is %+v, %v", text, use, written, again, err)
		}
	})
}

func TestAnInventorySaysWhomItAsked(t *testing.T) {
	var b strings.Builder
	w, err := NewInventoryWriter(&b, Header{TakenAt: takenAt, Asked: []string{"serverless"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	i, err := ReadInventory(strings.NewReader(b.String()))
	if err != nil || fmt.Sprint(i.Header.Asked) != "[serverless]" {
		t.Errorf("%+v, %v", i, err)
	}
}
