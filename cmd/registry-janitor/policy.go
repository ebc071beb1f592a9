package main

import (
	"encoding/json"
	"fmt"

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
	if len(paths) > 0 && !cmd.Flags().Changed("config") {
		return policy.Options{Paths: paths, Logger: a.log}, nil
	}
	c, err := config.Load(file)
	if err != nil && !cmd.Flags().Changed("config") {
		return policy.Options{}, fmt.Errorf("%w\nname a configuration with -c, or the policies themselves", err)
	}
	if err != nil {
		return policy.Options{}, err
	}
	return janitor.PolicyOptions(c, policy.Options{Paths: paths, Logger: a.log})
}

// printJSON writes indented JSON to standard output.
func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
