package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	sourceFlags
	web         web.ServeOptions
	enableApply bool
	runAtStart  bool
	stateDir    string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "Run the schedules of the configuration, and show what they did",
		Long: `Run as a daemon: plan and apply when the schedules of the configuration say so,
one run at a time, and show the latest run, metrics and an API over HTTP.

The configuration is read again on SIGHUP, on POST /-/reload, and when it or a
policy file changes; a bad one is reported, and the one before stays in force.
SIGTERM lets a run that is going on stop where it is safe.

With a PostgreSQL ledger several daemons may run: one works, and another takes
over when it is gone.

  /                      the latest run, the schedules and the history
  /metrics               for Prometheus
  /-/healthy /-/ready    for probes
  POST /-/reload         reads the configuration again
  /api/v1/status         how the daemon stands
  /api/v1/runs           the history; ?limit=20
  /api/v1/runs/latest    the latest run with its plan; ?format=markdown and others
  /api/v1/runs/RUN       another one, as far as the ledger has it
  /api/v1/explain?ref=   every reason for and against one tag, image or namespace
  POST /api/v1/plan      starts a plan
  POST /api/v1/apply     plans and applies; only with --web.enable-apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), &f) },
	}
	f.addLive(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.web.Addresses, "web.listen-address", []string{web.DefaultAddress}, "listen on this `ADDRESS`, such as :9095 for every interface; may be given again")
	flags.BoolVar(&f.web.SystemdSocket, "web.systemd-socket", false, "listen on the sockets that systemd passes instead")
	flags.StringVar(&f.web.ConfigFile, "web.config.file", "", "`FILE` with TLS, basic authentication and headers, as every Prometheus exporter takes it")
	flags.StringArrayVar(&f.web.Hosts, "web.allowed-host", nil, "behind a proxy on this machine: the `HOST` by which the daemon is asked; may be given again")
	flags.BoolVar(&f.enableApply, "web.enable-apply", false, "let POST /api/v1/apply start a run that changes the registry")
	flags.BoolVar(&f.runAtStart, "run-at-start", false, "make a first run as soon as this daemon works (one that stands by: when it takes over): apply if a schedule applies, else plan")
	addStateDir(flags, &f.stateDir)
	return cmd
}

func (a *app) serve(ctx context.Context, f *serveFlags) error {
	state, _ := janitor.StateIn(f.stateDir, "") // only a daemon without a ledger needs it, and says so
	session := a.sessionOptions("", &f.sourceFlags)
	session.Stdin = nil // a daemon could read it only once
	reload, stop := hangups(ctx)
	defer stop()
	f.web.Log, f.web.EnableApply = a.log, f.enableApply
	return daemon.Run(ctx, daemon.Options{
		ConfigFile:  f.config,
		Version:     version(),
		Who:         a.who,
		State:       state,
		RunAtStart:  f.runAtStart,
		EnableApply: f.enableApply,
		Reload:      reload,
		Web:         &f.web,
		Views:       views(),
		Log:         a.log,
		Session:     session,
	})
}

// views are how the daemon shows what it did: as the commands show it.
func views() web.Views {
	v := web.Views{Page: report.DaemonPage, Assets: report.Assets(), Explain: report.Explain}
	for _, f := range report.Formats() {
		v.Formats = append(v.Formats, web.Format{Name: string(f), ContentType: f.ContentType(), Write: func(w io.Writer, run runs.Run) error {
			return report.Write(w, f, run, report.TextOptions{})
		}})
	}
	return v
}

// hangups passes on that somebody wants the configuration to be read again.
func hangups(ctx context.Context) (<-chan struct{}, func()) {
	signals, reload := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			select {
			case reload <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return reload, func() { signal.Stop(signals) }
}
