package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/web"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	inputs.Flags
	web         web.ServeOptions
	enableApply bool
	runAtStart  bool
	stateDir    string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve -c FILE",
		Short: "Run the schedules of the configuration, and serve their results",
		Long: `Run as a daemon: plan and apply on the schedules of the configuration, one run at a
time, and serve the latest run, metrics and an API over HTTP.

The daemon reads the configuration again on SIGHUP, on POST /-/reload, and when it
or a policy file changes. It reports an invalid configuration, and continues with
the previous one. On SIGTERM an active run stops as soon as it is safe.

With a PostgreSQL ledger several daemons may run: one is active, and another takes
over when it stops.

  /                      the latest run, the schedules and the history
  /runs/RUN              an earlier run, from the ledger
  /metrics               for Prometheus
  /-/healthy /-/ready    health checks
  POST /-/reload         read the configuration again
  /api/v1/status         the state of the daemon
  /api/v1/events         the state while the page is open, as server-sent events
  /api/v1/runs           the history; ?limit=20
  /api/v1/runs/latest    the latest run with its plan; ?format=markdown and other formats
  /api/v1/runs/RUN       an earlier run, from the ledger
  POST /api/v1/explain   ref=REF: what explain --format json prints
  POST /api/v1/plan      start a plan
  POST /api/v1/apply     plan and apply; only with --web.enable-apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), &f) },
	}
	f.AddAPI(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.web.Addresses, "web.listen-address", []string{web.DefaultAddress}, "listen on this `ADDRESS`, such as :9095 for every interface; may be repeated")
	flags.BoolVar(&f.web.SystemdSocket, "web.systemd-socket", false, "listen on the sockets that systemd passes instead")
	flags.StringVar(&f.web.ConfigFile, "web.config.file", "", "`FILE` with TLS, basic authentication and headers, in the format of all Prometheus exporters")
	flags.StringArrayVar(&f.web.Hosts, "web.allowed-host", nil, "answer under localhost and this `HOST` name only; may be repeated")
	flags.BoolVar(&f.enableApply, "web.enable-apply", false, "let POST /api/v1/apply start a run that changes the registry; beyond the loopback address this needs authentication or --web.allowed-host")
	flags.BoolVar(&f.runAtStart, "run-at-start", false, "run once as soon as this daemon is active: apply if a schedule applies, else plan")
	addStateDir(flags, &f.stateDir)
	return cmd
}

func (a *app) serve(ctx context.Context, f *serveFlags) error {
	if terminal.IsStdin(f.Config) {
		return errors.New("serve reads its configuration again when it changes, so -c must name a file")
	}
	state, _ := recorder.StateIn(f.stateDir, "") // only a daemon without a ledger needs it, and reports the error
	session := a.SessionOptions("", &f.Flags)
	session.Stdin = nil // a daemon could read it only once
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	f.web.Log, f.web.EnableApply = a.Log, f.enableApply
	return daemon.Run(ctx, daemon.Options{
		ConfigFile:  f.Config,
		Load:        inputs.LoadConfig,
		Version:     a.Version,
		Who:         a.who,
		State:       state,
		RunAtStart:  f.runAtStart,
		EnableApply: f.enableApply,
		Reload:      hangups,
		Web:         &f.web,
		Views:       views(),
		Log:         a.Log,
		Session:     session,
	})
}

// views render runs as the commands do.
func views() web.Views {
	v := web.Views{Page: page.Daemon, Updates: page.Updates, MostKept: page.MostKept, Assets: page.Assets(), Explain: func(w io.Writer, e runs.Explanation) error {
		return report.Explain(w, e, report.TextOptions{})
	}}
	for _, f := range report.Formats() {
		v.Formats = append(v.Formats, web.Format{Name: string(f), ContentType: f.ContentType(), Write: func(w io.Writer, run runs.Run) error {
			return report.Write(w, f, run, report.TextOptions{Details: report.DetailsAll})
		}})
	}
	return v
}
