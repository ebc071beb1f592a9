package scaleway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Prober is an Editor that can also create a namespace, and ask the API for what a
// client does not ask for. Only a probe of the API needs it.
type Prober struct {
	*Editor
	create    *sdk.API
	unlimited *scw.Client
	projectID string
}

// NewProber makes a Prober as NewEditor does.
func NewProber(o Options) (*Prober, error) {
	c, err := connect(o)
	if err != nil {
		return nil, err
	}
	editor, err := c.editor()
	if err != nil {
		return nil, err
	}
	p := &Prober{Editor: editor, projectID: c.creds.ProjectID}
	creator, err := c.client(&guard{host: c.creds.APIHost(), allow: createOnly, next: c.pacer})
	if err != nil {
		return nil, err
	}
	p.create = sdk.NewAPI(creator)
	p.unlimited, err = c.client(&guard{host: c.creds.APIHost(), allow: readOnly, next: c.pacer.next})
	return p, err
}

// DefaultProject is the ID of the default project of the credentials; "" if they name none.
func (p *Prober) DefaultProject() string { return p.projectID }

// Login returns the login that the Prober uses.
func (p *Prober) Login() Login { return p.read.login }

// CreateNamespace creates a private namespace in a project.
func (p *Prober) CreateNamespace(ctx context.Context, region registry.Region, projectID, name string) (registry.Namespace, error) {
	if err := checkQuery(registry.Query{Region: region, ProjectID: projectID}); err != nil {
		return registry.Namespace{}, fmt.Errorf("create namespace: %w", err)
	}
	request := &sdk.CreateNamespaceRequest{
		Region: scw.Region(region), Name: name, ProjectID: optional(projectID),
		Description: "Made by registry-janitor probe, which removes it again.",
	}
	row, err := p.create.CreateNamespace(request, scw.WithContext(ctx))
	if err != nil {
		return registry.Namespace{}, p.read.fail(ctx, err, "create namespace %s in %s", name, region)
	}
	return toNamespace(row, registry.Query{Region: region})
}

// ListNamespaces lists the namespaces that q asks for: all of them, or an error.
func (p *Prober) ListNamespaces(ctx context.Context, q registry.Query) ([]registry.Namespace, error) {
	return p.read.Namespaces(ctx, q)
}

// RawAnswer is an answer as it is.
type RawAnswer struct {
	Status  int
	Message string // of an error, redacted
	Rows    int    // of a listing
	Total   int
}

// Ask sends a GET to a path below a region.
func (p *Prober) Ask(ctx context.Context, region registry.Region, path string, query map[string]string) (RawAnswer, error) {
	return p.ask(ctx, p.read.client, region, path, query)
}

// AskAtOnce is Ask once, without the rate limit of the client.
func (p *Prober) AskAtOnce(ctx context.Context, region registry.Region, path string, query map[string]string) (RawAnswer, error) {
	return p.ask(ctx, p.unlimited, region, path, query)
}

func (p *Prober) ask(ctx context.Context, client *scw.Client, region registry.Region, path string, query map[string]string) (RawAnswer, error) {
	if err := checkQuery(registry.Query{Region: region}); err != nil {
		return RawAnswer{}, err
	}
	values := url.Values{}
	for key, value := range query {
		values.Set(key, value)
	}
	var body map[string]json.RawMessage
	err := client.Do(&scw.ScalewayRequest{
		Method: http.MethodGet, Path: "/registry/v1/regions/" + string(region) + "/" + path, Query: values,
	}, &body, scw.WithContext(ctx))
	var status *statusError
	switch {
	case errors.As(err, &status):
		return RawAnswer{Status: status.code, Message: p.read.redact.Text(status.message)}, nil
	case err != nil:
		return RawAnswer{}, p.read.fail(ctx, err, "read %s in %s", path, region)
	}
	answer := RawAnswer{Status: http.StatusOK}
	_ = json.Unmarshal(body["total_count"], &answer.Total) // absent in what is not a listing
	for _, rows := range []string{"namespaces", "images", "tags"} {
		var all []json.RawMessage
		if json.Unmarshal(body[rows], &all) == nil {
			answer.Rows += len(all)
		}
	}
	return answer, nil
}

// createOnly allows only the creation of a namespace.
func createOnly(req *http.Request) error {
	region, ok := strings.CutPrefix(req.URL.EscapedPath(), "/registry/v1/regions/")
	region, named := strings.CutSuffix(region, "/namespaces")
	known := slices.Contains(registry.Regions(), registry.Region(region))
	if req.Method == http.MethodPost && ok && named && known && req.URL.RawQuery == "" && req.ContentLength > 0 && req.ContentLength <= maxChange {
		return nil
	}
	return errors.New("refused to send this " + req.Method + ": this client only creates namespaces")
}
