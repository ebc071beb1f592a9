package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// describeAction is what an action does: "delete tag", "change image visibility".
func describeAction(a actions.Action) string {
	return strings.Replace(spaced(string(a)), "set ", "change ", 1)
}

func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

// describeGuard is why a guard holds what a rule marks.
func describeGuard(g actions.Guard) string {
	return map[actions.Guard]string{
		actions.GuardGap:          "Something that might have prevented it could not be read.",
		actions.GuardPolicyError:  "A policy failed on its image, and that policy might have kept it.",
		actions.GuardNotReady:     "Its status is not “ready”: the registry is still working on it, or it is broken.",
		actions.GuardInUse:        "It is in use.",
		actions.GuardAttachment:   "It is a signature, an attestation or a bill of materials, and the tag that it belongs to is kept.",
		actions.GuardPartOf:       "It is, or may be, a part of a multi-platform image whose tag is kept.",
		actions.GuardNotEmpty:     "It holds something that is kept.",
		actions.GuardMinAge:       "It is younger than the minimum age, and may not be deployed yet.",
		actions.GuardGrace:        "It has not been marked for long enough: its grace period is not over.",
		actions.GuardReportOnly:   "Every rule that marks it is only on trial, and not enforced.",
		actions.GuardSharedDigest: "A tag that is kept has the same digest, and deleting one could delete the other too.",
		actions.GuardKeepAtLeast:  "Without it, the image would have too few tags left.",
		actions.GuardAtMost:       "Older deletions come first: the plan was limited to a number of them.",
	}[g]
}

// describeResult is what a result means.
func describeResult(r actions.Result) string {
	return map[actions.Result]string{
		actions.ResultDone:    "carried out, and confirmed by reading again",
		actions.ResultGone:    "already deleted before the run reached it",
		actions.ResultChanged: "no longer what was planned, and left alone",
		actions.ResultBlocked: "forbidden by the registry, or by a tag that is kept",
		actions.ResultFailed:  "tried, and not confirmed",
		actions.ResultSkipped: "not tried",
	}[r]
}

func resultTone(r actions.Result, n int) string {
	switch {
	case n == 0:
		return "none"
	case r.Achieved():
		return "fine"
	case r == actions.ResultFailed || r == actions.ResultSkipped:
		return "alarm"
	default:
		return "held"
	}
}

// describeExit is what an exit code means.
func describeExit(code int) string {
	return cmp.Or(map[int]string{
		0: "done",
		1: "an error, or the run was incomplete",
		2: "the plan has steps or deny violations",
		3: "a limit refuses the plan",
	}[code], "unknown")
}

// exitShape is the mark of an exit code in a chart, so that the codes differ in
// more than color.
func exitShape(code int) string {
	return cmp.Or(map[int]string{0: "circle", 2: "square", 3: "diamond"}[code], "triangle")
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
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return inZone(t, zone).Format(time.RFC3339)
}

// inZone is a time in the zone of the page, which is UTC by default.
func inZone(t time.Time, zone *time.Location) time.Time { return t.In(cmp.Or(zone, time.UTC)) }

// wall is a time to the minute, as a clock on the wall shows it.
func wall(t time.Time, zone *time.Location) string {
	return inZone(t, zone).Format("2006-01-02 15:04 MST")
}

// fileName names a run that is saved in a format.
func fileName(id, format string) string {
	suffix := cmp.Or(map[string]string{"text": "txt", "markdown": "md", "junit": "junit.xml", "github": "github.txt"}[format], format)
	return "run-" + id + "." + suffix
}

func in(now, then time.Time) string {
	if !then.After(now) {
		return "now"
	}
	return "in " + span(then.Sub(now))
}

func ago(now, then time.Time) string {
	switch past := now.Sub(then); {
	case past < 0:
		return in(now, then)
	case past < time.Second:
		return "just now"
	default:
		return span(past) + " ago"
	}
}

// span is a time span to the minute, or to the second if it is shorter than one.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < 24*time.Hour:
		d = d.Round(time.Minute)
	default:
		d = d.Round(time.Hour)
	}
	return text.Elapsed(d)
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
