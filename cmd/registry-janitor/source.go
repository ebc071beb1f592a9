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

// source is what is judged: the API or an inventory, with its planner.
type source struct {
	planner *janitor.Planner
	session *janitor.Session // nil for a recorded scan
	// scan starts the scan, and feed the scan with the uses of what is in it.
	scan  func(scope scanner.Scope) (janitor.Feed, error)
	feed  func(scope scanner.Scope) (janitor.Feed, error)
	close func()
}

// open reads the configuration and its policies, and finds the source. Nothing
// is asked of the API yet.
func (a *app) open(ctx context.Context, f sourceFlags) (*source, error) {
	c, err := config.Load(f.config)
	if err != nil {
		return nil, err
	}
	policies, err := janitor.Policies(ctx, c, policy.Options{Logger: a.log})
	if err != nil {
		return nil, err
	}
	planner := &janitor.Planner{Config: c, Policies: policies, Progress: new(janitor.Progress)}
	if f.inventory != "" {
		return a.openInventory(ctx, planner, f.inventory)
	}
	return a.openSession(ctx, planner, f)
}

// openSession connects to the API. Nothing is asked of it yet.
func (a *app) openSession(ctx context.Context, planner *janitor.Planner, f sourceFlags) (*source, error) {
	o, err := a.sessionOptions(planner.Config, f)
	if err != nil {
		return nil, err
	}
	session, err := janitor.NewSession(planner, o)
	if err != nil {
		return nil, err
	}
	return &source{
		planner: planner,
		session: session,
		scan:    func(scope scanner.Scope) (janitor.Feed, error) { return session.Scan(ctx, scope), nil },
		feed:    func(scope scanner.Scope) (janitor.Feed, error) { return session.Feed(ctx, scope), nil },
		close:   func() {},
	}, nil
}

// sessionOptions are how to reach the API.
func (a *app) sessionOptions(c *config.Config, f sourceFlags) (janitor.SessionOptions, error) {
	if err := f.checkConcurrency(); err != nil {
		return janitor.SessionOptions{}, err
	}
	o := janitor.SessionOptions{
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

// openInventory reads a recorded scan.
func (a *app) openInventory(ctx context.Context, planner *janitor.Planner, path string) (*source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	inventory, err := scanner.ReadInventory(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("reading the inventory %s: %w", path, err)
	}
	planner.TakenAt = inventory.Header.TakenAt
	scan := func(scope scanner.Scope) (janitor.Feed, error) {
		if err := inventory.Narrow(scope); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return recorded{inventory.Stream(ctx), path}, nil
	}
	set := janitor.RecordedUses(planner.Config, a.stdin, inventory.Header)
	return &source{
		planner: planner,
		scan:    scan,
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
