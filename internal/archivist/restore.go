package archivist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// RestoreOptions say what to restore, and how.
type RestoreOptions struct {
	Choice archive.Choice
	// As is the reference to restore as; "" means the one in the record.
	As string
	// Overwrite moves a tag that exists with another digest.
	Overwrite  bool
	Progress   *Progress // required
	Connection scaleway.Options
	Recorder   recorder.Options
	Now        func() time.Time
	// Again returns a command with the same configuration; required.
	Again func(args ...string) string
}

// Restoring is what a restoration did.
type Restoring struct {
	Restored []archive.Restored `json:"restored"`
	// Missing are the tags of the run, each with its digest, of which the archive has no copy.
	Missing []string `json:"missing"`
	// Failed are the tags, and the attachments of others, that did not come back although the
	// archive has them.
	Failed []Failure `json:"failed"`
	// Notes tell the operator more, such as a visibility that has changed.
	Notes []string `json:"notes"`
	// Chosen is how many tags were to come back, and Back how many of them did; 0 if nothing was
	// tried.
	Chosen int `json:"-"`
	Back   int `json:"-"`
	// lost is the error of what is missing; nil if nothing is.
	lost error
}

// Failure is why a tag did not come back.
type Failure struct {
	Ref    string `json:"ref"`
	Digest string `json:"digest"`
	Error  string `json:"error"`
}

// Restore brings back what the archive holds, under the lock of the runs, and records
// it. Even with an error, the result has everything that was restored.
func Restore(ctx context.Context, c *config.Config, o RestoreOptions) (Restoring, error) {
	out := Restoring{Restored: []archive.Restored{}, Missing: []string{}, Failed: []Failure{}, Notes: []string{}}
	a, err := Open(c, o.Connection)
	if err != nil {
		return out, err
	}
	to, err := plane(c, o.Connection, oci.NewWriter)
	if err != nil {
		return out, err
	}
	visitor, err := plane(c, o.Connection, oci.NewVisitor)
	if err != nil {
		return out, err
	}
	err = recorder.UnderLock(ctx, c, o.Recorder, func(ctx context.Context, l *ledger.Ledger) error {
		leave, err := a.Enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
		k := known{}
		options := archive.RestorerOptions{Check: func(r archive.Record) error { return cmp.Or(k.add(ctx, l, r.Run), k.contradicts(r)) }, Pushed: &o.Progress.pushed, Stay: c.Archive.RestoredStay.Duration(), Now: o.Now}
		records, err := a.Records(ctx)
		if err != nil {
			return err
		}
		connect := inRegions(ctx, c, o.Connection, to.Connect, records)
		moves := newOverwriting(c, a, connect, o)
		if o.Overwrite {
			options.Overwriting = moves.save
		}
		err = out.restore(ctx, c, records, archive.NewRestorer(a, connect, options), o, l, k)
		err = errors.Join(err, moves.copier.Close(ctx))
		for i := range out.Restored {
			if one := &out.Restored[i]; one.Moved() {
				out.Notes = append(out.Notes, moves.note(one))
			}
		}
		out.noteUnmarked()
		return err
	})
	if len(out.Restored) > 0 && ctx.Err() == nil {
		out.Notes = append(out.Notes, visibilityNotes(ctx, visitor.Connect, out.Restored)...)
	}
	return out, err
}

func (out *Restoring) restore(ctx context.Context, c *config.Config, records []archive.Record, r *archive.Restorer, o RestoreOptions, l *ledger.Ledger, k known) error {
	chosen, err := out.choose(ctx, c, records, o, l, k)
	if err != nil {
		return err
	}
	if o.As != "" {
		if _, err := archive.OnlyOne(chosen); err != nil {
			return err
		}
	}
	if err := k.check(chosen, o.Choice); err != nil {
		return err
	}
	o.Progress.tags.Store(int64(len(chosen)))
	out.Chosen = len(chosen)
	all := restoration{out, r, o, l, k, attachmentsOf(chosen, records), map[registry.Ref]bool{}, map[string]bool{}}
	failed := out.lost
	for i, record := range chosen {
		o.Progress.tried.Store(int64(i))
		if ctx.Err() != nil {
			left := len(chosen) - i
			return errors.Join(failed, fmt.Errorf("the restoration was stopped, and %s left: run the same command again", text.Count(left, "tag")+" "+text.Choose(left, "is", "are")))
		}
		failed = errors.Join(failed, all.restore(ctx, record))
	}
	return failed
}

// restoration is what the records of a choice share.
type restoration struct {
	out         *Restoring
	restorer    *archive.Restorer
	o           RestoreOptions
	ledger      *ledger.Ledger
	known       known
	attachments []archive.Record
	told        map[registry.Ref]bool // namespaces whose absence an error tells
	seen        map[string]bool       // attachments of several tags
}

// restore brings one record back, and records that.
func (r *restoration) restore(ctx context.Context, record archive.Record) error {
	as, err := restoreAs(record, r.o.As)
	if err != nil {
		return r.out.fail(record.Ref, record, err)
	}
	done, err := r.restorer.Restore(ctx, r.attachments, record, as)
	switch namespace := as.WithoutImage(); {
	case err == nil, errors.Is(err, store.ErrFrozen), errors.As(err, new(*regionError)):
	case errors.Is(err, archive.ErrOther):
		err = fmt.Errorf("%w: %s", err, r.otherName(record))
	case !r.told[namespace]:
		r.told[namespace] = true
		err = withRemedy(ctx, r.o.Connection, as, err)
	}
	return errors.Join(err, r.fail(ctx, archive.Restored{Record: record, As: as.String()}, done, err),
		r.out.add(ctx, done, r.seen, r.ledger), r.known.underWay(done, r.o.Now()))
}

// fail notes and records why a tag did not come back, or which of its attachments did not if
// the tag is back.
func (r *restoration) fail(ctx context.Context, tag archive.Restored, done []archive.Restored, why error) error {
	if !slices.ContainsFunc(done, func(one archive.Restored) bool { return one.As == tag.As }) {
		_ = r.out.fail(tag.As, tag.Record, why)
		return recordFailed(ctx, r.ledger, tag, why)
	}
	r.out.Back++
	var failed error
	for _, one := range restoreErrors(why) {
		if slices.ContainsFunc(r.out.Failed, func(f Failure) bool { return f.Ref == one.Of.As }) {
			continue // it failed with another subject
		}
		_ = r.out.fail(one.Of.As, one.Of.Record, one)
		failed = errors.Join(failed, recordFailed(ctx, r.ledger, one.Of, one))
	}
	return failed
}

// restoreErrors are those in an error, which may join several.
func restoreErrors(err error) (found []*archive.RestoreError) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			found = append(found, restoreErrors(one)...)
		}
		return found
	}
	if one := (*archive.RestoreError)(nil); errors.As(err, &one) {
		found = append(found, one)
	}
	return found
}

// otherName says what to do about a tag that has another digest.
func (r *restoration) otherName(record archive.Record) string {
	run := r.o.Choice.WholeRun()
	if run == "" {
		return "choose another name with --as, or move it with --overwrite"
	}
	return "move it with --overwrite, or restore it alone under another name: " + r.o.Again("restore", record.Ref, "--run", run, "--as", "REF")
}

// fail notes the error of a record, and returns it.
func (out *Restoring) fail(as string, record archive.Record, err error) error {
	if err != nil {
		out.Failed = append(out.Failed, Failure{Ref: as, Digest: record.Digest, Error: err.Error()})
	}
	return err
}

// noteUnmarked says of which tags the archive does not know that they were restored.
func (out *Restoring) noteUnmarked() {
	var refs []string
	var why error
	for i := range out.Restored {
		if one := &out.Restored[i]; one.Unmarked != nil {
			refs, why = append(refs, one.As), one.Unmarked
		}
	}
	if len(refs) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("only the ledger notes that %s came back, because the archive cannot be written (%v): protect what is to stay if a program with another ledger cleans the same registry",
			text.Some(refs), why))
	}
}

// add notes what was restored, and records it.
func (out *Restoring) add(ctx context.Context, done []archive.Restored, seen map[string]bool, l *ledger.Ledger) (failed error) {
	for _, one := range done {
		if seen[one.Record.Ref] {
			continue // it came back with another subject
		}
		seen[one.Record.Ref] = true
		if one.Kept {
			out.Notes = append(out.Notes, fmt.Sprintf("%s exists with another digest, %s, and was left as it is: restore it by itself with --overwrite if you need the archived one", one.As, one.Before))
			continue
		}
		out.Restored = append(out.Restored, one)
		if !one.WasThere() {
			failed = errors.Join(failed, l.Restored(context.WithoutCancel(ctx), restoreOf(one)))
		}
	}
	return failed
}

// attachmentsOf are the records of attachments in the images of what was chosen. What was
// chosen itself comes back by itself.
func attachmentsOf(chosen, records []archive.Record) []archive.Record {
	refs, images := map[string]bool{}, map[string]bool{}
	for i := range chosen {
		refs[chosen[i].Ref], images[chosen[i].Image()] = true, true
	}
	return slices.DeleteFunc(slices.Clone(records), func(r archive.Record) bool {
		return refs[r.Ref] || !images[r.Image()] || r.Subject() == ""
	})
}

// choose finds the records of a choice, and adds what the ledger knows of them.
func (out *Restoring) choose(ctx context.Context, c *config.Config, records []archive.Record, o RestoreOptions, l *ledger.Ledger, k known) ([]archive.Record, error) {
	candidates, missing, err := k.candidates(ctx, records, o.Choice, l)
	if err != nil {
		return nil, err
	}
	out.Missing, out.lost = missing, k.errMissing(c, missing, o.Choice.WholeRun(), o.Now())
	chosen, err := archive.Choose(candidates, o.Choice)
	if err != nil {
		return nil, cmp.Or(out.lost, err)
	}
	return chosen, k.addAll(ctx, l, chosen)
}

// Names that do not match could send the login of the account, or the content, elsewhere
// than to the registry.
var (
	regionPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	namePattern   = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`) // of an image
	tagPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// restoreAs is the reference under which a record comes back. Without a host, it is at that
// of the record.
func restoreAs(record archive.Record, as string) (registry.Ref, error) {
	if as == "" {
		as = record.Ref
	}
	if first, _, ok := strings.Cut(as, "/"); ok && !strings.ContainsAny(first, ".:") {
		host, _, _ := strings.Cut(record.Ref, "/")
		as = host + "/" + as
	}
	ref, err := registry.ParseRef(as)
	switch {
	case err != nil:
		return ref, err
	case ref.Tag == "":
		return ref, fmt.Errorf("%s is not a tag: write the whole reference, such as %s", as, record.Ref)
	case !regionPattern.MatchString(string(ref.Region)), !namePattern.MatchString(ref.Namespace + "/" + ref.Image), !tagPattern.MatchString(ref.Tag):
		return ref, fmt.Errorf("%q is not a valid reference: it has characters or parts that no tag of this registry has", as)
	}
	return ref, nil
}

// withRemedy adds to the error of a restoration what to do if its namespace is not there.
func withRemedy(ctx context.Context, connection scaleway.Options, as registry.Ref, err error) error {
	reader, failed := scaleway.NewReader(connection)
	if failed != nil {
		return err
	}
	found, failed := reader.Namespaces(ctx, registry.Query{Region: as.Region, Name: as.Namespace})
	if failed != nil || slices.ContainsFunc(found, func(n registry.Namespace) bool { return n.Name == as.Namespace }) {
		return err
	}
	return fmt.Errorf("%w: the namespace %s does not exist in %s: create it (scw registry namespace create name=%s region=%s), and run the same command again",
		err, as.Namespace, as.Region, as.Namespace, as.Region)
}

func restoreOf(one archive.Restored) ledger.Restore {
	run, _ := strconv.ParseInt(one.Record.Run, 10, 64)
	r := ledger.Restore{Ref: one.As, Digest: one.Record.Digest, From: one.Record.Ref, Run: run, Result: actions.ResultDone}
	if one.Moved() {
		r.Detail = "it had the digest " + one.Before
	}
	return r
}

// recordFailed records that a restoration failed, its attachments included. One that waits
// for a thaw goes on later.
func recordFailed(ctx context.Context, l *ledger.Ledger, one archive.Restored, why error) error {
	if why == nil || errors.Is(why, store.ErrFrozen) {
		return nil
	}
	r := restoreOf(one)
	r.Result, r.Detail = actions.ResultFailed, why.Error()
	return l.Restored(context.WithoutCancel(ctx), r)
}
