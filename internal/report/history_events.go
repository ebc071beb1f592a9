package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Events writes the events of an object, and of what is in it.
func Events(w io.Writer, ref string, events []ledger.Event, o HistoryOptions) error {
	ref, events = outline.Clean(ref), outline.Clean(events)
	var b strings.Builder
	fmt.Fprintln(&b, o.Color.Bold(ref))
	width := 0
	for i := range events {
		width = max(width, len(within(ref, events[i].Ref)))
	}
	for i := range events {
		e := &events[i]
		fmt.Fprintf(&b, "  %s  ", o.moment(e.At))
		if width > 0 {
			fmt.Fprintf(&b, "%-*s  ", width, cmp.Or(within(ref, e.Ref), "-"))
		}
		who := e.Who
		if e.Run > 0 {
			who = fmt.Sprintf("run %d, %s", e.Run, e.Who)
		}
		fmt.Fprintf(&b, "%s  (%s)\n", describeEvent(e, o), who)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// within names an object in another one: the tag of an image, the image of a namespace.
func within(outer, inner string) string {
	return strings.TrimLeft(strings.TrimPrefix(inner, outer), ":/")
}

func describeEvent(e *ledger.Event, o HistoryOptions) string {
	switch e.Kind {
	case ledger.EventMarked:
		return "marked for deletion by " + reasonsOf(e.Reasons)
	case ledger.EventUnmarked:
		return "no longer marked"
	case ledger.EventHeld:
		return joined(": ", "held by the guard "+string(e.Guard), e.Detail)
	case ledger.EventReleased:
		return "no longer held by the guard " + string(e.Guard)
	case ledger.EventRestored:
		return joined(": ", "restored with the digest "+e.Digest, e.Detail)
	case ledger.EventNotRestored:
		return joined(": ", "not restored with the digest "+e.Digest, e.Detail)
	case ledger.EventArchived:
		again := []string{"restore", e.Ref + "@" + e.Digest}
		if e.Run == 0 { // a restoration moved the tag, which is still there
			again = append(again, "--overwrite")
		}
		return "archived until " + o.moment(e.Until) + ": " + o.Again(again...)
	case ledger.EventIntended:
		return intention(e.Action) + " begins, by " + reasonsOf(e.Reasons)
	}
	return joined(": ", describeResult(e.Action, e.Result), e.Detail)
}

func intention(a actions.Action) string {
	if a.Deletes() {
		return "deletion"
	}
	return "change of the visibility"
}

// describeResult describes what became of a step.
func describeResult(a actions.Action, r actions.Result) string {
	switch r {
	case actions.ResultDone:
		if a.Deletes() {
			return "deleted"
		}
		return "changed"
	case actions.ResultGone:
		return "already gone"
	case actions.ResultChanged:
		return "left alone"
	case actions.ResultSkipped:
		return "not tried"
	}
	return string(r) // blocked, failed
}

// subjectOf is what a step is about.
func subjectOf(a actions.Action) string {
	words := map[actions.Action]string{
		actions.DeleteTag: "tag", actions.DeleteImage: "image", actions.DeleteNamespace: "namespace",
		actions.SetImageVisibility: "visibility of image", actions.SetNamespaceVisibility: "visibility of namespace",
	}
	return cmp.Or(words[a], string(a))
}

// reasonsOf lists reasons by their rules.
func reasonsOf(reasons []registry.Reason) string {
	each := outline.Each(reasons, "; ", func(r registry.Reason) string { return r.Rule + ": " + r.Text })
	return cmp.Or(each, "no reason that was recorded")
}
