package plan

import (
	"fmt"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// planNamespace plans a namespace. Its deletion needs proof that it is empty:
// the API deletes a namespace with everything in it without asking twice.
func planNamespace(v registry.Verdict, o Options) Part {
	ns := v.Namespace
	part := Part{subject: ns.Ref()}
	d := drafter{o: &o, part: &part}
	ref := part.subject.String()
	d.part.violations = append(d.part.violations, v.Violations...)
	if ns.Status != registry.StatusReady {
		d.warn(ref, statusNamespaceRule, skippedText(ns.Status))
	}
	condemned := condemns(v.Delete, v.Keep)
	step := actions.Step{
		Action: actions.SetNamespaceVisibility, Ref: ref, Region: ns.Region, Namespace: ns.Name,
		ID: ns.ID, UpdatedAt: ns.UpdatedAt.UTC(), From: ns.Visibility(),
	}
	switch {
	case v.Err != nil && !condemned:
		d.gap(ref, v.Err)
	case v.Err == nil && ns.Status == registry.StatusReady:
		d.visibility(v.Visibility, step)
	}
	if !condemned {
		return part
	}
	step.Action, step.From, step.Reasons = actions.DeleteNamespace, "", v.Delete
	if g, detail := namespaceGuard(&v, &o, step.Reasons); g != "" {
		part.asked.hold(actions.DeleteNamespace, ref, g, detail, step.Reasons)
		return part
	}
	part.asked.step(step)
	return part
}

// namespaceGuard names the first guard that holds the deletion of a namespace.
func namespaceGuard(v *registry.Verdict, o *Options, reasons []registry.Reason) (actions.Guard, string) {
	ns := v.Namespace
	switch young := o.youth(ns.CreatedAt, ns.UpdatedAt); {
	case v.Err != nil:
		return actions.GuardPolicyError, policyError(v.Err)
	case ns.Status != registry.StatusReady:
		return actions.GuardNotReady, "status is " + ns.Status.OrMissing()
	case ns.ImageCount > 0:
		return actions.GuardNotEmpty, fmt.Sprintf("the API counts %s in it", text.Count(int(min(ns.ImageCount, 1<<31)), "image"))
	case !v.Empty:
		return actions.GuardNotEmpty, "it is not proven to be empty"
	case young != "":
		return actions.GuardMinAge, young
	case reportOnly(v.Delete):
		return actions.GuardReportOnly, "condemned only by " + unenforced(reasons)
	default:
		return "", ""
	}
}
