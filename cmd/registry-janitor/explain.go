package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func (a *app) explainCommand() *cobra.Command {
	var f sourceFlags
	cmd := &cobra.Command{
		Use:   "explain -c FILE REF",
		Short: "Show every reason for and against one tag, image or namespace",
		Long: `Judge one tag, image or namespace, and show every rule that marks it, every rule
that keeps it, the guard that holds it, and the decision.

REF is a full reference: rg.fr-par.scw.cloud/prod/api:v1.2.3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), &f, args[0]) },
	}
	f.add(cmd)
	return cmd
}

func (a *app) explain(ctx context.Context, f *sourceFlags, text string) error {
	ref, err := registry.ParseRef(text)
	if err != nil {
		return err
	}
	s, err := a.open(ctx, f)
	if err != nil {
		return err
	}
	defer s.close()
	scope := janitor.Scope(s.planner.Config)
	if !scope.Holds(ref) {
		return report.Explain(a.stdout, runs.Explanation{Ref: ref, Note: janitor.OutOfScope}, a.textOptions())
	}
	if f.inventory == "" {
		scope = janitor.Narrow(scope, ref)
	}
	feed, err := s.feed(scope)
	if err != nil {
		return err
	}
	explanation, err := s.planner.Explain(ctx, feed, ref)
	if err != nil {
		return err
	}
	if err := report.Explain(a.stdout, explanation, a.textOptions()); err != nil {
		return err
	}
	if explanation.Plan.Incomplete() {
		return &exitError{code: janitor.ExitIncomplete}
	}
	return nil
}
