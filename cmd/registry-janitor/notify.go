package main

import (
	"context"
	"fmt"

	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// notifier tells whom the configuration names of a run. A URL that is missing is an
// error before anything happens; that somebody could not be told changes nothing
// of the run.
func (a *app) notifier(s *source) (tell func(context.Context, runs.Run), err error) {
	if len(s.planner.Config.Notifications) == 0 || s.session == nil {
		return func(context.Context, runs.Run) {}, nil
	}
	notifier, err := notify.New(daemon.Notifications(s.planner.Config))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, run runs.Run) {
		if err := notifier.Send(context.WithoutCancel(ctx), run); err != nil {
			fmt.Fprintln(a.stderr, "registry-janitor: not everybody was told of the run:", err)
		}
	}, nil
}
