package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// historyFlags are the flags of history and of history show.
type historyFlags struct {
	config   string
	stateDir string
	format   report.Format
	limit    int
}

func (a *app) historyCommand() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "history -c FILE [REF]",
		Short: "Show the runs in the ledger, or the history of one tag, image or namespace",
		Long: `Without REF, show the runs, newest first. With REF, show since when a tag, an image
with its tags, or a namespace with all that is in it has been marked for deletion, why
it was held, when it was deleted, and by which run. REF is that of explain.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.showEvents(cmd.Context(), &f, args[0])
			}
			return a.listRuns(cmd.Context(), &f)
		},
	}
	cmd.PersistentFlags().StringVar(&f.stateDir, "state-dir", "", "without ledger.dsn: the state `DIR` of apply")
	cmd.Flags().IntVarP(&f.limit, "limit", "n", 20, "how many runs; 0 for all")
	show := &cobra.Command{
		Use:   "show -c FILE RUN",
		Short: "Show one run: its plan, its outcome, and every step",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.showRun(cmd.Context(), &f, args[0]) },
	}
	for _, c := range []*cobra.Command{cmd, show} {
		inputs.ConfigFlag(c, &f.config)
		syntax.Format(c, &f.format)
	}
	cmd.AddCommand(show)
	return cmd
}

// pastRuns is an open ledger, and how to show what it has.
type pastRuns struct {
	*ledger.Ledger
	config  *config.Config
	options report.HistoryOptions
}

// withLedger opens the ledger of a configuration, or of the state directory.
func (a *app) withLedger(ctx context.Context, f *historyFlags, show func(*pastRuns) error) error {
	c, err := a.LoadConfig(ctx, "-c", f.config, "policies", "policy", "protect")
	if err != nil {
		return err
	}
	state, _ := recorder.StateIn(f.stateDir, "") // without one there is only the ledger of the configuration
	l, err := recorder.LedgerOf(ctx, c, state)
	if err != nil {
		return err
	}
	defer l.Close()
	return show(&pastRuns{l, c, report.HistoryOptions{Color: a.ColorOn(a.Stdout), Zone: c.Location(), Again: again(f.config, f.stateDir, c)}})
}

// listRuns shows the newest runs.
func (a *app) listRuns(ctx context.Context, f *historyFlags) error {
	return a.withLedger(ctx, f, func(l *pastRuns) error {
		past, err := l.Runs(ctx, f.limit)
		if err != nil {
			return err
		}
		if f.format == report.FormatJSON {
			return a.PrintJSON(map[string]any{"runs": append([]ledger.RunRecord{}, past...)}) // never null
		}
		return report.Runs(a.Stdout, past, l.options)
	})
}

// showRun shows one run and its steps.
func (a *app) showRun(ctx context.Context, f *historyFlags, number string) error {
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a run: want a number that history lists", number)
	}
	return a.withLedger(ctx, f, func(l *pastRuns) error {
		run, err := l.RunWithPlan(ctx, id)
		if err != nil {
			return err
		}
		if run.Approvals, err = a.approvalsOf(ctx, l, run); err != nil {
			return err
		}
		if f.format == report.FormatJSON {
			run.Steps = append([]ledger.StepRecord{}, run.Steps...) // never null
			return a.PrintJSON(run)
		}
		return report.RunDetails(a.Stdout, run, l.options)
	})
}

// approvalsOf are the approvals of the plan of a run: of a run that applied it, when it
// began.
func (a *app) approvalsOf(ctx context.Context, l *pastRuns, run *ledger.RunDetails) (*runs.Approvals, error) {
	if l.config.Approvals == nil || run.PlanID == "" || run.Summary == nil || run.Summary.Steps() == 0 {
		return nil, nil
	}
	plan, err := l.Plan(ctx, run.PlanID)
	if errors.Is(err, ledger.ErrUnknownPlan) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	at := a.Now()
	if run.Kind == runs.KindApply {
		at = run.Started
	}
	return admission.Approvals(ctx, l.config, l.Ledger, plan, nil, at)
}

// showEvents shows the events of one tag, image or namespace.
func (a *app) showEvents(ctx context.Context, f *historyFlags, name string) error {
	return a.withLedger(ctx, f, func(l *pastRuns) error {
		named, err := lookup.Parse(name, l.config.Scaleway.Regions)
		if err != nil {
			return err
		}
		ref, events, err := named.History(ctx, l.Ledger)
		if err != nil {
			return err
		}
		events = a.withArchived(ctx, l.config, ref, events)
		if f.format == report.FormatJSON {
			return a.PrintJSON(map[string]any{"ref": ref, "events": events})
		}
		return report.Events(a.Stdout, ref, events, l.options)
	})
}
