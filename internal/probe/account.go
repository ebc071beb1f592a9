package probe

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
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// New connects a Prober of one region with the account of a configuration.
func New(c *config.Config, region registry.Region, connection scaleway.Options, now func() time.Time, log *slog.Logger) (*Prober, error) {
	api, err := scaleway.NewProber(connection)
	if err != nil {
		return nil, err
	}
	project := api.DefaultProject()
	if len(c.Scaleway.ProjectIDs) > 0 {
		project = c.Scaleway.ProjectIDs[0]
	}
	login := api.Login()
	address, err := login.RegistryURL(c.Scaleway.RegistryURL)
	if err != nil {
		return nil, err
	}
	registries := oci.NewWriter(oci.Options{URL: address, Password: login.SecretKey, UserAgent: connection.UserAgent, Base: login.Base})
	return &Prober{
		API: api, Connect: registries.Connect, Region: region, ProjectID: project, OrganizationID: c.Scaleway.OrganizationID,
		Wait: DefaultWait, Tick: DefaultTick, Now: now, Log: log,
	}, nil
}

// Record records the report in the ledger of a configuration. It reports whether there is
// one.
func (r *Report) Record(ctx context.Context, c *config.Config, who string) (recorded bool, err error) {
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

// Untags are the regions whose API removes only the tag when one of several tags of a
// digest is deleted, as the newest probe of each found out.
func Untags(ctx context.Context, l *ledger.Ledger, now time.Time) (map[registry.Region]bool, error) {
	probes, err := l.Probes(ctx)
	if err != nil {
		return nil, err
	}
	found := map[registry.Region]bool{}
	for _, p := range probes {
		var r Report
		if err := json.Unmarshal(p.Document, &r); err != nil {
			return nil, fmt.Errorf("the probe of %s in the ledger cannot be read, so probe the region again: %w", p.Region, err)
		}
		found[p.Region] = now.Sub(p.TakenAt) < findingsLast && r.Findings.SharedDigest == string(actions.Untag)
	}
	return found, nil
}
