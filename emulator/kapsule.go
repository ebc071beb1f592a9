package emulator

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// cluster is a cluster of Kubernetes Kapsule, whose API server is elsewhere.
type cluster struct {
	id      uuid
	name    string
	region  string
	status  string
	owner   uuid
	tenant  uuid
	server  string
	ca      string // PEM
	token   string // of its administrator; "" if it has none
	created int64  // microseconds
}

func (x *cluster) born() int64   { return x.created }
func (x *cluster) title() string { return x.name }
func (x *cluster) ref() string   { return x.name }

// write writes the first fields of a cluster, in the order of the API. Those behind
// them, from its network to its upgrades, are left out.
func (x *cluster) write(w *writer) {
	w.open("region").text(x.region)
	w.next("id").id(x.id)
	w.next("organization_id").id(x.tenant)
	w.next("project_id").id(x.owner)
	w.next("created_at").time(x.created)
	w.next("updated_at").time(x.created)
	w.next("type").text("kapsule")
	w.next("name").text(x.name)
	w.next("description").text("")
	w.next("status").text(x.status)
	w.next("version").text("1.34.2")
	w.next("cni").text("cilium")
	w.next("tags").raw("[]")
	w.next("cluster_url").text(x.server)
	w.raw("}")
}

// kubeconfig answers with the kubeconfig as a file. Without a token, or if the request
// wants none, the API writes REDACTED in its place: the cluster accepts API keys.
func (x *cluster) kubeconfig(s *Server, c *call) *answer {
	token := x.token
	if token == "" || c.http.URL.Query().Get("redacted") == "true" {
		token = "REDACTED"
	}
	user := quote(x.name + "-admin")
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
`, quote(x.name), base64.StdEncoding.EncodeToString([]byte(x.ca)), quote(x.server), user, quote(token))
	return jsonAnswer(http.StatusOK, []byte(s.object(
		"name", quote("kubeconfig-"+x.name+".yaml"),
		"content_type", quote("application/octet-stream"),
		"content", quote(base64.StdEncoding.EncodeToString([]byte(text))),
	)))
}

func (b *builder) clusters(entry *worlds.Cluster, made map[string][]*cluster) {
	region := cmp.Or(entry.Region, worlds.Regions()[0])
	path := clustersV1 + region + "/clusters"
	for n := range worlds.Repeat(entry.Count) {
		name := worlds.Expand(entry.Name, entry.Count, n)
		id := identify("cluster", region, name)
		made[path] = append(made[path], &cluster{
			id: id, name: name, region: region, status: cmp.Or(entry.Status, statusReady), owner: b.owner, tenant: b.tenant,
			server:  cmp.Or(worlds.Expand(entry.Server, entry.Count, n), "https://"+id.String()+".api.k8s."+region+".scw.cloud:6443"),
			ca:      cmp.Or(entry.CA, "none"),
			token:   entry.Token,
			created: b.ago(entry.Age),
		})
	}
}
