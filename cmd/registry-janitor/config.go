package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/policy"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check janitor.yaml, or print its JSON Schema",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	var file string
	check := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Check a configuration and the policies that it names; sends no requests",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.checkConfig(cmd.Context(), file) },
	}
	configFlag(check, &file)
	schema := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of janitor.yaml, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(config.Schema())
			return err
		},
	}
	configFlag(schema, &file) // accepted as check does; the schema is the same for every file
	cmd.AddCommand(check, schema)
	return cmd
}

// checkConfig checks a configuration, its policies and its notifications.
func (a *app) checkConfig(ctx context.Context, file string) error {
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	if _, err := janitor.Policies(ctx, c, policy.Options{}); err != nil {
		return err
	}
	missing, wrong := notify.Check(daemon.Notifications(c))
	if wrong != nil {
		return wrong
	}
	if missing != nil {
		fmt.Fprintln(a.stderr, a.failed(fmt.Errorf("a run would fail on this machine: %w", missing)))
	}
	_, err = fmt.Fprintf(a.stdout, "%s is %s\n", file, a.colorOn(a.stdout).Green("valid"))
	return err
}

// configFlag adds -c.
func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "janitor.yaml", "the configuration `FILE`")
}
