package manifests

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

func chartDir(t *testing.T) string {
	return filepath.Join(program.Root(t), "examples", "helm", "registry-janitor")
}

// installations are values of the chart, and what it installs with them.
var installations = map[string]struct {
	values string
	counts map[string]int // of objects, by kind
	asks   bool           // the cluster
}{
	"the daemon": {"", map[string]int{"Deployment": 1, "Service": 1, "PersistentVolumeClaim": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1}, false},
	"the CronJob": {"{mode: cronjob, cronjob: {pushgateway: \"http://pushgateway:9091\"}}",
		map[string]int{"CronJob": 1, "PersistentVolumeClaim": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1}, false},
	"two daemons with PostgreSQL": {"{daemon: {replicas: 2, enableApply: true}, postgres: {enabled: true}}",
		map[string]int{"Deployment": 1, "Service": 1, "PodDisruptionBudget": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1}, false},
	"a CronJob with PostgreSQL": {"{mode: cronjob, postgres: {enabled: true, dsn: \"postgres://janitor@db.example:5432/janitor\"}}",
		map[string]int{"CronJob": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1}, false},
	"PostgreSQL with the DSN in a Secret": {"{postgres: {enabled: true, existingSecret: ledger, dsnKey: dsn, caKey: \"\"}}",
		map[string]int{"Deployment": 1, "Service": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1}, false},
	"in use": {"{inUse: {enabled: true, name: prod-eu}}",
		map[string]int{"Deployment": 1, "Service": 1, "PersistentVolumeClaim": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1, "ClusterRole": 1, "ClusterRoleBinding": 1}, true},
	"with the Prometheus operator": {"{serviceMonitor: {enabled: true, labels: {release: prometheus}}, prometheusRule: {enabled: true, labels: {release: prometheus}}}",
		map[string]int{"Deployment": 1, "Service": 1, "PersistentVolumeClaim": 1, "ConfigMap": 1, "ServiceAccount": 1, "NetworkPolicy": 1, "ServiceMonitor": 1, "PrometheusRule": 1}, false},
	"every other value": {`
image: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
imagePullSecrets: [{name: pull}]
policies: {own.rego: "package janitor.image.own\n"}
persistence: {existingClaim: ledger, storageClass: x}
env: [{name: OPS_URL, valueFrom: {secretKeyRef: {name: registry-janitor-ops, key: OPS_URL}}}]
podAnnotations: {a: b}
nodeSelector: {pool: small}
tolerations: [{key: a, operator: Exists}]
affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}
networkPolicy: {egress: [{to: [{ipBlock: {cidr: 10.0.0.1/32}}], ports: [{protocol: TCP, port: 9091}]}]}
serviceAccount: {name: own, annotations: {a: b}}
logLevel: debug
`, map[string]int{"Deployment": 1, "Service": 1, "ConfigMap": 2, "ServiceAccount": 1, "NetworkPolicy": 1}, false},
}

// render installs nothing: it returns what Helm would send to the cluster, decoded as
// strictly as the kustomizations are.
func render(t *testing.T, values string) (*bundle, error) {
	t.Helper()
	chart, err := loader.LoadDir(chartDir(t))
	if err != nil {
		t.Fatal(err)
	}
	release := common.ReleaseOptions{Name: "registry-janitor", Namespace: "registry-janitor", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(chart, parsed(t, values), release, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	b, decode := newBundle(), decoder(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		for _, text := range strings.Split("\n"+files[name], "\n---\n") {
			if len(strings.TrimSpace(withoutComments(text))) == 0 {
				continue
			}
			object, _, err := decode.Decode([]byte(text), nil, nil)
			if err != nil {
				t.Fatalf("the API does not accept %s: %v\n%s", name, err, text)
			}
			b.add(t, object)
		}
	}
	return b, nil
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func parsed(t *testing.T, values string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(values), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHelmLintsTheChart(t *testing.T) {
	for name, i := range installations {
		for _, m := range lint.RunAll(chartDir(t), parsed(t, i.values), "registry-janitor").Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
}

func TestTheChart(t *testing.T) {
	for name, i := range installations {
		t.Run(name, func(t *testing.T) {
			b, err := render(t, i.values)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]int{}
			for n, o := range b.all(t) {
				kind := b.objects[n].GetObjectKind().GroupVersionKind().Kind
				got[kind]++
				if wide := strings.HasPrefix(kind, "Cluster"); wide == (o.GetNamespace() == "registry-janitor") {
					t.Errorf("%s %s is in namespace %q", kind, o.GetName(), o.GetNamespace())
				}
				for _, label := range []string{"name", "instance", "part-of", "managed-by", "version"} {
					if o.GetLabels()["app.kubernetes.io/"+label] == "" {
						t.Errorf("%s %s has no label %s", kind, o.GetName(), label)
					}
				}
			}
			if !maps.Equal(got, i.counts) {
				t.Errorf("it installs %v, want %v", got, i.counts)
			}
			if len(b.pods) != 1 {
				t.Fatalf("it starts %d kinds of pods, want one", len(b.pods))
			}
			checkRestricted(t, b.pods[0])
			if foreign := []string{"every other value", "PostgreSQL with the DSN in a Secret"}; !slices.Contains(foreign, name) { // with a claim or a Secret of another name
				checkReferences(t, b, b.pods[0])
			}
			checkNetwork(t, b, b.pods[0])
			checkToken(t, b, b.pods[0], i.asks)
		})
	}
}

// What cannot work is refused when it is installed.
func TestTheChartRefuses(t *testing.T) {
	for values, want := range map[string]string{
		"{mode: job}":             "mode",
		"{replica: 2}":            "replica",
		"{daemon: {replicas: 2}}": "daemon.replicas is more than 1",
		"{existingSecret: \"\"}":  "existingSecret",
		"{postgres: {dsn: \"postgres://janitor:secret@db/janitor\"}}": "dsn",
		"{postgres: {dsn: \"mysql://db\"}}":                           "dsn",
		"{image: {digest: latest}}":                                   "digest",
		"{policies: {\"a/b.rego\": x}}":                               "a/b.rego",
	} {
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %s", values, err, want)
		}
	}
}

// The rules of the chart are those of examples/prometheus, and are not templates.
func TestTheRulesOfTheChartAreThoseOfTheExample(t *testing.T) {
	var texts []string
	for _, file := range []string{filepath.Join(chartDir(t), "files", "rules.yaml"), filepath.Join(program.Root(t), "examples", "prometheus", "rules.yaml")} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Error("files/rules.yaml of the chart differs from examples/prometheus/rules.yaml: copy it")
	}
	b, err := render(t, "{prometheusRule: {enabled: true}}")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Groups []struct{ Rules []any } }
	if err := yaml.Unmarshal([]byte(texts[1]), &want); err != nil {
		t.Fatal(err)
	}
	got := b.rules[0].Spec.Groups
	if len(got) != len(want.Groups) || len(got[1].Rules) != len(want.Groups[1].Rules) || !strings.Contains(got[1].Rules[0].Annotations["summary"], "{{ $labels.job }}") {
		t.Errorf("the rules are %+v", got)
	}
}

// testTheChart checks that the program accepts the configuration and the flags.
func testTheChart(t *testing.T, janitor string) {
	for name, i := range installations {
		b, err := render(t, i.values)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write := func(file, text string) {
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		mounted(b.pods[0].spec.Volumes, func(configMap, key, path string) {
			for _, k := range slices.Sorted(maps.Keys(b.configs[configMap].Data)) {
				if key == "" || key == k {
					text := strings.ReplaceAll(b.configs[configMap].Data[k], "/var/lib/registry-janitor", dir) // the volume
					write(filepath.Join(dir, max(path, k)), text)
				}
			}
		})
		file := filepath.Join(dir, "janitor.yaml")
		check := exec.Command(janitor, "config", "check", "-c", file)
		check.Env = append(os.Environ(), "LEDGER_DSN=postgres://")
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: config check: %v\n%s", name, err, out)
		}
		checkFlags(t, janitor, name, b.pods[0].spec.Containers[0].Args)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ledger := "dsn: " + dir + "/ledger.db"
		switch {
		case strings.Contains(name, "DSN in a Secret"):
			ledger = "dsn_env: LEDGER_DSN"
		case strings.Contains(name, "PostgreSQL"):
			ledger = "dsn: postgres://"
		}
		if !strings.Contains(string(text), ledger) || strings.Contains(string(text), "in_cluster: true") != i.asks {
			t.Errorf("%s: the configuration is:\n%s", name, text)
		}
	}
}

// The DSN in a Secret reaches the program by a variable, and takes the place of all others.
func TestTheChartTakesADSNFromASecret(t *testing.T) {
	b, err := render(t, installations["PostgreSQL with the DSN in a Secret"].values)
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]string{}
	for _, e := range b.pods[0].spec.Containers[0].Env {
		if e.ValueFrom == nil {
			continue
		}
		key := e.ValueFrom.SecretKeyRef
		from[e.Name] = key.Name + "/" + key.Key
		if key.Optional != nil && *key.Optional {
			from[e.Name] += ", optional"
		}
	}
	want := map[string]string{
		"SCW_ACCESS_KEY": "registry-janitor-scaleway/SCW_ACCESS_KEY", "SCW_SECRET_KEY": "registry-janitor-scaleway/SCW_SECRET_KEY", "LEDGER_DSN": "ledger/dsn",
		"AWS_ACCESS_KEY_ID": "registry-janitor-scaleway/AWS_ACCESS_KEY_ID, optional", "AWS_SECRET_ACCESS_KEY": "registry-janitor-scaleway/AWS_SECRET_ACCESS_KEY, optional",
	}
	if !maps.Equal(from, want) {
		t.Errorf("the variables are from %v, want %v", from, want)
	}
}

// mounted calls do for each key of a config map in a projected volume; key "" is all.
func mounted(volumes []corev1.Volume, do func(configMap, key, path string)) {
	for _, v := range volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if len(source.ConfigMap.Items) == 0 {
				do(source.ConfigMap.Name, "", "")
			}
			for _, item := range source.ConfigMap.Items {
				do(source.ConfigMap.Name, item.Key, item.Path)
			}
		}
	}
}
