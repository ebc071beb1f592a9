package policies

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

// ConfigCommand is config.
func ConfigCommand(o *inputs.Opener) *cobra.Command {
	a := &authoring{o}
	var file string
	var format report.Format
	check := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Check a configuration and the policies that it names; sends no requests",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format == report.FormatJSON {
				return a.checkConfigJSON(cmd.Context(), file)
			}
			return a.checkConfig(cmd.Context(), file)
		},
	}
	inputs.ConfigFlag(check, &file)
	syntax.Format(check, &format)
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
	return syntax.Group("config", "Check janitor.yaml, or print its JSON Schema", check, schema)
}

// checkConfig checks a configuration, its policies and its notifications.
func (a *authoring) checkConfig(ctx context.Context, file string) error {
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

// readAll reads a configuration, its policies and its notifications. What is missing on
// this machine is not a mistake of the configuration.
func (a *authoring) readAll(ctx context.Context, file string) (c *config.Config, missing, wrong error) {
	c, err := a.LoadConfig(ctx, "-c", file)
	if err != nil {
		return nil, nil, err
	}
	if _, err := janitor.Policies(ctx, c, policy.Options{}); err != nil {
		return nil, nil, err
	}
	missing, wrong = notify.Check(daemon.Notifications(c))
	return c, missing, wrong
}

// checked is the JSON of config check.
type checked struct {
	Valid    bool             `json:"valid"`
	Problems []config.Finding `json:"problems"`
	// Warnings are what is valid, and most likely a mistake.
	Warnings []config.Finding `json:"warnings"`
	// Missing is what a run needs and this machine does not have.
	Missing []config.Finding `json:"missing"`
}

// checkConfigJSON prints what checkConfig finds as JSON.
func (a *authoring) checkConfigJSON(ctx context.Context, file string) error {
	c, missing, wrong := a.readAll(ctx, file)
	warnings := []config.Finding{}
	if wrong == nil {
		for _, w := range c.Warnings() {
			warnings = append(warnings, w.Finding())
		}
	}
	if err := a.PrintJSON(checked{wrong == nil, findings(wrong), warnings, findings(missing)}); err != nil {
		return err
	}
	if wrong != nil {
		return &terminal.Exit{Code: janitor.ExitIncomplete}
	}
	return nil
}

// findings are the mistakes in an error, which may join several.
func findings(err error) []config.Finding {
	found := []config.Finding{}
	if err == nil {
		return found
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			found = append(found, findings(one)...)
		}
		return found
	}
	if f := (*author.Finding)(nil); errors.As(err, &f) {
		return append(found, config.Finding{File: f.File, Line: f.Line, Column: f.Col, Message: f.Message, Hint: f.Hint})
	}
	return append(found, config.Findings(err)...)
}
