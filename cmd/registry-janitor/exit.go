package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// exitError ends the program with an exit code. It has no message where the output
// has already said why.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// rendering prints a run.
type rendering func(runs.Run) error

// in is the rendering that the flags ask for.
func (a *app) in(f reportFlags) rendering {
	return func(run runs.Run) error { return a.render(run, f) }
}

// finish prints a run that plan or apply made, writes its metrics, and returns what
// the program exits with.
func (a *app) finish(ctx context.Context, run runs.Run, err error, render rendering, m *metricsFlags) error {
	if run.Plan != nil {
		err = errors.Join(err, render(run))
	}
	err = errors.Join(err, a.writeMetrics(ctx, m, run))
	switch {
	case err != nil && run.Exit != janitor.ExitRefused:
		return &exitError{code: janitor.ExitIncomplete, err: err}
	case err != nil || run.Exit != janitor.ExitDone:
		return &exitError{code: run.Exit, err: err}
	}
	return nil
}
