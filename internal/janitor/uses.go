package janitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/kube"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Uses says how to find out what is in use. The zero value knows of nobody who
// uses anything.
type Uses struct {
	// References reads the references file; nil where there is none. That it cannot
	// be read is an error of the pass.
	References func() ([]registry.Use, error)
	// Sources are asked. One that cannot be is a gap.
	Sources []Source
	// Now is the clock of Asked; nil is the wall clock.
	Now func() time.Time

	file     string          // how reasons name the references file
	optional bool            // that file
	known    map[string]bool // key of a source that the configuration has → whether it is required
	heard    *heard          // nil where nobody asks for them
}

// Source is a use source, and what inventories call it.
type Source struct {
	scanner.UseSource
	// Key is the same for sources that are asked together; "" for one of which
	// inventories say nothing.
	Key string
}

// NewUses are the uses that a configuration has looked up. Serverless are asked
// where the configuration says so. Stdin is read, once, where the references file
// is "-". Of each cluster the options say only what it shares with the others:
// UserAgent and Logger.
func NewUses(c *config.Config, stdin io.Reader, serverless []scanner.UseSource, o kube.Options) Uses {
	u := listedUses(c, stdin)
	if c.Protect.Serverless {
		for _, s := range serverless {
			u.Sources = append(u.Sources, Source{s, askedServerless})
		}
	}
	for i := range c.Protect.Kubernetes {
		k := &c.Protect.Kubernetes[i]
		cluster := newCluster(c, k, o)
		u.Sources = append(u.Sources, Source{scanner.UseSource{Name: u.unique(cluster.Name()), List: cluster.Mentions}, askedCluster(k)})
	}
	return u
}

// listedUses are those that a configuration lists, without anybody to ask.
func listedUses(c *config.Config, stdin io.Reader) Uses {
	u := Uses{known: known(c), heard: newHeard()}
	name := c.Protect.ReferencesFile
	if name == "" {
		return u
	}
	u.optional = c.Protect.Optional.References
	if name == config.StandardInput {
		u.file = "references on standard input"
		if stdin == nil {
			u.References = func() ([]registry.Use, error) { return nil, errNoStdin }
			return u
		}
		u.References = sync.OnceValues(func() ([]registry.Use, error) {
			return scanner.ReadReferences("standard input", stdin, u.file)
		})
		return u
	}
	u.file = "references file " + name
	u.References = func() ([]registry.Use, error) { return readReferences(c.ReferencesPath(), u.file) }
	return u
}

var errNoStdin = errors.New("protect.references_file reads standard input, and there is none")

func readReferences(path, by string) ([]registry.Use, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading protect.references_file: %w", err)
	}
	defer file.Close()
	uses, err := scanner.ReadReferences(path, file, by)
	if err != nil {
		return uses, fmt.Errorf("reading protect.references_file: %w", err)
	}
	return uses, nil
}

func newCluster(c *config.Config, k *config.Kubernetes, o kube.Options) *kube.Cluster {
	o.Name, o.Context, o.Kubeconfig = k.Name, k.Context, c.KubeconfigPath(k)
	o.Namespaces, o.ReplicaSets = k.Namespaces, k.ReplicaSets
	if k.InCluster {
		o.Access = kube.InCluster
	}
	return kube.New(o)
}

// unique is a name that no other source has: two kubeconfigs may call different
// clusters the same.
func (u *Uses) unique(name string) string {
	free := name
	for n := 2; slices.ContainsFunc(u.Sources, func(s Source) bool { return s.Name == free }); n++ {
		free = fmt.Sprintf("%s (%d)", name, n)
	}
	return free
}

// none reports whether there is nobody to ask.
func (u Uses) none() bool { return u.References == nil && len(u.Sources) == 0 && len(u.known) == 0 }

// Read asks everybody. The uses are sorted and each comes once. What could not be
// asked is a gap, and one that the configuration does not require blinds nothing.
func (u Uses) Read(ctx context.Context) ([]registry.Use, []registry.Gap, error) {
	var gaps []registry.Gap
	uses, err := u.listed()
	switch {
	case err != nil && !u.optional:
		return nil, nil, err
	case err != nil:
		gaps = append(gaps, registry.Gap{Subject: u.file, Error: err.Error(), Blinds: registry.BlindsNothing})
	}
	type answer struct {
		uses []registry.Use
		gaps []registry.Gap
	}
	each := make([]answer, len(u.Sources))
	var wg sync.WaitGroup
	for i, s := range u.Sources {
		wg.Go(func() {
			each[i].uses, each[i].gaps = u.ask(ctx, s)
		})
	}
	wg.Wait()
	for _, a := range each {
		uses = append(uses, a.uses...)
		gaps = append(gaps, a.gaps...)
	}
	slices.SortFunc(uses, registry.CompareUses)
	return slices.Compact(uses), gaps, ctx.Err()
}

// listed reads the references file, if there is one.
func (u Uses) listed() ([]registry.Use, error) {
	if u.References == nil {
		return nil, nil
	}
	uses, err := u.References()
	u.note(u.file, uses, err)
	return slices.Clone(uses), err // standard input is read once, and handed out again
}

// ask asks one source.
func (u Uses) ask(ctx context.Context, s Source) ([]registry.Use, []registry.Gap) {
	uses, gaps := scanner.Uses(ctx, []scanner.UseSource{s.UseSource})
	if len(gaps) == 0 {
		u.note(s.Name, uses, nil)
		return uses, nil
	}
	gap := gaps[0] // it is one source
	gap.Source = s.Key
	u.weigh(&gap)
	u.note(s.Name, uses, gapError(gap.Error))
	return uses, []registry.Gap{gap}
}

// weigh says what a gap blinds, by what the configuration says of its source. Of
// one that it does not have, it says nothing.
func (u Uses) weigh(g *registry.Gap) {
	required, known := u.known[g.Source]
	switch {
	case !known:
	case required:
		g.Blinds = registry.BlindsAll
	default:
		g.Blinds = registry.BlindsNothing
	}
}

// Vetoes are the gaps that hold something: without those of sources that are not
// required.
func Vetoes(gaps []registry.Gap) []registry.Gap {
	return slices.DeleteFunc(slices.Clone(gaps), func(g registry.Gap) bool { return g.Blinds == registry.BlindsNothing })
}

// Asked says of each source what came of asking it last, in the order of the
// configuration; none before anybody was asked.
func (u Uses) Asked() []runs.UseSource {
	var out []runs.UseSource
	names := []string{u.file}
	for _, s := range u.Sources {
		names = append(names, s.Name)
	}
	for _, name := range names {
		if a, ok := u.heard.of(name); ok {
			out = append(out, a)
		}
	}
	return out
}

// note remembers what came of asking.
func (u Uses) note(name string, uses []registry.Use, err error) {
	if u.heard == nil {
		return
	}
	now := u.Now
	if now == nil {
		now = clock.Now
	}
	u.heard.note(name, len(uses), err, now)
}

// Deletes reports whether a step of the plan deletes anything, which a use could
// veto.
func Deletes(plan *actions.Plan) bool {
	return slices.ContainsFunc(plan.Steps, func(s actions.Step) bool { return s.Action.Deletes() })
}
