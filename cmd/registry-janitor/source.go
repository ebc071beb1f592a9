package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/config"
	"github.com/registry-janitor/registry-janitor/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/scaleway"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// sourceFlags say what is judged, and by what.
type sourceFlags struct {
	config      string
	inventory   string
	concurrency int
}

func (f *sourceFlags) add(cmd *cobra.Command) {
	configFlag(cmd, &f.config)
	f.addConcurrency(cmd)
	cmd.Flags().StringVar(&f.inventory, "inventory", "", "judge the scan in this `FILE`, as scan wrote it, instead of asking the API")
}

func (f *sourceFlags) addConcurrency(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 16, "how many requests are in flight at once")
}

// session is a pass and the scan that it judges.
type session struct {
	pass  *janitor.Pass
	feed  func(scope scanner.Scope) (janitor.Feed, error)
	close func()
}

// open reads the configuration and its policies, and finds the source. Nothing
// is asked of the API yet.
func (a *app) open(ctx context.Context, f sourceFlags) (*session, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	c, err := config.Load(f.config)
	if err != nil {
		return nil, err
	}
	policies, err := janitor.Policies(ctx, c, policy.Options{Logger: log})
	if err != nil {
		return nil, err
	}
	pass := &janitor.Pass{Config: c, Policies: policies, Progress: new(janitor.Progress)}
	if f.inventory != "" {
		return openInventory(ctx, pass, f.inventory)
	}
	reader, err := a.reader(c, f)
	if err != nil {
		return nil, err
	}
	return live(ctx, pass, reader, f.concurrency), nil
}

// reader connects to the API with a client that cannot change anything.
func (a *app) reader(c *config.Config, f sourceFlags) (*scaleway.Reader, error) {
	if f.concurrency < 1 {
		return nil, fmt.Errorf("--concurrency %d: want at least 1", f.concurrency)
	}
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	return scaleway.NewReader(scaleway.Options{
		Profile:     c.Scaleway.Profile,
		Concurrency: f.concurrency,
		UserAgent:   "registry-janitor/" + version(),
		Logger:      log,
	})
}

// live is a session over the API.
func live(ctx context.Context, pass *janitor.Pass, reader *scaleway.Reader, concurrency int) *session {
	pass.TakenAt = startOfPass()
	pass.Skew = reader.Skew
	return &session{
		pass: pass,
		feed: func(scope scanner.Scope) (janitor.Feed, error) {
			return scanner.Scan(ctx, reader, scanner.Options{Scope: scope, Concurrency: concurrency}), nil
		},
		close: func() {},
	}
}

// openInventory is a session over a recorded scan.
func openInventory(ctx context.Context, pass *janitor.Pass, path string) (*session, error) {
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
	return &session{
		pass: pass,
		feed: func(scope scanner.Scope) (janitor.Feed, error) {
			if err := inventory.Narrow(scope); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			return recorded{inventory.Stream(ctx), path}, nil
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
