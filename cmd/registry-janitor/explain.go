package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	inputs.Flags
	format report.Format
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain -c FILE REF",
		Short: "Show every reason for and against one tag, image or namespace",
		Long: `Judge one tag, image or namespace, and show every rule that marks it, every rule
that keeps it, the guard that holds it, the decision, and what becomes of it later:
until when what keeps it, and when it is deleted if nothing is pushed.

REF is what container tools write: rg.fr-par.scw.cloud/prod/api:v1.2.3. The host may be
left out if the name is in one region only: prod/api:v1.2.3, prod/api, prod. A digest
(prod/api@sha256:…, or sha256:… in every image) explains each of its tags.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.CheckAsOf(cmd); err != nil {
				return err
			}
			return a.explain(cmd.Context(), &f, args[0])
		},
	}
	f.Add(cmd)
	syntax.Format(cmd, &f.format)
	f.AddAsOf(cmd)
	return cmd
}

func (a *app) explain(ctx context.Context, f *explainFlags, text string) error {
	s, err := a.Open(ctx, &f.Flags)
	if err != nil {
		return err
	}
	defer s.Close()
	named, err := lookup.Parse(text, s.Planner.Config.Scaleway.Regions)
	if err != nil {
		return err
	}
	answer, err := explainIn(ctx, s, named)
	if err != nil {
		return err
	}
	if err := a.printAnswer(answer, f.format); err != nil {
		return err
	}
	if answer.Incomplete() {
		return &terminal.Exit{Code: janitor.ExitIncomplete}
	}
	return nil
}

// explainIn explains what is in a source. An inventory is not narrowed: it holds its
// own scope only.
func explainIn(ctx context.Context, s *inputs.Source, named lookup.Named) (runs.Answer, error) {
	scope := janitor.Scope(s.Planner.Config)
	named, narrow, ok := named.Within(scope)
	if !ok {
		return named.OutOfScope(), nil
	}
	if s.Session != nil {
		scope = narrow
	}
	if c := s.Planner.Config; c.Grace.Duration() > 0 || c.Archive != nil {
		if err := s.Planner.ReadLedger(ctx); err != nil {
			return runs.Answer{}, err
		}
	}
	feed, err := s.Feed(scope)
	if err != nil {
		return runs.Answer{}, err
	}
	return s.Planner.Explain(ctx, feed, named)
}

func (a *app) printAnswer(answer runs.Answer, format report.Format) error {
	if format == report.FormatJSON {
		return a.PrintJSON(answer)
	}
	for i, e := range answer.Explanations {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		if err := report.Explain(a.Stdout, e, a.TextOptions()); err != nil {
			return err
		}
	}
	return nil
}
