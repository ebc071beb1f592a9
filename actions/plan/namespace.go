package plan

import (
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// decideNamespace decides about a namespace. Its deletion needs proof that it is
// empty: the API deletes a namespace with everything in it.
func decideNamespace(v registry.Verdict, o Options) Part {
	ns := v.Namespace
	part := Part{subject: ns.Ref(), violations: slices.Clone(v.Violations)}
	ref := part.subject.String()
	if ns.Status != registry.StatusReady {
		part.warn(ref, statusNamespaceRule, skippedText(ns.Status))
	}
	part.reportOrder(ref, ns.CreatedAt, ns.UpdatedAt)
	marked := isMarked(v.Delete, v.Keep)
	step := actions.Step{
		Action: actions.SetNamespaceVisibility, Ref: ref, Region: ns.Region, Namespace: ns.Name,
		ID: ns.ID, UpdatedAt: ns.UpdatedAt.UTC(), From: ns.Visibility(),
	}
	switch {
	case v.Err != nil && !marked:
		part.gap(ref, v.Err)
	case v.Err == nil && ns.Status == registry.StatusReady:
		part.setVisibility(v.Visibility, step)
	}
	if !marked {
		return part
	}
	step.Action, step.From, step.Reasons = actions.DeleteNamespace, "", v.Delete
	if g, detail := namespaceGuard(&v, &o); g != "" {
		part.direct.hold(step.Action, ref, g, detail, step.Reasons)
		return part
	}
	part.direct.step(step)
	return part
}

// namespaceGuard names the first guard that holds the deletion of a namespace, and
// why.
func namespaceGuard(v *registry.Verdict, o *Options) (actions.Guard, string) {
	ns := v.Namespace
	switch {
	case v.Err != nil:
		return actions.GuardPolicyError, policyError(v.Err)
	case ns.Status != registry.StatusReady:
		return actions.GuardNotReady, "status is " + ns.Status.OrMissing()
	case ns.ImageCount > 0:
		return actions.GuardNotEmpty, "the API counts " + text.Count(int(min(ns.ImageCount, 1<<31)), "image") + " in it"
	case ns.SizeBytes > 0:
		return actions.GuardNotEmpty, "the API counts " + text.Size(ns.SizeBytes) + " in it"
	case !v.Empty:
		return actions.GuardNotEmpty, "it is not proven to be empty"
	case o.isYoung(ns.Changed()):
		return actions.GuardMinAge, o.youth(ns.Changed())
	case isReportOnly(v.Delete):
		return actions.GuardReportOnly, "marked only by " + notEnforced(v.Delete)
	}
	return "", ""
}
