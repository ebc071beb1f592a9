// Package policies has the commands of people who write policies and configurations:
// policy and config, with all that is below them. It must never change anything, or
// judge a policy itself: that is the work of policy/author and internal/lint.
package policies

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
)

// Command is policy.
func Command(o *inputs.Opener) *cobra.Command {
	a := &authoring{o}
	return syntax.Group("policy", "Check, test, show, list and measure policies",
		a.checkCommand(), a.testCommand(), a.showCommand(), a.listCommand(),
		a.schemaCommand(), a.benchCommand(), a.lintCommand(),
	)
}

// authoring is what the commands share.
type authoring struct{ *inputs.Opener }

// options are the policies that a command works on: those in paths, which
// need no configuration, or those of a configuration. With both, the paths are
// added to those of the configuration.
func (a *authoring) options(cmd *cobra.Command, file string, paths []string) (policy.Options, error) {
	o, _, err := a.configured(cmd, file, paths)
	return o, err
}

// configured are the same with the configuration; nil without one.
func (a *authoring) configured(cmd *cobra.Command, file string, paths []string) (policy.Options, *config.Config, error) {
	if len(paths) > 0 && !cmd.Flags().Changed("config") {
		return policy.Options{Paths: paths, Logger: a.Log}, nil, nil
	}
	c, err := a.LoadConfig(cmd.Context(), "-c", file, "protect", "ledger")
	if err != nil && !cmd.Flags().Changed("config") {
		return policy.Options{}, nil, fmt.Errorf("%w\nname a configuration with -c, or the paths of policies", err)
	}
	if err != nil {
		return policy.Options{}, nil, err
	}
	o, err := janitor.PolicyOptions(c, policy.Options{Paths: paths, Logger: a.Log})
	return o, c, err
}
