package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

func (a *app) policyListCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "list -c FILE",
		Short: "Describe every rule of a configuration in one sentence",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(file)
			if err != nil {
				return err
			}
			options, err := janitor.PolicyOptions(c, policy.Options{})
			if err != nil {
				return err
			}
			options.Dir = "" // so that editors find the places
			d, err := author.Describe(cmd.Context(), options)
			if err != nil {
				return err
			}
			p := &lines{w: a.stdout}
			for _, s := range c.Sentences() {
				p.printf("%s/%s: %s\n", s.Kind, s.Name, s.Text)
			}
			p.own(d)
			return p.err
		},
	}
	configFlag(cmd, &file)
	return cmd
}

// own lists the operator's own rules by their titles.
func (l *lines) own(d *author.Description) {
	for _, m := range d.Modules {
		if m.Builtin {
			continue
		}
		for _, r := range m.Rules {
			title := r.Title
			if title == "" {
				title = "has no title"
			}
			if r.Severity != "" {
				title += fmt.Sprintf(" (severity %s)", r.Severity)
			}
			l.printf("%s.%s: %s  %s:%d\n", m.Package, r.Name, title, r.File, r.Line)
		}
	}
}
