package manifests

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

func TestManifests(t *testing.T) {
	for _, name := range overlays() {
		t.Run(name, func(t *testing.T) {
			b := build(t, "overlays/"+name)
			checkObjects(t, b)
			want := 1
			if name == "shards" {
				want = len(shards())
			}
			if len(b.pods) != want {
				t.Fatalf("it starts %d kinds of pods, want %d", len(b.pods), want)
			}
			for _, p := range b.pods {
				checkRestricted(t, p)
				checkReferences(t, b, p)
				checkNetwork(t, b, p)
				checkToken(t, b, p, name == "in-use")
			}
		})
	}
}

// checkObjects checks that all objects are in one namespace, that it enforces the Pod
// Security Standard, that they have the common labels, and that none holds a secret.
func checkObjects(t *testing.T, b *bundle) {
	t.Helper()
	if len(b.namespaces) != 1 {
		t.Fatalf("it has %d namespaces", len(b.namespaces))
	}
	if got := b.namespaces[0].Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("the namespace enforces %q", got)
	}
	clusterWide := map[string]bool{"*v1.Namespace": true, "*v1.ClusterRole": true, "*v1.ClusterRoleBinding": true}
	for i, o := range b.all(t) {
		kind := typeName(b.objects[i])
		if o.GetNamespace() != "registry-janitor" && !clusterWide[kind] {
			t.Errorf("%s %s is in namespace %q", kind, o.GetName(), o.GetNamespace())
		}
		for _, label := range []string{"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"} {
			if o.GetLabels()[label] == "" {
				t.Errorf("%s %s has no label %s", kind, o.GetName(), label)
			}
		}
	}
}

// checkRestricted checks a pod with Kubernetes' own code for the Pod Security Standard
// "restricted". It also requires one user, a read-only file system, limits, and an
// image with a version.
func checkRestricted(t *testing.T, p pod) {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(restricted, &metav1.ObjectMeta{Labels: p.labels}, &p.spec) {
		if !result.Allowed {
			t.Errorf("%s is not restricted: %s: %s", p.owner, result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
	if sc := p.spec.SecurityContext; sc == nil || sc.RunAsUser == nil || *sc.RunAsUser != 65532 || sc.FSGroup == nil || *sc.FSGroup != 65532 {
		t.Errorf("%s: the security context of the pod is %+v", p.owner, sc)
	}
	for _, c := range append(slices.Clone(p.spec.InitContainers), p.spec.Containers...) {
		if sc := c.SecurityContext; sc == nil || !isTrue(sc.ReadOnlyRootFilesystem) {
			t.Errorf("%s: the container %s can write its file system", p.owner, c.Name)
		}
		r := c.Resources
		if r.Requests.Cpu().IsZero() || r.Requests.Memory().IsZero() || r.Limits.Memory().IsZero() || r.Requests.Memory().Cmp(*r.Limits.Memory()) > 0 {
			t.Errorf("%s: the container %s has the resources %+v", p.owner, c.Name, r)
		}
		if c.Image == "registry-janitor" || !strings.Contains(c.Image, ":") || strings.HasSuffix(c.Image, ":latest") {
			t.Errorf("%s: the image %q lacks a host or a version", p.owner, c.Image)
		}
	}
}

func isTrue(b *bool) bool { return b != nil && *b }

// checkReferences checks that everything a pod names exists, and that it uses every
// claim and volume.
func checkReferences(t *testing.T, b *bundle, p pod) {
	t.Helper()
	if b.accounts[p.spec.ServiceAccountName] == nil {
		t.Errorf("%s: the service account %q does not exist", p.owner, p.spec.ServiceAccountName)
	}
	volumes, claims := map[string]bool{}, 0
	for _, v := range p.spec.Volumes {
		volumes[v.Name] = false
		if v.ConfigMap != nil && b.configs[v.ConfigMap.Name] == nil {
			t.Errorf("%s: the config map %q does not exist", p.owner, v.ConfigMap.Name)
		}
		if v.PersistentVolumeClaim != nil {
			claims++
			if b.claims[v.PersistentVolumeClaim.ClaimName] == nil {
				t.Errorf("%s: the claim %q does not exist", p.owner, v.PersistentVolumeClaim.ClaimName)
			}
		}
	}
	mounted(p.spec.Volumes, func(configMap, key, _ string) {
		if c := b.configs[configMap]; c == nil || key != "" && c.Data[key] == "" {
			t.Errorf("%s: the config map %q with the key %q does not exist", p.owner, configMap, key)
		}
	})
	if claims != len(b.claims) {
		t.Errorf("%s uses %d of %d claims", p.owner, claims, len(b.claims))
	}
	for _, c := range p.spec.Containers {
		for _, m := range c.VolumeMounts {
			if _, ok := volumes[m.Name]; !ok {
				t.Errorf("%s: the volume %q does not exist", p.owner, m.Name)
			}
			if m.SubPath != "" {
				t.Errorf("%s: %s mounts a single file, which the kubelet never updates", p.owner, m.Name)
			}
			volumes[m.Name] = true
		}
		checkSecrets(t, p, c)
	}
	for name, used := range volumes {
		if !used {
			t.Errorf("%s: no container mounts the volume %s", p.owner, name)
		}
	}
}

// checkSecrets checks that secret values come from a Secret that the operator creates,
// with the keys of the example files.
func checkSecrets(t *testing.T, p pod, c corev1.Container) {
	t.Helper()
	files := map[string][]string{
		"registry-janitor-scaleway": keysOf(t, "scaleway.env.example"),
		"registry-janitor-postgres": append(keysOf(t, "postgres.env.example"), "ca.crt"),
	}
	used := map[string][]string{}
	for _, e := range c.Env {
		switch {
		case e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil:
			ref := e.ValueFrom.SecretKeyRef
			if ref.Key != e.Name {
				t.Errorf("%s: %s comes from the key %s", p.owner, e.Name, ref.Key)
			}
			used[ref.Name] = append(used[ref.Name], ref.Key)
		case strings.Contains(e.Name, "SECRET"), strings.Contains(e.Name, "PASSWORD"):
			t.Errorf("%s: the value of %s is in the manifest", p.owner, e.Name)
		}
	}
	for _, v := range p.spec.Volumes {
		if v.Secret != nil {
			for _, item := range v.Secret.Items {
				used[v.Secret.SecretName] = append(used[v.Secret.SecretName], item.Key)
			}
		}
	}
	if len(used["registry-janitor-scaleway"]) == 0 {
		t.Errorf("%s has no API key", p.owner)
	}
	for name, keys := range used {
		want := slices.Sorted(slices.Values(files[name]))
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(keys))); diff != "" {
			t.Errorf("%s: the keys of the Secret %s are not those of its example (-example +manifest):\n%s", p.owner, name, diff)
		}
	}
}

// checkNetwork checks that connections reach only named ports, that none may go to every
// host, and that services, monitors and budgets select their pods.
func checkNetwork(t *testing.T, b *bundle, p pod) {
	t.Helper()
	var both bool
	for _, np := range b.policies {
		if !selects(t, &np.Spec.PodSelector, p.labels) {
			t.Errorf("the network policy %s does not select the pod", np.Name)
		}
		both = both || len(np.Spec.PolicyTypes) == 2
		for _, rule := range np.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				t.Errorf("the network policy %s allows all incoming connections", np.Name)
			}
			for _, port := range rule.Ports {
				checkPort(t, p, *port.Port)
			}
		}
		for _, rule := range np.Spec.Egress {
			if len(rule.Ports) == 0 {
				t.Errorf("the network policy %s allows all outgoing connections", np.Name)
			}
		}
	}
	if !both {
		t.Error("no network policy covers both directions")
	}
	for _, s := range b.services {
		if !selects(t, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, p.labels) {
			t.Errorf("the service %s does not select the pod", s.Name)
		}
		for _, port := range s.Spec.Ports {
			checkPort(t, p, port.TargetPort)
		}
	}
	for _, m := range b.monitors {
		for _, s := range b.services {
			if !selects(t, &m.Spec.Selector, s.Labels) {
				t.Errorf("the monitor %s does not select the service %s", m.Name, s.Name)
			}
			for _, e := range m.Spec.Endpoints {
				if !slices.ContainsFunc(s.Spec.Ports, func(port corev1.ServicePort) bool { return port.Name == e.Port }) || e.Path != "/metrics" {
					t.Errorf("the monitor %s requests %[3]s from the port %[2]s", m.Name, e.Port, e.Path)
				}
			}
		}
	}
	for _, d := range b.disruptions {
		if !selects(t, d.Spec.Selector, p.labels) {
			t.Errorf("the budget %s does not select the pod", d.Name)
		}
	}
}

// checkPort checks that the program listens on a named port.
func checkPort(t *testing.T, p pod, port intstr.IntOrString) {
	t.Helper()
	for _, c := range p.spec.Containers {
		for _, own := range c.Ports {
			if own.Name == port.StrVal && slices.Contains(c.Args, "--web.listen-address=:"+itoa(own.ContainerPort)) {
				return
			}
		}
	}
	t.Errorf("%s does not listen on the port %s", p.owner, port.String())
}

// checkToken checks that only pods that read the cluster have its token, and that they
// can only read.
func checkToken(t *testing.T, b *bundle, p pod, asks bool) {
	t.Helper()
	if p.spec.AutomountServiceAccountToken == nil || *p.spec.AutomountServiceAccountToken != asks {
		t.Errorf("%s: automountServiceAccountToken is not %t", p.owner, asks)
	}
	if !asks && len(b.roles)+len(b.roleBindings) > 0 {
		t.Error("it has permissions in the cluster that it does not need")
	}
	if !asks {
		return
	}
	if len(b.roles) == 0 || len(b.roleBindings) == 0 {
		t.Error("it has no permissions in the cluster")
	}
	for _, role := range b.roles {
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				if !slices.Contains([]string{"get", "list", "watch"}, verb) {
					t.Errorf("the role %s may %s %v", role.Name, verb, rule.Resources)
				}
			}
			if slices.Contains(rule.Resources, "secrets") || slices.Contains(rule.Resources, "*") {
				t.Errorf("the role %s may read %v", role.Name, rule.Resources)
			}
		}
	}
	for _, binding := range b.roleBindings {
		for _, subject := range binding.Subjects {
			if subject.Namespace != "registry-janitor" || b.accounts[subject.Name] == nil || subject.Name != p.spec.ServiceAccountName {
				t.Errorf("the binding %s is for %s/%s, and the pod is %s", binding.Name, subject.Namespace, subject.Name, p.spec.ServiceAccountName)
			}
		}
	}
}

func TestTheCronJobsNeverOverlapAndNeverRetry(t *testing.T) {
	for _, job := range slices.Concat(build(t, "overlays/cronjob").cronJobs, build(t, "overlays/shards").cronJobs) {
		checkCronJob(t, job.Spec)
	}
}

func checkCronJob(t *testing.T, spec batchv1.CronJobSpec) {
	t.Helper()
	if spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
		t.Errorf("concurrencyPolicy is %q", spec.ConcurrencyPolicy)
	}
	job := spec.JobTemplate.Spec
	if job.BackoffLimit == nil || *job.BackoffLimit != 0 || job.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("a failed run is repeated")
	}
	if spec.StartingDeadlineSeconds == nil || spec.TimeZone == nil || job.ActiveDeadlineSeconds == nil ||
		spec.SuccessfulJobsHistoryLimit == nil || spec.FailedJobsHistoryLimit == nil {
		t.Errorf("a limit is missing: %+v", spec)
	}
	args := job.Template.Spec.Containers[0].Args
	if args[0] != "apply" || !slices.Contains(args, "--yes") {
		t.Errorf("it runs %q", args)
	}
}

func TestOneDaemonHasADiskAndTwoHaveNone(t *testing.T) {
	one := build(t, "overlays/daemon")
	if d := one.deployments[0].Spec; *d.Replicas != 1 || d.Strategy.Type != "Recreate" || len(one.claims) != 1 {
		t.Errorf("the daemon has %d replicas, strategy %s and %d claims", *d.Replicas, d.Strategy.Type, len(one.claims))
	}
	two := build(t, "overlays/daemon-ha")
	if d := two.deployments[0].Spec; *d.Replicas != 2 || d.Strategy.Type != "RollingUpdate" || len(two.claims) != 0 || len(two.disruptions) != 1 {
		t.Errorf("the daemons have %d replicas, strategy %s, %d claims and %d budgets", *d.Replicas, d.Strategy.Type, len(two.claims), len(two.disruptions))
	}
}

func TestTheProbesUseThePathsOfTheDaemon(t *testing.T) {
	for _, name := range []string{"daemon", "daemon-ha", "in-use"} {
		p := build(t, "overlays/"+name).pods[0]
		c := p.spec.Containers[0]
		for _, probe := range []struct {
			kind string
			of   *corev1.Probe
			path string
		}{
			{"startup", c.StartupProbe, "/-/healthy"},
			{"liveness", c.LivenessProbe, "/-/healthy"},
			{"readiness", c.ReadinessProbe, "/-/ready"},
		} {
			if probe.of == nil || probe.of.HTTPGet == nil || probe.of.HTTPGet.Path != probe.path {
				t.Errorf("%s: the %s probe is %+v", name, probe.kind, probe.of)
				continue
			}
			checkPort(t, p, probe.of.HTTPGet.Port)
		}
	}
}

// The test builds the component with the overlay that names it in a comment, as if an
// operator had removed the comment marks.
func TestTheComponentsFitTheirOverlay(t *testing.T) {
	root := path.Join(program.Root(t), "examples", "kubernetes")
	disk := filesys.MakeFsOnDisk()
	folder := t.TempDir()
	copyTree(t, root, folder)
	file := path.Join(folder, "overlays", "cronjob", "kustomization.yaml")
	content, err := disk.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("# components:", "components:", "#   - ../../components", "  - ../../components").Replace(string(content))
	if changed == string(content) {
		t.Fatal("the overlay does not name the component")
	}
	if err := disk.WriteFile(file, []byte(changed)); err != nil {
		t.Fatal(err)
	}
	b := buildOn(t, disk, path.Dir(file))
	if args := b.pods[0].spec.Containers[0].Args; !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--metrics.push-url=http://") }) {
		t.Errorf("the arguments push no metrics: %q", args)
	}
	checkNetwork(t, b, b.pods[0])
	if len(b.policies) != 2 {
		t.Errorf("it has %d network policies, want those of the base and of the component", len(b.policies))
	}
}
