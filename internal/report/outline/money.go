package outline

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Freed words how much storage deletions free, and what a month of it costs: "1.2 GB, about
// €0.03 a month; not known of 3 tags", or "an unknown size (3 tags)". It is "" if nothing was to
// be known.
func Freed(f actions.Frees, p runs.Price) string {
	if !f.Bytes.Known {
		return ""
	}
	words, unknown := text.Size(f.Bytes.N), text.Count(int(min(f.Unknown.N, 1<<31)), "tag")
	if f.Billed.N > 0 {
		words += ", " + monthly(f.Billed.N, p)
	}
	switch {
	case f.Unknown.N == 0:
		return words
	case f.Bytes.N == 0: // that is not what they free
		return "an unknown size (" + unknown + ")"
	}
	return words + "; not known of " + unknown
}

// Archiving words what is copied into the archive before the deletions, what a month of it
// costs there, and what is saved all the same: "60 tags: at most 1.2 GB, about €0.01 a month".
// It is "" without an archive, or if the run could not copy as planned. What is not known of the tags is bounded by their images.
func Archiving(p *actions.Plan, price runs.Price) string {
	a := p.Summary.Archive
	if a.Tags == 0 || Unarchived(p.Outcome) != "" {
		return ""
	}
	price = PriceOf(price)
	there := runs.Price{PerGB: price.ArchivePerGB, Currency: price.Currency}
	words := text.Count(a.Tags, "tag")
	if a.Unknown >= a.Tags {
		if a.Images > 0 {
			return words + ": at most " + text.Size(a.Images) + ", the size of their images" + costThere(a.Images, there) + mostSaved(a.ImagesBilled, price) +
				"; a plan with content.read: always reads that of the tags"
		}
		return words + " of unknown size; a plan with content.read: always reads it"
	}
	words += ": at most " + text.Size(a.Bytes) + costThere(a.Bytes, there)
	if !p.Summary.Frees.Billed.Known {
		words += mostSaved(a.ImagesBilled, price)
	} else if saved := Amount(p.Summary.Frees.Billed.N, price) - Amount(a.Bytes, there); there.PerGB > 0 && saved > 0 {
		words += ", which leaves " + perMonth(saved, price) + " saved"
	}
	if a.Unknown > 0 {
		words += "; not known of " + text.Count(a.Unknown, "tag")
	}
	return words
}

// Uncopied says of how many tags no copy is made before their deletion, because the archive
// leaves them out; "" if it gets all, or there is none.
func Uncopied(p *actions.Plan) string {
	a := p.Summary.Archive
	if a.LeftOut == 0 {
		return ""
	}
	is, them := "are", "them"
	if a.LeftOut == 1 {
		is, them = "is", "it"
	}
	return text.Thousands(a.LeftOut) + " of " + text.Count(a.Tags+a.LeftOut, "tag") + " " + is + " deleted without a copy, because archive.match or archive.except leaves " + them + " out"
}

// costThere adds what a month of storage costs in the archive, if that is known.
func costThere(bytes uint64, there runs.Price) string {
	if there.PerGB == 0 || bytes == 0 {
		return ""
	}
	return ", " + monthly(bytes, there)
}

// mostSaved adds what deletions save in a month if they free all of so many bytes: no less
// is then in the archive.
func mostSaved(billed uint64, price runs.Price) string {
	saved := float64(billed) / 1e9 * (price.PerGB - price.ArchivePerGB)
	if saved <= 0 {
		return ""
	}
	words := ", and the deletions save " + strings.Replace(perMonth(saved, price), "about", "at most", 1)
	if price.ArchivePerGB == 0 {
		words += ", less what the archive costs"
	}
	return words
}

// monthly words what a month of storage costs.
func monthly(bytes uint64, p runs.Price) string {
	p = PriceOf(p)
	return perMonth(Amount(bytes, p), p)
}

func perMonth(sum float64, p runs.Price) string {
	words := cost(sum, p)
	if little, ok := strings.CutPrefix(words, "< "); ok {
		return "less than " + little + " a month"
	}
	return "about " + words + " a month"
}

// FreedBy is what a rule frees.
func FreedBy(p *actions.Plan, rule string) actions.Frees {
	at, ok := slices.BinarySearchFunc(p.FreesByRule, rule, func(r actions.RuleFrees, rule string) int { return cmp.Compare(r.Rule, rule) })
	if !ok {
		return actions.Frees{}
	}
	return p.FreesByRule[at].Frees
}

// FreedIn is what is freed in an image, or in all images of a namespace.
func FreedIn(p *actions.Plan, ref registry.Ref) actions.Frees {
	first := ref.String()
	if ref.Image == "" {
		first += "/"
	}
	at, found := slices.BinarySearchFunc(p.Images, first, func(i actions.PlannedImage, ref string) int { return cmp.Compare(i.Ref, ref) })
	if found {
		return p.Images[at].Frees
	}
	var sum actions.Frees
	for ; ref.Image == "" && at < len(p.Images) && strings.HasPrefix(p.Images[at].Ref, first); at++ {
		sum = sum.Plus(p.Images[at].Frees)
	}
	return sum
}

// Billing words what a change of visibility does to the price of storage: "billing starts:
// 1.2 GB, about €0.03 a month". It is "" if it does nothing, or if that is not known.
func Billing(p *actions.Plan, s *actions.Step, price runs.Price) string {
	if p.Stats == nil || s.Action.Deletes() {
		return ""
	}
	image := p.Stats.Images[s.Ref]
	bytes, public := image.Bytes, image.Public
	if s.Action == actions.SetNamespaceVisibility {
		bytes, public = p.Stats.Namespaces[s.Ref].InheritedBytes, s.From == registry.Public
	}
	if bytes == 0 || public == isPublicAfter(p, s, image) {
		return ""
	}
	change := "ends"
	if public {
		change = "starts"
	}
	return "billing " + change + ": " + text.Size(bytes) + ", " + monthly(bytes, price)
}

// isPublicAfter reports whether a change of visibility opens an object, or leaves it open.
// What an image inherits, the plan may change too.
func isPublicAfter(p *actions.Plan, s *actions.Step, image actions.ImageStats) bool {
	if s.To != registry.Inherit {
		return s.To == registry.Public
	}
	namespace := s.Object().WithoutImage().String()
	at, _ := slices.BinarySearchFunc(p.Steps, namespace, func(s actions.Step, ref string) int { return cmp.Compare(s.Ref, ref) })
	for ; at < len(p.Steps) && p.Steps[at].Ref == namespace; at++ {
		if p.Steps[at].Action == actions.SetNamespaceVisibility {
			return p.Steps[at].To == registry.Public
		}
	}
	return image.InPublic
}

// PriceOf is the price, or by default what Scaleway billed in 2026 for a month
// and 10⁹ bytes of private images: https://www.scaleway.com/en/pricing/containers/
func PriceOf(p runs.Price) runs.Price {
	if p == (runs.Price{}) {
		p.PerGB = 0.027
	}
	if p.Currency == "" {
		p.Currency = "EUR"
	}
	return p
}

// Cost is what a month of storage costs.
func Cost(bytes uint64, p runs.Price) string { return cost(Amount(bytes, p), p) }

// Amount is what a month of storage costs, as a number.
func Amount(bytes uint64, p runs.Price) float64 { return float64(bytes) / 1e9 * p.PerGB }

func cost(amount float64, p runs.Price) string {
	switch {
	case amount == 0:
		return money(p, "0.00")
	case amount < 0.005:
		return "< " + money(p, "0.01")
	}
	whole, cents, _ := strings.Cut(strconv.FormatFloat(amount, 'f', 2, 64), ".")
	if n, err := strconv.Atoi(whole); err == nil {
		whole = text.Thousands(n)
	}
	return money(p, whole+"."+cents)
}

// PerGB is the price of 10⁹ bytes.
func PerGB(p runs.Price) string { return money(p, strconv.FormatFloat(p.PerGB, 'f', -1, 64)) }

func money(p runs.Price, amount string) string {
	if p.Currency == "EUR" {
		return "€" + amount
	}
	return p.Currency + " " + amount
}
