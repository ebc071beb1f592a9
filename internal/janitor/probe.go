package janitor

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/probe"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// NewProber connects a probe of one region with the account of a configuration.
func NewProber(c *config.Config, region registry.Region, o SessionOptions, log *slog.Logger) (*probe.Prober, error) {
	api, err := scaleway.NewProber(o.Connection)
	if err != nil {
		return nil, err
	}
	project := api.DefaultProject()
	if len(c.Scaleway.ProjectIDs) > 0 {
		project = c.Scaleway.ProjectIDs[0]
	}
	registries, err := dataPlane(c, o.Connection, oci.NewWriter)
	if err != nil {
		return nil, err
	}
	return &probe.Prober{
		API: api, Connect: registries.Connect, Region: region, ProjectID: project, OrganizationID: c.Scaleway.OrganizationID,
		Settle: probe.DefaultSettle, Tick: probe.DefaultTick, Now: o.Now, Log: log,
	}, nil
}

// RecordProbe records what a probe found out in the ledger of the configuration. It
// reports whether there is one.
func RecordProbe(ctx context.Context, c *config.Config, r *probe.Report, who string) (recorded bool, err error) {
	dsn := c.LedgerDSN()
	if dsn == "" {
		return false, nil
	}
	if len(r.Evidence) == 0 { // nothing was found out: what an earlier probe did counts
		return true, nil
	}
	document, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	l, err := ledger.Open(ctx, dsn, ledger.Options{Who: who})
	if err != nil {
		return false, err
	}
	defer l.Close()
	return true, l.RecordProbe(ctx, ledger.Probe{Region: r.Region, TakenAt: r.TakenAt, Document: document})
}

// findingsLast is how long a probe counts.
const findingsLast = 90 * 24 * time.Hour

// readProbes returns the regions whose API removes only the tag when one of several tags
// of a digest is deleted, as the newest probe of each found out.
func readProbes(ctx context.Context, l *ledger.Ledger, now time.Time) (map[registry.Region]actions.SharedDigest, error) {
	probes, err := l.Probes(ctx)
	if err != nil {
		return nil, err
	}
	found := map[registry.Region]actions.SharedDigest{}
	for _, p := range probes {
		var r probe.Report
		if err := json.Unmarshal(p.Document, &r); err != nil {
			return nil, fmt.Errorf("the probe of %s in the ledger cannot be read, so probe the region again: %w", p.Region, err)
		}
		if now.Sub(p.TakenAt) < findingsLast && r.Findings.SharedDigest == string(actions.Untag) {
			found[p.Region] = actions.Untag
		}
	}
	return found, nil
}

// sharedDigest is what the API of a region does to a digest of which one tag is deleted:
// as the configuration says, or as a probe found out.
func (p *Planner) sharedDigest(region registry.Region) actions.SharedDigest {
	switch {
	case p.Config.SharedDigest != config.SharedDigestAuto:
		return actions.SharedDigest(p.Config.SharedDigest)
	case p.history != nil && p.history.sharedDigest[region] == actions.Untag:
		return actions.Untag
	}
	return actions.Protect
}
