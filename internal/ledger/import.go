package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// ImportJournal imports a journal file, as earlier versions wrote them when they
// had no ledger. The steps without a result become unresolved steps of an
// interrupted run, so that Interrupted returns them; then the file is renamed to
// FILE.resolved and is never read again. If the process dies in between, the next
// import repeats the steps, which does no harm: they are resolved by reading the
// registry. ImportJournal needs the lock, and returns how many steps it imported;
// a file that does not exist has none.
func (l *Ledger) ImportJournal(ctx context.Context, path string) (int, error) {
	steps, err := readJournalFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the journal file %s of an earlier run: %w: restore or remove the file", path, err)
	}
	if err := l.importSteps(ctx, steps, path); err != nil {
		return 0, err
	}
	if err := os.Rename(path, path+".resolved"); err != nil {
		return 0, fmt.Errorf("putting away the journal file of an earlier run: %w: rename the file yourself", err)
	}
	return len(steps), nil
}

// importSteps records steps as those of a run that was interrupted.
func (l *Ledger) importSteps(ctx context.Context, steps []actions.Step, path string) error {
	if len(steps) == 0 {
		return nil
	}
	run, err := l.Begin(ctx, RunInfo{Kind: runs.KindApply, Trigger: "journal"})
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := run.Intend(ctx, s); err != nil {
			return err
		}
	}
	return run.Finish(ctx, Ending{Status: StatusInterrupted, Exit: 1, Message: "imported from the journal file " + path})
}

// journalLine is one record of a journal file, as far as it matters here.
type journalLine struct {
	Run    string         `json:"run"`
	Event  string         `json:"event"` // begin, intend, done or end
	Step   *actions.Step  `json:"step"`  // of intend
	Ref    string         `json:"ref"`   // of done
	Action actions.Action `json:"action"`
}

// stepKey names a step of a journal file.
type stepKey struct {
	run, ref string
	action   actions.Action
}

func readJournalFile(path string) ([]actions.Step, error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readJournal(file)
}

// readJournal returns the steps without a result, in the order of the file. It
// skips a last line without a line break: the process died while it wrote that
// line, and sent nothing for it.
func readJournal(r io.Reader) ([]actions.Step, error) {
	var order []stepKey
	open := make(map[stepKey]actions.Step)
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var line journalLine
		if err == nil {
			err = json.Unmarshal(bytes.TrimSpace(text), &line)
		}
		if err == nil {
			order, err = line.apply(open, order)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	var steps []actions.Step
	for _, key := range order {
		if s, ok := open[key]; ok {
			steps = append(steps, s)
			delete(open, key) // a step that was intended again appears once
		}
	}
	return steps, nil
}

// apply opens the step of an intent, and closes the step of a result.
func (l *journalLine) apply(open map[stepKey]actions.Step, order []stepKey) ([]stepKey, error) {
	switch {
	case l.Event == "begin", l.Event == "end":
		return order, nil
	case l.Event == "intend" && l.Step != nil:
		key := stepKey{l.Run, l.Step.Ref, l.Step.Action}
		open[key] = *l.Step
		return append(order, key), nil
	case l.Event == "done":
		key := stepKey{l.Run, l.Ref, l.Action}
		if _, ok := open[key]; !ok {
			return order, fmt.Errorf("%s of %s has a result but no intent", l.Action, l.Ref)
		}
		delete(open, key)
		return order, nil
	}
	return order, fmt.Errorf("the event %q is unknown or incomplete", l.Event)
}
