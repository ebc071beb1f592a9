package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
)

func (a *app) policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, test, show, list and measure policies",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	cmd.AddCommand(
		a.policyCheckCommand(), a.policyTestCommand(), a.policyShowCommand(), a.policyListCommand(),
		a.policySchemaCommand(), a.policyBenchCommand(), a.policyLintCommand(),
	)
	return cmd
}

// policyOptions are the policies that a command is about: those in paths, for
// which no configuration is needed, or else those of a configuration. With both,
// the paths are added to those of the configuration.
func (a *app) policyOptions(cmd *cobra.Command, file string, paths []string) (policy.Options, error) {
	log, err := a.logger()
	if err != nil {
		return policy.Options{}, err
	}
	if len(paths) > 0 && !cmd.Flags().Changed("config") {
		return policy.Options{Paths: paths, Logger: log}, nil
	}
	c, err := config.Load(file)
	if err != nil && !cmd.Flags().Changed("config") {
		return policy.Options{}, fmt.Errorf("%w\nname a configuration with -c, or the policies themselves", err)
	}
	if err != nil {
		return policy.Options{}, err
	}
	return janitor.PolicyOptions(c, policy.Options{Paths: paths, Logger: log})
}

// oneOf refuses a format that a command does not have.
func oneOf(format string, formats ...string) error {
	if slices.Contains(formats, format) {
		return nil
	}
	return fmt.Errorf("--format %q: want one of %q", format, formats)
}
