package scaleway

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/registry-janitor/registry-janitor/registry"
)

// UseSource is a service that may use images.
type UseSource struct {
	Name string // "serverless containers in nl-ams"
	// List returns every image that it uses, as the service writes it, or fails.
	List func(context.Context) ([]registry.RawUse, error)
}

// Serverless returns Serverless Containers and Serverless Jobs in every region that
// has them, whichever regions are scanned: a container may run an image of another
// region. Functions name no image: theirs are in namespaces that the platform owns.
//
// A container that is stopped or scaled to zero pulls its image again when it starts,
// so everything that is defined counts, whatever its status.
func (r *Reader) Serverless() []UseSource {
	var sources []UseSource
	for _, region := range containerRegions() {
		sources = append(sources, UseSource{"serverless containers in " + region, func(ctx context.Context) ([]registry.RawUse, error) {
			return r.containers(ctx, region)
		}})
	}
	for _, region := range olderRegions() {
		sources = append(sources, UseSource{"serverless jobs in " + region, func(ctx context.Context) ([]registry.RawUse, error) {
			return r.jobs(ctx, region)
		}})
	}
	return sources
}

// The regions of the serverless APIs as the SDK (v1.39.0) names them: of
// containers v1, and of containers v1beta1 and jobs v1alpha2.
func containerRegions() []string { return append(olderRegions(), "it-mil") }
func olderRegions() []string     { return []string{"fr-par", "nl-ams", "pl-waw"} }

// containers lists with every version of the API that the region has: no version is
// documented to show the containers of another one.
func (r *Reader) containers(ctx context.Context, region string) ([]registry.RawUse, error) {
	rows, err := r.workloads(ctx, "/containers/v1/regions/"+region+"/containers")
	if err == nil && slices.Contains(olderRegions(), region) {
		var older []workload
		older, err = r.workloads(ctx, "/containers/v1beta1/regions/"+region+"/containers")
		rows = append(rows, older...)
	}
	if err != nil {
		return nil, r.fail(ctx, err, "list serverless containers in %s", region)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	names := r.containerNamespaces(ctx, region)
	return usesOf(rows, func(w *workload) string {
		namespace := names[w.NamespaceID]
		if namespace == "" {
			namespace = w.NamespaceID
		}
		return fmt.Sprintf("serverless container %s/%s (%s)", namespace, w.Name, region)
	}), nil
}

// containerNamespaces returns the names of the namespaces of containers, by ID. They
// only appear in reasons, so the ID is enough if they cannot be read.
func (r *Reader) containerNamespaces(ctx context.Context, region string) map[string]string {
	names := map[string]string{}
	rows, err := listRows(ctx, r, "/containers/v1/regions/"+region+"/namespaces")
	if err != nil {
		return names
	}
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names
}

func (r *Reader) jobs(ctx context.Context, region string) ([]registry.RawUse, error) {
	rows, err := r.workloads(ctx, "/serverless-jobs/v1alpha2/regions/"+region+"/job-definitions")
	if err != nil {
		return nil, r.fail(ctx, err, "list serverless jobs in %s", region)
	}
	return usesOf(rows, func(w *workload) string {
		return fmt.Sprintf("serverless job %s (%s)", w.Name, region)
	}), nil
}

// usesOf returns what the workloads use. A workload without an image uses none yet.
func usesOf(rows []workload, by func(*workload) string) []registry.RawUse {
	var out []registry.RawUse
	for i := range rows {
		if image := rows[i].image(); image != "" {
			out = append(out, registry.RawUse{Reference: image, By: by(&rows[i])})
		}
	}
	return out
}

// workload is the part of a container, a job definition, a namespace of containers or
// a cluster that matters here. Each API has its own name for the image.
type workload struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	NamespaceID   string  `json:"namespace_id"`
	Status        string  `json:"status"`
	V1Image       *string `json:"image"`
	RegistryImage *string `json:"registry_image"`
	ImageURI      *string `json:"image_uri"`
}

func (w *workload) image() string {
	for _, image := range []*string{w.V1Image, w.RegistryImage, w.ImageURI} {
		if image != nil {
			return *image
		}
	}
	return ""
}

// workloads lists what may use an image. A row without any field for the image is an
// error: the API may have renamed the field.
func (r *Reader) workloads(ctx context.Context, address string) ([]workload, error) {
	rows, err := listRows(ctx, r, address)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].V1Image == nil && rows[i].RegistryImage == nil && rows[i].ImageURI == nil {
			return nil, fmt.Errorf("row %s has no image", rows[i].ID)
		}
	}
	return rows, nil
}

// listRows reads a whole listing, as carefully as those of the registry. It does not
// use the SDK's calls for containers v1 and clusters, which also request /metadata, without the
// context.
func listRows(ctx context.Context, r *Reader, address string) ([]workload, error) {
	list := strings.ReplaceAll(path.Base(address), "-", "_")
	row := func(row *workload) (workload, error) {
		if _, err := parseUUID(row.ID); err != nil {
			return workload{}, fmt.Errorf("the id of a row %w", err)
		}
		return *row, nil
	}
	fetch := func(ctx context.Context, number int32) (page[workload], error) {
		return readPage(ctx, list, row, func(answer scw.RequestOption) error {
			return r.client.Do(&scw.ScalewayRequest{Method: "GET", Path: address, Query: url.Values{
				"page":      {strconv.Itoa(int(number))},
				"page_size": {strconv.Itoa(pageSize)},
				"order_by":  {"created_at_asc"},
			}}, nil, answer)
		})
	}
	return listAll(ctx, r.concurrency, fetch, func(w *workload) [16]byte { return idOf(w.ID) })
}
