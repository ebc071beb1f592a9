package registry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// api is an image whose tags a and b share a digest.
func api() *Image {
	return &Image{
		Namespace: &Namespace{Region: "fr-par", Name: "prod"}, Name: "api",
		Tags: []Tag{{Name: "a", Digest: digestA}, {Name: "b", Digest: digestA}, {Name: "c", Digest: digestB}, {Name: "d"}},
	}
}

func TestWhoUsesWhat(t *testing.T) {
	ref := api().TagRef
	image := api().Ref()
	for name, row := range map[string]struct {
		uses []Use
		want string // of each tag, and of the image after the bar
	}{
		"an unused image":                  {nil, " , , , |"},
		"a tag protects itself":            {[]Use{{Ref: ref("a"), By: "x"}}, "x, , , |x"},
		"a digest protects all that carry": {[]Use{{Ref: image, Digest: digestA, By: "x"}}, "x,x, , |x"},
		"both protect both":                {[]Use{{Ref: ref("c"), Digest: digestA, By: "x"}}, "x,x,x, |x"},
		"two users are sorted":             {[]Use{{Ref: ref("a"), By: "y"}, {Ref: image, Digest: digestA, By: "x"}}, "x y,x, , |x y"},
		"a user counts once":               {[]Use{{Ref: ref("a"), By: "x"}, {Ref: ref("a"), By: "x"}, {Ref: image, Digest: digestA, By: "x"}}, "x,x, , |x"},
		"a digest anywhere":                {[]Use{{Digest: digestB, By: "x"}}, " , ,x, |"},
		"a digest of another image":        {[]Use{{Ref: Ref{Region: "fr-par", Namespace: "prod", Image: "web"}, Digest: digestA, By: "x"}}, " , , , |"},
		"another region":                   {[]Use{{Ref: Ref{"nl-ams", "prod", "api", "a"}, By: "x"}}, " , , , |"},
		"a digest that no tag has":         {[]Use{{Ref: image, Digest: "sha256:0", By: "x"}}, " , , , |x"},
		"nothing at all":                   {[]Use{{By: "x"}}, " , , , |"},
		"a tag that is not there":          {[]Use{{Ref: ref("z"), By: "x"}}, " , , , |x"},
	} {
		t.Run(name, func(t *testing.T) {
			x := NewUseIndex(row.uses)
			img := api()
			users, tags := x.InImage(img)
			var got []string
			for i, tag := range img.Tags {
				one := x.Of(img.TagRef(tag.Name), tag.Digest)
				if tags != nil && !slices.Equal(one, tags[i]) {
					t.Errorf("of %s: %v, in the image: %v", tag.Name, one, tags[i])
				}
				got = append(got, strings.Join(one, " "))
				if len(one) == 0 {
					got[i] = " "
				}
			}
			if text := strings.Join(got, ",") + "|" + strings.Join(users, " "); text != row.want {
				t.Errorf("got %q, want %q", text, row.want)
			}
			if used := tags != nil; used != strings.ContainsAny(strings.Split(row.want, "|")[0], "xy") {
				t.Errorf("tags %v", tags)
			}
			if of := x.Of(img.Ref(), ""); !slices.Equal(of, users) {
				t.Errorf("the image is used by %v, and by %v", of, users)
			}
		})
	}
}

// The order of the uses does not matter, and no list that is handed out changes.
func TestTheOrderOfUsesDoesNotMatter(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var uses []Use
	for range 40 {
		u := Use{Ref: api().Ref(), By: fmt.Sprint("user ", random.IntN(6))}
		if random.IntN(3) > 0 {
			u.Ref.Tag = string(rune('a' + random.IntN(4)))
		} else {
			u.Digest = []string{digestA, digestB}[random.IntN(2)]
		}
		uses = append(uses, u)
	}
	first, tags := NewUseIndex(uses).InImage(api())
	want := fmt.Sprint(first, tags)
	for range 20 {
		random.Shuffle(len(uses), func(i, j int) { uses[i], uses[j] = uses[j], uses[i] })
		x := NewUseIndex(uses)
		for range 2 {
			users, tags := x.InImage(api())
			if got := fmt.Sprint(users, tags); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
		slices.SortFunc(uses, CompareUses)
	}
}

// BenchmarkUses looks 1,000,000 tags up among 50,000 uses, the index included.
func BenchmarkUses(b *testing.B) {
	namespace := &Namespace{Region: "fr-par", Name: "prod"}
	var images []*Image
	var uses []Use
	for i := range 20_000 {
		img := &Image{Namespace: namespace, Name: fmt.Sprintf("svc-%d", i)}
		for k := range 50 {
			img.Tags = append(img.Tags, Tag{Name: fmt.Sprintf("v1.%d.0", k), Digest: fmt.Sprintf("sha256:%064x", i*50+k)})
		}
		images = append(images, img)
		for k := range 2 + i%2 { // two and a half for each image
			uses = append(uses, Use{Ref: img.TagRef(img.Tags[k].Name), Digest: img.Tags[k+1].Digest, By: "serverless container shop/api (fr-par)"})
		}
	}
	for b.Loop() {
		x := NewUseIndex(uses)
		for _, img := range images {
			x.InImage(img)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/tag")
	b.ReportMetric(float64(len(uses)), "uses")
}

func TestADigestInUseMayBeAPartOfAnIndex(t *testing.T) {
	image := &Image{
		Namespace: &Namespace{Region: "fr-par", Name: "prod"}, Name: "api",
		Tags: []Tag{{Name: "1.6.0", Digest: "sha256:aa"}, {Name: "1.5.0", Digest: "sha256:bb"}},
	}
	ref := image.Ref()
	uses := NewUseIndex([]Use{{Ref: ref, Digest: "sha256:cc", By: "pod a"}, {Ref: ref, Digest: "sha256:bb", By: "pod b"}, {Digest: "sha256:dd", By: "pod c"}})
	if _, tags := uses.InImage(image); tags[0] != nil || !slices.Equal(tags[1], []string{"pod b"}) || !slices.Equal(uses.Unplaced(image), []string{"pod a"}) {
		t.Errorf("%v, unplaced %v", tags, uses.Unplaced(image))
	}
	image.Contents = map[string]*Content{"sha256:aa": {Kind: ContentIndex, Parts: []string{"sha256:cc", "sha256:dd"}}}
	if _, tags := uses.InImage(image); !slices.Equal(tags[0], []string{"pod a", "pod c"}) || len(uses.Unplaced(image)) != 0 {
		t.Errorf("%v, unplaced %v", tags, uses.Unplaced(image))
	}
	var none *UseIndex
	if none.Unplaced(image) != nil || uses.Unplaced(&Image{Namespace: image.Namespace, Name: "web"}) != nil {
		t.Error("nothing is in use there")
	}
}
