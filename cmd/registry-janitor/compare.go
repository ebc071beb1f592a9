package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// compareHelp belongs to the help of plan.
const compareHelp = `

With --compare OTHER, the output is not the plan but how it differs from another
one: which tags, images, namespaces and visibilities only one of them would
change, by which rule, and why the other one leaves them alone.

  plan -c janitor.yaml --compare main.yaml    two configurations on one scan
  plan -c janitor.yaml --compare OLD.json     a configuration and a saved plan
  plan --compare OLD.json NEW.json            two saved plans, without a scan

OTHER is "before"; it is a saved plan if its name ends in .json. The -c file, or
NEW.json, is "after". Two configurations are judged on one scan, made in the scope
of the -c file: what only the other one covers is not compared. The grace period
is ignored, and nothing is recorded.

The output of --format markdown fits in a comment on a pull request. Exit codes:
1 either plan is incomplete; 2 with --detailed-exitcode, they differ; 3 a limit
refuses the plan "after". 3 beats 1 beats 2.`

// compare shows how two plans differ.
func (a *app) compare(cmd *cobra.Command, f *planFlags, args []string) error {
	if err := checkCompare(cmd, f, args); err != nil {
		return err
	}
	var c *diff.Comparison
	var price runs.Price
	var err error
	if len(args) == 1 {
		c, err = a.compareSaved(cmd.Context(), f.compare, args[0])
	} else {
		c, price, err = a.compareScan(cmd.Context(), f)
	}
	if err != nil {
		return err
	}
	write := func(w io.Writer, o report.TextOptions) error {
		o.Price = price
		return report.Compare(w, f.format, c, o)
	}
	if err := a.printReport(f.reportFlags, write); err != nil {
		return err
	}
	switch {
	case c.After.Refused:
		return &terminal.Exit{Code: janitor.ExitRefused}
	case c.Incomplete():
		return &terminal.Exit{Code: janitor.ExitIncomplete}
	case f.detailed && c.Differ():
		return &terminal.Exit{Code: janitor.ExitChanges}
	}
	return nil
}

// checkCompare refuses flags that would have no effect.
func checkCompare(cmd *cobra.Command, f *planFlags, args []string) error {
	if !slices.Contains(report.CompareFormats(), f.format) {
		return fmt.Errorf("--format %s: with --compare, want text, json or markdown", f.format)
	}
	if f.compare == "" {
		return errors.New("--compare is empty: name another configuration, or a saved plan")
	}
	if f.out != "" {
		return errors.New("-o has no effect with --compare, which makes no plan: save each plan with plan -o, then compare the files")
	}
	if f.atMost > 0 {
		return errors.New("--at-most has no effect with --compare, which compares all that two plans do: leave it out")
	}
	if len(args) == 0 {
		return checkNarrowed(cmd, f)
	}
	if !isPlan(f.compare) {
		return fmt.Errorf("--compare %s %s: a saved plan can only be compared with another saved plan here: to compare it with a configuration, run plan -c %s --compare %s", f.compare, args[0], f.compare, args[0])
	}
	for _, flag := range []string{"config", "inventory", "as-of", "region", "namespace", "image"} {
		if cmd.Flags().Changed(flag) {
			return fmt.Errorf("--%s has no effect with two saved plans, which are only compared", flag)
		}
	}
	return nil
}

// checkNarrowed refuses to compare a part with the whole.
func checkNarrowed(cmd *cobra.Command, f *planFlags) error {
	for _, flag := range []string{"region", "namespace", "image"} {
		if cmd.Flags().Changed(flag) && (isPlan(f.compare) || terminal.IsStream(f.compare)) {
			return fmt.Errorf("--%s narrows only one of the two plans: compare two configurations, or make the saved plan again with --%s and compare the two files", flag, flag)
		}
	}
	return nil
}

// isPlan reports whether a file is a saved plan, by its name.
func isPlan(path string) bool { return strings.HasSuffix(strings.ToLower(path), ".json") }

func (a *app) compareSaved(ctx context.Context, before, after string) (*diff.Comparison, error) {
	old, err := a.ReadPlan(ctx, before)
	if err != nil {
		return nil, err
	}
	changed, err := a.ReadPlan(ctx, after)
	if err != nil {
		return nil, err
	}
	return diff.Compare(diff.Input{Name: before, Plan: old}, diff.Input{Name: after, Plan: changed}), nil
}

// readOther reads what to compare with: a saved plan, or a configuration. What has no
// name that tells is told by its beginning.
func (a *app) readOther(ctx context.Context, path string) (saved *actions.Plan, other *janitor.Planner, err error) {
	switch {
	case isPlan(path):
		saved, err = a.ReadPlan(ctx, path)
		return saved, nil, err
	case !terminal.IsStream(path):
		other, err = a.ReadPlanner(ctx, "--compare", path, "protect", "ledger")
		return nil, other, err
	}
	data, err := a.ReadFile(ctx, "--compare", path, inputs.MaxPlan)
	if err != nil {
		return nil, nil, fmt.Errorf("reading what to compare with: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte(`{"version"`)) {
		saved, err = actions.Decode(bytes.NewReader(data))
		return saved, nil, err
	}
	c, err := config.Read("<stdin>", data, "protect", "ledger")
	if err != nil {
		return nil, nil, err
	}
	other, err = a.PlannerOf(ctx, c)
	return nil, other, err
}

// compareScan judges one scan by the configuration, and compares the plan with the
// other one.
func (a *app) compareScan(ctx context.Context, f *planFlags) (c *diff.Comparison, price runs.Price, err error) {
	saved, other, err := a.readOther(ctx, f.compare)
	if err != nil {
		return nil, price, err
	}
	s, err := a.Open(ctx, &f.Flags)
	if err != nil {
		return nil, price, err
	}
	defer s.Close()
	price = janitor.PriceOf(s.Planner.Config)
	feed, err := s.Feed(s.Planner.Scope())
	if err != nil {
		return nil, price, err
	}
	stop := a.ShowProgress(s.Planner.Progress)
	defer stop()
	if saved != nil {
		c, err = s.Planner.CompareWith(ctx, feed, f.compare, saved)
		return c, price, err
	}
	other.TakenAt, other.Forecast, other.ScannedAt = s.Planner.TakenAt, s.Planner.Forecast, s.Planner.ScannedAt
	c, err = s.Planner.Compare(ctx, feed, other)
	return c, price, err
}
