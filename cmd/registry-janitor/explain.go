package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	sourceFlags
	format report.Format
	asOf   string
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
			if err := checkAsOf(cmd, f.asOf); err != nil {
				return err
			}
			return a.explain(cmd.Context(), &f, args[0])
		},
	}
	f.add(cmd)
	enumFlag(cmd, cmd.Flags(), &f.format, "format", report.FormatText, "what to print", report.FormatText, report.FormatJSON)
	asOfFlag(cmd, &f.asOf)
	return cmd
}

func (a *app) explain(ctx context.Context, f *explainFlags, text string) error {
	s, err := a.openAt(ctx, &f.sourceFlags, f.asOf)
	if err != nil {
		return err
	}
	defer s.close()
	named, err := lookup.Parse(text, s.planner.Config.Scaleway.Regions)
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
		return &exitError{code: janitor.ExitIncomplete}
	}
	return nil
}

// explainIn explains what is in a source. An inventory is not narrowed: it holds its
// own scope only.
func explainIn(ctx context.Context, s *source, named lookup.Named) (runs.Answer, error) {
	scope := janitor.Scope(s.planner.Config)
	named, narrow, ok := named.Within(scope)
	if !ok {
		return named.OutOfScope(), nil
	}
	if s.session != nil {
		scope = narrow
	}
	if s.planner.Config.Grace.Duration() > 0 {
		if err := s.planner.ReadLedger(ctx); err != nil {
			return runs.Answer{}, err
		}
	}
	feed, err := s.feed(scope)
	if err != nil {
		return runs.Answer{}, err
	}
	return s.planner.Explain(ctx, feed, named)
}

func (a *app) printAnswer(answer runs.Answer, format report.Format) error {
	if format == report.FormatJSON {
		return a.printJSON(answer)
	}
	for i, e := range answer.Explanations {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if err := report.Explain(a.stdout, e, a.textOptions()); err != nil {
			return err
		}
	}
	return nil
}
