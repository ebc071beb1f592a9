package page

import (
	"slices"
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// actionWords is what an action does.
func actionWords(a actions.Action) string {
	switch a {
	case actions.DeleteTag:
		return "delete tag"
	case actions.DeleteImage:
		return "delete image"
	case actions.DeleteNamespace:
		return "delete namespace"
	case actions.SetImageVisibility:
		return "change image visibility"
	case actions.SetNamespaceVisibility:
		return "change namespace visibility"
	default:
		return string(a)
	}
}

// guardWords is why a guard holds what a rule marks.
func guardWords(g actions.Guard) string {
	switch g {
	case actions.GuardGap:
		return "Something that might have prevented it could not be read."
	case actions.GuardPolicyError:
		return "A policy failed on its image, so what that policy would have kept is not known."
	case actions.GuardNotReady:
		return "Its status is not “ready”: the registry is still working on it, or it is broken."
	case actions.GuardInUse:
		return "It is in use."
	case actions.GuardAttachment:
		return "It is a signature, an attestation or a bill of materials, and the tag that it belongs to is kept."
	case actions.GuardNotEmpty:
		return "It holds something that is kept."
	case actions.GuardMinAge:
		return "It is younger than the minimum age, and may not be deployed yet."
	case actions.GuardGrace:
		return "It has not been marked for long enough: its grace period is not over."
	case actions.GuardReportOnly:
		return "Every rule that marks it is only on trial, and not enforced."
	case actions.GuardSharedDigest:
		return "A tag that is kept has the same digest, and deleting one could delete the other too."
	case actions.GuardKeepAtLeast:
		return "Without it, the image would have too few tags left."
	default:
		return ""
	}
}

// resultWords is what a result means.
func resultWords(r actions.Result) string {
	switch r {
	case actions.ResultDone:
		return "carried out, and confirmed by reading again"
	case actions.ResultGone:
		return "already deleted when the run came to it"
	case actions.ResultChanged:
		return "no longer what was planned, and left alone"
	case actions.ResultBlocked:
		return "forbidden by the registry, or by a tag that is kept"
	case actions.ResultFailed:
		return "tried, and not confirmed"
	case actions.ResultSkipped:
		return "not tried"
	default:
		return ""
	}
}

func resultTone(r actions.Result, n int) string {
	switch {
	case n == 0:
		return "none"
	case r == actions.ResultDone || r == actions.ResultGone:
		return "fine"
	case r == actions.ResultFailed || r == actions.ResultSkipped:
		return "alarm"
	default:
		return "held"
	}
}

// exitWords is what an exit code means.
func exitWords(code int) string {
	switch code {
	case 0:
		return "done"
	case 1:
		return "an error, or the run was incomplete"
	case 2:
		return "the plan has steps or deny violations"
	case 3:
		return "a limit refuses the plan"
	default:
		return "unknown"
	}
}

// exitShape is the mark of an exit code in a chart, so that the codes differ in
// more than color.
func exitShape(code int) string {
	switch code {
	case 0:
		return "circle"
	case 2:
		return "square"
	case 3:
		return "diamond"
	default:
		return "triangle"
	}
}

func startedBy(trigger string) string {
	switch trigger {
	case "":
		return ""
	case runs.TriggerCommand:
		return "by a command"
	case runs.TriggerHTTP:
		return "over HTTP"
	case runs.TriggerStart:
		return "at the start of the daemon"
	default:
		return "by schedule " + trigger
	}
}

// stamp is a time for machines; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// wall is a time as a clock in the zone of the schedule shows it.
func wall(t time.Time) string {
	if t.Location() == time.Local {
		t = t.UTC() // the zone of the machine means nothing to readers
	}
	return t.Format("2006-01-02 15:04 MST")
}

func in(now, then time.Time) string {
	if !then.After(now) {
		return "now"
	}
	return "in " + text.Elapsed(then.Sub(now).Round(time.Second))
}

func ago(now, then time.Time) string {
	switch past := now.Sub(then); {
	case past < 0:
		return in(now, then)
	case past < time.Second:
		return "just now"
	default:
		return text.Elapsed(past.Truncate(time.Second)) + " ago"
	}
}

// homeOf is the namespace of a reference, and nothing for other text.
func homeOf(s string) registry.Ref {
	ref, err := registry.ParseRef(s)
	if err != nil {
		return registry.Ref{}
	}
	return ref.WithoutImage()
}

// objectName is a reference without its host.
func objectName(ref registry.Ref) string {
	if ref.Image == "" {
		return ref.Namespace
	}
	return ref.Namespace + "/" + ref.Image
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) + "%" }

// chunkSize is how many rows a list has: a browser leaves lists that are not
// visible out of its layout.
const chunkSize = 200

func chunks[T any](rows []T) [][]T { return slices.Collect(slices.Chunk(rows, chunkSize)) }
