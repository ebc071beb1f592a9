package machine

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// csvColumns are those of the CSV of a plan. Scripts and spreadsheets rely on their
// names and order. Unknown values are empty.
func csvColumns() []string {
	return []string{
		"action", "ref", "region", "namespace", "image", "tag", "digest", "updated_at", "age_days",
		"rule", "reason", "guard", "frees_bytes", "saves_per_month", "currency",
	}
}

// CSV writes a row for each step, and then one for each held entry, which has a
// guard, and ends its reason with why it is held. Times are in UTC.
func CSV(w io.Writer, run runs.Run) error {
	p := planOf(run)
	out := csv.NewWriter(w)
	rows := [][]string{csvColumns()}
	for i := range p.Steps {
		s := &p.Steps[i]
		updated, age := since(p.TakenAt, s.UpdatedAt)
		saves, currency := savesOf(p, s, run.Price)
		rows = append(rows, []string{
			string(s.Action), inert(s.Ref), inert(string(s.Region)), inert(s.Namespace), inert(s.Image), inert(s.Tag), inert(s.Digest),
			updated, age, inert(rulesIn(s.Reasons)), inert(outline.Texts(s.Reasons)), "", measure(s.FreesBytes), saves, currency,
		})
	}
	for _, h := range p.Held {
		ref := outline.Parse(h.Ref)
		updated, age := since(p.TakenAt, h.UpdatedAt)
		rows = append(rows, []string{
			string(h.Action), inert(h.Ref), inert(string(ref.Region)), inert(ref.Namespace), inert(ref.Image), inert(ref.Tag), inert(h.Digest),
			updated, age, inert(rulesIn(h.Reasons)), inert(strings.TrimPrefix(outline.Texts(h.Reasons)+"; "+h.Detail, "; ")), string(h.Guard), "", "", "",
		})
	}
	return out.WriteAll(rows) // it flushes
}

// since is when something was updated, and for how many whole days that was so at the
// time of the plan; empty if it is not known.
func since(taken, updated time.Time) (at, days string) {
	if updated.IsZero() {
		return "", ""
	}
	return updated.UTC().Format(time.RFC3339), strconv.Itoa(int(taken.Sub(updated) / (24 * time.Hour)))
}

// savesOf is what a month of the layers costs that a step frees: nothing in a public image,
// and empty if it is not known.
func savesOf(p *actions.Plan, s *actions.Step, price runs.Price) (amount, currency string) {
	image := outline.FreedIn(p, s.Object())
	if !s.FreesBytes.Known || !image.Bytes.Known {
		return "", ""
	}
	price = outline.PriceOf(price)
	billed := s.FreesBytes.N
	if image.Billed.N == 0 {
		billed = 0
	}
	return strconv.FormatFloat(outline.Amount(billed, price), 'f', 4, 64), price.Currency
}

// measure is a number; empty if it is not known.
func measure(m actions.Measure) string {
	if !m.Known {
		return ""
	}
	return strconv.FormatUint(m.N, 10)
}

// rulesIn names the rules of some reasons.
func rulesIn(reasons []registry.Reason) string {
	return outline.Each(reasons, "; ", func(r registry.Reason) string { return r.Rule })
}

// inert keeps spreadsheets from taking a text for a formula: whatever begins like one
// is quoted, as OWASP advises.
func inert(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r\n") || strings.HasPrefix(s, "＝") || strings.HasPrefix(s, "＋") || strings.HasPrefix(s, "－") || strings.HasPrefix(s, "＠") {
		return "'" + s
	}
	return s
}
