package inputs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Flags name a configuration and the registry that it judges.
type Flags struct {
	Config      string
	Inventory   string
	AsOf        string // the time of a forecast
	Concurrency syntax.Positive
	Observe     func(*scaleway.Options) // nil for none

	regions, namespaces, images []string // the part of the scope
}

// AddAPI adds the flags of a command that needs the API.
func (f *Flags) AddAPI(cmd *cobra.Command) {
	ConfigFlag(cmd, &f.Config)
	f.AddConcurrency(cmd)
}

// AddConcurrency adds the flag of every command that sends requests.
func (f *Flags) AddConcurrency(cmd *cobra.Command) {
	f.Concurrency = 16
	cmd.Flags().Var(&f.Concurrency, "concurrency", "how many requests to send at the same time")
}

// Add adds the flags of a command that can also read a recorded scan.
func (f *Flags) Add(cmd *cobra.Command) {
	f.AddAPI(cmd)
	cmd.Flags().StringVar(&f.Inventory, "inventory", "", "judge the inventory in this `FILE`, which scan wrote, instead of reading the registry")
}

// AddNarrowing adds the flags that narrow a plan to a part of the scope.
func (f *Flags) AddNarrowing(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.regions, "region", nil, "plan only this `REGION`; may be repeated")
	cmd.Flags().StringArrayVar(&f.namespaces, "namespace", nil, "plan only namespaces whose name matches this `GLOB`; may be repeated")
	cmd.Flags().StringArrayVar(&f.images, "image", nil, "plan only images whose name, without the namespace, matches this `GLOB`; may be repeated")
}

// narrowing checks the flags that narrow.
func (f *Flags) narrowing(c *config.Config) (scanner.Narrowing, error) {
	n := scanner.Narrowing{Namespaces: f.namespaces, Images: f.images}
	for _, region := range f.regions {
		if !slices.Contains(c.Scaleway.Regions, region) {
			return n, fmt.Errorf("--region %s is not in scaleway.regions of %s: want %s", region, c.File, text.List(c.Scaleway.Regions, "or"))
		}
		n.Regions = append(n.Regions, registry.Region(region))
	}
	for flag, globs := range map[string][]string{"--namespace": f.namespaces, "--image": f.images} {
		if err := (scanner.Scope{Include: globs}).Validate(); err != nil {
			return n, fmt.Errorf("%s: %w", flag, err)
		}
	}
	return n, nil
}

// asOfForms are what --as-of takes.
const asOfForms = "want a day such as 2026-12-24, a time such as 2026-12-24T03:00:00Z, or a time from the scan on such as +30d"

// AddAsOf adds the flag of the commands that can judge for another time.
func (f *Flags) AddAsOf(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.AsOf, "as-of", "", "forecast: judge as if it were this `TIME` (2026-12-24, RFC 3339, or +30d from the scan)")
}

// CheckAsOf refuses an empty time: an empty variable must not mean now.
func (f *Flags) CheckAsOf(cmd *cobra.Command) error {
	if cmd.Flags().Changed("as-of") && strings.TrimSpace(f.AsOf) == "" {
		return errors.New("--as-of is empty: " + asOfForms)
	}
	return nil
}

// forecast moves the planner to the time of a forecast, if there is one.
func (o *Opener) forecast(p *janitor.Planner, asOf string) error {
	if asOf == "" {
		return nil
	}
	scanned, zone := p.TakenAt, p.Config.Location()
	at, err := parseAsOf(asOf, scanned, zone)
	if err != nil {
		return err
	}
	if at.Before(scanned) {
		fmt.Fprintf(o.Stderr, "registry-janitor: --as-of %s is before the scan of %s: what was deleted since then is missing, and what was pushed since then counts as new\n",
			asOf, text.Moment(scanned, zone))
	}
	p.TakenAt, p.ScannedAt, p.Forecast = at, scanned, true
	return nil
}

// parseAsOf reads a time, the midnight of a day in the zone of the configuration, or a
// time span from the scan on, or before it.
func parseAsOf(written string, scanned time.Time, zone *time.Location) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, written)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02", written, zone)
	}
	if span, ok := strings.CutPrefix(written, "+"); ok {
		t, err = later(scanned, span, 1)
	} else if span, ok := strings.CutPrefix(written, "-"); ok {
		t, err = later(scanned, span, -1)
	}
	if year := t.UTC().Year(); err != nil || year < 1 || year > 9999 { // what a plan can hold
		return time.Time{}, fmt.Errorf("--as-of %q: %s", written, asOfMeant(written))
	}
	return t.UTC(), nil
}

// asOfMeant is the remedy of an invalid time.
func asOfMeant(written string) string {
	if _, err := config.ParseDuration(written); err == nil {
		return "write +" + written + " for that time after the scan"
	}
	if _, err := config.ParseDuration(strings.TrimLeft(written, "+-") + "d"); err == nil && strings.ContainsAny(written[:1], "+-") {
		return "a time span needs a unit: " + written + "d"
	}
	return asOfForms
}

// later is a time and a duration as the configuration writes it.
func later(at time.Time, span string, sign time.Duration) (time.Time, error) {
	d, err := config.ParseDuration(span)
	return at.Add(sign * d), err
}
