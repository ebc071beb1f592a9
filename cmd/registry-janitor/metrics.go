package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/metrics"
)

// metricsFlags are where the metrics of one run go.
type metricsFlags struct {
	textfile, pushURL, pushJob string

	metrics *metrics.Metrics // nil until they are needed
	written bool
}

func (f *metricsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.textfile, "metrics.textfile", "", "also write metrics to this `FILE`, for the textfile collector of node_exporter; - is standard output, and the report goes to standard error")
	cmd.Flags().StringVar(&f.pushURL, "metrics.push-url", "", "also push metrics to the Pushgateway at this `URL`")
	cmd.Flags().StringVar(&f.pushJob, "metrics.push-job", "registry-janitor", "the `NAME` of the job that they are pushed under")
}

// observe counts the requests to the API, if metrics are configured.
func (f *metricsFlags) observe(o *scaleway.Options) {
	if f.textfile == "" && f.pushURL == "" {
		return
	}
	f.metrics = metrics.New(version())
	o.Observer, o.Waited, o.Retried = f.metrics.Transport, f.metrics.Waited, f.metrics.Retried
}

// observed makes a run, and writes its failure if the run did not come to write its
// metrics itself, such as with an invalid configuration: monitoring must see that
// nothing was done.
func (a *app) observed(ctx context.Context, f *metricsFlags, kind runs.Kind, run func() error) error {
	if err := a.ClaimStdout("--metrics.textfile", f.textfile); err != nil {
		return err
	}
	began := a.Now()
	err := run()
	if err == nil || f.written {
		return err
	}
	failed := runs.Run{Kind: kind, Trigger: runs.TriggerCommand, Started: began, Exit: janitor.ExitIncomplete, Error: err.Error()}
	return errors.Join(err, a.writeMetrics(ctx, f, failed))
}

// writeMetrics writes the metrics of a finished run, if they are configured. A push
// that fails is reported and does not fail the run: a run that is repeated only for
// its metrics would change the registry twice.
func (a *app) writeMetrics(ctx context.Context, f *metricsFlags, run runs.Run) error {
	f.written = true
	if f.textfile == "" && f.pushURL == "" || run.Declined { // the metrics stay those of the last run
		return nil
	}
	if f.metrics == nil { // a recorded scan sends no requests
		f.metrics = metrics.New(version())
	}
	f.metrics.Set(run)
	if f.pushURL != "" {
		if err := f.metrics.Push(context.WithoutCancel(ctx), f.pushURL, f.pushJob); err != nil {
			fmt.Fprintf(a.Stderr, "registry-janitor: %v\n", err)
		}
	}
	if f.textfile == "" {
		return nil
	}
	if terminal.IsStdout(f.textfile) {
		return f.metrics.WriteText(a.Stdout)
	}
	if err := files.Write(ctx, f.textfile, 0o644, f.metrics.WriteText); err != nil { // node_exporter is another user
		return fmt.Errorf("writing the metrics to %s: %w", f.textfile, err)
	}
	return nil
}
