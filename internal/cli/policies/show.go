package policies

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *authoring) showCommand() *cobra.Command {
	var file, format string
	var testing bool
	cmd := &cobra.Command{
		Use:   "show [-c FILE] [PATH…]",
		Short: "Show the policy set: modules, rules, titles, configuration, digests",
		Long: `Show every policy, built-in and your own: its package, title and severity, its
decision rules with file and line, the part of the configuration that it reads, and
its digest. The digest of the set is the policy_digest of a plan.

With --testing, print the Rego of data.janitor.testing instead: save it beside your
tests to run them with opa test.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if testing {
				_, err := a.Stdout.Write(author.TestingLibrary())
				return err
			}
			options, err := a.options(cmd, file, args)
			if err != nil {
				return err
			}
			d, err := author.Describe(cmd.Context(), options)
			if err != nil {
				return err
			}
			if format == "json" {
				return a.PrintJSON(d)
			}
			_, err = io.WriteString(a.Stdout, d.Text())
			return err
		},
	}
	inputs.ConfigFlag(cmd, &file)
	syntax.Format(cmd, &format)
	cmd.Flags().BoolVar(&testing, "testing", false, "print the helper library for tests")
	return cmd
}

func (a *authoring) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [image|namespace]",
		Short: "Print the JSON Schema of what policies see as input",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			subject := "image"
			if len(args) > 0 {
				subject = args[0]
			}
			schema, err := policy.Schema(subject)
			if err != nil {
				return err
			}
			_, err = a.Stdout.Write(schema)
			return err
		},
	}
}
