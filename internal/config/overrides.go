package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Override are the limits of the images and namespaces that it matches.
type Override struct {
	Match       *Place               `yaml:"match" need:"say where, such as match: {namespaces: [dev]}" fill:"say where, such as match: {namespaces: [dev]}"`
	KeepAtLeast *int                 `yaml:"keep_at_least,omitempty" min:"0"`
	MinAge      *strictyaml.Duration `yaml:"min_age,omitempty"`
}

// Place is images, or namespaces with everything in them.
type Place struct {
	Namespaces []string `yaml:"namespaces,omitempty" is:"name-glob"`
	Images     []string `yaml:"images,omitempty" is:"glob"`
}

// matches reports whether an image is there, or a namespace where image is "".
func (p *Place) matches(namespace, image string) bool {
	if image == "" && len(p.Images) > 0 {
		return false
	}
	return rules.MatchesAny(p.Namespaces, namespace) && rules.MatchesAny(p.Images, image)
}

// At returns min_age and keep_at_least of an image, or of a namespace where image is
// "": those of the first override that matches it. A key that the override does not
// have is the one of the limits.
func (l *Limits) At(namespace, image string) (minAge time.Duration, keepAtLeast int) {
	minAge, keepAtLeast = l.MinAge.Duration(), l.KeepAtLeast
	for i := range l.Overrides {
		o := &l.Overrides[i]
		if !o.Match.matches(namespace, image) {
			continue
		}
		if o.MinAge != nil {
			minAge = o.MinAge.Duration()
		}
		if o.KeepAtLeast != nil {
			keepAtLeast = *o.KeepAtLeast
		}
		break
	}
	return minAge, keepAtLeast
}

// checkOverrides reports overrides without an effect.
func (d checker) checkOverrides(overrides []Override) {
	first := map[string]string{}
	for i := range overrides {
		o, path := &overrides[i], fmt.Sprintf("limits.overrides[%d]", i)
		if !d.Clean(path) {
			continue
		}
		if o.MinAge == nil && o.KeepAtLeast == nil {
			d.Report(path, "overrides nothing", "give it min_age, keep_at_least or both, or remove it")
		}
		place := words(reflect.ValueOf(*o.Match))
		if earlier, ok := first[place]; ok {
			d.Report(path+".match", "is that of "+earlier+", and the first that matches counts", "put the keys of both into one entry")
			continue
		}
		first[place] = path
	}
}

// sentence says what the override changes, and where.
func (o *Override) sentence() string {
	var where, what []string
	if len(o.Match.Images) > 0 {
		where = append(where, rules.Named("image", o.Match.Images))
	}
	if len(o.Match.Namespaces) > 0 {
		where = append(where, rules.Named("namespace", o.Match.Namespaces))
	}
	if o.MinAge != nil && o.MinAge.Duration() == 0 {
		what = append(what, "holds nothing because of its age")
	} else if o.MinAge != nil {
		what = append(what, "holds the deletion of everything younger than "+o.MinAge.Words())
	}
	if n := o.KeepAtLeast; n != nil && *n == 0 {
		what = append(what, "lets an image lose its last tag")
	} else if n != nil {
		what = append(what, "holds deletions so that "+text.Count(*n, "ready tag")+" of every image "+text.Choose(*n, "remains", "remain"))
	}
	return "in " + strings.Join(where, " of ") + ", " + text.List(what, "and")
}
