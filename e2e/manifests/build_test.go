package manifests

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// overlays are the kustomizations that operators apply. TestTheComponentsFitTheirOverlay
// builds the components.
func overlays() []string {
	return []string{"cronjob", "daemon", "daemon-ha", "in-use", "shards"}
}

// TestEveryKustomizationIsTested keeps this list complete.
func TestEveryKustomizationIsTested(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(program.Root(t), "examples", "kubernetes", "overlays", "*", "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range found {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	if !slices.Equal(names, overlays()) {
		t.Errorf("the overlays are %q, and those with tests %q", names, overlays())
	}
}

// bundle holds the objects that one kustomization installs.
type bundle struct {
	objects      []runtime.Object
	pods         []pod
	configs      map[string]*corev1.ConfigMap
	claims       map[string]*corev1.PersistentVolumeClaim
	accounts     map[string]*corev1.ServiceAccount
	namespaces   []*corev1.Namespace
	services     []*corev1.Service
	policies     []*networkingv1.NetworkPolicy
	monitors     []*monitoringv1.ServiceMonitor
	rules        []*monitoringv1.PrometheusRule
	disruptions  []*policyv1.PodDisruptionBudget
	cronJobs     []*batchv1.CronJob
	deployments  []*appsv1.Deployment
	roles        []*rbacv1.ClusterRole
	roleBindings []*rbacv1.ClusterRoleBinding
}

// pod is a pod template and its owner.
type pod struct {
	owner  string
	labels map[string]string
	spec   corev1.PodSpec
}

// build runs kustomize on a folder of examples/kubernetes.
func build(t *testing.T, folder string) *bundle {
	t.Helper()
	return buildOn(t, filesys.MakeFsOnDisk(), filepath.Join(program.Root(t), "examples", "kubernetes", folder))
}

func buildOn(t *testing.T, fs filesys.FileSystem, path string) *bundle {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, path)
	if err != nil {
		t.Fatalf("kustomize build %s: %v", path, err)
	}
	b := newBundle()
	decode := decoder(t)
	for _, r := range resources.Resources() {
		yaml, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decode.Decode(yaml, nil, nil)
		if err != nil {
			t.Fatalf("the API does not accept %s: %v\n%s", r.CurId(), err, yaml)
		}
		b.add(t, object)
	}
	return b
}

func newBundle() *bundle {
	return &bundle{
		configs:  map[string]*corev1.ConfigMap{},
		claims:   map[string]*corev1.PersistentVolumeClaim{},
		accounts: map[string]*corev1.ServiceAccount{},
	}
}

// decoder is strict: an unknown or a duplicate field is an error.
func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, networkingv1.AddToScheme,
		policyv1.AddToScheme, rbacv1.AddToScheme, monitoringv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
}

func (b *bundle) add(t *testing.T, object runtime.Object) {
	t.Helper()
	b.objects = append(b.objects, object)
	switch o := object.(type) {
	case *corev1.Namespace:
		b.namespaces = append(b.namespaces, o)
	case *corev1.ServiceAccount:
		b.accounts[o.Name] = o
	case *corev1.ConfigMap:
		b.configs[o.Name] = o
	case *corev1.PersistentVolumeClaim:
		b.claims[o.Name] = o
	case *corev1.Service:
		b.services = append(b.services, o)
	case *networkingv1.NetworkPolicy:
		b.policies = append(b.policies, o)
	case *monitoringv1.ServiceMonitor:
		b.monitors = append(b.monitors, o)
	case *monitoringv1.PrometheusRule:
		b.rules = append(b.rules, o)
	case *policyv1.PodDisruptionBudget:
		b.disruptions = append(b.disruptions, o)
	case *batchv1.CronJob:
		b.cronJobs = append(b.cronJobs, o)
		template := o.Spec.JobTemplate.Spec.Template
		b.pods = append(b.pods, pod{"CronJob " + o.Name, template.Labels, template.Spec})
	case *appsv1.Deployment:
		b.deployments = append(b.deployments, o)
		b.pods = append(b.pods, pod{"Deployment " + o.Name, o.Spec.Template.Labels, o.Spec.Template.Spec})
	case *rbacv1.ClusterRole:
		b.roles = append(b.roles, o)
	case *rbacv1.ClusterRoleBinding:
		b.roleBindings = append(b.roleBindings, o)
	case *rbacv1.Role, *rbacv1.RoleBinding:
	default:
		t.Errorf("no test checks a %T", o)
	}
}

// all returns the metadata of all objects.
func (b *bundle) all(t *testing.T) []metav1.Object {
	t.Helper()
	var out []metav1.Object
	for _, o := range b.objects {
		object, ok := o.(metav1.Object)
		if !ok {
			t.Fatalf("%T has no metadata", o)
		}
		out = append(out, object)
	}
	return out
}

// selects reports whether a selector matches the labels of a pod.
func selects(t *testing.T, selector *metav1.LabelSelector, labels map[string]string) bool {
	t.Helper()
	if len(selector.MatchExpressions) > 0 || len(selector.MatchLabels) == 0 {
		t.Fatalf("%v does not select by labels only", selector)
	}
	for key, value := range selector.MatchLabels {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// flagsOf returns the names of the flags in the arguments of a container.
func flagsOf(args []string) []string {
	var out []string
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(name, "--") {
			out = append(out, name)
		}
	}
	return out
}
