package main

import (
	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/metrics"
	"github.com/registry-janitor/registry-janitor/report"
)

// textfileFlag adds --metrics.textfile.
func textfileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "metrics.textfile", "", "also write metrics to this `FILE`, for the textfile collector of node_exporter")
}

// writeMetrics writes the metrics of a finished run, if somebody wants them.
func writeMetrics(file string, plan *actions.Plan) error {
	if file == "" {
		return nil
	}
	m := metrics.New(version())
	m.Set(report.Run{Plan: plan})
	return m.WriteTextfile(file)
}
