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
	pass   *janitor.Pass
	reader *scaleway.Reader // nil for a recorded scan
	// scan starts the scan, and feed the scan with the uses of what is in it.
	scan  func(scope scanner.Scope) (janitor.Feed, error)
	feed  func(scope scanner.Scope) (janitor.Feed, error)
	uses  janitor.Uses
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
		return a.openInventory(ctx, pass, f.inventory)
	}
	reader, err := a.reader(c, f)
	if err != nil {
		return nil, err
	}
	return a.live(ctx, pass, reader, f.concurrency), nil
}

// reader connects to the API with a client that cannot change anything.
func (a *app) reader(c *config.Config, f sourceFlags) (*scaleway.Reader, error) {
	if f.concurrency < 1 {
		return nil, fmt.Errorf("--concurrency %d: want at least 1", f.concurrency)
	}
	o, err := a.scalewayOptions(c, f)
	if err != nil {
		return nil, err
	}
	return scaleway.NewReader(o)
}

// scalewayOptions are how to reach the API.
func (a *app) scalewayOptions(c *config.Config, f sourceFlags) (scaleway.Options, error) {
	log, err := a.logger()
	return scaleway.Options{
		Profile:     c.Scaleway.Profile,
		Concurrency: f.concurrency,
		UserAgent:   "registry-janitor/" + version(),
		Logger:      log,
	}, err
}

// live is a session over the API.
func (a *app) live(ctx context.Context, pass *janitor.Pass, reader *scaleway.Reader, concurrency int) *session {
	pass.TakenAt = startOfPass()
	pass.Skew = reader.Skew
	scan := func(scope scanner.Scope) janitor.Feed {
		return scanner.Scan(ctx, reader, scanner.Options{Scope: scope, Concurrency: concurrency})
	}
	uses := janitor.NewUses(pass.Config, a.stdin, serverless(reader))
	return &session{
		pass:   pass,
		reader: reader,
		scan:   func(scope scanner.Scope) (janitor.Feed, error) { return scan(scope), nil },
		feed: func(scope scanner.Scope) (janitor.Feed, error) {
			return uses.Watch(ctx, func() janitor.Feed { return scan(scope) }), nil
		},
		uses:  uses,
		close: func() {},
	}
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
	uses := janitor.RecordedUses(pass.Config, a.stdin, inventory.Header)
	return &session{
		pass: pass,
		scan: scan,
		feed: func(scope scanner.Scope) (janitor.Feed, error) {
			feed, err := scan(scope)
			if err != nil {
				return nil, err
			}
			return uses.Watch(ctx, func() janitor.Feed { return feed }), nil
		},
		uses:  uses,
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
