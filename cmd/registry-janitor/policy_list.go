package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

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
			c, err := loadConfig(file)
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
			var b strings.Builder
			for _, s := range c.Sentences() {
				fmt.Fprintf(&b, "%s/%s: %s\n", s.Kind, s.Name, s.Text)
			}
			_, err = io.WriteString(a.stdout, b.String()+d.Titles())
			return err
		},
	}
	configFlag(cmd, &file)
	return cmd
}
