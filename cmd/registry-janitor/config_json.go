package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

// checkFlags are the flags of config check besides -c.
type checkFlags struct{ format report.Format }

func (f *checkFlags) add(cmd *cobra.Command) {
	syntax.Format(cmd, &f.format)
}

func (f *checkFlags) asJSON() bool { return f.format == report.FormatJSON }

// readAll reads a configuration, its policies and its notifications. What is missing on
// this machine is not a mistake of the configuration.
func (a *app) readAll(ctx context.Context, file string) (c *config.Config, missing, wrong error) {
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
func (a *app) checkConfigJSON(ctx context.Context, file string) error {
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
