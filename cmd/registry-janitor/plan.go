package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// planFlags are the flags of plan.
type planFlags struct {
	sourceFlags
	out      string
	format   report.Format
	detailed bool
	asOf     string
	compare  string
	metrics  metricsFlags
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan -c FILE [--compare OTHER [NEW.json]]",
		Short: "Show what the policies would do, and why; nothing is changed",
		Long: `Scan the registry, judge every image, and show what follows: what would be
deleted or made private, what stays although a rule condemned it, and what
violates a policy, each with its reason. A plan sends nothing but GET.

Exit codes: 0 done; 1 an error, or something could not be read or judged;
2 with --detailed-exitcode, when there are steps or deny violations;
3 a limit refuses the plan. 3 beats 1 beats 2.

With --as-of, the plan is a forecast: what the same policies would do then, on
what is there now. A day begins at midnight in the time zone of the
configuration. A forecast is never applied.` + compareHelp,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cmd.Flags().Changed("as-of") && f.asOf == "":
				return fmt.Errorf("--as-of is empty: want a day such as 2026-12-24 or a time such as 2026-12-24T03:00:00Z")
			case cmd.Flags().Changed("compare"):
				return a.compare(cmd, f, args)
			case len(args) > 0:
				return fmt.Errorf("plan takes no argument but with --compare: %q", args[0])
			}
			return a.plan(cmd.Context(), f)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "also write the plan as JSON to this `FILE`")
	enumFlag(cmd, cmd.Flags(), &f.format, "format", report.FormatText, "what to print (with --compare, text, json or markdown)", report.Formats()...)
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when the plan has steps or deny violations")
	cmd.Flags().StringVar(&f.asOf, "as-of", "", "forecast: plan as if it were this `TIME` (2026-12-24 or RFC 3339)")
	cmd.Flags().StringVar(&f.compare, "compare", "", "show how the plan differs from that of another configuration `FILE`, or a saved plan (.json)")
	f.metrics.add(cmd)
	return cmd
}

func (a *app) plan(ctx context.Context, f planFlags) error {
	f.observe = f.metrics.observe
	s, err := a.openAt(ctx, f)
	if err != nil {
		return err
	}
	defer s.close()
	tell, err := a.notifier(s)
	if err != nil {
		return err
	}
	exit := func(plan *actions.Plan) int { return exitOf(plan, f.detailed) }
	run, err := a.makePlan(ctx, s, f, exit)
	if !run.Forecast() && f.inventory == "" {
		defer tell(ctx, run)
	}
	if run.Plan != nil && f.out != "" {
		err = errors.Join(err, writePlan(f.out, run.Plan))
	}
	if run.Plan != nil {
		err = errors.Join(err, a.render(run, f.format))
	}
	err = errors.Join(err, f.metrics.write(ctx, run, a.stderr))
	return status(worse(run.Exit, err), err)
}

// makePlan makes the plan, and records it where it says something about now.
func (a *app) makePlan(ctx context.Context, s *source, f planFlags, exit func(*actions.Plan) int) (runs.Run, error) {
	stop := showProgress(a.stderr, s.planner.Progress)
	defer stop()
	if s.session != nil && f.asOf == "" {
		return s.session.MakePlan(ctx, a.recorderOptions(0), exit)
	}
	run := runs.Run{Kind: runs.KindPlan, Trigger: runs.TriggerCommand, Price: janitor.PriceOf(s.planner.Config)}
	if err := s.planner.ReadLedger(ctx); err != nil {
		return run, err
	}
	feed, err := s.feed(janitor.Scope(s.planner.Config))
	if err != nil {
		return run, err
	}
	if run.Plan, err = s.planner.Plan(ctx, feed); err != nil {
		return run, err
	}
	run.Exit = exit(run.Plan)
	return run, nil
}

// openAt opens the source, and moves it to the time of a forecast.
func (a *app) openAt(ctx context.Context, f planFlags) (*source, error) {
	s, err := a.open(ctx, f.sourceFlags)
	if err != nil || f.asOf == "" {
		return s, err
	}
	at, err := parseTime(f.asOf, s.planner.Config.Location())
	if err != nil {
		s.close()
		return nil, err
	}
	scanned := s.planner.TakenAt
	if at.Before(scanned) {
		fmt.Fprintf(a.stderr, "registry-janitor: --as-of %s lies before the scan of %s: what was deleted since is not in it, and what was pushed since counts as new\n",
			f.asOf, scanned.Format(time.RFC3339))
	}
	s.planner.TakenAt, s.planner.ScannedAt, s.planner.Forecast = at, scanned, true
	return s, nil
}

// exitOf is the exit code of a plan.
func exitOf(plan *actions.Plan, detailed bool) int {
	code := janitor.PlanExit(plan)
	if code == janitor.ExitDone && detailed && (len(plan.Steps) > 0 || plan.Summary.Deny > 0) {
		return janitor.ExitChanges
	}
	return code
}

// status ends the program with an exit code, and says why if there is more to say
// than the report did.
func status(code int, err error) error {
	if code == janitor.ExitDone && err == nil {
		return nil
	}
	return &statusError{code: code, err: err}
}

// render prints the run to standard output.
func (a *app) render(run runs.Run, format report.Format) error {
	return report.Write(a.stdout, format, run, a.textOptions())
}

// writePlan replaces the file in one step, so that nobody reads half a plan.
func writePlan(path string, plan *actions.Plan) (err error) {
	return writeFile(path, plan.Encode)
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// parseTime reads a time, or a day in the zone of the configuration.
func parseTime(text string, zone *time.Location) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02", text, zone)
	}
	if year := t.UTC().Year(); err != nil || year < 1 || year > 9999 { // what a plan can hold
		return time.Time{}, fmt.Errorf("--as-of %q: want a day such as 2026-12-24 or a time such as 2026-12-24T03:00:00Z", text)
	}
	return t.UTC(), nil
}
