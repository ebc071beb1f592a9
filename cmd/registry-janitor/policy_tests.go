package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

// policyTestFlags are the flags of policy test.
type policyTestFlags struct {
	config, format string
	verbose        bool
	options        author.TestOptions
}

func (a *app) policyTestCommand() *cobra.Command {
	var f policyTestFlags
	cmd := &cobra.Command{
		Use:   "test [-c FILE] [PATH…]",
		Short: "Run the tests of policies (*_test.rego)",
		Long: `Run the rules test_… of *_test.rego files as policies run: without network or clock,
and with errors of built-in functions as failures. data.janitor.testing builds
inputs:

    import data.janitor.testing

    test_old_builds_go if {
        doc := testing.image([testing.tag("pr-1", "15d"), testing.tag("pr-2", "3d")])
        previews.delete == {"pr-1"} with input as doc
    }

Paths need neither a configuration nor credentials.

Exit codes: 0 all tests passed; 1 a test failed, or there is no test.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.policyTest(cmd, f, args) },
	}
	configFlag(cmd, &f.config)
	enumFlag(cmd, cmd.Flags(), &f.format, "format", "text", "what to print", "text", "json", "junit")
	cmd.Flags().BoolVar(&f.options.Coverage, "coverage", false, "show how much of each policy the tests evaluate")
	cmd.Flags().StringVar(&f.options.Run, "run", "", "only the tests that this `REGEX` matches")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "also list the tests that passed, and what they print")
	return cmd
}

func (a *app) policyTest(cmd *cobra.Command, f policyTestFlags, args []string) error {
	options, err := a.policyOptions(cmd, f.config, args)
	if err != nil {
		return err
	}
	options.Dir = "" // so that editors find the places
	report, findings, err := author.Test(cmd.Context(), options, f.options)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		for _, finding := range findings {
			fmt.Fprintln(a.stderr, finding.String())
		}
		return errors.New("the policies do not compile, so no test ran")
	}
	switch f.format {
	case "json":
		err = a.printJSON(report)
	case "junit":
		err = report.JUnit(a.stdout)
	default:
		err = printTests(a.stdout, report, f.verbose)
	}
	switch {
	case err != nil:
		return err
	case report.Passed+report.Failed == 0:
		return fmt.Errorf("there is no test: write rules test_… in files named *_test.rego%s", filtered(f.options.Run))
	case report.Failed > 0:
		return &exitError{code: janitor.ExitIncomplete}
	}
	return nil
}

func filtered(run string) string {
	if run == "" {
		return ""
	}
	return fmt.Sprintf(", or widen --run %q", run)
}

// printTests writes the tests that did not pass, or all of them if verbose.
func printTests(w io.Writer, r *author.TestReport, verbose bool) error {
	p := &lines{w: w}
	for _, t := range r.Results {
		if t.Outcome == author.TestPassed && !verbose {
			continue
		}
		took := ""
		if verbose {
			took = fmt.Sprintf(" (%s)", t.Duration.Round(time.Microsecond))
		}
		p.printf("%s:%d: %s: %s.%s%s\n", t.File, t.Line, strings.ToUpper(string(t.Outcome)), t.Package, t.Name, took)
		if t.Error != "" {
			p.printf("    %s\n", strings.ReplaceAll(t.Error, "\n", "\n    "))
		}
		for line := range strings.Lines(t.Output) {
			p.printf("    | %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	if r.Coverage != nil {
		p.coverage(r.Coverage)
	}
	p.printf("%d passed, %d failed", r.Passed, r.Failed)
	if r.Skipped > 0 {
		p.printf(", %d skipped", r.Skipped)
	}
	p.printf("\n")
	return p.err
}

func (l *lines) coverage(c *author.Coverage) {
	l.printf("coverage:\n")
	for _, f := range c.Files {
		l.printf("  %5.1f %%  %s", f.Percent, f.File)
		if len(f.Missing) > 0 {
			l.printf("  not evaluated: line %s", strings.Join(f.Missing, ", "))
		}
		l.printf("\n")
	}
	l.printf("  %5.1f %%  in total\n", c.Percent)
}
