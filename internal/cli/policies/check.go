package policies

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *authoring) checkCommand() *cobra.Command {
	var file, format string
	var strict bool
	cmd := &cobra.Command{
		Use:   "check [-c FILE] [PATH…]",
		Short: "Check policies: types, fields, decisions, cost; sends no requests",
		Long: `Check Rego files, folders and bundles, or the policies of a configuration, as
strictly as a plan does, and find code that compiles but is wrong or slow. Tests
(*_test.rego) are checked too, but are not part of the policy set. Paths need
neither a configuration nor credentials.

Exit codes: 0 done; 1 there are errors, or, with --strict, warnings.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			options, c, err := a.configured(cmd, file, args)
			if err != nil {
				return err
			}
			options.Dir = "" // so that editors find the places
			findings, err := author.Check(options)
			if err != nil {
				return err
			}
			if errors, _ := countFindings(findings); errors == 0 && c != nil && c.Content.Read == config.ReadNever {
				if _, err := janitor.Policies(cmd.Context(), c, policy.Options{Paths: args}); err != nil {
					return err
				}
			}
			if err := a.printFindings(findings, format, len(options.Paths)+len(options.Trial)); err != nil {
				return err
			}
			if errors, warnings := countFindings(findings); errors > 0 || strict && warnings > 0 {
				return &terminal.Exit{Code: janitor.ExitIncomplete}
			}
			return nil
		},
	}
	inputs.ConfigFlag(cmd, &file)
	syntax.Format(cmd, &format)
	cmd.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return cmd
}

// printFindings writes one finding a line, or all as a JSON array.
func (a *authoring) printFindings(findings []*author.Finding, format string, paths int) error {
	if format == "json" {
		return a.PrintJSON(append([]*author.Finding{}, findings...)) // never null
	}
	var b strings.Builder
	c := a.ColorOn(a.Stdout)
	for _, f := range findings {
		fmt.Fprintln(&b, paintFinding(c, f))
	}
	errors, warnings := countFindings(findings)
	switch {
	case len(findings) > 0:
		fmt.Fprintln(&b, c.Bold(text.Count(errors, "error")+", "+text.Count(warnings, "warning")))
	case paths == 0:
		b.WriteString("the configuration has no policies of its own\n")
	default:
		fmt.Fprintf(&b, "the policies are %s\n", c.Green("valid"))
	}
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}

// paintFinding is a finding with its place and its severity marked.
func paintFinding(c text.Color, f *author.Finding) string {
	paint := c.Yellow
	if f.Severity == author.Problem {
		paint = c.Red
	}
	severity := string(f.Severity) + ":"
	line := terminal.BoldPlaces(f.String(), c) // Error would have no column
	return strings.Replace(line, severity, paint(severity), 1)
}

func countFindings(findings []*author.Finding) (errors, warnings int) {
	for _, f := range findings {
		if f.Severity == author.Problem {
			errors++
		}
	}
	return errors, len(findings) - errors
}
