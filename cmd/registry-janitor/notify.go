package main

import (
	"context"
	"fmt"

	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// notifier sends the notifications of the configuration about a run. A missing URL
// is an error before the run starts; a message that cannot be sent does not fail
// the run.
func (a *app) notifier(s *source) (send func(context.Context, runs.Run), err error) {
	if len(s.planner.Config.Notifications) == 0 || s.session == nil {
		return func(context.Context, runs.Run) {}, nil
	}
	notifier, err := notify.New(daemon.Notifications(s.planner.Config))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, run runs.Run) {
		if err := notifier.Send(context.WithoutCancel(ctx), run); err != nil {
			fmt.Fprintln(a.stderr, "registry-janitor: some notifications about the run could not be sent:", err)
		}
	}, nil
}
