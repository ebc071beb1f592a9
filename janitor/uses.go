package janitor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/config"
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
	Sources []scanner.UseSource
}

// NewUses are the uses that a configuration has looked up. Serverless are asked
// where the configuration says so. Stdin is read, once, where the references file
// is "-".
func NewUses(c *config.Config, stdin io.Reader, serverless []scanner.UseSource) Uses {
	var u Uses
	if name := c.Protect.ReferencesFile; name != "" {
		by := "references file " + name
		u.References = func() ([]registry.Use, error) { return readReferences(c.ReferencesPath(), by) }
		if name == config.StandardInput {
			u.References = sync.OnceValues(func() ([]registry.Use, error) {
				return scanner.ReadReferences("standard input", stdin, "references on standard input")
			})
		}
	}
	if c.Protect.Serverless {
		u.Sources = serverless
	}
	return u
}

func readReferences(path, by string) ([]registry.Use, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading protect.references_file: %w", err)
	}
	defer file.Close()
	uses, err := scanner.ReadReferences(path, file, by)
	if err != nil {
		return nil, fmt.Errorf("reading protect.references_file: %w", err)
	}
	return uses, nil
}

// askedServerless is how an inventory says that it asked them.
const askedServerless = "serverless"

// asked is whom a scan of the configuration asks what is in use, but for the
// references file, which is read again.
func asked(c *config.Config) []string {
	if c.Protect.Serverless {
		return []string{askedServerless}
	}
	return nil
}

// RecordedUses are the uses beside those in an inventory: those of the references
// file, and a gap in place of what the inventory did not ask.
func RecordedUses(c *config.Config, stdin io.Reader, h scanner.Header) Uses {
	u := NewUses(c, stdin, nil)
	if c.Protect.Serverless && !slices.Contains(h.Asked, askedServerless) {
		u.Sources = []scanner.UseSource{{Name: askedServerless, List: func(context.Context) ([]registry.Mention, error) {
			return nil, errors.New("the inventory was taken without asking what they use: take the scan again with protect.serverless")
		}}}
	}
	return u
}

// none reports whether there is nobody to ask.
func (u Uses) none() bool { return u.References == nil && len(u.Sources) == 0 }

// Read asks everybody. The uses are sorted and each comes once.
func (u Uses) Read(ctx context.Context) ([]registry.Use, []registry.Gap, error) {
	var listed []registry.Use
	if u.References != nil {
		var err error
		if listed, err = u.References(); err != nil {
			return nil, nil, err
		}
	}
	uses, gaps := scanner.Uses(ctx, u.Sources)
	uses = append(uses, listed...)
	slices.SortFunc(uses, registry.CompareUses)
	return slices.Compact(uses), gaps, ctx.Err()
}

// Watch is a scan with its uses: everybody is asked before it starts, so that
// every image is judged knowing its uses, and once more when it is over, so that
// what was deployed meanwhile is seen. The uses of the first time come before
// everything else, those that only the second time shows come last.
func (u Uses) Watch(ctx context.Context, scan func() Feed) Feed {
	if u.none() {
		return scan()
	}
	w := &watch{items: make(chan scanner.Item, 16)}
	go func() {
		defer close(w.items)
		w.err = w.run(ctx, u, scan)
	}()
	return w
}

// watch is the Feed of Watch.
type watch struct {
	items chan scanner.Item
	err   error
}

func (w *watch) Items() <-chan scanner.Item { return w.items }
func (w *watch) Err() error                 { return w.err }

func (w *watch) run(ctx context.Context, u Uses, scan func() Feed) error {
	uses, gaps, err := u.Read(ctx)
	if err != nil {
		return err
	}
	w.emit(ctx, uses, gaps)
	feed := scan()
	for item := range feed.Items() {
		w.send(ctx, item)
	}
	if err := feed.Err(); err != nil {
		return err
	}
	again, gapsAgain, err := u.Read(ctx)
	if err != nil {
		return err
	}
	w.emit(ctx,
		slices.DeleteFunc(again, func(use registry.Use) bool {
			_, known := slices.BinarySearchFunc(uses, use, registry.CompareUses)
			return known
		}),
		slices.DeleteFunc(gapsAgain, func(g registry.Gap) bool {
			return slices.ContainsFunc(gaps, func(k registry.Gap) bool { return k.Subject == g.Subject })
		}))
	return ctx.Err()
}

func (w *watch) emit(ctx context.Context, uses []registry.Use, gaps []registry.Gap) {
	for i := range uses {
		w.send(ctx, scanner.Item{Use: &uses[i]})
	}
	for i := range gaps {
		w.send(ctx, scanner.Item{Gap: &gaps[i]})
	}
}

func (w *watch) send(ctx context.Context, item scanner.Item) {
	select {
	case w.items <- item:
	case <-ctx.Done():
	}
}

// Deletes reports whether a step of the plan deletes anything, which a use could
// veto.
func Deletes(plan *actions.Plan) bool {
	return slices.ContainsFunc(plan.Steps, func(s actions.Step) bool { return s.Action.Deletes() })
}
