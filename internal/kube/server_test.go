package kube

import (
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// fake is an API server that lists its objects, and answers as Kubernetes 1.37 was
// seen to answer.
type fake struct {
	*httptest.Server

	mu       sync.Mutex
	objects  map[string][]string // by the resource, each a JSON object
	answer   func(w http.ResponseWriter, r *http.Request) bool
	requests []*http.Request
}

func serve(t *testing.T, objects map[string][]string) *fake {
	t.Helper()
	f := &fake{objects: objects}
	f.start(t)
	return f
}

// start starts the server. Without TLS, client-go would not send credentials.
func (f *fake) start(t *testing.T) {
	t.Helper()
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	f.StartTLS()
	t.Cleanup(f.Close)
}

// settings are the entry of the server in a kubeconfig.
func (f *fake) settings() string {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	return fmt.Sprintf(`{server: %q, certificate-authority-data: %s}`, f.URL, base64.StdEncoding.EncodeToString(ca))
}

// before calls answer with every request; answer reports whether it answered.
func (f *fake) before(answer func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *fake) seen() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	answer := f.answer
	f.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	for _, resource := range Resources() {
		prefix := "/api/v1"
		if resource.Group != "" {
			prefix = "/apis/" + resource.Group + "/" + resource.Version
		}
		if r.URL.Path == prefix+"/"+resource.Name {
			f.list(w, r, resource, "")
			return
		}
		namespace, inside := strings.CutPrefix(r.URL.Path, prefix+"/namespaces/")
		if namespace, ok := strings.CutSuffix(namespace, "/"+resource.Name); inside && ok {
			f.list(w, r, resource, namespace)
			return
		}
	}
	refuse(http.StatusNotFound, "NotFound", "the server could not find the requested resource").write(w)
}

// list answers one page of the objects.
func (f *fake) list(w http.ResponseWriter, r *http.Request, resource Resource, namespace string) {
	var objects []string
	for _, o := range f.objects[resource.Name] {
		if namespace == "" || strings.Contains(o, `"namespace":"`+namespace+`"`) {
			objects = append(objects, o)
		}
	}
	start := 0
	if token := r.URL.Query().Get("continue"); token != "" {
		raw, _ := base64.RawURLEncoding.DecodeString(token)
		start, _ = strconv.Atoi(string(raw))
	}
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	end := min(start+cmp.Or(limit, len(objects)), len(objects))
	meta := `"resourceVersion":"7041"`
	if end < len(objects) {
		meta += fmt.Sprintf(`,"continue":%q,"remainingItemCount":%d`, base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end))), len(objects)-end)
	}
	group := strings.TrimPrefix(resource.Group+"/"+resource.Version, "/")
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{%s},"items":[%s]}`+"\n", resource.Kind, group, meta, strings.Join(objects[start:end], ","))
}

// statusAnswer is how the API refuses.
type statusAnswer struct {
	code            int
	reason, message string
}

func refuse(code int, reason, message string) statusAnswer {
	return statusAnswer{code, reason, message}
}

func (s statusAnswer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(s.code)
	text, _ := json.Marshal(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": s.message, "reason": s.reason, "code": s.code,
	})
	_, _ = w.Write(append(text, '\n'))
}

// forbidden is the answer to an account without rights.
func forbidden(resource, group string) statusAnswer {
	return refuse(http.StatusForbidden, "Forbidden", fmt.Sprintf(`%s is forbidden: User "system:serviceaccount:ops:janitor" cannot list resource %q in API group %q at the cluster scope`, resource, resource, group))
}

// quick are limits for tests.
func quick() limits {
	l := defaultLimits()
	l.pause = time.Microsecond
	return l
}

// kubeconfig writes one with a context "prod" and a user.
func kubeconfig(t *testing.T, cluster, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: %s}]
users: [{name: u, user: %s}]
contexts: [{name: prod, context: {cluster: c, user: u}}]
current-context: prod
`, cluster, user)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// cluster is a Cluster that reads from the fake.
func (f *fake) cluster(t *testing.T, o Options) *Cluster {
	t.Helper()
	o.Kubeconfig = kubeconfig(t, f.settings(), `{token: s3cret-token}`)
	c := New(o)
	c.limits = quick()
	return c
}

// lines is one line for each use.
func lines(uses []registry.RawUse) []string {
	out := []string{}
	for _, u := range uses {
		out = append(out, u.Reference+" < "+u.By)
	}
	return out
}

// ours is a reference of this registry.
func ours(rest string) string { return "rg.fr-par.scw.cloud/prod/" + rest }

const (
	digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// deployment is the JSON of one, as is what follows of the others.
func deployment(namespace, name, image string) string {
	return workload(namespace, name, "", "", image)
}

func workload(namespace, name, meta, spec, image string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q%s},"spec":{%s"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":"main","image":%q,"resources":{}}]}}},"status":{"replicas":1}}`,
		name, namespace, meta, spec, image)
}

func replicaSet(namespace, name, owner string, revision, replicas int, image string) string {
	return workload(namespace, name,
		fmt.Sprintf(`,"annotations":{"deployment.kubernetes.io/revision":"%d"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":%q,"uid":"u","controller":true}]`, revision, owner),
		fmt.Sprintf(`"replicas":%d,`, replicas), image)
}

func aPod(namespace, name, meta, image, id string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q%s},"spec":{"containers":[{"name":"main","image":%q}],"nodeName":"n"},"status":{"phase":"Running","containerStatuses":[{"name":"main","image":%[4]q,"imageID":%q,"ready":true}]}}`,
		name, namespace, meta, image, id)
}

func owned(kind, name string) string {
	return fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"apps/v1","kind":%q,"name":%q,"uid":"u","controller":true,"blockOwnerDeletion":true}]`, kind, name)
}
