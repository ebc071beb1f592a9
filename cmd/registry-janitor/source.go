package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// sourceFlags name a configuration and the registry that it judges.
type sourceFlags struct {
	config      string
	inventory   string
	concurrency positive
	metrics     metricsFlags
}

// addLive adds the flags of a command that needs the API.
func (f *sourceFlags) addLive(cmd *cobra.Command) {
	configFlag(cmd, &f.config)
	f.addConcurrency(cmd)
}

// addConcurrency adds that of every command that sends requests.
func (f *sourceFlags) addConcurrency(cmd *cobra.Command) {
	f.concurrency = 16
	cmd.Flags().Var(&f.concurrency, "concurrency", "how many requests to send at the same time")
}

// add adds those of a command that takes a recorded scan too.
func (f *sourceFlags) add(cmd *cobra.Command) {
	f.addLive(cmd)
	cmd.Flags().StringVar(&f.inventory, "inventory", "", "judge the inventory in this `FILE`, which scan wrote, instead of reading the registry")
}

// atMostFlag adds the flag of the commands that make a plan.
func atMostFlag(cmd *cobra.Command, atMost *positive) {
	cmd.Flags().Var(atMost, "at-most", "plan only this many deletions, the oldest; what must be deleted together stays together")
	cmd.Flags().Lookup("at-most").DefValue = ""
}

// fullFlag adds the flag of the commands that may use the cache.
func fullFlag(cmd *cobra.Command, full *bool) {
	cmd.Flags().BoolVar(full, "full", false, "list the tags of every image, also of those that have not changed (see scan.max_cache_age)")
}

// positive is the value of a flag that takes a number from 1 on.
type positive int

func (p *positive) String() string { return strconv.Itoa(int(*p)) }

func (p *positive) Type() string { return "int" }

func (p *positive) Set(typed string) error {
	n, err := strconv.Atoi(typed)
	if err != nil || n < 1 {
		return errors.New("want a number, at least 1")
	}
	*p = positive(n)
	return nil
}

// listKept lets the page of a plan list what is kept, too.
func listKept(p *janitor.Planner, f report.Format) {
	if f == report.FormatHTML {
		p.ExplainKept = page.MostKept
	}
}

// source is what a command judges, with its planner.
type source struct {
	planner *janitor.Planner
	session *janitor.Session // nil for a recorded scan
	// scan reads the registry; feed also reads the use sources.
	scan  func(scope scanner.Scope) (janitor.Feed, error)
	feed  func(scope scanner.Scope) (janitor.Feed, error)
	close func()
}

// open reads the configuration and its policies, and opens the source. It does
// not send a request yet.
func (a *app) open(ctx context.Context, f *sourceFlags) (*source, error) {
	planner, err := a.readPlanner(ctx, "-c", f.config, f.unneeded()...)
	if err != nil {
		return nil, err
	}
	if f.inventory != "" {
		return a.openInventory(ctx, planner, f.inventory)
	}
	return a.openSession(ctx, planner, f)
}

// unneeded are the keys of the configuration whose files a recorded scan makes needless.
func (f *sourceFlags) unneeded() []string {
	if f.inventory != "" {
		return []string{"protect.kubernetes"}
	}
	return nil
}

// readPlanner reads a configuration, which flag names, and its policies, for a command
// that does not need the files of some keys.
func (a *app) readPlanner(ctx context.Context, flag, path string, unneeded ...string) (*janitor.Planner, error) {
	c, err := a.loadConfig(ctx, flag, path, unneeded...)
	if err != nil {
		return nil, err
	}
	return a.plannerOf(ctx, c)
}

// plannerOf reads the policies of a configuration.
func (a *app) plannerOf(ctx context.Context, c *config.Config) (*janitor.Planner, error) {
	policies, err := janitor.Policies(ctx, c, policy.Options{Logger: a.log})
	if err != nil {
		return nil, err
	}
	return &janitor.Planner{Config: c, Policies: policies, Progress: new(janitor.Progress)}, nil
}

// openSession connects to the API. It does not send a request yet.
func (a *app) openSession(ctx context.Context, planner *janitor.Planner, f *sourceFlags) (*source, error) {
	session, err := janitor.NewSession(planner, a.sessionOptions(planner.Config.Scaleway.Profile, f))
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
func (a *app) sessionOptions(profile string, f *sourceFlags) janitor.SessionOptions {
	o := janitor.SessionOptions{
		Stdin: a.stdin,
		Now:   a.now,
		Connection: scaleway.Options{
			Profile:     profile,
			Concurrency: int(f.concurrency),
			Pool:        new(scaleway.Pool),
			UserAgent:   "registry-janitor/" + version(),
			Logger:      a.log,
			Now:         a.now,
		},
	}
	f.metrics.observe(&o.Connection)
	return o
}

// openInventory opens a recorded scan.
func (a *app) openInventory(ctx context.Context, planner *janitor.Planner, path string) (*source, error) {
	file, err := a.openFile(ctx, "--inventory", path, maxInventory)
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
		planner.Progress.Scan(runs.Judging, scope)
		return recorded{inventory.Stream(ctx), path}, nil
	}
	set := sources.Recorded(planner.Config, a.stdin, inventory.Header)
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
