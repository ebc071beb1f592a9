package janitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// askedServerless is how an inventory says that it asked them.
const askedServerless = "serverless"

// askedCluster is how an inventory says that it asked a cluster, and for what:
// another namespace or a longer memory is another question.
func askedCluster(k *config.Kubernetes) string {
	var of []string
	add := func(key, value string) {
		if value != "" {
			of = append(of, key+" "+value)
		}
	}
	add("kubeconfig", k.Kubeconfig)
	add("context", k.Context)
	add("namespaces", strings.Join(slices.Sorted(slices.Values(k.Namespaces)), " "))
	if k.ReplicaSets > 0 {
		add("replica sets", fmt.Sprint(k.ReplicaSets))
	}
	key := "kubernetes " + k.Label()
	if len(of) > 0 {
		key += " (" + strings.Join(of, ", ") + ")"
	}
	return key
}

// known are the sources that a configuration has, by their keys, and whether each
// is required.
func known(c *config.Config) map[string]bool {
	sources := map[string]bool{}
	if c.Protect.Serverless {
		sources[askedServerless] = !c.Protect.Optional.Serverless
	}
	for i := range c.Protect.Kubernetes {
		k := &c.Protect.Kubernetes[i]
		sources[askedCluster(k)] = k.Required
	}
	return sources
}

// asked is whom a scan of the configuration asks what is in use, but for the
// references file, which is read again.
func asked(c *config.Config) []string {
	var keys []string
	if c.Protect.Serverless {
		keys = append(keys, askedServerless)
	}
	for i := range c.Protect.Kubernetes {
		keys = append(keys, askedCluster(&c.Protect.Kubernetes[i]))
	}
	return keys
}

// RecordedUses are the uses beside those in an inventory: those of the references
// file, and a gap in place of what the inventory did not ask.
func RecordedUses(c *config.Config, stdin io.Reader, h scanner.Header) Uses {
	u := listedUses(c, stdin)
	unasked := func(key, name, setting string) {
		if slices.Contains(h.Asked, key) {
			return
		}
		u.Sources = append(u.Sources, Source{scanner.UseSource{Name: u.unique(name), List: func(context.Context) ([]registry.Mention, error) {
			return nil, errors.New("the inventory was taken without asking what is in use there: take the scan again with this " + setting)
		}}, key})
	}
	if c.Protect.Serverless {
		unasked(askedServerless, askedServerless, "protect.serverless")
	}
	for i := range c.Protect.Kubernetes {
		k := &c.Protect.Kubernetes[i]
		unasked(askedCluster(k), "kubernetes "+k.Label(), "protect.kubernetes")
	}
	return u
}

// looksForUses says whether uses may show up late.
func looksForUses(c *config.Config) bool {
	return c.Protect.ReferencesFile != "" || len(known(c)) > 0
}

// sameUses reports whether two configurations look for uses in the same places.
func sameUses(a, b config.Protect) bool {
	return a.ReferencesFile == b.ReferencesFile && a.Serverless == b.Serverless && a.Optional == b.Optional &&
		reflect.DeepEqual(a.Kubernetes, b.Kubernetes)
}

// heard is what came of asking, by the name of the source.
type heard struct {
	mu sync.Mutex
	by map[string]runs.UseSource
}

func newHeard() *heard { return &heard{by: map[string]runs.UseSource{}} }

// note keeps when a source answered last, also while it does not.
func (a *heard) note(name string, uses int, err error, now func() time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.by[name]
	s.Name, s.Uses, s.Error = name, uses, ""
	if err != nil {
		s.Error = err.Error()
	} else {
		s.ReadAt = now()
	}
	a.by[name] = s
}

func (a *heard) of(name string) (runs.UseSource, bool) {
	if a == nil {
		return runs.UseSource{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.by[name]
	return s, ok
}

// gapError is the error of a gap.
type gapError string

func (e gapError) Error() string { return string(e) }
