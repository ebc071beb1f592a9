package policies

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// lintFlags are the flags of policy lint.
type lintFlags struct {
	inputs.Flags
	format report.Format
	strict bool
}

func (a *authoring) lintCommand() *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint -c FILE",
		Short: "Find rules that do nothing in a registry, or too much",
		Long: `Scan the registry, or read a recorded scan with --inventory, and check what each
rule does with the tags in it:

  matches_nothing  a rule, or a pattern of protect.tags, that matches nothing
  shadowed         a rule without effect: another rule keeps everything that it
                   marks, or marks it no later
  empties_image    a rule that would delete every tag of an image if
                   limits.keep_at_least did not prevent it
  hits_releases    a tags_regex of a deleting rule that also matches tags that
                   look like releases
  deletes_newest   a rule that deletes the newest push of an image
  caches_take_places
                   a rule whose keep.last counts tags of build caches

The findings are about the registry of today: a rule may match nothing because
nothing is due. lint makes no plan and sends only GET requests.

Exit codes: 0 done, with or without findings; 1 an error, or something could not
be read or judged, or there are findings and --strict is given.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.lint(cmd.Context(), &f) },
	}
	f.Add(cmd)
	syntax.Format(cmd, &f.format)
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit with 1 when there are findings")
	return cmd
}

func (a *authoring) lint(ctx context.Context, f *lintFlags) error {
	s, err := a.Open(ctx, &f.Flags)
	if err != nil {
		return err
	}
	defer s.Close()
	feed, err := s.Scan(janitor.Scope(s.Planner.Config))
	if err != nil {
		return err
	}
	stop := a.ShowProgress(s.Planner.Progress)
	lint, err := s.Planner.Lint(ctx, feed)
	stop()
	if err != nil {
		return err
	}
	if err := report.WriteLint(a.Stdout, f.format, lint, a.TextOptions()); err != nil {
		return err
	}
	switch {
	case len(lint.Gaps) > 0:
		return &terminal.Exit{Code: janitor.ExitIncomplete}
	case f.strict && len(lint.Findings) > 0:
		return fmt.Errorf("--strict: %s", text.Count(len(lint.Findings), "finding"))
	}
	return nil
}
