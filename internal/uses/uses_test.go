package uses

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

var errBoom = errors.New("boom")

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
		use, ours, err := parse(registry.RawUse{Reference: text, By: "x"})
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

func TestInvalidReferenceIsAnError(t *testing.T) {
	for _, text := range []string{
		"", " ", "https://rg.fr-par.scw.cloud/prod/api:v1", "docker://rg.fr-par.scw.cloud/prod/api:v1",
		"rg.fr-par.scw.cloud/prod/API:v1", "rg.fr-par.scw.cloud/prod/api:", "rg.fr-par.scw.cloud/prod/api:a b",
		"rg.fr-par.scw.cloud/prod/api:v1 # the web", "rg.fr-par.scw.cloud/prod/api@sha256:abc", "rg.fr-par.scw.cloud/prod/api@md5:" + aDigest[7:39],
		"rg.fr-par.scw.cloud/prod", "rg.fr-par.scw.cloud/prod:v1", "rg.fr-par.scw.cloud/prod/api:v*", "rg.fr-par.scw.cloud/prod/api:" + strings.Repeat("x", 129),
	} {
		if use, _, err := parse(registry.RawUse{Reference: text}); err == nil {
			t.Errorf("%q is read as %+v", text, use)
		}
	}
}

func TestReferencesFileIsReadLineByLine(t *testing.T) {
	text := "\ufeff# what runs\r\n\r\nrg.fr-par.scw.cloud/prod/api:v2\r\n  rg.fr-par.scw.cloud/prod/api:v1  \n\t\n#nginx\nnginx:1\nrg.fr-par.scw.cloud/prod/api:v2"
	got, err := readReferences("in-use.txt", strings.NewReader(text), "me")
	want := []registry.Use{
		{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: "v1"}, By: "me"},
		{Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: "v2"}, By: "me"},
	}
	if diff := cmp.Diff(want, slices.Compact(slices.SortedFunc(slices.Values(got), registry.CompareUses))); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if got, err := readReferences("in-use.txt", strings.NewReader(""), "me"); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %v, %v", got, err)
	}
}

func TestBadReferencesFileIsAnErrorWithItsLines(t *testing.T) {
	good := "rg.fr-par.scw.cloud/prod/api:v1\n"
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"one line":                {good + "a b\n" + good, []string{`f:2: "a b" is not a valid reference`}},
		"several":                 {"a b\n\n#\n" + good + "?", []string{"f:1: ", "f:5: "}},
		"a line that is too long": {good + strings.Repeat("x", 1<<20), []string{"f:2: ", "too long"}},
		"binary text":             {good + "rg.fr-par.scw.cloud/prod/api:\xff\n", []string{"f:2: ", "is not text"}},
		"a binary":                {"\x00\x01\n", []string{"f:1: "}},
		"a namespace":             {"rg.fr-par.scw.cloud/prod\n", []string{"f:1: ", "does not name an image"}},
	} {
		uses, err := readReferences("f", strings.NewReader(row.text), "me")
		if readable := strings.Contains(row.text, good); err == nil || readable != (len(uses) > 0) {
			t.Errorf("%s: %v, %v", name, uses, err)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
	}
	if _, err := readReferences("f", iotest.ErrReader(errBoom), "me"); !errors.Is(err, errBoom) {
		t.Errorf("a reader that fails: %v", err)
	}
	many := strings.Repeat("a b\n", 1000)
	if _, err := readReferences("f", strings.NewReader(many), "me"); err == nil || strings.Count(err.Error(), "\n") > 20 {
		t.Errorf("a thousand bad lines: %v", err)
	}
}

func TestSourceThatCannotBeReadIsAGap(t *testing.T) {
	list := func(references ...string) func(context.Context) ([]registry.RawUse, error) {
		return func(context.Context) ([]registry.RawUse, error) {
			var out []registry.RawUse
			for _, r := range references {
				out = append(out, registry.RawUse{Reference: r, By: "someone"})
			}
			return out, nil
		}
	}
	set := &Set{}
	for _, source := range []Source{
		Parsed("one", list("rg.fr-par.scw.cloud/prod/api:v1", "nginx", "rg.fr-par.scw.cloud/prod/api:v1")),
		Parsed("two", func(context.Context) ([]registry.RawUse, error) { return nil, errBoom }),
		Parsed("three", list("rg.fr-par.scw.cloud/prod/api:v2", "what?")),
		Parsed("four", func(ctx context.Context) ([]registry.RawUse, error) { // fails, and returns a use all the same
			listed, _ := list("rg.fr-par.scw.cloud/prod/api:v3")(ctx)
			return listed, errBoom
		}),
		Parsed("five", func(context.Context) ([]registry.RawUse, error) { panic("a bug") }),
		Parsed("six", list(strings.Split(strings.Repeat("what? ", 99)+"what?", " ")...)),
	} {
		set.Add("", source)
	}
	got, err := set.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantGaps := []registry.Gap{
		{Subject: "two", Error: errBoom.Error(), Holds: registry.HoldsAll},
		{Subject: "three", Error: `someone: "what?" is not a valid reference: invalid reference format`, Holds: registry.HoldsAll},
		{Subject: "four", Error: errBoom.Error(), Holds: registry.HoldsAll},
		{Subject: "five", Error: "a bug in the program: panic: a bug", Holds: registry.HoldsAll},
	}
	if six := got.Gaps[len(got.Gaps)-1]; six.Subject != "six" || !strings.HasSuffix(six.Error, "and 90 more references that cannot be read") {
		t.Errorf("many that cannot be read: %+v", six)
	}
	if diff := cmp.Diff(wantGaps, got.Gaps[:len(got.Gaps)-1]); diff != "" {
		t.Error(diff)
	}
	if u := got.Uses; len(u) != 3 || u[0].Ref.Tag != "v1" || u[1].Ref.Tag != "v2" || u[2].Ref.Tag != "v3" {
		t.Errorf("uses %+v", u)
	}
}

// What a gap holds depends on whether its source is required; a reading since another
// one has only what is new.
func TestRequiredSourcesAndNewReadings(t *testing.T) {
	fails := true
	source := source{"flaky", func(context.Context) ([]registry.Use, error) {
		if fails {
			return nil, errBoom
		}
		return []registry.Use{{Digest: aDigest, By: "x"}}, nil
	}}
	for required, want := range map[bool]registry.Holds{true: registry.HoldsAll, false: registry.HoldsNothing} {
		fails = true
		set := &Set{}
		set.Require("key", required)
		set.Add("key", source)
		first, err := set.Read(t.Context())
		if err != nil || len(first.Gaps) != 1 || first.Gaps[0].Holds != want || first.Gaps[0].Source != "key" {
			t.Errorf("required %v: %+v, %v", required, first, err)
		}
		fails = false
		second, err := set.Read(t.Context())
		if since := second.Since(first); err != nil || len(since.Uses) != 1 || len(since.Gaps) != 0 {
			t.Errorf("since the first reading: %+v, %v", since, err)
		}
		if since := second.Since(second); len(since.Uses)+len(since.Gaps) != 0 {
			t.Errorf("since the same reading: %+v", since)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("rg.fr-par.scw.cloud/prod/team/api:v1@" + aDigest)
	f.Add("nginx")
	f.Add(aDigest)
	f.Fuzz(func(t *testing.T, text string) {
		use, ours, err := parse(registry.RawUse{Reference: text, By: "x"})
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
			t.Fatalf("%q does not name an image: %+v", text, use)
		}
		written := use.Ref.String()
		if use.Digest != "" {
			written += "@" + use.Digest
		}
		again, ours, err := parse(registry.RawUse{Reference: written, By: "x"})
		if err != nil || !ours || again != use {
			t.Errorf("%q is %+v, which is written %s, which is %+v, %v", text, use, written, again, err)
		}
	})
}

// What a finder finds is read like any other source: each with a name of its own, and a
// gap by its name.
func TestFoundSources(t *testing.T) {
	api := registry.RawUse{Reference: "rg.fr-par.scw.cloud/prod/api:v1", By: "one"}
	answers := func(name string, err error) Source {
		return Parsed(name, func(context.Context) ([]registry.RawUse, error) { return []registry.RawUse{api}, err })
	}
	var found []Source
	var s Set
	s.Require("k", true)
	s.Add("k", answers("one", nil))
	s.AddFinder("k", func(context.Context) []Source { return found })
	for name, row := range map[string]struct {
		found []Source
		gaps  []string
		names []string
	}{
		"none":      {nil, nil, []string{"one"}},
		"two":       {[]Source{answers("two", nil), answers("one", nil)}, nil, []string{"one", "two", "one (2)"}},
		"a failure": {[]Source{Unread("two", errBoom)}, []string{"two"}, []string{"one", "two"}},
	} {
		found = row.found
		r, err := s.Read(t.Context())
		if err != nil || len(r.Uses) != 1 {
			t.Errorf("%s: %+v, %v", name, r.Uses, err)
		}
		var gaps, names []string
		for _, g := range r.Gaps {
			gaps = append(gaps, g.Subject)
			if g.Holds != registry.HoldsAll || g.Source != "k" {
				t.Errorf("%s: %+v", name, g)
			}
		}
		for _, source := range s.Sources() {
			names = append(names, source.Name)
		}
		if diff := cmp.Diff([][]string{row.gaps, row.names}, [][]string{gaps, names}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAFinderThatPanicsIsAGap(t *testing.T) {
	var s Set
	s.Require("k", true)
	s.AddFinder("k", func(context.Context) []Source { panic("bug") })
	if r, err := s.Read(t.Context()); err != nil || len(r.Gaps) != 1 || r.Gaps[0].Holds != registry.HoldsAll {
		t.Errorf("%+v, %v", r, err)
	}
}

// What a person types: the same parser, and names without a host in every region.
func TestCandidatesAreWhatAPersonCanMean(t *testing.T) {
	api := func(region registry.Region, tag string) registry.Ref {
		return registry.Ref{Region: region, Namespace: "prod", Image: "api", Tag: tag}
	}
	for text, want := range map[string][]Reference{
		"rg.fr-par.scw.cloud/prod/api:v1":            {{Ref: api("fr-par", "v1")}},
		"RG.FR-PAR.scw.cloud:443/prod/api:v1":        {{Ref: api("fr-par", "v1")}},
		"rg.fr-par.scw.cloud/prod/api:v1@" + aDigest: {{Ref: api("fr-par", "v1"), Digest: aDigest}},
		"rg.fr-par.scw.cloud/prod":                   {{Ref: registry.Ref{Region: "fr-par", Namespace: "prod"}}},
		"prod/api:v1":                                {{Ref: api("fr-par", "v1")}, {Ref: api("nl-ams", "v1")}},
		"prod/api@" + aDigest:                        {{Ref: api("fr-par", ""), Digest: aDigest}, {Ref: api("nl-ams", ""), Digest: aDigest}},
		"library/nginx":                              {{Ref: registry.Ref{Region: "fr-par", Namespace: "library", Image: "nginx"}}, {Ref: registry.Ref{Region: "nl-ams", Namespace: "library", Image: "nginx"}}},
		"prod":                                       {{Ref: registry.Ref{Region: "fr-par", Namespace: "prod"}}, {Ref: registry.Ref{Region: "nl-ams", Namespace: "prod"}}},
		"@" + aDigest:                                {{Digest: aDigest}},
		aDigest:                                      {{Digest: aDigest}},
		"rg.fr-par.scw.cloud":                        nil,
		"docker.io/prod/api:v1":                      nil,
		"localhost/prod/api:v1":                      nil,
		"rg.fr-par.scw.cloud/prod:v1":                nil,
		"api:v1":                                     nil,
		"prod/API":                                   nil,
		"":                                           nil,
		"/prod":                                      nil,
		"prod/api@sha256:abc":                        nil,
		"https://rg.fr-par.scw.cloud/prod/api":       nil,
	} {
		got, err := Candidates(text, []string{"fr-par", "nl-ams"})
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
}

// A typing error in a host would protect nothing. Another registry is not one.
func TestAHostThatIsNearlyOneOfTheRegistryIsAnError(t *testing.T) {
	for line, want := range map[string]string{
		"rg.fr-pra.scw.cloud/prod/api:1":        "rg.fr-pra.scw.cloud is not the host of a Scaleway registry: did you mean rg.fr-par.scw.cloud?",
		"RG.NL-AMS.SCW.CLOUDS/prod/api:1":       "rg.nl-ams.scw.clouds is not the host of a Scaleway registry: did you mean rg.nl-ams.scw.cloud?",
		"rg.fr-par.scw.cloud:5000/prod/api:1":   "rg.fr-par.scw.cloud:5000 is not the host of a Scaleway registry: did you mean rg.fr-par.scw.cloud?",
		"rg.us-east.scw.cloud/prod/api:1":       "rg.us-east.scw.cloud is not the host of a Scaleway registry: want rg.fr-par.scw.cloud, rg.nl-ams.scw.cloud or rg.pl-waw.scw.cloud",
		"rg.fr-par.scw.cloud:443/prod/api:1":    "",
		"ghcr.io/prod/api:1":                    "",
		"registry.example.com/prod/api:1":       "",
		"europe-west1-docker.pkg.dev/a/b/api:1": "",
		"alpine:3":                              "",
		"sha256:df7e70e5021544f4834bbee64a9e3789febc4be81470df629cad6ddb03320a5c": "",
	} {
		_, err := readReferences("in-use.txt", strings.NewReader(line+"\n"), "test")
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "in-use.txt:1: ")
		}
		if got != want {
			t.Errorf("%s:\n got %q\nwant %q", line, got, want)
		}
	}
}
