package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/examples"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
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
	var format report.Format
	var apply bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Plan a made-up registry in the built-in emulator; needs no account",
		Long: `Start the built-in emulator with the registry of a made-up company, and show the
plan that the example policies make of it; with --apply, also carry it out.
Nothing leaves this machine, and the emulator is gone afterwards.

The demo exits with 0, and says what a real run would have exited with.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := startDemo(cmd.Context())
			if err != nil {
				return err
			}
			defer d.stop()
			return a.demo(cmd.Context(), d, format, apply)
		},
	}
	enumFlag(cmd, cmd.Flags(), &format, "format", report.FormatText, "what to print", report.Formats()...)
	cmd.Flags().BoolVar(&apply, "apply", false, "carry the plan out, in the emulator")
	return cmd
}

// demo shows the plan and, if asked to, what became of it.
func (a *app) demo(ctx context.Context, d *demonstration, format report.Format, apply bool) error {
	done := showProgress(a.stderr, d.session.Progress)
	plan, err := d.plan(ctx)
	done()
	if err != nil {
		return err
	}
	run := runs.Run{Plan: plan, Kind: "plan", Trigger: runs.TriggerCommand, Exit: janitor.PlanExit(plan)}
	if apply {
		if run, err = a.demoApply(ctx, d, plan); err != nil {
			return err
		}
	}
	if err := a.render(run, format); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "\nThis was the demo: an emulator, and the configuration in examples/demo/janitor.yaml.\nA real run would have exited with %d: %s.\n", run.Exit, meaning(run.Exit))
	if !apply {
		return nil
	}
	again, err := d.plan(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "Planned again afterwards: %s left to do.\n", text.Count(len(again.Steps), "step"))
	return nil
}

// demoApply carries the plan out, and records it in a directory that it removes.
func (a *app) demoApply(ctx context.Context, d *demonstration, plan *actions.Plan) (runs.Run, error) {
	dir, err := os.MkdirTemp("", "registry-janitor-demo-")
	if err != nil {
		return runs.Run{}, fmt.Errorf("creating the state directory of the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	work := &janitor.ApplyRun{Session: d.session, Given: plan, Log: a.log}
	work.Recorder.State = janitor.State{Dir: dir}
	return work.Run(ctx)
}

// demonstration is an emulator with the demo's registry, and a session over it.
type demonstration struct {
	session *janitor.Session
	stop    func()
}

func startDemo(ctx context.Context) (*demonstration, error) {
	c, policies, err := demoPolicies(ctx)
	if err != nil {
		return nil, err
	}
	clock := clockFrom(demoDay)
	url, stop, err := startEmulator(clock)
	if err != nil {
		return nil, err
	}
	planner := &janitor.Planner{Config: c, Policies: policies, Progress: new(janitor.Progress)}
	session, err := janitor.NewSession(planner, janitor.SessionOptions{Now: clock, Connection: scaleway.Options{
		Credentials: &scaleway.Credentials{
			APIURL:    url,
			AccessKey: "SCWXXXXXXXXXXXXXXXXX",
			SecretKey: "11111111-1111-1111-1111-111111111111",
		},
		Concurrency: 16,
		Now:         clock,
	}})
	if err != nil {
		stop()
		return nil, err
	}
	return &demonstration{session, stop}, nil
}

// plan judges the registry as on the day of the demo, so that the plan is the same
// every time.
func (d *demonstration) plan(ctx context.Context) (*actions.Plan, error) {
	d.session.TakenAt = demoDay
	return d.session.Plan(ctx, d.session.Scan(ctx, janitor.Scope(d.session.Config)))
}

// meaning words an exit code.
func meaning(code int) string {
	switch code {
	case janitor.ExitIncomplete:
		return "something could not be read or judged, and nothing is deleted there"
	case janitor.ExitRefused:
		return "a limit refuses the plan, and nothing is changed"
	}
	return "done"
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
	policies, err := policy.New(ctx, policy.Options{
		Config: c.Document(),
		Paths:  c.PolicyPaths(),
		FS:     examples.Files,
		Dir:    path.Dir(file),
	})
	return c, policies, err
}

// startEmulator serves the demo's registry on a free port of this machine alone.
func startEmulator(clock func() time.Time) (url string, stop func(), err error) {
	handler, err := emulator.New(emulator.Options{World: worlds.Demo(demoSeed), Now: clock})
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("starting the emulator: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}
