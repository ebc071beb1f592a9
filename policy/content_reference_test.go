package policy

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// This file is the part of the reference that is about contents.

type refContentMatch struct {
	labels           map[string]string
	platforms, kinds []string
}

func (m refContentMatch) takesContent(c *registry.Content) bool {
	for key, glob := range m.labels {
		if value, ok := c.Labels[key]; !ok || !refGlob(glob, value) {
			return false
		}
	}
	isOneOf := func(list, these []string) bool {
		return list == nil || slices.ContainsFunc(these, func(s string) bool { return slices.Contains(list, s) })
	}
	kinds, platforms := []string{string(c.Kind)}, []string{}
	if c.Kind == "index" && len(c.PartLabels) > 0 {
		kinds = append(kinds, "image")
	}
	for _, p := range c.Platforms { // with and without its variant
		platforms = append(platforms, p)
		if parts := strings.Split(p, "/"); len(parts) == 3 {
			platforms = append(platforms, parts[0]+"/"+parts[1])
		}
	}
	return isOneOf(m.kinds, kinds) && isOneOf(m.platforms, platforms)
}

// refLabelOf is the first label that protects.
func refLabelOf(c *registry.Content, globs map[string]string) string {
	var found []string
	for _, labels := range append([]map[string]string{c.Labels}, c.PartLabels...) {
		for key, value := range labels {
			if glob, ok := globs[key]; ok && refGlob(glob, value) {
				found = append(found, key+"="+value)
			}
		}
	}
	if found == nil {
		return ""
	}
	return slices.Min(found)
}

var refExpiry = regexp.MustCompile(`^([1-9][0-9]{0,5})([smhdw])$`)

func (r refRule) judgeLabel(age time.Duration, t registry.Tag, v refVotes) {
	value, ok := r.contents[t.Digest].Labels[r.label]
	if !ok {
		return
	}
	m := refExpiry.FindStringSubmatch(value)
	if m == nil {
		v.warn[t.Name] = append(v.warn[t.Name], fmt.Sprintf("retention/%s: its label %s is %q, which is not an age limit, so the rule does not mark it: write a whole number and s, m, h, d or w, such as 2w, or build without the label", r.name, r.label, value))
		return
	}
	n, _ := strconv.Atoi(m[1])
	limit := time.Duration(n) * map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 168 * time.Hour}[m[2]]
	why := fmt.Sprintf("older than %s, as its label %s says", value, r.label)
	if r.olderThan > limit {
		why = fmt.Sprintf("older than %s, and than %s, as its label %s says", refDuration(r.olderThan), value, r.label)
	}
	if age >= limit && age >= r.olderThan {
		v.del[t.Name] = append(v.del[t.Name], "retention/"+r.name+": "+why)
	}
}

func (w world) contentMatch() (m refContentMatch) {
	if w.chance(15) {
		m.labels = map[string]string{"team": pick(w, "*", "pay*", "search")}
		if w.chance(30) {
			m.labels["keep"] = "true"
		}
	}
	if w.chance(10) {
		m.platforms = pick(w, []string{"linux/arm64"}, []string{"linux/amd64", "linux/arm/v7"}, []string{"linux/arm64/v8"})
	}
	if w.chance(10) {
		m.kinds = pick(w, []string{"image"}, []string{"index"}, []string{"attachment", "artifact"})
	}
	return m
}

func (w world) labels() map[string]string {
	labels := map[string]string{}
	if w.chance(60) {
		labels["team"] = pick(w, "payments", "search", "")
	}
	if w.chance(30) {
		labels["keep"] = pick(w, "true", "false", "total")
	}
	if w.chance(60) {
		labels["ttl"] = pick(w, "90m", "12h", "2d", "3w", "86400s", "soon", "14", "0d", "1.5h", "1d12h", "Never", "-1d", "2mo", "99999999999999999999w", "")
	}
	return labels
}

func (w world) content(at time.Time, step time.Duration) *registry.Content {
	c := &registry.Content{Kind: pick[registry.ContentKind](w, "image", "image", "index", "attachment", "artifact")}
	if w.chance(70) {
		c.BuiltAt = pick(w, w.time(at, step), w.time(at, step), time.Unix(0, 0).UTC(), time.Date(1980, 1, 1, 0, 0, 1, 0, time.UTC))
	}
	switch c.Kind {
	case registry.ContentIndex:
		c.Platforms = pick(w, []string{"linux/amd64", "linux/arm64/v8"}, []string{"linux/arm/v6", "linux/arm/v7"})
		c.Labels = w.labels()
		for range 2 {
			part := w.labels()
			maps.Copy(part, c.Labels)
			c.PartLabels = append(c.PartLabels, part)
		}
	case registry.ContentImage:
		c.Platforms = pick(w, []string{"linux/amd64"}, []string{"linux/arm64"}, []string{"linux/arm64/v8"}, nil)
		c.Labels = w.labels()
	}
	return c
}

// Reading what is asked for, again and again, ends with the decisions that all contents
// give; and at no time is anything deleted that those would keep.
func TestWhatIsNotKnownIsNeverDeleted(t *testing.T) {
	base := rand.Uint64()
	asked, all := 0, 0
	for i := range *randomConfigs {
		seed := base + uint64(i)
		w := world{rand.New(rand.NewPCG(seed, 13))}
		config := w.config()
		e, err := New(context.Background(), Options{Config: config.document()})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 8 {
			at := w.now()
			img := w.image(at)
			want, contents := ready(img, markedBy(t, e, at, img)), knowable(img)
			img.Contents = map[string]*registry.Content{}
			for digest, c := range contents {
				if w.chance(30) {
					img.Contents[digest] = c
				}
			}
			for {
				j := e.At(at, WhatCounts)
				v, err := j.Image(context.Background(), img)
				if err != nil || v.Err != nil {
					t.Fatal(err, v.Err)
				}
				got := ready(img, markedBy(t, e, at, img))
				for _, name := range got {
					if !slices.Contains(want, name) {
						t.Fatalf("seed %d: with %d of %d contents, %s is deleted\n%s", seed, len(img.Contents), len(contents), name, shown(config, img))
					}
				}
				needs := j.NeedsContent(img, &v)
				for _, digest := range needs {
					if img.Contents[digest] != nil || contents[digest] == nil {
						t.Fatalf("seed %d: %q is asked for", seed, digest)
					}
					img.Contents[digest] = contents[digest]
				}
				asked += len(needs)
				if len(needs) == 0 {
					break
				}
			}
			all += len(contents)
			if onlyKnowable(img) {
				if diff := cmp.Diff(want, ready(img, markedBy(t, e, at, img))); diff != "" {
					t.Fatalf("seed %d: once nothing more is asked for (-with all contents +with those):\n%s\n%s", seed, diff, shown(config, img))
				}
			}
		}
	}
	if asked == 0 || asked > all*6/10 {
		t.Errorf("%d of %d contents are asked for", asked, all)
	}
}

// knowable are the contents that can be asked for: those of ready tags whose digest is
// known.
func knowable(img *registry.Image) map[string]*registry.Content {
	out := map[string]*registry.Content{}
	for _, t := range img.Tags {
		if t.Status == registry.StatusReady && t.KnownDigest() != "" {
			out[t.Digest] = img.Contents[t.Digest]
		}
	}
	return out
}

// onlyKnowable reports whether the content of every ready tag can be asked for.
func onlyKnowable(img *registry.Image) bool {
	return !slices.ContainsFunc(img.Tags, func(t registry.Tag) bool {
		return t.Status == registry.StatusReady && t.KnownDigest() == ""
	})
}

// ready are those of the tags that are.
func ready(img *registry.Image, names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return t.Name == name && t.Status != registry.StatusReady })
	})
}
