package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// planFlags are the flags of plan.
type planFlags struct {
	runFlags
	out      string
	detailed bool
	compare  string
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan -c FILE [--compare OTHER [NEW.json]]",
		Short: "Show what the policies would do, and why; nothing is changed",
		Long: `Scan the registry, judge every image, and show the plan: what would be deleted or
made private, which marked tags are kept anyway, and what violates a policy, each
with its reason. A plan sends only GET requests.

With --at-most N, the plan has only the N oldest deletions, and the guard at_most
holds the others. The tags of a digest, and signatures and the like with their
subject, stay together. The limits look at what remains, so a first cleanup that they
refuse can be made in slices.

Exit codes: 0 done; 1 an error, or something could not be read or judged;
2 with --detailed-exitcode, the plan has steps or deny violations;
3 a limit refuses the plan. 3 beats 1 beats 2.

With --as-of, the plan is a forecast: what the same policies would do at that time
with what is in the registry now. A day begins at midnight in the time zone of the
configuration; +30d counts from the scan on, -30d back from it. A forecast is never
applied.` + narrowHelp + compareHelp,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.CheckAsOf(cmd); err != nil {
				return err
			}
			switch {
			case cmd.Flags().Changed("compare"):
				return a.compare(cmd, &f, args)
			case len(args) > 0:
				return fmt.Errorf("plan takes an argument only with --compare: %q", args[0])
			}
			return a.observed(cmd.Context(), &f.metrics, runs.KindPlan, func() error { return a.plan(cmd.Context(), &f) })
		},
	}
	f.Add(cmd)
	f.runFlags.add(cmd, "what to print (with --compare, text, json or markdown)")
	f.AddAsOf(cmd)
	f.AddNarrowing(cmd)
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "also write the plan as JSON to this `FILE`; - is standard output, and the report goes to standard error")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when the plan has steps or deny violations")
	cmd.Flags().StringVar(&f.compare, "compare", "", "show how the plan differs from that of another configuration `FILE`, or a saved plan (.json)")
	return cmd
}

func (a *app) plan(ctx context.Context, f *planFlags) error {
	if err := a.ClaimStdout("-o", f.out); err != nil {
		return err
	}
	s, err := a.Open(ctx, &f.Flags)
	if err != nil {
		return err
	}
	defer s.Close()
	f.tell(s.Planner)
	notify, err := a.notifier(s)
	if err != nil {
		return err
	}
	run, err := a.makePlan(ctx, s, f)
	if !run.Forecast() && f.Inventory == "" && s.Planner.Only.IsZero() { // they are about the whole
		defer notify(ctx, run)
	}
	if none := nothingMatches(run.Plan); none != nil {
		run.Plan, err = nil, errors.Join(err, none)
	}
	if run.Plan != nil && f.out != "" {
		err = errors.Join(err, a.WriteFile(ctx, f.out, run.Plan.Encode))
	}
	err = a.finish(ctx, run, err, func(run runs.Run) error { return a.render(run, f.reportFlags) }, &f.metrics)
	a.Next(f.format, afterPlan(f, run, s.Planner.Config)...)
	return err
}

// makePlan makes the plan. The ledger records it only if it is a plan of the
// registry as it is now.
func (a *app) makePlan(ctx context.Context, s *inputs.Source, f *planFlags) (runs.Run, error) {
	stop := a.ShowProgress(s.Planner.Progress)
	defer stop()
	exit := func(plan *actions.Plan) int { return planExit(plan, f.detailed) }
	if s.Session != nil && f.AsOf == "" {
		return s.Session.MakePlan(ctx, a.recorderOptions(0), exit)
	}
	run := runs.Run{Kind: runs.KindPlan, Trigger: runs.TriggerCommand, Price: janitor.PriceOf(s.Planner.Config), Zone: s.Planner.Config.Location()}
	if err := s.Planner.ReadLedger(ctx); err != nil {
		return run, err
	}
	feed, err := s.Feed(s.Planner.Scope())
	if err != nil {
		return run, err
	}
	run.Waivers = s.Planner.Waivers()
	if run.Plan, err = s.Planner.Plan(ctx, feed); err != nil {
		return run, err
	}
	run.Exit = exit(run.Plan)
	return run, nil
}

// planExit is the exit code of a plan.
func planExit(plan *actions.Plan, detailed bool) int {
	code := janitor.PlanExit(plan)
	if code == janitor.ExitDone && detailed && (len(plan.Steps) > 0 || plan.Summary.Deny > 0) {
		return janitor.ExitChanges
	}
	return code
}

// narrowHelp belongs to the help of plan.
const narrowHelp = `

With --region, --namespace or --image, the plan is about a part of the scope; each may
be repeated, and what matches one value of every flag counts. What is left out is not
read. Every use source still is, and every rule and guard decides as always, so a
narrowed plan has no step that the plan of the whole scope would not have. With
--image, namespaces themselves are not judged. The limits look at the narrowed plan:
max_deletion_percent is the share of the tags in it. The saved plan is one of the same
configuration, and apply carries it out as usual, with the limits computed for whole
namespaces.`

// nothingMatches is an error if there is nothing in a narrowed plan, and nothing that
// was left unread: then a flag has a mistake.
func nothingMatches(p *actions.Plan) error {
	if p == nil || len(p.Narrowed) == 0 || p.Summary.Namespaces+p.Summary.Images+len(p.Gaps) > 0 || len(p.Violations) > 0 {
		return nil
	}
	hint := ""
	for _, flag := range p.Narrowed {
		if image, ok := strings.CutPrefix(flag, "--image "); ok && strings.Contains(image, "/") {
			hint = ": --image takes the name of an image without its namespace, for which there is --namespace"
		}
	}
	return fmt.Errorf("nothing in the scope of the configuration matches %s%s", strings.Join(p.Narrowed, " "), hint)
}
