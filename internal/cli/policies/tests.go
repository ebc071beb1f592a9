package policies

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

// testFlags are the flags of policy test.
type testFlags struct {
	config, format string
	verbose        bool
	options        author.TestOptions
}

func (a *authoring) testCommand() *cobra.Command {
	var f testFlags
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

Exit codes: 0 all tests passed; 1 a test failed, or no tests were found.`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.test(cmd, f, args) },
	}
	inputs.ConfigFlag(cmd, &f.config)
	syntax.Enum(cmd, cmd.Flags(), &f.format, "format", "text", "what to print", "text", "json", "junit")
	cmd.Flags().BoolVar(&f.options.Coverage, "coverage", false, "show how much of each policy the tests evaluate")
	cmd.Flags().StringVar(&f.options.Run, "run", "", "only the tests that this `REGEX` matches")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "also list the tests that passed, and what they print")
	return cmd
}

func (a *authoring) test(cmd *cobra.Command, f testFlags, args []string) error {
	options, err := a.options(cmd, f.config, args)
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
			fmt.Fprintln(a.Stderr, finding.String())
		}
		return errors.New("the policies do not compile, so no test ran")
	}
	switch f.format {
	case "json":
		err = a.PrintJSON(report)
	case "junit":
		err = report.JUnit(a.Stdout)
	default:
		_, err = io.WriteString(a.Stdout, report.Text(f.verbose))
	}
	switch {
	case err != nil:
		return err
	case report.Passed+report.Failed == 0:
		return fmt.Errorf("no tests were found: write rules test_… in files named *_test.rego%s", filtered(f.options.Run))
	case report.Failed > 0:
		return &terminal.Exit{Code: janitor.ExitIncomplete}
	}
	return nil
}

func filtered(run string) string {
	if run == "" {
		return ""
	}
	return fmt.Sprintf(", or widen --run %q", run)
}
