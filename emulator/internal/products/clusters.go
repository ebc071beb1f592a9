package products

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// clusters adds clusters of Kubernetes Kapsule, whose API servers are elsewhere. Their rows
// have the first fields of the API; those behind them, from the network of a cluster to its
// upgrades, are left out.
func (ps *Products) clusters(entry *worlds.Cluster) {
	region := cmp.Or(entry.Region, worlds.Regions()[0])
	path := clustersV1 + region + "/clusters"
	for n := range worlds.Repeat(entry.Count) {
		name := worlds.Expand(entry.Name, entry.Count, n)
		id, created := wire.Identify("cluster", region, name), ps.ago(entry.Age)
		server := cmp.Or(worlds.Expand(entry.Server, entry.Count, n), "https://"+id.String()+".api.k8s."+region+".scw.cloud:6443")
		ps.answers[path+"/"+id.String()+"/kubeconfig"] = kubeconfig(name, server, cmp.Or(entry.CA, "none"), entry.Token)
		ps.rows[path] = append(ps.rows[path], &row{id, name, created, func(w *wire.Writer) {
			w.Open("region").Text(region)
			w.Next("id").ID(id)
			w.Next("organization_id").ID(ps.Tenant)
			w.Next("project_id").ID(ps.Owner)
			w.Next("created_at").Time(created)
			w.Next("updated_at").Time(created)
			w.Next("type").Text("kapsule")
			w.Next("name").Text(name)
			w.Next("description").Text("")
			w.Next("status").Text(cmp.Or(entry.Status, "ready"))
			w.Next("version").Text("1.34.2")
			w.Next("cni").Text("cilium")
			w.Next("tags").Raw("[]")
			w.Next("cluster_url").Text(server)
			w.Raw("}")
		}})
	}
}

// kubeconfig answers with the kubeconfig as a file. Without a token, or if the request
// wants none, the API writes REDACTED in its place: the cluster accepts API keys.
func kubeconfig(name, server, ca, known string) reading {
	return func(pages *listing.Pages, r *http.Request, _ *Route, _ *worlds.Fault) *wire.Answer {
		token := known
		if token == "" || r.URL.Query().Get("redacted") == "true" {
			token = "REDACTED"
		}
		user := wire.Quote(name + "-admin")
		text := fmt.Sprintf(`apiVersion: v1
clusters:
- name: %[1]s
  cluster:
    certificate-authority-data: %[2]s
    server: %[3]s
contexts:
- name: %[4]s
  context:
    cluster: %[1]s
    user: %[4]s
current-context: %[4]s
kind: Config
preferences: {}
users:
- name: %[4]s
  user:
    token: %[5]s
`, wire.Quote(name), base64.StdEncoding.EncodeToString([]byte(ca)), wire.Quote(server), user, wire.Quote(token))
		return wire.JSON(http.StatusOK, []byte(pages.API.Object(
			"name", wire.Quote("kubeconfig-"+name+".yaml"),
			"content_type", wire.Quote("application/octet-stream"),
			"content", wire.Quote(base64.StdEncoding.EncodeToString([]byte(text))),
		)))
	}
}
