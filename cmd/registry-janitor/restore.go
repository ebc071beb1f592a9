package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archivist"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// restoreFlags are the flags of restore.
type restoreFlags struct {
	archiveFlags
	as, run         string
	overwrite, list bool
}

func (a *app) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore -c FILE REF|RUN",
		Short: "Bring back tags that were deleted, from the archive",
		Long: `Bring back what the archive holds: a tag, everything that a run deleted, or with
REF@DIGEST the copy with that digest. The manifest comes back byte for byte, with all
parts of an image for several platforms, and with its signatures and the like if those
were deleted too. It does not ask.

A tag that exists with another digest is not moved without --overwrite, and then what it
has is archived first. What was restored is kept for archive.restored_stay, whatever the
rules say, and takes no place in what they count.

Exit codes: 0 the reference has the archived digest again; 1 it does not.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 0 && f.run == "" && !f.list {
				return errors.New("name one tag, or the number of a run; archive list shows what can come back")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.restore(cmd.Context(), &f, archive.Choice{Ref: strings.Join(args, ""), Run: f.run})
		},
	}
	f.add(cmd)
	f.addLock(cmd)
	cmd.Flags().StringVar(&f.as, "as", "", "restore the tag under another `REF`")
	cmd.Flags().StringVar(&f.run, "run", "", "restore what this `RUN` deleted, all of it or only REF")
	cmd.Flags().BoolVar(&f.overwrite, "overwrite", false, "move a tag that exists with another digest")
	cmd.Flags().BoolVar(&f.list, "list", false, "only show what can be restored")
	return cmd
}

func (a *app) restore(ctx context.Context, f *restoreFlags, which archive.Choice) error {
	if run := (archive.Choice{Ref: which.Ref}).WholeRun(); run != "" && f.run != "" {
		return fmt.Errorf("name the run once: %s is the number of a run, and so is --run %s", run, f.run)
	}
	if f.list {
		return a.listArchive(ctx, &f.archiveFlags, which)
	}
	c, o, err := a.archiveConfig(ctx, &f.archiveFlags)
	if err != nil {
		return err
	}
	recording, err := a.archiveRecorder(c, &f.archiveFlags)
	if err != nil {
		return err
	}
	progress := new(archivist.Progress)
	stop := a.ShowProgress(progress)
	done, err := archivist.Restore(ctx, c, archivist.RestoreOptions{
		Progress: progress, Choice: which, As: f.as, Overwrite: f.overwrite, Connection: o.Connection, Recorder: recording, Now: a.Now,
		Again: again(f.config, f.stateDir, c),
	})
	stop()
	if f.format == report.FormatJSON {
		return errors.Join(err, a.PrintJSON(done))
	}
	return errors.Join(err, printRestored(a.Stdout, done))
}

func printRestored(w io.Writer, done archivist.Restoring) error {
	var b strings.Builder
	for _, one := range done.Restored {
		if one.WasThere() {
			fmt.Fprintf(&b, "%s still has the digest %s: nothing was changed\n", text.Clean(one.As), text.Clean(one.Record.Digest))
			continue
		}
		fmt.Fprintf(&b, "%s has the digest %s again%s\n", text.Clean(one.As), text.Clean(one.Record.Digest), pushed(one))
	}
	for _, note := range done.Notes {
		fmt.Fprintf(&b, "Note: %s\n", text.Clean(note))
	}
	if all := done.Chosen + len(done.Missing); done.Chosen > 0 && all > 1 && done.Back < all {
		not := all - done.Back
		fmt.Fprintf(&b, "%s of %s %s back, %s not\n", text.Thousands(done.Back), text.Count(all, "tag"), text.Choose(done.Back, "is", "are"), text.Thousands(not)+" "+text.Choose(not, "is", "are"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func pushed(one archive.Restored) string {
	switch {
	case one.Before == one.Record.Digest:
		return ": it was still there"
	case one.Blobs == 0:
		return ": the registry still had its layers"
	}
	return fmt.Sprintf(": %s (%s) were pushed", text.Count(one.Blobs, "blob"), text.Size(uint64(one.Bytes))) //nolint:gosec // G115: never negative
}
