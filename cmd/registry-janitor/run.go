package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// runFlags are the flags that plan and apply share.
type runFlags struct {
	inputs.Flags
	reportFlags
	metrics metricsFlags
	atMost  syntax.Positive
	full    bool
}

func (f *runFlags) add(cmd *cobra.Command, format string) {
	f.reportFlags.add(cmd, format)
	f.metrics.add(cmd)
	f.Observe = f.metrics.observe
	cmd.Flags().Var(&f.atMost, "at-most", "plan only this many deletions, the oldest; what must be deleted together stays together")
	cmd.Flags().Lookup("at-most").DefValue = ""
	cmd.Flags().BoolVar(&f.full, "full", false, "list the tags of every image, also of those that have not changed (see scan.max_cache_age)")
}

// tell tells the planner what the flags ask for.
func (f *runFlags) tell(p *janitor.Planner) {
	p.AtMost, p.Full = int(f.atMost), f.full
	listKept(p, f.format)
}

// listKept lets the page of a plan list what is kept, too.
func listKept(p *janitor.Planner, f report.Format) {
	if f == report.FormatHTML {
		p.ExplainKept = page.MostKept
	}
}

// reportFlags are how a run is printed.
type reportFlags struct {
	format  report.Format
	details report.Details
	again   func(args ...string) string // nil until the configuration is known
}

func (f *reportFlags) add(cmd *cobra.Command, usage string) {
	syntax.Enum(cmd, cmd.Flags(), &f.format, "format", report.FormatText, usage, report.Formats()...)
	syntax.Enum(cmd, cmd.Flags(), &f.details, "details", report.DetailsAuto, "how much the text shows; auto shortens what is longer than about 300 lines",
		report.DetailsAuto, report.DetailsAll, report.DetailsNone)
}

// render prints a run to standard output.
func (a *app) render(run runs.Run, f reportFlags) error {
	return a.printReport(f, func(w io.Writer, o report.TextOptions) error { return report.Write(w, f.format, run, o) })
}

// printReport writes to where reports go; a text that is longer than a terminal is
// paged.
func (a *app) printReport(f reportFlags, write func(io.Writer, report.TextOptions) error) error {
	o := a.TextOptions()
	o.Details, o.Again = f.details, f.again
	if f.format != report.FormatText {
		return write(a.Reports(), o)
	}
	return a.PrintText(func(w io.Writer) error { return write(w, o) })
}

// finish prints a run that plan or apply made, writes its metrics, and returns what
// the program exits with.
func (a *app) finish(ctx context.Context, run runs.Run, err error, render func(runs.Run) error, m *metricsFlags) error {
	if run.Plan != nil {
		err = errors.Join(err, render(run))
	}
	err = errors.Join(err, a.writeMetrics(ctx, m, run))
	switch {
	case err != nil && run.Exit != janitor.ExitRefused:
		return &terminal.Exit{Code: janitor.ExitIncomplete, Err: err}
	case err != nil || run.Exit != janitor.ExitDone:
		return &terminal.Exit{Code: run.Exit, Err: err}
	}
	return nil
}

// addStateDir adds --state-dir, and --journal, which it replaces.
func addStateDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "state-dir", "", "without ledger.dsn: the `DIR` whose ledger.db records every apply (default $XDG_STATE_HOME/registry-janitor, or ~/.local/state/registry-janitor)")
	flags.Func("journal", "replaced by --state-dir", func(string) error {
		return errors.New("--state-dir DIR replaces it: apply records in DIR/ledger.db. If the file holds an interrupted run, move it to DIR/journal.jsonl, and the next apply resolves that run")
	})
	_ = flags.MarkHidden("journal") // it was defined above
}
