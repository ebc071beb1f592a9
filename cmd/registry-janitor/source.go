package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// sourceFlags say what is judged, and by what.
type sourceFlags struct {
	config      string
	inventory   string
	concurrency int
	observe     func(*scaleway.Options) // nil where nobody counts requests
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	configFlag(cmd, &f.config)
	f.addConcurrency(cmd)
	cmd.Flags().StringVar(&f.inventory, "inventory", "", "judge the scan in this `FILE`, as scan wrote it, instead of asking the API")
}

func (f *sourceFlags) addConcurrency(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 16, "how many requests are in flight at once")
}

func (f *sourceFlags) checkConcurrency() error {
	if f.concurrency < 1 {
		return fmt.Errorf("--concurrency %d: want at least 1", f.concurrency)
	}
	return nil
}

// session is a pass and what it judges.
type session struct {
	pass *janitor.Pass
	live *janitor.Live // nil for a recorded scan
	// scan starts the scan, and feed the scan with the uses of what is in it.
	scan  func(scope scanner.Scope) (janitor.Feed, error)
	feed  func(scope scanner.Scope) (janitor.Feed, error)
	close func()
}

// open reads the configuration and its policies, and finds the source. Nothing
// is asked of the API yet.
func (a *app) open(ctx context.Context, f sourceFlags) (*session, error) {
	c, err := config.Load(f.config)
	if err != nil {
		return nil, err
	}
	policies, err := janitor.Policies(ctx, c, policy.Options{Logger: a.log})
	if err != nil {
		return nil, err
	}
	pass := &janitor.Pass{Config: c, Policies: policies, Progress: new(janitor.Progress)}
	if f.inventory != "" {
		return a.openInventory(ctx, pass, f.inventory)
	}
	return a.live(ctx, pass, f)
}

// live is a session over the API. Nothing is asked of it yet.
func (a *app) live(ctx context.Context, pass *janitor.Pass, f sourceFlags) (*session, error) {
	o, err := a.liveOptions(pass.Config, f)
	if err != nil {
		return nil, err
	}
	live, err := janitor.NewLive(pass, o)
	if err != nil {
		return nil, err
	}
	return &session{
		pass:  pass,
		live:  live,
		scan:  func(scope scanner.Scope) (janitor.Feed, error) { return live.Scan(ctx, scope), nil },
		feed:  func(scope scanner.Scope) (janitor.Feed, error) { return live.Feed(ctx, scope), nil },
		close: func() {},
	}, nil
}

// liveOptions are how to reach the API.
func (a *app) liveOptions(c *config.Config, f sourceFlags) (janitor.LiveOptions, error) {
	if err := f.checkConcurrency(); err != nil {
		return janitor.LiveOptions{}, err
	}
	o := janitor.LiveOptions{
		Stdin: a.stdin,
		Now:   a.now,
		Connection: scaleway.Options{
			Profile:     c.Scaleway.Profile,
			Concurrency: f.concurrency,
			UserAgent:   "registry-janitor/" + version(),
			Logger:      a.log,
			Now:         a.now,
		},
	}
	if f.observe != nil {
		f.observe(&o.Connection)
	}
	return o, nil
}

// openInventory is a session over a recorded scan.
func (a *app) openInventory(ctx context.Context, pass *janitor.Pass, path string) (*session, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	inventory, err := scanner.ReadInventory(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("reading the inventory %s: %w", path, err)
	}
	pass.TakenAt = inventory.Header.TakenAt
	scan := func(scope scanner.Scope) (janitor.Feed, error) {
		if err := inventory.Narrow(scope); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return recorded{inventory.Stream(ctx), path}, nil
	}
	set := janitor.RecordedUses(pass.Config, a.stdin, inventory.Header)
	return &session{
		pass: pass,
		scan: scan,
		feed: func(scope scanner.Scope) (janitor.Feed, error) {
			feed, err := scan(scope)
			if err != nil {
				return nil, err
			}
			return janitor.WithUses(ctx, set, func() janitor.Feed { return feed }), nil
		},
		close: func() { _ = file.Close() },
	}, nil
}

// recorded is a scan from a file, which its error names.
type recorded struct {
	*scanner.Stream
	path string
}

func (r recorded) Err() error {
	if err := r.Stream.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", r.path, err)
	}
	return nil
}
