package products

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// workload is a container, a job definition or a namespace of containers, as one
// API lists it.
type workload struct {
	row
	owner      wire.UUID
	ownerField string
	image      string
	imageField string // "" for none
	region     string
}

// add adds a workload to a list. It writes what the lists of all these APIs have in common.
func (ps *Products) add(path string, x *workload) {
	x.write = func(w *wire.Writer) {
		w.Open("id").ID(x.id)
		w.Next("name").Text(x.name)
		w.Next(x.ownerField).ID(x.owner)
		w.Next("status").Text("ready")
		if x.imageField != "" {
			w.Next(x.imageField).Text(x.image)
		}
		w.Next("created_at").Time(x.created)
		w.Next("updated_at").Time(x.created)
		w.Next("region").Text(x.region)
		w.Raw("}")
	}
	ps.rows[path] = append(ps.rows[path], &x.row)
}

func (ps *Products) containers(entry *worlds.Container) {
	region, namespace := cmp.Or(entry.Region, worlds.Regions()[0]), cmp.Or(entry.Namespace, worlds.DefaultNamespace)
	within := row{id: wire.Identify("serverless", region, namespace), name: namespace, created: ps.Start}
	for prefix, field := range map[string]string{containersV1: "image", containersBeta: "registry_image"} {
		namespaces := prefix + region + "/namespaces"
		if !slices.ContainsFunc(ps.rows[namespaces], func(x *row) bool { return x.id == within.id }) {
			ps.add(namespaces, &workload{row: within, owner: ps.Owner, ownerField: "project_id", region: region})
		}
		for n := range worlds.Repeat(entry.Count) {
			name := worlds.Expand(entry.Name, entry.Count, n)
			ps.add(prefix+region+"/containers", &workload{
				row:   row{id: wire.Identify("container", region, namespace, name), name: name, created: ps.ago(entry.Age)},
				owner: within.id, ownerField: "namespace_id", image: worlds.Expand(entry.Image, entry.Count, n), imageField: field, region: region,
			})
		}
	}
}

func (ps *Products) jobs(entry *worlds.Job) {
	region := cmp.Or(entry.Region, worlds.Regions()[0])
	for n := range worlds.Repeat(entry.Count) {
		name := worlds.Expand(entry.Name, entry.Count, n)
		ps.add(jobsAlpha+region+"/job-definitions", &workload{
			row:   row{id: wire.Identify("job", region, name), name: name, created: ps.ago(entry.Age)},
			owner: ps.Owner, ownerField: "project_id", image: worlds.Expand(entry.Image, entry.Count, n), imageField: "image_uri", region: region,
		})
	}
}
