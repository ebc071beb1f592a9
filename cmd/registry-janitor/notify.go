package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/daemon"
	"github.com/registry-janitor/registry-janitor/internal/notify"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// notifier sends the notifications of the configuration about a run. A missing URL
// is an error before the run starts; a message that cannot be sent does not fail
// the run.
func (a *app) notifier(s *inputs.Source) (send func(context.Context, runs.Run), err error) {
	if len(s.Planner.Config.Notifications) == 0 || s.Session == nil {
		return func(context.Context, runs.Run) {}, nil
	}
	notifier, err := notify.New(daemon.Notifications(s.Planner.Config))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, run runs.Run) {
		if err := notifier.Send(context.WithoutCancel(ctx), run); err != nil {
			fmt.Fprintln(a.Stderr, "registry-janitor: some notifications about the run could not be sent:", err)
		}
	}, nil
}

func (a *app) notifyCommand() *cobra.Command {
	var file string
	test := &cobra.Command{
		Use:   "test -c FILE",
		Short: "Send a sample message to every notification of a configuration",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.testNotifications(cmd.Context(), file) },
	}
	inputs.ConfigFlag(test, &file)
	return syntax.Group("notify", "Test the notifications of a configuration", test)
}

// testNotifications sends samples, and fails if one of them was not sent.
func (a *app) testNotifications(ctx context.Context, file string) error {
	c, err := a.LoadConfig(ctx, "-c", file, "policies", "policy", "protect", "ledger")
	if err != nil {
		return err
	}
	if len(c.Notifications) == 0 {
		return fmt.Errorf("%s has no notifications: add one, such as {name: ops, url_env: SLACK_URL}", file)
	}
	failed := 0
	paint := a.ColorOn(a.Stdout)
	for _, s := range notify.SendSamples(ctx, daemon.Notifications(c), a.Now(), a.who) {
		result := paint.Green("sent")
		if s.Err != nil {
			failed++
			result = paint.Red("NOT SENT")
			fmt.Fprintln(a.Stderr, a.Failed(s.Err))
		}
		if _, err := fmt.Fprintf(a.Stdout, "%s: %s\n", s.Name, result); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %s could not be sent", failed, text.Count(len(c.Notifications), "sample message"))
	}
	return nil
}
