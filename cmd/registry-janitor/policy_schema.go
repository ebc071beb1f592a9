package main

import (
	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/policy"
)

func (a *app) policySchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [image|namespace]",
		Short: "Print the JSON Schema of what policies see as input",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			subject := "image"
			if len(args) > 0 {
				subject = args[0]
			}
			schema, err := policy.Schema(subject)
			if err != nil {
				return err
			}
			_, err = a.Stdout.Write(schema)
			return err
		},
	}
}
