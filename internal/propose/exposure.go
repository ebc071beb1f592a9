package propose

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// exposure is who may pull the images of the namespaces with one name, which each
// region may have.
type exposure struct {
	images map[string]bool // by name: whether it is public in any region
	public int             // of them
}

// expose notes whether everyone may pull an image.
func (s *Survey) expose(img *registry.Image) {
	e := s.namespaces[img.Namespace.Name]
	if e == nil {
		e = &exposure{images: map[string]bool{}}
		s.namespaces[img.Namespace.Name] = e
	}
	public := img.EffectiveVisibility() == registry.Public
	if public && !e.images[img.Name] {
		e.public++
	}
	e.images[img.Name] = e.images[img.Name] || public
}

// names are those of the public images, sorted.
func (e *exposure) names() []string {
	var public []string
	for name, is := range e.images {
		if is {
			public = append(public, name)
		}
	}
	slices.Sort(public)
	return public
}

// visibility writes rules that allow what is public today, and nothing else. Each
// rule matches something, so that lint has no objection.
func (s *Survey) visibility(p *page) {
	var exposed, partly []string // namespaces with public images, and those with others beside them
	public := 0
	for _, name := range slices.Sorted(maps.Keys(s.namespaces)) {
		e := s.namespaces[name]
		public += e.public
		if e.public > 0 {
			exposed = append(exposed, name)
		}
		if e.public > 0 && e.public < len(e.images) {
			partly = append(partly, name)
		}
	}
	if s.images == 0 {
		return
	}
	if public == 0 {
		p.comment("", "No image is public. This rule reports one that is as a violation. It changes nothing, unless you add fix: true.")
	} else {
		p.comment("", "Everyone can pull "+text.Count(public, "image")+". These rules list them as allowed, and report any other public image as a violation. They change nothing, unless you add fix: true to one.")
	}
	s.whollyPublic(p, exposed)
	if len(exposed) == len(s.namespaces) && len(partly) == 0 {
		p.line("visibility: []")
		p.line()
		return
	}
	p.line("visibility:")
	if len(exposed) < len(s.namespaces) {
		elsewhere(p, exposed)
	}
	for _, name := range partly {
		s.within(p, name)
	}
	p.line()
}

// whollyPublic lists the images of namespaces that have no others: these namespaces
// are allowed as a whole.
func (s *Survey) whollyPublic(p *page, exposed []string) {
	for _, name := range exposed {
		if e := s.namespaces[name]; e.public == len(e.images) {
			p.comment("", "Every image of "+text.Clean(name)+" is public: "+text.Clean(strings.Join(e.names(), ", ")))
		}
	}
}

// elsewhere is the rule for the namespaces without a public image.
func elsewhere(p *page, exposed []string) {
	name := "no other namespace has public images"
	if len(exposed) == 0 {
		name = "no image is public"
	}
	p.line("  - name: ", name)
	p.line("    subject: image")
	p.line(`    match: {namespaces: ["*"]}`)
	if len(exposed) > 0 {
		p.line("    except:")
		p.list("      ", "namespaces", escaped(exposed))
	}
	p.line("    require: private")
}

// within is the rule for a namespace that has public and private images.
func (s *Survey) within(p *page, name string) {
	names := s.namespaces[name].names()
	if slices.ContainsFunc(names, func(image string) bool { return strings.Contains(image, "/") }) {
		p.comment("  ", "Some of these images have a slash in their own name. config check warns of that, but it is meant.")
	}
	p.line("  - name: ", strconv.QuoteToASCII("only these images of "+name+" are public"))
	p.line("    subject: image")
	p.line("    match:")
	p.list("      ", "namespaces", escaped([]string{name}))
	p.line("    except:")
	p.list("      ", "images", escaped(names))
	p.line("    require: private")
}

func escaped(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = scanner.Literal(name)
	}
	return out
}
