package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the man pages. It is hidden: only those who build packages need
// it, and docs describe it.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the man pages of all commands to a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // G301: everyone reads man pages
				return fmt.Errorf("writing the man pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // its date would be the time of the build; SOURCE_DATE_EPOCH sets the date in the footer
			header := &doc.GenManHeader{Source: "registry-janitor", Manual: "registry-janitor"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("writing the man pages: %w", err)
			}
			return nil
		},
	}
}
