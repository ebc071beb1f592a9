package kube

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// manifest is the part of the objects of RBAC that the examples may use.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Rules []struct {
		Groups    []string `yaml:"apiGroups"`
		Resources []string `yaml:"resources"`
		Verbs     []string `yaml:"verbs"`
	} `yaml:"rules"`
	RoleRef struct {
		Group string `yaml:"apiGroup"`
		Kind  string `yaml:"kind"`
		Name  string `yaml:"name"`
	} `yaml:"roleRef"`
	Subjects []struct {
		Group     string `yaml:"apiGroup"`
		Kind      string `yaml:"kind"`
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"subjects"`
}

// The examples grant the right to list what is listed, and no other.
func TestTheExamplesGrantWhatIsListed(t *testing.T) {
	var want []string
	for _, r := range Resources() {
		want = append(want, "list "+r.Group+"/"+r.Name)
	}
	slices.Sort(want)
	for file, kind := range map[string]string{"cluster": "ClusterRole", "namespace": "Role", "kapsule": "ClusterRole"} {
		objects := manifests(t, "../../examples/kubernetes/rbac/"+file+".yaml")
		if file == "kapsule" { // for a group of IAM
			objects = slices.Insert(objects, 0, manifest{Kind: "ServiceAccount"})
			subject := &objects[2].Subjects[0]
			if subject.Kind != "Group" || subject.Group != "rbac.authorization.k8s.io" || !strings.HasPrefix(subject.Name, "scaleway:groups:") {
				t.Errorf("%s: %+v", file, subject)
			}
			subject.Kind, subject.Name = "ServiceAccount", ""
		}
		if len(objects) != 3 || objects[0].Kind != "ServiceAccount" || objects[1].Kind != kind || objects[2].Kind != kind+"Binding" {
			t.Fatalf("%s: %+v", file, objects)
		}
		account, role, binding := objects[0], objects[1], objects[2]
		var got []string
		for _, rule := range role.Rules {
			for _, group := range rule.Groups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						got = append(got, verb+" "+group+"/"+resource)
					}
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: rights (-listed +granted):\n%s", file, diff)
		}
		if binding.RoleRef.Kind != kind || binding.RoleRef.Name != role.Metadata.Name || binding.Metadata.Namespace != role.Metadata.Namespace {
			t.Errorf("%s: the binding is of another role: %+v", file, binding)
		}
		if s := binding.Subjects; len(s) != 1 || s[0].Kind != account.Kind || s[0].Name != account.Metadata.Name || s[0].Namespace != account.Metadata.Namespace {
			t.Errorf("%s: the binding is for another account: %+v", file, binding)
		}
	}
}

func manifests(t *testing.T, path string) []manifest {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := yaml.NewDecoder(file)
	d.KnownFields(true)
	var objects []manifest
	for {
		var m manifest
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, m)
	}
}
