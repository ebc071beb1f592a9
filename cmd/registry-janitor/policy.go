package main

import (
	"fmt"

	"github.com/spf13/cobra"

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

// policyOptions are the policies that a command works on: those in paths, which
// need no configuration, or those of a configuration. With both, the paths are
// added to those of the configuration.
func (a *app) policyOptions(cmd *cobra.Command, file string, paths []string) (policy.Options, error) {
	if len(paths) > 0 && !cmd.Flags().Changed("config") {
		return policy.Options{Paths: paths, Logger: a.Log}, nil
	}
	c, err := a.LoadConfig(cmd.Context(), "-c", file, "protect", "ledger")
	if err != nil && !cmd.Flags().Changed("config") {
		return policy.Options{}, fmt.Errorf("%w\nname a configuration with -c, or the paths of policies", err)
	}
	if err != nil {
		return policy.Options{}, err
	}
	return janitor.PolicyOptions(c, policy.Options{Paths: paths, Logger: a.Log})
}
