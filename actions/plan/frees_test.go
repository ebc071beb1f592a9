package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// layers is the content of an image with the given layers, each as large as its name is
// long: "x yy".
func layers(names string) *registry.Content {
	c := &registry.Content{Kind: registry.ContentImage}
	for _, name := range strings.Fields(names) {
		c.Blobs = append(c.Blobs, registry.Blob{Digest: name, Size: uint64(len(name))})
	}
	return c
}

// freesOf is what a plan frees: the steps, the images, the rules, and the sum.
func freesOf(p *actions.Plan) []string {
	var out []string
	add := func(what string, frees actions.Frees) {
		if frees != (actions.Frees{}) {
			out = append(out, fmt.Sprintf("%s frees %d, and %d unknown", what, frees.Bytes.N, frees.Unknown.N))
			if frees.Billed != frees.Bytes {
				out = append(out, fmt.Sprintf("%d of it are billed", frees.Billed.N))
			}
		}
	}
	for _, s := range p.Steps {
		if s.FreesBytes.Known {
			out = append(out, fmt.Sprintf("%s frees %d", s.Tag, s.FreesBytes.N))
		}
	}
	for _, img := range p.Images {
		add("the image", img.Frees)
	}
	for _, r := range p.FreesByRule {
		add(r.Rule, r.Frees)
	}
	add("all", p.Summary.Frees)
	return out
}

func TestFrees(t *testing.T) {
	for _, tt := range []struct {
		name     string
		tags     []string
		contents map[string]*registry.Content // by letter
		read     ReadContent
		want     []string
	}{
		{"a layer of its own is freed", []string{"v1 a 48h marked", "v2 b 48h"}, map[string]*registry.Content{"a": layers("base own"), "b": layers("base b")}, "",
			[]string{"v1 frees 3", "the image frees 3, and 0 unknown", "retention/old frees 3, and 0 unknown", "all frees 3, and 0 unknown"}},
		{"layers of two that go count once", []string{"v1 a 48h marked", "v2 b 48h marked", "v3 c 48h"},
			map[string]*registry.Content{"a": layers("base shared x"), "b": layers("base shared yy yy"), "c": layers("base")}, "",
			[]string{"v1 frees 1", "v2 frees 2", "the image frees 9, and 0 unknown", "retention/old frees 9, and 0 unknown", "all frees 9, and 0 unknown"}},
		{"tags of one digest free nothing alone", []string{"v1 a 48h marked", "v2 a 48h marked"}, map[string]*registry.Content{"a": layers("abc")}, "",
			[]string{"v1 frees 0", "v2 frees 0", "the image frees 3, and 0 unknown", "retention/old frees 3, and 0 unknown", "all frees 3, and 0 unknown"}},
		{"of what stays, everything must be known", []string{"v1 a 48h marked", "v2 b 48h"}, map[string]*registry.Content{"a": layers("abc")}, "",
			[]string{"the image frees 0, and 1 unknown", "retention/old frees 0, and 1 unknown", "all frees 0, and 1 unknown"}},
		{"an unknown step may share layers", []string{"v1 a 48h marked", "v2 b 48h marked"}, map[string]*registry.Content{"a": layers("abc")}, "",
			[]string{"the image frees 3, and 1 unknown", "retention/old frees 3, and 1 unknown", "all frees 3, and 1 unknown"}},
		{"a held tag stays", []string{"v1 a 48h marked", "v2 b 48h marked used"}, map[string]*registry.Content{"a": layers("abc"), "b": layers("abc")}, "",
			[]string{"v1 frees 0", "the image frees 0, and 0 unknown", "retention/old frees 0, and 0 unknown", "all frees 0, and 0 unknown"}},
		{"nothing is said where nothing is known", []string{"v1 a 48h marked", "v2 b 48h"}, map[string]*registry.Content{"b": layers("abc")}, "", nil},
		{"unless it is asked for", []string{"v1 a 48h marked"}, nil, ReadAlways,
			[]string{"the image frees 0, and 1 unknown", "retention/old frees 0, and 1 unknown", "all frees 0, and 1 unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, o := imageOf(t, tt.tags...), unlimited()
			o.Content.Read = tt.read
			v.Image.Contents = map[string]*registry.Content{}
			for letter, content := range tt.contents {
				v.Image.Contents[digestOf(letter)] = content
			}
			p := planOf(o, []registry.Verdict{v}, nil)
			if diff := cmp.Diff(tt.want, freesOf(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			back, err := actions.Decode(strings.NewReader(encoded(t, p)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, freesOf(back)); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPublicImagesAreFree(t *testing.T) {
	v, o := imageOf(t, "v1 a 48h marked"), unlimited()
	v.Image.Visibility, v.Image.Contents = registry.Public, map[string]*registry.Content{digestOf("a"): layers("abc")}
	want := []string{"v1 frees 3", "the image frees 3, and 0 unknown", "0 of it are billed", "retention/old frees 3, and 0 unknown", "0 of it are billed", "all frees 3, and 0 unknown", "0 of it are billed"}
	if diff := cmp.Diff(want, freesOf(planOf(o, []registry.Verdict{v}, nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Images share nothing, and a rule counts what it marks in all of them.
func TestFreesOfSeveralImages(t *testing.T) {
	o := unlimited()
	var vs []registry.Verdict
	for _, name := range []string{"api", "web"} {
		v := imageOf(t, "v1 a 48h marked", "v2 b 48h trial marked")
		v.Image.Name, v.Image.ID = name, "id-"+name
		v.Image.Contents = map[string]*registry.Content{digestOf("a"): layers("abc"), digestOf("b"): layers("abc de")}
		vs = append(vs, v)
	}
	want := []string{"v1 frees 0", "v2 frees 2", "v1 frees 0", "v2 frees 2", "the image frees 5, and 0 unknown", "the image frees 5, and 0 unknown",
		"retention/old frees 10, and 0 unknown", "retention/trial frees 10, and 0 unknown", "all frees 10, and 0 unknown"}
	if diff := cmp.Diff(want, freesOf(planOf(o, vs, nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The images from which tags are copied bound what the archive gets, and all that are billed
// what is saved, also in a plan that was read back.
func TestTheImagesBoundWhatTheArchiveGets(t *testing.T) {
	o := unlimited()
	o.Archives = func([]actions.Step) func(*actions.Step) bool {
		return func(s *actions.Step) bool { return s.Image != "out" }
	}
	var vs []registry.Verdict
	for name, tags := range map[string][]string{"api": {"v1 a 48h marked", "v2 b 48h marked"}, "open": {"v1 a 48h marked"}, "kept": {"v1 a 48h"}, "out": {"v1 a 48h marked"}} {
		v := imageOf(t, tags...)
		v.Image.Name, v.Image.ID, v.Image.SizeBytes = name, "id-"+name, 1000
		if name == "open" {
			v.Image.Visibility = registry.Public
		}
		vs = append(vs, v)
	}
	p, err := actions.Decode(strings.NewReader(encoded(t, planOf(o, vs, nil))))
	if err != nil {
		t.Fatal(err)
	}
	want := actions.Archiving{Tags: 3, Unknown: 3, Images: 2000, ImagesBilled: 2000, LeftOut: 1}
	if diff := cmp.Diff(want, p.Summary.Archive); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
