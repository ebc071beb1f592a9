package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

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
	configFlag(check, &file)
	f.add(check)
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
	c, missing, err := a.readAll(ctx, file)
	if err != nil {
		return err
	}
	if missing != nil {
		fmt.Fprintln(a.stderr, a.failed(fmt.Errorf("a run would fail on this machine: %w", missing)))
	}
	warnings := c.Warnings()
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, place.ReplaceAllStringFunc(w.String(), a.colorOn(a.stderr).Bold))
	}
	found := ""
	if len(warnings) > 0 {
		found = ", with " + text.Count(len(warnings), "warning")
	}
	if _, err = fmt.Fprintf(a.stdout, "%s is %s%s\n", c.File, a.colorOn(a.stdout).Green("valid"), found); err != nil {
		return err
	}
	a.next(report.FormatText, "To see what it would do:  "+(&sourceFlags{config: file}).again("plan"))
	return nil
}

// defaultConfig is the configuration that a command reads unless -c names another.
const defaultConfig = "janitor.yaml"

// configFlag adds -c.
func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", defaultConfig, "the configuration `FILE`; without -c, the variable "+configVariable+" can have its content instead")
}

// configVariable is the environment variable that can have a whole configuration, where
// there is no disk for a file.
const configVariable = "REGISTRY_JANITOR_CONFIG"

// useVariable names the variable as the configuration of a command, if it is set and -c
// is not given.
func useVariable(cmd *cobra.Command) {
	flag := cmd.Flags().Lookup("config")
	if flag != nil && !flag.Changed && os.Getenv(configVariable) != "" {
		_ = flag.Value.Set("$" + configVariable) // a string takes every value
	}
}

// loadConfig reads and checks a configuration: that in the file, or in the variable. The
// files of the unneeded keys need not be there.
func loadConfig(file string, unneeded ...string) (*config.Config, error) {
	if file == "$"+configVariable {
		return config.Read(configVariable, []byte(os.Getenv(configVariable)), unneeded...)
	}
	return config.Load(file, unneeded...)
}
