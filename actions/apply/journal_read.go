package apply

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/registry-janitor/registry-janitor/actions"
	"io"
	"time"
)

// journalRecord is one line of a journal file.
type journalRecord struct {
	Time                time.Time        `json:"time"`
	Run                 string           `json:"run"`
	Event               journalEvent     `json:"event"`
	Plan                string           `json:"plan,omitempty"` // of begin
	Who                 string           `json:"who,omitempty"`  // of begin
	Step                *actions.Step    `json:"step,omitempty"` // of intend
	*actions.StepResult                  // of done
	Outcome             *actions.Outcome `json:"outcome,omitempty"` // of end, without its results
}

type journalEvent string

const (
	eventBegin  journalEvent = "begin"
	eventIntend journalEvent = "intend"
	eventDone   journalEvent = "done"
	eventEnd    journalEvent = "end"
)

// JournaledRun is one run as its journal tells it.
type JournaledRun struct {
	ID, Plan, Who string
	Began         time.Time
	// Ended is zero when the run did not come to its end: it was killed, or is still
	// going on.
	Ended   time.Time
	Outcome *actions.Outcome // counts without results; nil when the run did not end
	Results []actions.StepResult
	// Pending are the steps that were recorded and have no result: whether they were
	// carried out is for Resolve to find out.
	Pending []actions.Step
}

// ReadJournal reads the runs of a journal file, in the order in which they began.
// A last line that was cut off is left out: nothing was sent for it.
func ReadJournal(r io.Reader) ([]JournaledRun, error) {
	runs := &journaledRuns{byID: make(map[string]*openRun)}
	lines := bufio.NewReaderSize(r, 64<<10)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return runs.list(), nil // what follows the last line break is no record
		}
		if err == nil {
			err = runs.add(line)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the journal: line %d: %w", number, err)
		}
	}
}

type journaledRuns struct {
	order []*openRun
	byID  map[string]*openRun
}

// openRun is a run that is being read.
type openRun struct {
	JournaledRun
	pending map[stepKey]int // index in steps
	steps   []*actions.Step
}

type stepKey struct {
	ref    string
	action actions.Action
}

func (rs *journaledRuns) add(line []byte) error {
	var rec journalRecord
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rec); err != nil {
		return err
	}
	run := rs.byID[rec.Run]
	switch {
	case rec.Event == eventBegin && run == nil && rec.Run != "":
		run = &openRun{JournaledRun: JournaledRun{ID: rec.Run, Plan: rec.Plan, Who: rec.Who, Began: rec.Time}, pending: make(map[stepKey]int)}
		rs.byID[rec.Run] = run
		rs.order = append(rs.order, run)
		return nil
	case rec.Event == eventBegin:
		return fmt.Errorf("run %q begins twice, or has no id", rec.Run)
	case run == nil:
		return fmt.Errorf("run %q has not begun", rec.Run)
	}
	return run.add(rec)
}

func (run *openRun) add(rec journalRecord) error {
	switch {
	case rec.Event == eventIntend && rec.Step != nil:
		run.pending[stepKey{rec.Step.Ref, rec.Step.Action}] = len(run.steps)
		run.steps = append(run.steps, rec.Step)
	case rec.Event == eventDone && rec.StepResult != nil:
		key := stepKey{rec.Ref, rec.Action}
		at, ok := run.pending[key]
		if !ok {
			return fmt.Errorf("%s of %s has a result, but was not recorded before", rec.Action, rec.Ref)
		}
		delete(run.pending, key)
		run.steps[at] = nil
		rec.StepResult.At = rec.Time
		run.Results = append(run.Results, *rec.StepResult)
	case rec.Event == eventEnd && rec.Outcome != nil:
		run.Ended, run.Outcome = rec.Time, rec.Outcome
	default:
		return fmt.Errorf("event %q is unknown, or is not whole", rec.Event)
	}
	return nil
}

func (rs *journaledRuns) list() []JournaledRun {
	var out []JournaledRun
	for _, run := range rs.order {
		for _, s := range run.steps {
			if s != nil {
				run.Pending = append(run.Pending, *s)
			}
		}
		out = append(out, run.JournaledRun)
	}
	return out
}
