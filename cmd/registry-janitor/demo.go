package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/config"
	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/examples"
	"github.com/registry-janitor/registry-janitor/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/scaleway"
)

// The demo is the same every time: its registry is made from this seed, and its
// clock starts on this day.
const demoSeed = 1

var demoDay = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (a *app) demoCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Plan a made-up registry in the built-in emulator; needs no account",
		Long: `Start the built-in emulator with the registry of a made-up company, and show the
plan that the example policies make of it. Nothing leaves this machine.

The demo exits with 0, and says what a real run would have exited with.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			return a.demo(cmd.Context(), format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "what to print: text or json")
	return cmd
}

func (a *app) demo(ctx context.Context, format string) error {
	c, policies, err := demoPolicies(ctx)
	if err != nil {
		return err
	}
	clock := clockFrom(demoDay)
	url, stop, err := startEmulator(clock)
	if err != nil {
		return err
	}
	defer stop()
	reader, err := scaleway.NewReader(scaleway.Options{
		Credentials: &scaleway.Credentials{
			APIURL:    url,
			AccessKey: "SCWXXXXXXXXXXXXXXXXX",
			SecretKey: "11111111-1111-1111-1111-111111111111",
		},
		Now: clock,
	})
	if err != nil {
		return err
	}
	s := live(ctx, &janitor.Pass{Config: c, Policies: policies, Progress: new(janitor.Progress)}, reader, 16)
	s.pass.TakenAt = demoDay
	feed, err := s.feed(janitor.Scope(c))
	if err != nil {
		return err
	}
	done := showProgress(a.stderr, s.pass.Progress)
	plan, err := s.pass.Plan(ctx, feed)
	done()
	if err != nil {
		return err
	}
	if err := a.render(plan, format); err != nil {
		return err
	}
	code, why := meaning(status(plan, false))
	fmt.Fprintf(a.stderr, "\nThis was the demo: an emulator, and the configuration in examples/demo/janitor.yaml.\nA real run would have exited with %d: %s.\n", code, why)
	return nil
}

// meaning words an exit code.
func meaning(err error) (int, string) {
	var code int
	if status, ok := err.(*statusError); ok {
		code = status.code
	}
	switch code {
	case exitIncomplete:
		return code, "something could not be read or judged, and nothing is deleted there"
	case exitRefused:
		return code, "a limit refuses the plan, and nothing is changed"
	}
	return code, "done"
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
	handler, err := emulator.New(emulator.Options{World: emulator.DemoWorld(demoSeed), Now: clock})
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
