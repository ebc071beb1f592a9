package inputs

import (
	"context"
	"fmt"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Source is what a command judges, with its planner.
type Source struct {
	Planner *janitor.Planner
	Session *janitor.Session // nil for a recorded scan
	// Scan reads the registry; Feed also reads the use sources.
	Scan  func(scope scanner.Scope) (intake.Feed, error)
	Feed  func(scope scanner.Scope) (intake.Feed, error)
	Close func()
}

// Open reads the configuration and its policies, and opens the source. It does
// not send a request yet.
func (o *Opener) Open(ctx context.Context, f *Flags) (*Source, error) {
	var unneeded []string // keys whose files a recorded scan makes needless
	if f.Inventory != "" {
		unneeded = []string{"protect.kubernetes"}
	}
	planner, err := o.ReadPlanner(ctx, "-c", f.Config, unneeded...)
	if err != nil {
		return nil, err
	}
	var s *Source
	if f.Inventory != "" {
		s, err = o.OpenInventory(ctx, planner, f.Inventory)
	} else {
		s, err = o.OpenSession(ctx, planner, f)
	}
	if err != nil {
		return nil, err
	}
	if err = o.forecast(planner, f.AsOf); err == nil {
		planner.Only, err = f.narrowing(planner.Config)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// ReadPlanner reads a configuration, which flag names, and its policies, for a command
// that does not need the files of some keys.
func (o *Opener) ReadPlanner(ctx context.Context, flag, path string, unneeded ...string) (*janitor.Planner, error) {
	c, err := o.LoadConfig(ctx, flag, path, unneeded...)
	if err != nil {
		return nil, err
	}
	return o.PlannerOf(ctx, c)
}

// PlannerOf reads the policies of a configuration.
func (o *Opener) PlannerOf(ctx context.Context, c *config.Config) (*janitor.Planner, error) {
	policies, err := janitor.Policies(ctx, c, policy.Options{Logger: o.Log})
	if err != nil {
		return nil, err
	}
	return &janitor.Planner{Config: c, Policies: policies, Progress: new(janitor.Progress)}, nil
}

// OpenSession connects to the API. It does not send a request yet.
func (o *Opener) OpenSession(ctx context.Context, planner *janitor.Planner, f *Flags) (*Source, error) {
	session, err := janitor.NewSession(planner, o.SessionOptions(planner.Config.Scaleway.Profile, f))
	if err != nil {
		return nil, err
	}
	session.ShareContents()
	return &Source{
		Planner: planner,
		Session: session,
		Scan:    func(scope scanner.Scope) (intake.Feed, error) { return session.Scan(ctx, scope), nil },
		Feed:    func(scope scanner.Scope) (intake.Feed, error) { return session.Feed(ctx, scope), nil },
		Close:   func() { session.Close(ctx) },
	}, nil
}

// SessionOptions are how to reach the API.
func (o *Opener) SessionOptions(profile string, f *Flags) janitor.SessionOptions {
	session := janitor.SessionOptions{
		Stdin: o.Stdin,
		Now:   o.Now,
		Connection: scaleway.Options{
			Profile:     profile,
			Concurrency: int(f.Concurrency),
			Pool:        new(scaleway.Pool),
			UserAgent:   "registry-janitor/" + o.Version,
			RetryPause:  o.RetryPause,
			Logger:      o.Log,
			Now:         o.Now,
		},
	}
	if f.Observe != nil {
		f.Observe(&session.Connection)
	}
	return session
}

// OpenInventory opens a recorded scan.
func (o *Opener) OpenInventory(ctx context.Context, planner *janitor.Planner, path string) (*Source, error) {
	file, err := o.OpenFile(ctx, "--inventory", path, MaxInventory)
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	inventory, err := scanner.ReadInventory(file)
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("reading the inventory %s: %w", path, err)
	}
	planner.TakenAt = inventory.Header.TakenAt
	scan := func(scope scanner.Scope) (intake.Feed, error) {
		if err := inventory.Narrow(scope); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		planner.Progress.Scan(runs.Judging, scope)
		return recorded{inventory.Stream(ctx), path}, nil
	}
	set := sources.Recorded(planner.Config, o.Stdin, inventory.Header)
	return &Source{
		Planner: planner,
		Scan:    scan,
		Feed: func(scope scanner.Scope) (intake.Feed, error) {
			feed, err := scan(scope)
			if err != nil {
				return nil, err
			}
			return intake.WithUses(ctx, set, func() intake.Feed { return feed }), nil
		},
		Close: func() { _ = file.Close() },
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
