package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check janitor.yaml, or print its JSON Schema",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	var file string
	var f checkFlags
	check := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Check a configuration and the policies that it names; sends no requests",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.asJSON() {
				return a.checkConfigJSON(cmd.Context(), file)
			}
			return a.checkConfig(cmd.Context(), file)
		},
	}
	inputs.ConfigFlag(check, &file)
	f.add(check)
	schema := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of janitor.yaml, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Stdout.Write(config.Schema())
			return err
		},
	}
	inputs.ConfigFlag(schema, &file) // accepted as check does; the schema is the same for every file
	cmd.AddCommand(check, schema)
	return cmd
}

// checkConfig checks a configuration, its policies and its notifications.
func (a *app) checkConfig(ctx context.Context, file string) error {
	c, missing, err := a.readAll(ctx, file)
	if err != nil {
		return err
	}
	if missing != nil {
		fmt.Fprintln(a.Stderr, a.Failed(fmt.Errorf("a run would fail on this machine: %w", missing)))
	}
	warnings := c.Warnings()
	for _, w := range warnings {
		fmt.Fprintln(a.Stderr, terminal.BoldPlaces(w.String(), a.ColorOn(a.Stderr)))
	}
	found := ""
	if len(warnings) > 0 {
		found = ", with " + text.Count(len(warnings), "warning")
	}
	if _, err = fmt.Fprintf(a.Stdout, "%s is %s%s\n", c.File, a.ColorOn(a.Stdout).Green("valid"), found); err != nil {
		return err
	}
	a.Next(report.FormatText, "To see what it would do:  "+(&inputs.Flags{Config: file}).Again("plan"))
	return nil
}
