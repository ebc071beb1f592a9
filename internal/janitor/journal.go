package janitor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/apply"
)

// JournalPath is where steps are recorded without a ledger: in the file that is
// named, or beside the plan, or in the state directory of the user.
func JournalPath(named, plan string) (string, error) {
	switch {
	case named != "":
		return named, nil
	case plan != "":
		return strings.TrimSuffix(plan, ".json") + ".journal.jsonl", nil
	}
	state, err := stateDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for the journal: name a file with --journal: %w", err)
	}
	return filepath.Join(state, "registry-janitor", "journal.jsonl"), nil
}

// stateDir follows the XDG Base Directory Specification.
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state"), err
}

// journalFile records the steps of a run where there is no ledger.
type journalFile struct {
	path     string
	who      string
	resolved []resolvedStep // of runs that were interrupted
	file     *apply.JournalFile
}

type resolvedStep struct {
	run    string
	result actions.StepResult
}

// resolve finds out what became of the steps of runs that were interrupted, and
// returns how many there are.
func (j *journalFile) resolve(ctx context.Context, e apply.Editor, o apply.ApplyOptions) (int, error) {
	file, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the journal: %w", err)
	}
	defer file.Close()
	runs, err := apply.ReadJournal(file)
	if err != nil {
		return 0, fmt.Errorf("reading the journal %s: %w", j.path, err)
	}
	for _, run := range runs {
		for _, result := range apply.Resolve(ctx, run.Pending, e, o) {
			j.resolved = append(j.resolved, resolvedStep{run.ID, result})
		}
	}
	return len(j.resolved), nil
}

// open begins a run in the journal. What cannot be recorded is not applied.
func (j *journalFile) open(plan string) (apply.Journal, error) {
	file, err := apply.OpenJournalFile(j.path, apply.JournalRun{ID: rand.Text(), Plan: plan, Who: j.who})
	if err != nil {
		return nil, fmt.Errorf("no step may go unrecorded, so nothing is applied (name another file with --journal): %w", err)
	}
	j.file = file
	for _, r := range j.resolved {
		if err := file.Resolved(r.run, r.result); err != nil {
			return nil, err
		}
	}
	return file, nil
}

// close ends the run in the journal, if one was begun.
func (j *journalFile) close(outcome *actions.Outcome) error {
	if j.file == nil {
		return nil
	}
	var err error
	if outcome != nil {
		err = j.file.Ended(outcome)
	}
	return errors.Join(err, j.file.Close())
}
