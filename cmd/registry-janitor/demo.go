package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/examples"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy"
)

// The demo is the same every time: its registry is made from this seed, and its
// clock starts on this day.
const demoSeed = 1

var demoDay = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (a *app) demoCommand() *cobra.Command {
	var f reportFlags
	var apply bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Plan a made-up registry in the built-in emulator; needs no account",
		Long: `Start the built-in emulator with the registry of a made-up company, and show the
plan that the example policies make of it; with --apply, also carry it out. The
demo sends nothing to other machines, and the emulator stops when it ends.

The demo exits with 0, and prints the exit code of a real run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), f, apply) },
	}
	f.add(cmd, "what to print")
	cmd.Flags().BoolVar(&apply, "apply", false, "carry out the plan in the emulator")
	return cmd
}

// demo shows the plan and, with apply, its outcome.
func (a *app) demo(ctx context.Context, f reportFlags, apply bool) error {
	session, stop, err := startDemo(ctx)
	if err != nil {
		return err
	}
	defer stop()
	listKept(session.Planner, f.format)
	done := a.ShowProgress(session.Progress)
	plan, err := demoPlan(ctx, session)
	done()
	if err != nil {
		return err
	}
	run := runs.Run{Plan: plan, Kind: runs.KindPlan, Trigger: runs.TriggerCommand, Exit: janitor.PlanExit(plan), Zone: session.Config.Location()}
	if apply {
		if run, err = a.demoApply(ctx, session, plan); err != nil {
			return err
		}
	}
	if err := a.render(run, f); err != nil {
		return err
	}
	fmt.Fprintf(a.Stderr, "\nThis was the demo: an emulator, and the configuration in examples/demo/janitor.yaml.\nA real run would have exited with %d: %s.\n", run.Exit, meaning(run.Exit))
	if !apply {
		a.Next(f.format, "To propose a configuration for your own registry:  registry-janitor init")
		return nil
	}
	again, err := demoPlan(ctx, session)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stderr, "A second plan has %s left to do.\n", text.Count(len(again.Steps), "step"))
	return nil
}

// demoPlan judges the registry as it is on the day of the demo, so that the plan is
// the same every time.
func demoPlan(ctx context.Context, session *janitor.Session) (*actions.Plan, error) {
	session.TakenAt = demoDay
	return session.Plan(ctx, session.Scan(ctx, janitor.Scope(session.Config)))
}

// demoApply carries the plan out, and records it in a directory that it removes.
func (a *app) demoApply(ctx context.Context, session *janitor.Session, plan *actions.Plan) (runs.Run, error) {
	dir, err := os.MkdirTemp("", "registry-janitor-demo-")
	if err != nil {
		return runs.Run{}, fmt.Errorf("creating the state directory of the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	work := &janitor.ApplyRun{Session: session, Given: plan, Log: a.Log}
	work.Recorder.State = recorder.State{Dir: dir}
	return work.Run(ctx)
}

// meaning describes an exit code.
func meaning(code int) string {
	switch code {
	case janitor.ExitIncomplete:
		return "something could not be read or judged, and nothing is deleted there"
	case janitor.ExitRefused:
		return "a limit refuses the plan, and nothing is changed"
	}
	return "done"
}

// startDemo starts the emulator, and a session that judges its registry.
func startDemo(ctx context.Context) (*janitor.Session, func(), error) {
	c, policies, err := demoPolicies(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := clockFrom(demoDay)
	server, err := listen(ctx, "127.0.0.1:0", emulator.Options{World: worlds.Demo(demoSeed), Now: now})
	if err != nil {
		return nil, nil, err
	}
	go func() { _ = server.serve() }()
	planner := &janitor.Planner{Config: c, Policies: policies, Progress: new(janitor.Progress)}
	session, err := janitor.NewSession(planner, janitor.SessionOptions{Now: now, Connection: scaleway.Options{
		Credentials: &scaleway.Credentials{
			APIURL:    server.url(),
			AccessKey: "SCWXXXXXXXXXXXXXXXXX",
			SecretKey: "11111111-1111-1111-1111-111111111111",
		},
		Concurrency: 16,
		RetryPause:  time.Millisecond, // what the emulator refuses, it refuses again
		Now:         now,
	}})
	if err != nil {
		server.stop()
		return nil, nil, err
	}
	return session, server.stop, nil
}

// clockFrom is a clock that shows exactly start when it is first read, and then
// runs.
func clockFrom(start time.Time) func() time.Time {
	var mu sync.Mutex
	var began time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if began.IsZero() {
			began = clock.Now()
			return start
		}
		return start.Add(clock.Now().Sub(began))
	}
}

func demoPolicies(ctx context.Context) (*config.Config, *policy.Engine, error) {
	const file = "demo/janitor.yaml"
	data, err := fs.ReadFile(examples.Files, file)
	if err != nil {
		return nil, nil, err
	}
	c, err := config.Parse(file, data)
	if err != nil {
		return nil, nil, err
	}
	enforced, trial := c.EnforcedAndTrial()
	policies, err := policy.New(ctx, policy.Options{
		Config: c.Document(),
		Paths:  enforced,
		Trial:  trial,
		FS:     examples.Files,
		Dir:    path.Dir(file),
	})
	return c, policies, err
}
