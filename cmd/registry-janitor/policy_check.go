package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *app) policyCheckCommand() *cobra.Command {
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
			options, err := a.policyOptions(cmd, file, args)
			if err != nil {
				return err
			}
			options.Dir = "" // so that editors find the places
			findings, err := author.Check(options)
			if err != nil {
				return err
			}
			if err := a.printFindings(findings, format, len(options.Paths)); err != nil {
				return err
			}
			return findingStatus(findings, strict)
		},
	}
	configFlag(cmd, &file)
	enumFlag(cmd, cmd.Flags(), &format, "format", "text", "what to print", "text", "json")
	cmd.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return cmd
}

// printFindings writes one finding a line, or all as a JSON array.
func (a *app) printFindings(findings []*author.Finding, format string, paths int) error {
	if format == "json" {
		if findings == nil {
			findings = []*author.Finding{}
		}
		return a.printJSON(findings)
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(a.stdout, f.String()); err != nil {
			return err
		}
	}
	errors, warnings := countFindings(findings)
	switch {
	case len(findings) > 0:
		_, err := fmt.Fprintf(a.stdout, "%d errors, %d warnings\n", errors, warnings)
		return err
	case paths == 0:
		_, err := fmt.Fprintln(a.stdout, "the configuration has no policies of its own")
		return err
	}
	_, err := fmt.Fprintln(a.stdout, "the policies are valid")
	return err
}

func countFindings(findings []*author.Finding) (errors, warnings int) {
	for _, f := range findings {
		if f.Severity == author.Problem {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// findingStatus is the exit code of findings that have been printed.
func findingStatus(findings []*author.Finding, strict bool) error {
	errors, warnings := countFindings(findings)
	if errors > 0 || strict && warnings > 0 {
		return &exitError{code: janitor.ExitIncomplete}
	}
	return nil
}
