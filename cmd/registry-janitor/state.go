package main

import (
	"errors"

	"github.com/spf13/pflag"
)

// addStateDir adds --state-dir, and --journal, which it replaces.
func addStateDir(flags *pflag.FlagSet, dir *string) {
	flags.StringVar(dir, "state-dir", "", "without ledger.dsn: the `DIR` whose ledger.db records every apply (default $XDG_STATE_HOME/registry-janitor, or ~/.local/state/registry-janitor)")
	flags.Func("journal", "replaced by --state-dir", func(string) error {
		return errors.New("--state-dir DIR replaces it: apply records in DIR/ledger.db. If the file holds an interrupted run, move it to DIR/journal.jsonl, and the next apply resolves that run")
	})
	_ = flags.MarkHidden("journal") // it was defined above
}
