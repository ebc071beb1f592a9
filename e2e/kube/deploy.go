package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
)

// world is the content of the registry: the old-* tags are marked for deletion.
const world = `
namespaces:
  - {name: prod, region: fr-par, age: 400d, images: [
      {name: api, tags: [{name: latest, age: 1d}, {name: old-tag, age: 40d}, {name: old-digest, digest: D, age: 41d}, {name: old-twin, digest: D, age: 42d},
        {name: old-history, age: 43d}, {name: old-cron, age: 44d}, {name: old-init, age: 45d}, {name: old-db, age: 46d}, {name: old-db-before, age: 47d},
        {name: old-agent, age: 48d}, {name: old-job, age: 49d}, {name: old-rc, age: 50d}, {name: old-volume, age: 51d}, {name: old-last, age: 52d}, {name: old-idle, age: 53d}]},
      {name: web, tags: [{name: latest, age: 1d}, {name: old-later, age: 40d}, {name: old-idle, age: 41d}]},
      {name: job, tags: [{name: latest, age: 1d}, {name: old-idle, age: 40d}]}]}
`

// digest is the digest of a word in the world.
func digest(word string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(word))) }

const registry = "rg.fr-par.scw.cloud/prod/"

// manyPods are more than two pages of a list.
const manyPods = 1100

// deploy creates the objects of the cluster.
func (c *cluster) deploy(ctx context.Context, s *setting) error {
	d := &deployment{cluster: c, ctx: ctx}
	for _, name := range []string{"shop", "ops", "registry-janitor", "empty"} {
		d.create("/api/v1/namespaces", fmt.Sprintf(`{"metadata":{"name":%q}}`, name))
	}
	d.workloads()
	d.pods()
	accounts, err := s.documents("cluster.yaml")
	if err != nil {
		return err
	}
	d.createYAML("/api/v1/namespaces/registry-janitor/serviceaccounts", accounts[0])
	var answer struct {
		Status struct{ Token string }
	}
	raw := d.create("/api/v1/namespaces/registry-janitor/serviceaccounts/registry-janitor/token", `{"spec":{"expirationSeconds":3600}}`)
	if d.err != nil {
		return d.err
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if err := s.kubeconfig(c, "account.kubeconfig", answer.Status.Token); err != nil {
		return err
	}
	return s.kubeconfig(c, "admin.kubeconfig", adminToken)
}

// grant gives the account the rights of an example.
func (c *cluster) grant(ctx context.Context, s *setting, example, role, binding string) error {
	documents, err := s.documents(example)
	if err != nil {
		return err
	}
	d := &deployment{cluster: c, ctx: ctx}
	d.createYAML("/apis/rbac.authorization.k8s.io/v1/"+role, documents[1])
	d.createYAML("/apis/rbac.authorization.k8s.io/v1/"+binding, documents[2])
	return d.err
}

// deployment creates objects until the first error.
type deployment struct {
	*cluster
	ctx context.Context
	err error
}

func (d *deployment) create(path, body string) []byte {
	return d.send("POST", path, "application/json", body)
}

func (d *deployment) createYAML(path, body string) []byte {
	return d.send("POST", path, "application/yaml", body)
}

func (d *deployment) send(method, path, kind, body string) []byte {
	if d.err != nil {
		return nil
	}
	var answer []byte
	answer, d.err = d.do(d.ctx, method, path, kind, body)
	return answer
}

func (d *deployment) workloads() {
	api := uid(d.create("/apis/apps/v1/namespaces/shop/deployments", workload("api", "", `"replicas":1,`, "old-tag", "api:old-tag")))
	owner := func(kind, name, id string) string {
		return fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"apps/v1","kind":%q,"name":%q,"uid":%q,"controller":true}]`, kind, name, id)
	}
	for revision, tag := range []string{"old-history", "old-tag"} {
		meta := fmt.Sprintf(`,"annotations":{"deployment.kubernetes.io/revision":"%d"}`, revision+1) + owner("Deployment", "api", api)
		d.create("/apis/apps/v1/namespaces/shop/replicasets", workload(fmt.Sprintf("api-%d", revision+1), meta, fmt.Sprintf(`"replicas":%d,`, revision), "r", "api:"+tag))
	}
	db := uid(d.create("/apis/apps/v1/namespaces/shop/statefulsets", workload("db", "", `"serviceName":"db",`, "db", "api:old-db")))
	d.create("/apis/apps/v1/namespaces/shop/controllerrevisions", fmt.Sprintf(`{"metadata":{"name":"db-1"%s},"revision":1,"data":{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"c","image":%q}]}}}}}`,
		owner("StatefulSet", "db", db), registry+"api:old-db-before"))
	d.create("/apis/apps/v1/namespaces/ops/daemonsets", workload("agent", "", "", "agent", "api:old-agent"))
	d.create("/api/v1/namespaces/ops/replicationcontrollers", fmt.Sprintf(`{"metadata":{"name":"rc"},"spec":{"replicas":0,"selector":{"a":"b"},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":%q}]}}}}`, registry+"api:old-rc"))
	job := fmt.Sprintf(`{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":%q}]}}}`, registry+"api:old-job")
	d.create("/apis/batch/v1/namespaces/ops/jobs", fmt.Sprintf(`{"metadata":{"name":"once"},"spec":%s}`, job))
	d.create("/apis/batch/v1/namespaces/ops/cronjobs", fmt.Sprintf(`{"metadata":{"name":"nightly"},"spec":{"schedule":"0 3 * * *","suspend":true,"jobTemplate":{"spec":%s}}}`, strings.Replace(job, "old-job", "old-cron", 1)))
}

// pods creates the pods that controllers and nodes would have created: one whose
// image was resolved to a digest that its tag no longer has, and many others.
func (d *deployment) pods() {
	const path = "/api/v1/namespaces/shop/pods"
	d.create(path, fmt.Sprintf(`{"metadata":{"name":"api-2-x","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"api-2","uid":"u","controller":true}]},
		"spec":{"initContainers":[{"name":"i","image":%q}],"containers":[{"name":"c","image":%q}],"volumes":[{"name":"v","image":{"reference":%q}}]}}`,
		registry+"api:old-init", registry+"api:latest", registry+"api:old-volume"))
	d.send("PATCH", path+"/api-2-x/status", "application/merge-patch+json", fmt.Sprintf(
		`{"status":{"phase":"Running","containerStatuses":[{"name":"c","image":%q,"imageID":%q,"ready":true,"restartCount":0,"state":{"running":{}}}]}}`,
		registry+"api:latest", registry+"api@"+digest("D")))
	for n := range manyPods {
		d.create(path, fmt.Sprintf(`{"metadata":{"name":"many-%04d"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}`, n))
	}
	d.create(path, fmt.Sprintf(`{"metadata":{"name":"zz-last"},"spec":{"containers":[{"name":"c","image":%q}]}}`, registry+"api:old-last"))
}

// workload is the JSON of a Deployment or the like.
func workload(name, meta, spec, label, image string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q%s},"spec":{%s"selector":{"matchLabels":{"a":%q}},"template":{"metadata":{"labels":{"a":%[4]q}},"spec":{"containers":[{"name":"c","image":%q}]}}}}`,
		name, meta, spec, label, registry+image)
}

func uid(object []byte) string {
	var o struct{ Metadata struct{ UID string } }
	_ = json.Unmarshal(object, &o) // d.err already has the error
	return o.Metadata.UID
}
