package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

func (a *app) scanCommand() *cobra.Command {
	var f inputs.Flags
	var out string
	cmd := &cobra.Command{
		Use:   "scan -c FILE -o inventory.jsonl",
		Short: "Write an inventory of the registry, for plan --inventory",
		Long: `Scan the registry and write an inventory as JSON Lines: a header, a record for
each namespace and for each image with its tags, a record for everything that could
not be read, and a closing count. plan --inventory judges it as often as you like
without sending a request. The inventory has what is inside tags, such as labels, as
far as the configuration needs it.

Exit codes: 0 done; 1 an error, or something could not be read: the inventory is
written nevertheless, and lists what is missing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return errors.New("-o is missing: name the file to write, or - for standard output")
			}
			return a.scan(cmd.Context(), &f, out)
		},
	}
	f.AddAPI(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "the `FILE` to write, - for standard output")
	return cmd
}

func (a *app) scan(ctx context.Context, f *inputs.Flags, out string) error {
	c, err := a.LoadConfig(ctx, "-c", f.Config, "policies", "policy", "ledger")
	if err != nil {
		return err
	}
	planner := a.recordingPlanner(ctx, c)
	s, err := a.OpenSession(ctx, planner, f)
	if err != nil {
		return err
	}
	defer s.Close()
	var gaps []registry.Gap
	write := func(w io.Writer) error {
		feed, err := s.Feed(janitor.Scope(c))
		if err != nil {
			return err
		}
		stop := a.ShowProgress(planner.Progress)
		defer stop()
		gaps, err = planner.Record(ctx, feed, w)
		return err
	}
	if err := a.WriteFile(ctx, out, write); err != nil {
		return err
	}
	if !terminal.IsStdout(out) {
		a.Next(report.FormatText, "The inventory is in "+out+". To judge it without a request:  "+f.Again("plan", "--inventory", out))
	}
	a.ListGaps(gaps)
	if len(gaps) > 0 {
		return fmt.Errorf("the inventory has %s", text.Count(len(gaps), "gap"))
	}
	return nil
}

// recordingPlanner judges what it records, so that the inventory has the contents that the
// configuration needs. Where the policies cannot be read, it has none: a scan needs no
// policies.
func (a *app) recordingPlanner(ctx context.Context, c *config.Config) *janitor.Planner {
	planner, err := a.PlannerOf(ctx, c)
	if err != nil {
		a.Log.Warn("the policies cannot be read, so the inventory has nothing of what is inside tags", "error", err)
		return &janitor.Planner{Config: c, Progress: new(janitor.Progress)}
	}
	return planner
}
