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

// finish prints a run that plan or apply made, writes its metrics, and returns what
// the program exits with.
func (a *app) finish(ctx context.Context, run runs.Run, err error, f reportFlags, m *metricsFlags) error {
	if run.Plan != nil {
		err = errors.Join(err, a.render(run, f))
	}
	err = errors.Join(err, m.write(ctx, run, a.stderr))
	switch {
	case err != nil && run.Exit != janitor.ExitRefused:
		return &exitError{code: janitor.ExitIncomplete, err: err}
	case err != nil || run.Exit != janitor.ExitDone:
		return &exitError{code: run.Exit, err: err}
	}
	return nil
}
