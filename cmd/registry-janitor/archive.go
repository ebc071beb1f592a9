package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archivist"
	"github.com/registry-janitor/registry-janitor/internal/cli/inputs"
	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// archiveFlags are the flags of the commands about the archive.
type archiveFlags struct {
	config      string
	stateDir    string
	format      report.Format
	lockTimeout time.Duration
}

func (f *archiveFlags) add(cmd *cobra.Command) {
	inputs.ConfigFlag(cmd, &f.config)
	syntax.Format(cmd, &f.format)
}

// addLock adds the flags of a command that waits for runs to end.
func (f *archiveFlags) addLock(cmd *cobra.Command) {
	addStateDir(cmd.Flags(), &f.stateDir)
	cmd.Flags().DurationVar(&f.lockTimeout, "lock-timeout", 0, "how long to wait for a run to end")
}

func (a *app) archiveCommand() *cobra.Command {
	var listed, purged archiveFlags
	list := &cobra.Command{
		Use:   "list -c FILE [REF|RUN]",
		Short: "List the tags that can be restored, until when, and why they were deleted",
		Long: `List the tags that can be restored, the latest deletion first: when each was deleted,
by which run and rule, and until when its copy stays. REF is a tag, an image or a
namespace; without the host it stands for every region. With RUN, the number of a run, it
also lists what that run deleted and cannot come back, and why.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.listArchive(cmd.Context(), &listed, archive.Choice{Ref: strings.Join(args, "")})
		},
	}
	purge := &cobra.Command{
		Use:   "purge -c FILE",
		Short: "Remove the copies that have expired",
		Long: `Remove the records that have expired, and then the blobs that no record needs. The
daemon does so once a day. No run can apply a plan meanwhile.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.purgeArchive(cmd.Context(), &purged) },
	}
	listed.add(list)
	addStateDir(list.Flags(), &listed.stateDir)
	purged.add(purge)
	purged.addLock(purge)
	return syntax.Group("archive", "Show what the archive holds, or remove what has expired in it", list, purge)
}

// archiveConfig reads a configuration for a command that judges nothing.
func (a *app) archiveConfig(ctx context.Context, f *archiveFlags) (*config.Config, janitor.SessionOptions, error) {
	c, err := a.LoadConfig(ctx, "-c", f.config, "policies", "policy", "protect")
	if err != nil {
		return nil, janitor.SessionOptions{}, err
	}
	return c, a.SessionOptions(c.Scaleway.Profile, &inputs.Flags{Concurrency: 16}), nil
}

// recorder is who takes the lock of the runs.
func (a *app) archiveRecorder(c *config.Config, f *archiveFlags) (o recorder.Options, err error) {
	o = a.recorderOptions(f.lockTimeout)
	if o.State, err = recorder.StateIn(f.stateDir, ""); c.LedgerDSN() != "" {
		err = nil
	}
	return o, err
}

func (a *app) listArchive(ctx context.Context, f *archiveFlags, which archive.Choice) error {
	c, o, err := a.archiveConfig(ctx, f)
	if err != nil {
		return err
	}
	state, _ := recorder.StateIn(f.stateDir, "") // without one there is only the ledger of the configuration
	found, err := archivist.List(ctx, c, o.Connection, which, state, a.Now())
	if err != nil {
		return err
	}
	if f.format == report.FormatJSON {
		return a.PrintJSON(found)
	}
	return a.printRecords(c, found, which)
}

func (a *app) printRecords(c *config.Config, found archivist.Listing, which archive.Choice) error {
	var b strings.Builder
	color := a.ColorOn(a.Stdout)
	switch what := text.Clean(which.Words()); {
	case which == archive.Choice{}:
		fmt.Fprintf(&b, "The archive %s holds %s that can be restored.\n", text.Clean(found.Archive), text.Count(len(found.Records), "tag"))
	case len(found.Records) == 0:
		fmt.Fprintf(&b, "The archive %s holds no copy of %s.\n", text.Clean(found.Archive), what)
	default:
		fmt.Fprintf(&b, "The archive %s holds %s of %s that can be restored.\n", text.Clean(found.Archive), text.Count(len(found.Records), "tag"), what)
	}
	for i := range found.Records {
		r := &found.Records[i]
		fmt.Fprintf(&b, "\n%s@%s\n", color.Bold(text.Clean(r.Ref)), text.Clean(r.Digest))
		fmt.Fprintf(&b, "  %s (%s), %s\n", text.Clean(ending(c, r)), text.Clean(r.Who), text.Clean(r.Rule+": "+r.Reason))
		fmt.Fprintf(&b, "  archived until %s\n", moment(c, r.Until))
		if !r.RestoredAt.IsZero() {
			fmt.Fprintf(&b, "  restored %s as %s\n", moment(c, r.RestoredAt), text.Clean(strings.Join(r.RestoredAs, ", ")))
		}
	}
	for _, note := range found.Notes {
		lines := strings.Split(note.Error(), "\n") // which Clean would show as \n
		for i := range lines {
			lines[i] = text.Clean(lines[i])
		}
		fmt.Fprintf(&b, "\nNote: %s\n", strings.Join(lines, "\n"))
	}
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}

// ending is when and how the registry lost what a record has.
func ending(c *config.Config, r *archive.Record) string {
	if r.Run == "" {
		return "overwritten " + moment(c, r.DeletedAt) + " by restore"
	}
	return "deleted " + moment(c, r.DeletedAt) + " by run " + r.Run
}

func moment(c *config.Config, t time.Time) string {
	return t.In(c.Location()).Format("2006-01-02 15:04 MST")
}

func (a *app) purgeArchive(ctx context.Context, f *archiveFlags) error {
	c, o, err := a.archiveConfig(ctx, f)
	if err != nil {
		return err
	}
	recording, err := a.archiveRecorder(c, f)
	if err != nil {
		return err
	}
	purged, err := archivist.Purge(ctx, c, o.Connection, recording)
	if err != nil && len(purged.Records)+purged.Blobs == 0 {
		return err
	}
	if f.format == report.FormatJSON {
		purged.Records = append([]archive.Record{}, purged.Records...) // never null
		return errors.Join(err, a.PrintJSON(purged))
	}
	fmt.Fprintf(a.Stdout, "Removed %s that had expired, and %s (%s) that nothing needs any more.\n",
		text.Count(len(purged.Records), "record"), text.Count(purged.Blobs, "blob"), text.Size(uint64(purged.Bytes))) //nolint:gosec // G115: never negative
	return err
}

// withArchived adds what the archive knows of an object to its history. An archive that
// cannot be read only warns: the ledger has its own records.
func (a *app) withArchived(ctx context.Context, c *config.Config, ref string, events []ledger.Event) []ledger.Event {
	if c.Archive == nil {
		return events
	}
	archived, err := archivist.Events(ctx, c, a.SessionOptions(c.Scaleway.Profile, &inputs.Flags{Concurrency: 1}).Connection, ref)
	if err != nil {
		a.Log.Warn("the archive cannot be read: the history does not show what was archived", "error", err)
	}
	events = append(events, archived...)
	ledger.SortEvents(events)
	return events
}
