package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func protect(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("/etc/janitor/janitor.yaml", []byte("protect:\n  "+strings.ReplaceAll(text, "\n", "\n  ")))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClustersAreRead(t *testing.T) {
	c := protect(t, `kubernetes:
- {in_cluster: true}
- {name: prod-eu, kubeconfig: k.yaml, context: admin@prod, namespaces: [shop, web], replica_sets: 3, required: false}
- {kubeconfig: /etc/k.yaml}
- {context: staging}`)
	want := []Kubernetes{
		{InCluster: true, Required: true},
		{Name: "prod-eu", Kubeconfig: "k.yaml", Context: "admin@prod", Namespaces: []string{"shop", "web"}, ReplicaSets: 3},
		{Kubeconfig: "/etc/k.yaml", Required: true},
		{Context: "staging", Required: true},
	}
	if diff := cmp.Diff(want, c.Protect.Kubernetes); diff != "" {
		t.Error(diff)
	}
	var paths, labels []string
	for i := range want {
		paths = append(paths, c.Resolve(want[i].Kubeconfig))
		labels = append(labels, want[i].Label())
	}
	if diff := cmp.Diff([]string{"", "/etc/janitor/k.yaml", "/etc/k.yaml", ""}, paths); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"in-cluster", "prod-eu", "/etc/k.yaml", "staging"}, labels); diff != "" {
		t.Error(diff)
	}
}

// Both forms of a source are the same configuration if they mean the same.
func TestASourceCanBeWrittenInTwoWays(t *testing.T) {
	const plain = "serverless: true\nreferences_file: in-use.txt"
	for name, row := range map[string]struct {
		text     string
		optional Optional
		document map[string]any
	}{
		"plain": {plain, Optional{}, map[string]any{"serverless": true, "references_file": "in-use.txt"}},
		"long": {"serverless: {required: true}\nreferences_file: {path: in-use.txt, required: true}", Optional{},
			map[string]any{"serverless": true, "references_file": "in-use.txt"}},
		"without required": {"serverless: true\nreferences_file: {path: in-use.txt}", Optional{},
			map[string]any{"serverless": true, "references_file": "in-use.txt"}},
		"not required": {"serverless: {required: false}\nreferences_file: {path: in-use.txt, required: false}", Optional{References: true, Serverless: true},
			map[string]any{"serverless": map[string]any{"required": false}, "references_file": map[string]any{"path": "in-use.txt", "required": false}}},
		"an anchor": {"serverless: &s {required: false}\nreferences_file: in-use.txt\nkubernetes: [{context: a, required: false}]",
			Optional{Serverless: true}, map[string]any{
				"serverless": map[string]any{"required": false}, "references_file": "in-use.txt",
				"kubernetes": []any{map[string]any{"context": "a", "in_cluster": false, "required": false}}}},
	} {
		c := protect(t, row.text)
		if !c.Protect.Serverless || c.Resolve(c.Protect.ReferencesFile) != "/etc/janitor/in-use.txt" || c.Protect.Optional != row.optional {
			t.Errorf("%s: %+v", name, c.Protect)
		}
		row.document["tags"], row.document["digests"] = []any{}, []any{}
		if diff := cmp.Diff(row.document, c.Document()["protect"]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if same := c.Digest() == protect(t, plain).Digest(); same != (row.optional == Optional{}) {
			t.Errorf("%s: the digest is the same: %v", name, same)
		}
	}
	if c := protect(t, "serverless: false"); c.Protect.Serverless {
		t.Error("false is true")
	}
}

func TestKapsuleCanBeWrittenInTwoWays(t *testing.T) {
	for text, want := range map[string]any{
		"kapsule: true":             true,
		"kapsule: {required: true}": true,
		"kapsule: {required: false, regions: [nl-ams, it-mil], clusters: [\"prod-*\"]}": map[string]any{
			"required": false, "regions": []any{"nl-ams", "it-mil"}, "clusters": []any{"prod-*"}},
		"kapsule: false": nil,
	} {
		c := protect(t, text)
		got := c.Document()["protect"].(map[string]any)["kapsule"]
		if diff := cmp.Diff(want, got); diff != "" || c.Protect.Kapsule != (want != nil) {
			t.Errorf("%s: %+v: %s", text, c.Protect, diff)
		}
		if same := c.Digest() == protect(t, "kapsule: true").Digest(); same != (want == true) {
			t.Errorf("%s: the digest is the same: %v", text, same)
		}
	}
}

func TestTheDigestCoversTheClusters(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		"{context: a}", "{context: b}", "{context: a, name: c}", "{context: a, required: false}", "{context: a, replica_sets: 3}",
		"{context: a, namespaces: [x]}", "{context: a, namespaces: [x, y]}", "{kubeconfig: a}", "{in_cluster: true}",
	} {
		digest := protect(t, "kubernetes: ["+text+"]").Digest()
		if other, ok := seen[digest]; ok {
			t.Errorf("%s and %s have the same digest", text, other)
		}
		seen[digest] = text
	}
	if protect(t, "kubernetes: [{context: a, namespaces: [x, y]}]").Digest() != protect(t, "kubernetes: [{context: a, namespaces: [y, x]}]").Digest() {
		t.Error("the order of namespaces changes the digest")
	}
}

func TestSentencesOfUseSources(t *testing.T) {
	c := protect(t, `references_file: {path: "-", required: false}
serverless: {required: false}
kapsule: {regions: [nl-ams, fr-par], clusters: [staging, "prod-*"], required: false}
kubernetes:
- {in_cluster: true}
- {name: prod-eu, kubeconfig: k.yaml, namespaces: [web, shop], replica_sets: 3, required: false}
- {context: old, replica_sets: 1}`)
	want := []string{
		"references_file: keeps what standard input names; if it cannot be reached, the run only warns",
		"serverless: keeps what serverless containers and jobs use, and ignores the namespaces of serverless functions (funcscw*); if it cannot be reached, the run only warns",
		"kapsule: keeps what every Kapsule cluster prod-* or staging in fr-par or nl-ams runs, or could be rolled back to; if it cannot be reached, the run only warns",
		"kubernetes: keeps what the cluster in-cluster runs, or could be rolled back to",
		"kubernetes: keeps what the cluster prod-eu runs in namespaces shop or web, or could be rolled back to within 3 revisions; if it cannot be reached, the run only warns",
		"kubernetes: keeps what the cluster old runs",
	}
	var got []string
	for _, s := range c.Sentences() {
		if s.Kind == "protect" {
			got = append(got, s.Name+": "+s.Text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSchemaAcceptsBothFormsOfASource(t *testing.T) {
	compiled := compileSchema(t)
	for text, want := range map[string]bool{
		"serverless: true": true, "serverless: {required: false}": true, "serverless: {}": false, "serverless: {path: a}": false, "serverless: 1": false,
		"references_file: a": true, "references_file: {path: a}": true, "references_file: {path: a, required: false}": true,
		"references_file: {required: true}": false, "references_file: {path: a, requird: true}": false, "references_file: true": false,
		"kapsule: true": true, "kapsule: {required: false}": true, "kapsule: {regions: [it-mil], clusters: [prod, \"dev-*\"]}": true,
		"kapsule: {}": false, "kapsule: {regions: []}": false, "kapsule: {regions: [us-east]}": false, "kapsule: {clusters: [\"a/b\"]}": false, "kapsule: {cluster: a}": false,
		"kubernetes: [{in_cluster: true, namespaces: [a]}]": true, "kubernetes: [{context: a, kubeconfig: b, in_cluster: false}]": true,
		"kubernetes: [{name: a}]": false, "kubernetes: [{in_cluster: true, context: a}]": false, "kubernetes: [{context: a, pod: b}]": false,
	} {
		if err := compiled.Validate(instance(t, []byte("protect: {"+text+"}"))); (err == nil) != want {
			t.Errorf("%s: accepted: %v, want %v: %v", text, err == nil, want, err)
		}
		if _, err := Parse("janitor.yaml", []byte("protect: {"+text+"}")); (err == nil) != want {
			t.Errorf("%s: parsed: %v, want %v: %v", text, err == nil, want, err)
		}
	}
}
