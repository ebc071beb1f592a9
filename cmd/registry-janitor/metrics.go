package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/metrics"
)

// metricsFlags are where the metrics of one run go.
type metricsFlags struct {
	textfile, pushURL, pushJob string

	metrics *metrics.Metrics // nil until they are needed
}

func (f *metricsFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.textfile, "metrics.textfile", "", "also write metrics to this `FILE`, for the textfile collector of node_exporter")
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

// write writes the metrics of a finished run, if they are configured. A push that
// fails is reported and does not fail the run: a run that is repeated only for its
// metrics would change the registry twice.
func (f *metricsFlags) write(ctx context.Context, run runs.Run, stderr io.Writer) error {
	if f.textfile == "" && f.pushURL == "" || run.Declined { // the metrics stay those of the last run
		return nil
	}
	if f.metrics == nil { // a recorded scan sends no requests
		f.metrics = metrics.New(version())
	}
	f.metrics.Set(run)
	if f.pushURL != "" {
		if err := f.metrics.Push(context.WithoutCancel(ctx), f.pushURL, f.pushJob); err != nil {
			fmt.Fprintf(stderr, "registry-janitor: %v\n", err)
		}
	}
	if f.textfile == "" {
		return nil
	}
	return f.metrics.WriteTextfile(f.textfile)
}
