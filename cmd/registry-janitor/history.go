package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
)

func (a *app) historyCommand() *cobra.Command {
	var file, stateDir string
	var limit int
	cmd := &cobra.Command{
		Use:   "history -c FILE [REF]",
		Short: "Show the runs in the ledger, or the history of one tag",
		Long: `Without REF, show the runs, newest first. With REF, a full reference, show since when
a tag, image or namespace has been marked for deletion, why it was held, when it was
deleted, and by which run.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLedger(cmd.Context(), file, stateDir, func(ctx context.Context, l *ledger.Ledger) error {
				if len(args) == 1 {
					return a.showTag(ctx, l, args[0])
				}
				return a.listRuns(ctx, l, limit)
			})
		},
	}
	configFlag(cmd, &file)
	cmd.PersistentFlags().StringVar(&stateDir, "state-dir", "", "without ledger.dsn: the state `DIR` of apply")
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "how many runs; 0 for all")
	show := &cobra.Command{
		Use:   "show -c FILE RUN",
		Short: "Show one run: its plan, its outcome, and every step",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is not a run: want a number that history lists", args[0])
			}
			return a.withLedger(cmd.Context(), file, stateDir, func(ctx context.Context, l *ledger.Ledger) error {
				return a.showRun(ctx, l, id)
			})
		},
	}
	configFlag(show, &file)
	cmd.AddCommand(show)
	return cmd
}

// withLedger opens the ledger of a configuration, or of the state directory.
func (a *app) withLedger(ctx context.Context, file, stateDir string, f func(context.Context, *ledger.Ledger) error) error {
	c, err := loadConfig(file)
	if err != nil {
		return err
	}
	state, _ := janitor.StateIn(stateDir, "") // without one there is only the ledger of the configuration
	l, err := janitor.LedgerOf(ctx, c, state)
	if err != nil {
		return err
	}
	defer l.Close()
	return f(ctx, l)
}

// listRuns shows the newest runs.
func (a *app) listRuns(ctx context.Context, l *ledger.Ledger, limit int) error {
	runs, err := l.Runs(ctx, limit)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		_, err := fmt.Fprintln(a.stdout, "No runs yet.")
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTARTED\tKIND\tSTATUS\tEXIT\tSTEPS\tOUTCOME\tBY")
	for _, r := range runs {
		exit, steps := "-", "-" // of a run that is not over, or has no plan
		if !r.Ended.IsZero() {
			exit = strconv.Itoa(r.Exit)
		}
		if s := r.Summary; s != nil {
			steps = strconv.Itoa(s.Steps())
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, stamp(r.Started), r.Kind, r.Status, exit, steps, results(r), r.Who)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = io.WriteString(a.stdout, a.paintRuns(b.String(), runs))
	return err
}

// paintRuns marks the heading of a table of runs, and the runs that need attention.
// It paints whole lines, so that the columns stay in place.
func (a *app) paintRuns(table string, runs []ledger.RunRecord) string {
	c := a.colorOn(a.stdout)
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	lines[0] = c.Bold(lines[0])
	for i, r := range runs {
		switch {
		case r.Ended.IsZero():
			lines[i+1] = c.Cyan(lines[i+1])
		case r.Exit == janitor.ExitRefused:
			lines[i+1] = c.Yellow(lines[i+1])
		case r.Exit != janitor.ExitDone && r.Exit != janitor.ExitChanges:
			lines[i+1] = c.Red(lines[i+1])
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// results counts the results of the steps: "2 done, 1 failed".
func results(r ledger.RunRecord) string {
	var out []string
	add := func(n int, what string) {
		if n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, what))
		}
	}
	for _, result := range actions.Results() {
		add(r.Counts[result], string(result))
	}
	add(r.Unresolved, "unresolved")
	return cmp.Or(strings.Join(out, ", "), "-")
}

// showRun shows one run and its steps.
func (a *app) showRun(ctx context.Context, l *ledger.Ledger, id int64) error {
	run, err := l.Run(ctx, id)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	field("run", strconv.FormatInt(run.ID, 10))
	field("kind", string(run.Kind))
	field("status", fmt.Sprintf("%s, exit code %d", run.Status, run.Exit))
	field("message", run.Message)
	field("started", stamp(run.Started))
	field("ended", stamp(run.Ended))
	field("by", run.Who+", "+run.Program)
	field("configuration", run.ConfigDigest)
	field("policies", run.PolicyDigest)
	field("plan", run.PlanID)
	for _, other := range run.SamePlan {
		field("same plan", "run "+strconv.FormatInt(other, 10))
	}
	field("outcome", results(run.RunRecord))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range run.Steps {
		line := fmt.Sprintf("  %s %s %s", a.paintResult(s.Result), s.Action, s.Ref)
		if s.Detail != "" {
			line += ": " + s.Detail
		}
		fmt.Fprintln(a.stdout, line)
	}
	return nil
}

// paintResult is a result in the width of its column.
func (a *app) paintResult(r actions.Result) string {
	c, padded := a.colorOn(a.stdout), fmt.Sprintf("%-8s", cmp.Or(string(r), "unresolved"))
	switch r {
	case actions.ResultDone, actions.ResultGone:
		return c.Green(padded)
	case actions.ResultChanged, actions.ResultBlocked:
		return c.Yellow(padded)
	}
	return c.Red(padded)
}

// showTag shows the events of one tag, image or namespace.
func (a *app) showTag(ctx context.Context, l *ledger.Ledger, ref string) error {
	events, err := l.History(ctx, ref)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("the ledger has no record of %s", ref)
	}
	fmt.Fprintln(a.stdout, a.colorOn(a.stdout).Bold(ref))
	for _, e := range events {
		parts := []string{string(e.Action), string(e.Guard), string(e.Result), e.Detail}
		for _, r := range e.Reasons {
			parts = append(parts, r.Rule+": "+r.Text)
		}
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		fmt.Fprintf(a.stdout, "  %s  %-9s %s  (run %d, %s)\n", stamp(e.At), e.Kind, strings.Join(parts, "; "), e.Run, e.Who)
	}
	return nil
}
