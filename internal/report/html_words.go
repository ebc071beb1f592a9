package report

import (
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// actionInWords says what an action does.
func actionInWords(a actions.Action) string {
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
		return clean(string(a))
	}
}

// guardWords says in a sentence why a guard holds what a rule condemned.
func guardWords(g actions.Guard) string {
	switch g {
	case actions.GuardGap:
		return "Something could not be read that could have spoken against it."
	case actions.GuardPolicyError:
		return "A policy failed on its image, so nobody knows what that policy would have kept."
	case actions.GuardNotReady:
		return "Its status is not “ready”: the registry is at work on it, or something is wrong with it."
	case actions.GuardInUse:
		return "Somebody uses it."
	case actions.GuardAttachment:
		return "It is a signature, an attestation or a bill of materials, and what it is attached to stays."
	case actions.GuardNotEmpty:
		return "It still holds something that stays."
	case actions.GuardMinAge:
		return "It is younger than the minimum age, and may still be on its way to where it is used."
	case actions.GuardGrace:
		return "It has not been condemned for long enough: there is time left to object."
	case actions.GuardReportOnly:
		return "Every rule that condemns it is only being tried out, and is not enforced."
	case actions.GuardSharedDigest:
		return "A tag that stays has the same digest, and deleting one could take the other along."
	case actions.GuardKeepAtLeast:
		return "Without it, too few tags of the image would stay."
	default:
		return ""
	}
}

// resultWords says what a result means.
func resultWords(r actions.Result) string {
	switch r {
	case actions.ResultDone:
		return "carried out, and confirmed by reading again"
	case actions.ResultGone:
		return "gone before this run came to it"
	case actions.ResultChanged:
		return "not what was planned any more, and left alone"
	case actions.ResultBlocked:
		return "forbidden by the registry, or by a tag that stays"
	case actions.ResultFailed:
		return "tried, and not confirmed"
	case actions.ResultSkipped:
		return "not tried"
	default:
		return ""
	}
}

// exitWords says what an exit code means.
func exitWords(code int) string {
	switch code {
	case 0:
		return "done"
	case 1:
		return "an error, or the run was incomplete"
	case 2:
		return "the plan has steps or violations that deny"
	case 3:
		return "a limit refuses the plan"
	default:
		return "unknown"
	}
}

// exitShape names the mark of an exit code in a chart, so that colour is not all
// that tells them apart.
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

// orDefault is the price, or, where nobody set one, what Scaleway asked in 2026 for
// a month and 10⁹ bytes of private images: https://www.scaleway.com/en/pricing/containers/
func priceOrDefault(p runs.Price) runs.Price {
	if p == (runs.Price{}) {
		p.PerGB = 0.027
	}
	if p.Currency == "" {
		p.Currency = "EUR"
	}
	return p
}

// costOf words what a month of storage costs.
func costOf(bytes uint64, p runs.Price) string {
	amount := float64(bytes) / 1e9 * p.PerGB
	switch {
	case amount == 0:
		return money(p, "0.00")
	case amount < 0.005:
		return "< " + money(p, "0.01")
	default:
		s := strconv.FormatFloat(amount, 'f', 2, 64)
		whole, cents, _ := strings.Cut(s, ".")
		if n, err := strconv.Atoi(whole); err == nil {
			whole = text.Thousands(n)
		}
		return money(p, whole+"."+cents)
	}
}

func money(p runs.Price, amount string) string {
	if p.Currency == "EUR" {
		return "€" + amount
	}
	return clean(p.Currency) + " " + amount
}
