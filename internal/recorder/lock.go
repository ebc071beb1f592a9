package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/bug"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Options are how a run is recorded.
type Options struct {
	// Trigger is what started the run: the name of a schedule, or "command".
	Trigger string
	// Who runs the program, and which program it is.
	Who, Program string
	// Wait is how long a run that applies waits for another one to end.
	Wait time.Duration
	// Now is the clock of the records; nil is the wall clock.
	Now func() time.Time
	// State is where a run that applies is recorded when the configuration has no
	// ledger.
	State State
}

// Time is the time of a record.
func (o Options) Time() time.Time {
	if o.Now == nil {
		return clock.Now()
	}
	return o.Now()
}

// ledger are the options of a ledger with these records.
func (o Options) ledger() ledger.Options {
	return ledger.Options{Who: o.Who, Program: o.Program, Now: o.Now}
}

// open returns nil if the run is not recorded.
func open(ctx context.Context, c *config.Config, kind runs.Kind, o Options) (*ledger.Ledger, error) {
	switch {
	case c.LedgerDSN() != "":
		return ledger.Open(ctx, c.LedgerDSN(), o.ledger())
	case kind != runs.KindApply:
		return nil, nil
	}
	l, err := ledger.Open(ctx, o.State.Ledger(), o.ledger())
	if err != nil {
		return nil, fmt.Errorf("%w: every step must be recorded, so nothing was applied: name another directory with --state-dir, or set ledger.dsn", err)
	}
	return l, nil
}

// UnderLock does something while no run applies a plan, with the ledger open.
func UnderLock(ctx context.Context, c *config.Config, o Options, do func(context.Context, *ledger.Ledger) error) error {
	l, err := open(ctx, c, runs.KindApply, o)
	if err != nil {
		return err
	}
	lock, err := lockFor(ctx, l, c, o)
	if err == nil {
		locked, stop := whileLocked(ctx, lock, func() {})
		err = bug.Contain(func() error { return do(locked, l) })
		stop()
	}
	return errors.Join(err, l.Close())
}

// lockFor takes the lock of a ledger, or says who has it, and what to do.
func lockFor(ctx context.Context, l *ledger.Ledger, c *config.Config, o Options) (*ledger.Lock, error) {
	lock, err := l.Lock(ctx, o.Wait)
	var locked *ledger.LockedError
	if errors.As(err, &locked) {
		locked.Since = locked.Since.In(c.Location())
		if o.Trigger == runs.TriggerCommand {
			err = fmt.Errorf("%w: wait until it ends, or have this command wait with --lock-timeout 10m", err)
		}
	}
	return lock, err
}
