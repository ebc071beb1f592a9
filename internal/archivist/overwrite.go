package archivist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/registry"
)

// overwriting archives what tags have before a restoration moves them, whatever
// archive.match says, because that content may be nowhere else.
type overwriting struct {
	copier *archive.Copier
	again  func(args ...string) string
	// kept is what became of the content, for people, by the reference of the tag.
	kept map[string]string
}

func newOverwriting(c *config.Config, a *archive.Archive, connect archive.Connect, o RestoreOptions) *overwriting {
	return &overwriting{again: o.Again, kept: map[string]string{}, copier: archive.NewCopier(a, connect, archive.CopierOptions{
		Who: o.Recorder.Who, Keep: c.Archive.Keep.Duration(), Optional: !c.Archive.Required, Bandwidth: c.Archive.BytesPerSecond(),
		Now: o.Now, Logger: slog.New(slog.DiscardHandler), // kept has what it would warn of
	})}
}

// save archives the digest that a tag has. Its error is that the tag must not be moved.
func (w *overwriting) save(ctx context.Context, ref registry.Ref, digest string) error {
	_, err := w.copier.Copy(ctx, &actions.Step{
		Action: actions.DeleteTag, Ref: ref.String(), Region: ref.Region, Namespace: ref.Namespace, Image: ref.Image, Tag: ref.Tag, Digest: digest,
		Reasons: []registry.Reason{{Rule: archive.RuleOverwritten, Text: "a restoration moved the tag"}},
	})
	var uncopied *actions.UncopiedError
	switch {
	case errors.As(err, &uncopied):
		w.kept[ref.String()] = fmt.Sprintf("that could not be archived: %v", uncopied)
	case err != nil:
		return fmt.Errorf("it has the digest %s, and nothing was changed: %w", digest, err)
	default:
		w.kept[ref.String()] = "to move it back: " + w.again("restore", ref.String()+"@"+digest, "--overwrite")
	}
	return nil
}

// note says which digest a tag had before it was moved.
func (w *overwriting) note(one *archive.Restored) string {
	return fmt.Sprintf("%s had the digest %s before; %s", one.As, one.Before, w.kept[one.As])
}
