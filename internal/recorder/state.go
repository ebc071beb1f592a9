package recorder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
)

// State is the state directory: where runs that apply are recorded when the
// configuration has no ledger.
type State struct {
	// Dir is the directory; it need not exist.
	Dir string
	// Journals are the files in which earlier versions recorded such runs. The next run
	// that applies imports them once.
	Journals []string
}

// StateIn returns the state directory dir, or the user's own if dir is "". The plan
// is the file of the plan to apply, or "": an earlier version may have left a journal
// beside it.
func StateIn(dir, plan string) (State, error) {
	users, err := usersStateDir()
	if dir == "" {
		if err != nil {
			return State{}, fmt.Errorf("finding the state directory: %w: name one with --state-dir", err)
		}
		dir = users
	}
	s := State{Dir: dir, Journals: []string{filepath.Join(dir, "journal.jsonl")}}
	if err == nil && users != dir {
		s.Journals = append(s.Journals, filepath.Join(users, "journal.jsonl"))
	}
	if plan != "" {
		s.Journals = append(s.Journals, strings.TrimSuffix(plan, ".json")+".journal.jsonl")
	}
	return s, nil
}

// usersStateDir follows the XDG Base Directory Specification.
func usersStateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "registry-janitor"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "registry-janitor"), err
}

// Ledger is the SQLite file in the directory.
func (s State) Ledger() string { return filepath.Join(s.Dir, "ledger.db") }

// LedgerOf opens the ledger of a configuration to read its history. Without one it
// opens the ledger of the state directory, if that exists.
func LedgerOf(ctx context.Context, c *config.Config, s State) (*ledger.Ledger, error) {
	dsn := c.LedgerDSN()
	if dsn == "" && s.Dir != "" {
		if _, err := os.Stat(s.Ledger()); err == nil {
			dsn = s.Ledger()
		}
	}
	if dsn == "" {
		return nil, errors.New("the configuration has no ledger: set ledger: {dsn: …} to keep a history")
	}
	return ledger.Open(ctx, dsn, ledger.Options{})
}
