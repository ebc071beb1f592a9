package kube

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAClusterUses(t *testing.T) {
	for name, row := range map[string]struct {
		objects map[string][]string
		want    []string
	}{
		"nothing": {nil, []string{}},
		"other registries and short names are left out": {map[string][]string{
			"deployments": {deployment("shop", "a", "nginx"), deployment("shop", "b", "docker.io/library/nginx:1"), deployment("shop", "c", "NGINX:latest"), deployment("shop", "d", "")},
			"pods":        {aPod("shop", "p", "", "nginx", "docker.io/library/nginx@"+digestA)},
		}, []string{}},
		"a Deployment": {map[string][]string{"deployments": {deployment("shop", "api", ours("api:v1"))}},
			[]string{ours("api:v1 < kubernetes prod: Deployment shop/api")}},
		"every other kind": {map[string][]string{
			"statefulsets":           {workload("shop", "db", "", `"serviceName":"db",`, ours("db:v1"))},
			"daemonsets":             {workload("ops", "log", "", "", ours("log:v1"))},
			"jobs":                   {workload("ops", "once", "", "", ours("once:v1"))},
			"replicationcontrollers": {workload("old", "rc", "", `"replicas":0,`, ours("rc:v1"))},
			"cronjobs":               {`{"metadata":{"name":"nightly","namespace":"ops"},"spec":{"schedule":"0 3 * * *","suspend":true,"jobTemplate":{"metadata":{},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"` + ours("cron:v1") + `"}]}}}}}}`},
			"replicasets":            {workload("shop", "alone", "", `"replicas":0,`, ours("alone:v1"))},
			"pods":                   {aPod("shop", "alone", "", ours("pod:v1"), "")},
		}, []string{
			ours("alone:v1 < kubernetes prod: ReplicaSet shop/alone"), ours("cron:v1 < kubernetes prod: CronJob ops/nightly"),
			ours("db:v1 < kubernetes prod: StatefulSet shop/db"), ours("log:v1 < kubernetes prod: DaemonSet ops/log"),
			ours("once:v1 < kubernetes prod: Job ops/once"), ours("pod:v1 < kubernetes prod: Pod shop/alone"),
			ours("rc:v1 < kubernetes prod: ReplicationController old/rc"),
		}},
		"all containers of a pod, and what they resolved to": {map[string][]string{"pods": {`{"metadata":{"name":"p","namespace":"shop"},"spec":{
			"volumes":[{"name":"v","image":{"reference":"` + ours("vol:v1") + `","pullPolicy":"Always"}},{"name":"e","emptyDir":{}}],
			"initContainers":[{"name":"i","image":"` + ours("init:v1") + `"}],"containers":[{"name":"c","image":"` + ours("main:v1") + `"},{"name":"n","image":"nginx"}],
			"ephemeralContainers":[{"name":"e","image":"` + ours("debug:v1") + `"}]},"status":{
			"initContainerStatuses":[{"name":"i","image":"x","imageID":"` + ours("init@"+digestA) + `"}],
			"containerStatuses":[{"name":"c","imageID":"docker-pullable://` + ours("main@"+digestB) + `"},{"name":"n","imageID":"docker.io/library/nginx@` + digestA + `"}],
			"ephemeralContainerStatuses":[{"name":"e","imageID":""}]}}`}},
			[]string{
				ours("debug:v1 < kubernetes prod: Pod shop/p"), ours("init:v1 < kubernetes prod: Pod shop/p"), ours("init:v1@" + digestA + " < kubernetes prod: Pod shop/p"),
				ours("main:v1 < kubernetes prod: Pod shop/p"), ours("main:v1@" + digestB + " < kubernetes prod: Pod shop/p"), ours("vol:v1 < kubernetes prod: Pod shop/p"),
			}},
		"pods are named after what makes them, all alike": {map[string][]string{
			"replicasets": {replicaSet("shop", "api-5d", "api", 2, 2, ours("api:v1"))},
			"jobs":        {workload("ops", "nightly-1", owned("CronJob", "nightly"), "", ours("cron:v1"))},
			"pods": {
				aPod("shop", "api-5d-1", owned("ReplicaSet", "api-5d"), ours("api:v1"), ours("api@"+digestA)),
				aPod("shop", "api-5d-2", owned("ReplicaSet", "api-5d"), ours("api:v1"), ours("api@"+digestA)),
				aPod("ops", "nightly-1-x", owned("Job", "nightly-1"), ours("cron:v1"), ours("cron@"+digestB)),
				aPod("shop", "web-7f-1", `,"labels":{"pod-template-hash":"7f"}`+owned("ReplicaSet", "web-7f"), ours("web:v1"), ""),
				aPod("shop", "odd-1", owned("ReplicaSet", "odd"), ours("odd:v1"), ""),
				aPod("shop", "flow-1", owned("Workflow", "flow"), ours("flow:v1"), ""),
				aPod("kube-system", "static-node1", owned("Node", "node1"), ours("static:v1"), ""),
				aPod("shop", "db-0", `,"ownerReferences":[{"kind":"StatefulSet","name":"db"}]`, ours("db:v1"), ""),
				aPod("shop", "two-0", `,"ownerReferences":[{"kind":"A","name":"a"},{"kind":"B","name":"b"}]`, ours("two:v1"), ""),
			},
		}, []string{
			ours("api:v1 < kubernetes prod: Deployment shop/api"), ours("api:v1@" + digestA + " < kubernetes prod: Deployment shop/api"),
			ours("cron:v1 < kubernetes prod: CronJob ops/nightly"), ours("cron:v1@" + digestB + " < kubernetes prod: CronJob ops/nightly"),
			ours("db:v1 < kubernetes prod: StatefulSet shop/db"), ours("flow:v1 < kubernetes prod: Workflow shop/flow"),
			ours("odd:v1 < kubernetes prod: ReplicaSet shop/odd"), ours("static:v1 < kubernetes prod: Pod kube-system/static-node1"),
			ours("two:v1 < kubernetes prod: Pod shop/two-0"), ours("web:v1 < kubernetes prod: Deployment shop/web"),
		}},
		"a Rollout owns ReplicaSets too": {map[string][]string{"replicasets": {
			workload("shop", "r-1", owned("Rollout", "r"), `"replicas":0,`, ours("r:v1")), workload("shop", "r-2", owned("Rollout", "r"), `"replicas":1,`, ours("r:v2")),
		}}, []string{ours("r:v1 < kubernetes prod: Rollout shop/r"), ours("r:v2 < kubernetes prod: Rollout shop/r")}},
		"earlier StatefulSets and DaemonSets": {map[string][]string{
			"statefulsets": {workload("shop", "db", "", "", ours("db:v2"))},
			"controllerrevisions": {
				revision("shop", "db-1", owned("StatefulSet", "db"), 1, ours("db:v1")), revision("shop", "db-2", owned("StatefulSet", "db"), 2, ours("db:v2")),
				`{"metadata":{"name":"vm","namespace":"shop"` + owned("VirtualMachine", "vm") + `},"data":{"spec":"none of our business"},"revision":1}`,
				`{"metadata":{"name":"x","namespace":"shop"` + owned("CloneSet", "x") + `},"data":null,"revision":1}`,
			}},
			[]string{ours("db:v1 < kubernetes prod: StatefulSet shop/db (rollback)"), ours("db:v2 < kubernetes prod: StatefulSet shop/db")}},
		"an image that cannot be parsed is returned as it is": {map[string][]string{"deployments": {deployment("shop", "bad", "rg.fr-par.scw.cloud/prod/API:v1")}},
			[]string{"rg.fr-par.scw.cloud/prod/API:v1 < kubernetes prod: Deployment shop/bad"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serve(t, row.objects).cluster(t, Options{}).Uses(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, lines(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func revision(namespace, name, meta string, number int, image string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q%s},"data":{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"m","image":%q}]}}}},"revision":%d}`,
		name, namespace, meta, image, number)
}

func TestHowFarBackRollbacksCount(t *testing.T) {
	var sets []string
	for n := 1; n <= 12; n++ { // 9 comes after 10 as text
		sets = append(sets, replicaSet("shop", fmt.Sprintf("api-%d", n), "api", n, 0, ours(fmt.Sprintf("api:v%d", n))))
	}
	sets = append(sets,
		replicaSet("shop", "api-old", "api", 0, 1, ours("api:canary")), // still runs
		replicaSet("shop", "web-1", "web", 1, 0, ours("web:v1")), replicaSet("shop", "web-2", "web", 2, 0, "nginx"),
		workload("shop", "api-odd", owned("Deployment", "api"), `"replicas":0,`, ours("api:odd"))) // of no known age
	f := serve(t, map[string][]string{
		"deployments": {deployment("shop", "api", ours("api:v12")), deployment("shop", "web", "nginx")}, "replicasets": sets,
		"controllerrevisions": {revision("shop", "db-1", owned("StatefulSet", "db"), 1, ours("db:v1")), revision("shop", "db-2", owned("StatefulSet", "db"), 2, ours("db:v2"))},
	})
	for newest, want := range map[int]string{
		1:  "api:canary api:odd api:v12 db:v2",
		2:  "api:canary api:odd api:v11* api:v12 db:v1* db:v2 web:v1*",
		3:  "api:canary api:odd api:v10* api:v11* api:v12 db:v1* db:v2 web:v1*",
		0:  "api:canary api:odd api:v1* api:v10* api:v11* api:v12 api:v2* api:v3* api:v4* api:v5* api:v6* api:v7* api:v8* api:v9* db:v1* db:v2 web:v1*",
		99: "api:canary api:odd api:v1* api:v10* api:v11* api:v12 api:v2* api:v3* api:v4* api:v5* api:v6* api:v7* api:v8* api:v9* db:v1* db:v2 web:v1*",
	} {
		mentions, err := f.cluster(t, Options{ReplicaSets: newest}).Uses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range mentions {
			mark := ""
			if strings.HasSuffix(m.By, " (rollback)") {
				mark = "*"
			}
			got = append(got, strings.TrimPrefix(m.Reference, ours(""))+mark)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("the newest %d: got %s, want %s", newest, strings.Join(got, " "), want)
		}
	}
}

func TestResolvedImages(t *testing.T) {
	hex := strings.TrimPrefix(digestA, "sha256:")
	for name, row := range map[string]struct {
		image, id string
		want      []string
	}{
		"not pulled yet":                    {ours("a:v1"), "", nil},
		"containerd":                        {ours("a:v1"), ours("a@" + digestA), []string{ours("a:v1@" + digestA)}},
		"docker":                            {ours("a:v1"), "docker-pullable://" + ours("a@"+digestA), []string{ours("a:v1@" + digestA)}},
		"docker, never pulled":              {ours("a:v1"), "docker://" + digestA, []string{ours("a:v1@" + digestA)}},
		"a digest alone":                    {ours("a:v1"), digestA, []string{ours("a:v1@" + digestA)}},
		"a digest without its algorithm":    {ours("a:v1"), hex, []string{ours("a:v1@" + digestA)}},
		"no tag":                            {ours("a"), ours("a@" + digestA), []string{ours("a@" + digestA)}},
		"by digest":                         {ours("a@" + digestA), ours("a@" + digestA), []string{ours("a@" + digestA)}},
		"of one platform":                   {ours("a@" + digestA), ours("a@" + digestB), []string{ours("a@" + digestB)}},
		"the same content by another name":  {ours("a:v1"), "docker.io/x/y@" + digestA, []string{ours("a:v1@" + digestA), "docker.io/x/y@" + digestA}},
		"a name that begins with the other": {ours("api:v1"), ours("a@" + digestA), []string{ours("api:v1@" + digestA), ours("a@" + digestA)}},
		"something else altogether":         {ours("a:v1"), "weird://" + ours("a"), []string{ours("a")}},
		"of no container":                   {"", ours("a@" + digestA), []string{ours("a@" + digestA)}},
	} {
		if diff := cmp.Diff(row.want, resolve(row.image, row.id)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestNamespacesAreAskedOneByOne(t *testing.T) {
	f := serve(t, map[string][]string{
		"deployments": {deployment("shop", "a", ours("a:v1")), deployment("web", "b", ours("b:v1")), deployment("other", "c", ours("c:v1"))},
		"pods":        {aPod("web", "p", "", ours("p:v1"), ""), aPod("other", "q", "", ours("q:v1"), "")},
	})
	got, err := f.cluster(t, Options{Namespaces: []string{"web", "shop"}}).Uses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{ours("a:v1 < kubernetes prod: Deployment shop/a"), ours("b:v1 < kubernetes prod: Deployment web/b"), ours("p:v1 < kubernetes prod: Pod web/p")}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Error(diff)
	}
	for _, r := range f.seen() {
		if !strings.Contains(r.URL.Path, "/namespaces/shop/") && !strings.Contains(r.URL.Path, "/namespaces/web/") {
			t.Errorf("asked for %s", r.URL.Path)
		}
	}
}

func TestANamespaceThatDoesNotExistIsAnError(t *testing.T) {
	f := serve(t, nil)
	c := f.cluster(t, Options{Namespaces: []string{"shpo"}})
	_, err := c.Uses(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the cluster has no namespace shpo") {
		t.Errorf("got %v", err)
	}
	for name, answer := range map[string]statusAnswer{
		"it exists":          refuse(http.StatusOK, "", ""),
		"it may not be read": forbidden("namespaces", ""),
	} {
		f.before(func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/namespaces/shpo") {
				answer.write(w)
				return true
			}
			return false
		})
		if got, err := c.Uses(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestOwnersAreAskedBeforePods(t *testing.T) {
	f := serve(t, nil)
	if _, err := f.cluster(t, Options{}).Uses(t.Context()); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, r := range f.seen() {
		asked = append(asked, r.URL.Path)
	}
	if len(asked) != len(Resources()) || slices.Index(asked, "/api/v1/pods") != len(asked)-1 {
		t.Errorf("asked for %v", asked)
	}
}
