package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// API is what a probe needs of the API. Its errors are those of package registry.
type API interface {
	CreateNamespace(ctx context.Context, region registry.Region, projectID, name string) (registry.Namespace, error)
	ListNamespaces(ctx context.Context, q registry.Query) ([]registry.Namespace, error)
	GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, time.Time, error)
	DeleteNamespace(ctx context.Context, region registry.Region, id string, before time.Time) error
	ListImages(ctx context.Context, region registry.Region, namespaceID string) ([]registry.Image, time.Time, error)
	GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error)
	ListTags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, time.Time, error)
	DeleteTag(ctx context.Context, region registry.Region, id string, before time.Time) (registry.Tag, error)
	// Ask sends a GET below the region, and returns the answer as it is.
	Ask(ctx context.Context, region registry.Region, path string, query map[string]string) (scaleway.RawAnswer, error)
	// AskAtOnce is Ask without the client's own rate limit, and without another try.
	AskAtOnce(ctx context.Context, region registry.Region, path string, query map[string]string) (scaleway.RawAnswer, error)
}

// Prober probes one region. All fields are required, unless they say otherwise.
type Prober struct {
	API     API
	Connect func(image registry.Ref) (oci.Connection, error) // of a plane that can push
	Region  registry.Region
	// ProjectID is where the scratch namespace is created; "" is the project of any other
	// namespace. It and OrganizationID bound the search for leftovers.
	ProjectID, OrganizationID string
	// Rate also finds out the rate of requests that the API refuses.
	Rate bool
	// Wait is how long to wait for what the API does behind its answer, and Tick is the
	// pause between two looks, and between two changes whose times are compared.
	Wait, Tick time.Duration
	Now        func() time.Time
	Log        *slog.Logger
}

// DefaultWait and DefaultTick are enough for what has been seen of the API: a deletion
// takes up to 15 s.
const (
	DefaultWait = 30 * time.Second
	DefaultTick = 2 * time.Second
)

// prefix begins the names of the namespaces of probes.
const prefix = "janitor-probe-"

// staleAfter is the age from which a namespace of a probe is a leftover: a probe beside
// this one may be running.
const staleAfter = time.Hour

// removal is how long the removal of the namespace may take.
const removal = 2 * time.Minute

// Run probes the region. The report is valid even with an error, which is about images
// that could not be pushed, or of a namespace that could not be removed. The namespace is
// removed even if the context ends.
func (p *Prober) Run(ctx context.Context) (report Report, err error) {
	report = Report{Region: p.Region, TakenAt: p.Now().UTC().Truncate(time.Second), Findings: unknown(), Evidence: map[string]string{}}
	project, err := p.removeLeftovers(ctx)
	if err != nil {
		return report, err
	}
	if project == "" {
		return report, errors.New("the project for the scratch namespace is not known: set SCW_DEFAULT_PROJECT_ID, or scaleway.project_ids in the configuration")
	}
	namespace, err := p.create(ctx, project)
	if err != nil {
		return report, err
	}
	p.Log.Info("created a scratch namespace", "namespace", namespace.Name, "region", p.Region)
	s := &scratch{Prober: p, namespace: namespace, report: &report}
	defer func() { err = errors.Join(err, p.remove(context.WithoutCancel(ctx), namespace)) }()
	return report, s.experiment(ctx)
}

// create creates the namespace. If the answer says nothing of what became of it, it is
// removed if it exists.
func (p *Prober) create(ctx context.Context, project string) (registry.Namespace, error) {
	name := prefix + suffix()
	namespace, err := p.API.CreateNamespace(ctx, p.Region, project, name)
	if err == nil {
		return namespace, nil
	}
	err = fmt.Errorf("create the scratch namespace: %w (a probe needs ContainerRegistryFullAccess)", err)
	ctx = context.WithoutCancel(ctx)
	all, failed := p.API.ListNamespaces(ctx, registry.Query{Region: p.Region, ProjectID: project})
	for i := range all {
		if all[i].Name == name {
			failed = errors.Join(failed, p.remove(ctx, all[i]))
		}
	}
	return registry.Namespace{}, errors.Join(err, failed)
}

// suffix makes the name of a namespace unique across all organizations.
func suffix() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // it never fails
	return hex.EncodeToString(random[:])
}

// removeLeftovers removes the namespaces of earlier probes. It returns the project for a
// new one.
func (p *Prober) removeLeftovers(ctx context.Context) (project string, err error) {
	all, err := p.API.ListNamespaces(ctx, registry.Query{Region: p.Region, ProjectID: p.ProjectID, OrganizationID: p.OrganizationID})
	if err != nil {
		return "", fmt.Errorf("look for the namespaces of earlier probes: %w", err)
	}
	project = p.ProjectID
	for i := range all {
		n := &all[i]
		project = cmp.Or(project, n.ProjectID)
		if !isOfProbe(n.Name) || p.Now().Sub(n.CreatedAt) < staleAfter || n.Status != registry.StatusReady {
			continue
		}
		p.Log.Info("removing the namespace of an earlier probe", "namespace", n.Name, "created", n.CreatedAt)
		if err := p.remove(ctx, *n); err != nil {
			return "", err
		}
	}
	return project, nil
}

// isOfProbe reports whether a name is one that suffix makes.
func isOfProbe(name string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	raw, err := hex.DecodeString(random)
	return ok && err == nil && len(raw) == 6
}

// remove removes a namespace of a probe, and waits until it is gone.
func (p *Prober) remove(ctx context.Context, n registry.Namespace) error {
	ctx, cancel := context.WithTimeout(ctx, removal)
	defer cancel()
	var last error
	for {
		if err := p.API.DeleteNamespace(ctx, p.Region, n.ID, time.Time{}); err != nil && !errors.Is(err, registry.ErrNotFound) {
			last = err
		}
		gone, err := p.until(ctx, p.Wait, func() (bool, error) {
			_, _, err := p.API.GetNamespace(ctx, p.Region, n.ID)
			if errors.Is(err, registry.ErrNotFound) {
				return true, nil
			}
			return false, err
		})
		if gone {
			p.Log.Info("removed the scratch namespace", "namespace", n.Name)
			return nil
		}
		if err != nil {
			last = err
		}
		if ctx.Err() != nil || errors.Is(last, registry.ErrDenied) {
			return fmt.Errorf("the namespace %s in %s could not be removed, so remove it in the console: %w", n.Name, p.Region, errors.Join(last, ctx.Err()))
		}
	}
}

// until looks every tick until something is so, or the time is over.
func (p *Prober) until(ctx context.Context, limit time.Duration, is func() (bool, error)) (bool, error) {
	end := clock.Now().Add(limit)
	for {
		done, err := is()
		if done || !clock.Now().Before(end) {
			return done, err
		}
		if ended := clock.Sleep(ctx, p.Tick); ended != nil {
			return false, errors.Join(err, ended)
		}
	}
}
