package archivist

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/archive"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// inRegions connects only to namespaces of which it is certain in which region they are:
// those of the records were read from there. It is for one caller at a time.
func inRegions(ctx context.Context, c *config.Config, connection scaleway.Options, connect archive.Connect, records []archive.Record) archive.Connect {
	checked := map[registry.Ref]error{} // namespaces
	read := map[registry.Ref]bool{}     // namespaces
	for i := range records {
		if ref, err := registry.ParseRef(records[i].Ref); err == nil {
			read[ref.WithoutImage()] = true
		}
	}
	return func(image registry.Ref) (oci.Connection, error) {
		namespace := image.WithoutImage()
		err, known := checked[namespace]
		if !known {
			if err = checkRegion(ctx, c, connection, namespace, read[namespace]); err != nil {
				err = &regionError{err}
			}
			checked[namespace] = err
		}
		if err != nil {
			return oci.Connection{}, err
		}
		return connect(image)
	}
}

// regionError is why it is not certain that a region has a namespace.
type regionError struct{ error }

func (e *regionError) Unwrap() error { return e.error }

// checkRegion refuses the region of a namespace that does not exist, or that the configuration
// leaves out, and a namespace that another region may have at the same address, unless it was
// read from there.
func checkRegion(ctx context.Context, c *config.Config, connection scaleway.Options, namespace registry.Ref, wasRead bool) error {
	regions, address := c.Scaleway.Regions, c.Scaleway.RegistryURL
	switch {
	case !slices.Contains(registry.Regions(), namespace.Region):
		return fmt.Errorf("the region %s has no registry: correct the reference", namespace.Region)
	case !slices.Contains(regions, string(namespace.Region)):
		return fmt.Errorf("the configuration leaves out the region %s: add it to scaleway.regions", namespace.Region)
	case address == "", strings.Contains(address, "{region}"), len(regions) == 1, wasRead:
		return nil
	}
	reader, err := scaleway.NewReader(connection)
	if err != nil {
		return err
	}
	var having []string
	for _, region := range regions {
		found, err := reader.Namespaces(ctx, registry.Query{Region: registry.Region(region), Name: namespace.Namespace})
		if err != nil {
			return fmt.Errorf("finding out which regions have the namespace %s: %w", namespace.Namespace, err)
		}
		if slices.ContainsFunc(found, func(n registry.Namespace) bool { return n.Name == namespace.Namespace }) {
			having = append(having, region)
		}
	}
	if len(having) == 0 || slices.Equal(having, []string{string(namespace.Region)}) {
		return nil // if none has it, the registry refuses it
	}
	return fmt.Errorf("scaleway.registry_url is one address for several regions, and the namespace %s exists in %s: put {region} into the address, or name only its region in scaleway.regions",
		namespace.Namespace, text.List(having, "and"))
}
