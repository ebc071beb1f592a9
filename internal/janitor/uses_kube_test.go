package janitor

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/intake"
	"github.com/registry-janitor/registry-janitor/internal/kube"
	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/sources"
	"github.com/registry-janitor/registry-janitor/internal/uses"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// cluster is a Kubernetes API with Deployments only, whose images change each time
// they are listed.
type cluster struct {
	*httptest.Server
	mu      sync.Mutex
	answers []string // images, or "forbidden"; the last one repeats
	listed  int
}

func newTestCluster(t *testing.T, answers ...string) *cluster {
	t.Helper()
	c := &cluster{answers: answers}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind, items := "", ""
	for _, resource := range kube.Resources() {
		if strings.HasSuffix(r.URL.Path, "/"+resource.Name) {
			kind = resource.Kind
		}
	}
	if kind == "Deployment" {
		answer := c.answers[min(c.listed, len(c.answers)-1)]
		c.listed++
		if answer == "forbidden" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"kind":"Status","status":"Failure","message":"deployments.apps is forbidden","reason":"Forbidden","code":403}`)
			return
		}
		for i, image := range strings.Fields(answer) {
			if i > 0 {
				items += ","
			}
			items += fmt.Sprintf(`{"metadata":{"name":"d%d","namespace":"shop"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"rg.fr-par.scw.cloud/%s"}]}}}}`, i, image)
		}
	}
	fmt.Fprintf(w, `{"kind":"%sList","metadata":{},"items":[%s]}`, kind, items)
}

// kubeconfig writes one for the cluster, with a context prod-eu.
func (c *cluster) kubeconfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: %q}}],
contexts: [{name: prod-eu, context: {cluster: c}}], current-context: prod-eu}`, c.URL)
	check(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func kubeRules(kubeconfig, more string) string {
	return strings.Replace(usedRules, "serverless: true", fmt.Sprintf("kubernetes: [{kubeconfig: %q%s}]", kubeconfig, more), 1)
}

func (s *setting) uses() *uses.Set { return sources.New(s.planner.Config, nil, nil, kube.Options{}) }

func (s *setting) planWith(t *testing.T, u *uses.Set) *actions.Plan {
	t.Helper()
	p, err := s.planner.Plan(t.Context(), intake.WithUses(t.Context(), u, func() intake.Feed { return s.scan(t, 4) }))
	check(t, err)
	return p
}

// What a cluster uses is kept, and everything is kept while it cannot be reached. The
// inventory of the scan gives the same plan.
func TestWhatAClusterUsesIsKept(t *testing.T) {
	const gap = "gap: what could not be read might prevent it: kubernetes prod-eu: listing deployments.apps: the cluster answers 403: deployments.apps is forbidden (grant the right to list them, as examples/kubernetes/rbac does)"
	all := []string{"prod/api:pr-1: " + gap, "prod/api:pr-2: " + gap, "prod/api:pr-3: " + gap, "prod/web:pr-1: " + gap}
	one := []string{"delete_tag prod/api:pr-1", "delete_tag prod/api:pr-2", "delete_tag prod/api:pr-3", "prod/web:pr-1: in_use: used by kubernetes prod-eu: Deployment shop/d0"}
	everything := []string{"delete_tag prod/api:pr-1", "delete_tag prod/api:pr-2", "delete_tag prod/api:pr-3", "delete_tag prod/web:pr-1"}
	for name, row := range map[string]struct {
		more    string
		answers []string
		want    []string
		warns   int
	}{
		"nothing":                          {"", []string{"other/image:v1"}, everything, 0},
		"a tag":                            {"", []string{"prod/web:pr-1"}, one, 0},
		"a tag deployed meanwhile":         {"", []string{"other/image:v1", "prod/web:pr-1"}, one, 0},
		"forbidden":                        {"", []string{"forbidden"}, all, 0},
		"forbidden the second time":        {"", []string{"prod/web:pr-1", "forbidden"}, all, 0},
		"not required":                     {", required: false", []string{"prod/web:pr-1"}, one, 0},
		"not required, and forbidden":      {", required: false", []string{"forbidden"}, everything, 1},
		"not required, forbidden at first": {", required: false", []string{"forbidden", "prod/web:pr-1"}, one, 1},
		"not required, forbidden at last":  {", required: false", []string{"prod/web:pr-1", "forbidden"}, one, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTestCluster(t, row.answers...)
			s := newSetting(t, parse(t, usedWorld), kubeRules(c.kubeconfig(t), row.more), 4)
			p := s.planWith(t, s.uses())
			if diff := cmp.Diff(row.want, lines(p)); diff != "" {
				t.Error(diff)
			}
			if held := strings.Contains(row.want[0], "gap"); p.Incomplete() != held || p.Summary.Warn != row.warns {
				t.Errorf("gaps %+v, violations %+v", p.Gaps, p.Violations)
			}
			for _, v := range p.Violations {
				if v.Ref != "kubernetes prod-eu" || v.Severity != registry.Warn || v.Rule != actions.SourceRule {
					t.Errorf("violation %+v", v)
				}
			}
			c.listed = 0
			record, gaps := s.record(t)
			if (len(gaps) > 0) != p.Incomplete() {
				t.Errorf("gaps of the inventory: %+v", gaps)
			}
			c.Close()
			again := s.planRecord(t, record)
			if diff := cmp.Diff(encode(t, p), encode(t, again)); diff != "" {
				t.Errorf("the inventory gives: %s", diff)
			}
		})
	}
}

func (s *setting) record(t *testing.T) (string, []registry.Gap) {
	t.Helper()
	var record bytes.Buffer
	gaps, err := s.planner.Record(t.Context(), intake.WithUses(t.Context(), s.uses(), func() intake.Feed { return s.scan(t, 4) }), &record)
	check(t, err)
	return record.String(), gaps
}

func (s *setting) planRecord(t *testing.T, record string) *actions.Plan {
	t.Helper()
	inventory, err := scanner.ReadInventory(strings.NewReader(record))
	check(t, err)
	feed := intake.WithUses(t.Context(), sources.Recorded(s.planner.Config, nil, inventory.Header), func() intake.Feed { return inventory.Stream(t.Context()) })
	p, err := s.planner.Plan(t.Context(), feed)
	check(t, err)
	return p
}

// The configuration that reads an inventory decides what its gaps hold. A source that
// the inventory did not read is a gap.
func TestInventoryIsJudgedByTheConfigurationThatReadsIt(t *testing.T) {
	c := newTestCluster(t, "forbidden")
	kubeconfig := c.kubeconfig(t)
	for name, row := range map[string]struct {
		recorded, judged string
		gaps, warns      int
	}{
		"as it was":                  {"", "", 1, 0},
		"not required any more":      {"", ", required: false", 0, 1},
		"required now":               {", required: false", "", 1, 0},
		"still not required":         {", required: false", ", required: false", 0, 1},
		"other namespaces":           {"", ", namespaces: [shop]", 2, 0},
		"another name":               {"", ", name: x", 2, 0},
		"a longer history":           {", replica_sets: 2", ", replica_sets: 3", 2, 0},
		"not required, not read":     {", namespaces: [shop]", ", required: false", 1, 1},
		"not read, and not required": {", namespaces: [shop], required: false", ", required: false", 0, 2},
	} {
		record, _ := newSetting(t, parse(t, usedWorld), kubeRules(kubeconfig, row.recorded), 4).record(t)
		p := newSetting(t, parse(t, usedWorld), kubeRules(kubeconfig, row.judged), 4).planRecord(t, record)
		if len(p.Gaps) != row.gaps || p.Summary.Warn != row.warns || (row.gaps > 0) != (len(p.Steps) == 0) {
			t.Errorf("%s: gaps %+v, violations %+v, %d steps", name, p.Gaps, p.Violations, len(p.Steps))
		}
	}
	record, _ := newSetting(t, parse(t, usedWorld), strings.Replace(usedRules, "serverless: true", "", 1), 4).record(t)
	p := newSetting(t, parse(t, usedWorld), kubeRules(kubeconfig, ""), 4).planRecord(t, record)
	if len(p.Gaps) != 1 || !strings.Contains(p.Gaps[0].Error, "without reading this use source") || len(p.Steps) > 0 {
		t.Errorf("an inventory that read no source: %+v", p.Gaps)
	}
}

// Before a plan is applied all sources are read again: a use that is new since then is
// found, and a required source that cannot be reached ends the run.
func TestUsesAreReadAgainBeforeApply(t *testing.T) {
	c := newTestCluster(t, "other/image:v1", "other/image:v1", "prod/web:pr-1", "forbidden")
	s := newSetting(t, parse(t, usedWorld), kubeRules(c.kubeconfig(t), ""), 4)
	u := s.uses()
	plan := s.planWith(t, u)
	session := &Session{Planner: s.planner, uses: u}
	force, err := session.inForce(t.Context(), plan)
	check(t, err)
	ref := registry.Ref{Region: "fr-par", Namespace: "prod", Image: "web", Tag: "pr-1"}
	if by := force.uses.Of(ref, ""); fmt.Sprint(by) != "[kubernetes prod-eu: Deployment shop/d0]" {
		t.Errorf("used by %v", by)
	}
	if _, err := session.inForce(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "kubernetes prod-eu: listing deployments.apps") {
		t.Errorf("a required source that cannot be reached: %v", err)
	}
	s.planner.Config.Protect.Kubernetes[0].Required = false
	session.uses = s.uses()
	if _, err := session.inForce(t.Context(), plan); err != nil {
		t.Errorf("one that is not required: %v", err)
	}
}

func TestAReferencesFileThatIsNotRequired(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in-use.txt")
	rules := strings.Replace(usedRules, "serverless: true", "references_file: {path: "+file+", required: false}", 1)
	s := newSetting(t, parse(t, usedWorld), rules, 4)
	p := s.planWith(t, s.uses())
	if len(p.Steps) != 4 || p.Incomplete() || p.Summary.Warn != 1 || p.Violations[0].Ref != "references file "+file {
		t.Errorf("without the file: %v %+v", lines(p), p.Violations)
	}
	// What can be read of it counts.
	check(t, os.WriteFile(file, []byte("rg.fr-par.scw.cloud/prod/web:pr-1\na b\n"), 0o600))
	p = s.planWith(t, s.uses())
	if len(p.Steps) != 3 || p.Incomplete() || p.Summary.Warn != 1 || p.Held[0].Detail != "used by references file "+file {
		t.Errorf("with a bad line: %v %+v", lines(p), p.Violations)
	}
}

func TestServerlessThatIsNotRequired(t *testing.T) {
	s := newSetting(t, parse(t, usedWorld), strings.Replace(usedRules, "serverless: true", "serverless: {required: false}", 1), 4)
	u := sources.New(s.planner.Config, nil, []uses.Source{answers("one", "fail"), answers("two", "prod/web:pr-1")}, kube.Options{})
	p := s.planWith(t, u)
	if len(p.Steps) != 3 || p.Incomplete() || p.Summary.Warn != 1 || p.Violations[0].Ref != "one" {
		t.Errorf("%v %+v", lines(p), p.Violations)
	}
}

// The set remembers what each source answered last, and when it last did.
func TestSourcesRememberTheirLastAnswer(t *testing.T) {
	c := newTestCluster(t, "prod/web:pr-1 prod/api:pr-1", "forbidden")
	s := newSetting(t, parse(t, usedWorld), kubeRules(c.kubeconfig(t), ", name: prod"), 4)
	s.planner.Config.Protect.ReferencesFile = config.StandardInput
	u := sources.New(s.planner.Config, strings.NewReader("rg.fr-par.scw.cloud/prod/api:v1\n"), nil, kube.Options{})
	if got := u.Sources(); got != nil {
		t.Errorf("before: %+v", got)
	}
	tick := now
	u.Now = func() time.Time { tick = tick.Add(time.Minute); return tick }
	_, err := u.Read(t.Context())
	check(t, err)
	file := runs.UseSource{Name: "references on standard input", Uses: 1, ReadAt: now.Add(time.Minute)}
	prod := runs.UseSource{Name: "kubernetes prod", Uses: 2, ReadAt: now.Add(2 * time.Minute)}
	if diff := cmp.Diff([]runs.UseSource{file, prod}, u.Sources()); diff != "" {
		t.Error(diff)
	}
	_, err = u.Read(t.Context())
	check(t, err)
	file.ReadAt = now.Add(3 * time.Minute)
	prod.Uses, prod.Error = 0, "listing deployments.apps: the cluster answers 403: deployments.apps is forbidden (grant the right to list them, as examples/kubernetes/rbac does)"
	if diff := cmp.Diff([]runs.UseSource{file, prod}, u.Sources()); diff != "" {
		t.Error(diff)
	}
	if got := new(uses.Set).Sources(); got != nil {
		t.Errorf("a set without sources: %+v", got)
	}
}

// Two clusters with the same name in their kubeconfigs are two sources.
func TestSourcesHaveUniqueNames(t *testing.T) {
	one, two := newTestCluster(t, "forbidden"), newTestCluster(t, "prod/web:pr-1")
	rules := strings.Replace(usedRules, "serverless: true", fmt.Sprintf("kubernetes: [{kubeconfig: %s, required: false}, {kubeconfig: %s}]", one.kubeconfig(t), two.kubeconfig(t)), 1)
	s := newSetting(t, parse(t, usedWorld), rules, 4)
	u := s.uses()
	two.answers = []string{"prod/web:pr-1", "forbidden"}
	if p := s.planWith(t, u); len(p.Gaps) != 1 || p.Gaps[0].Subject != "kubernetes prod-eu (2)" || len(p.Steps) > 0 {
		t.Errorf("%+v", p.Gaps)
	}
	if read := u.Sources(); len(read) != 2 || read[0].Name != "kubernetes prod-eu" || read[1].Name != "kubernetes prod-eu (2)" {
		t.Errorf("%+v", read)
	}
}

func TestComparisonNotesDifferentUseSources(t *testing.T) {
	a := config.Protect{Kubernetes: []config.Kubernetes{{InCluster: true, Required: true}}}
	for name, b := range map[string]config.Protect{
		"none": {}, "another": {Kubernetes: []config.Kubernetes{{Context: "x", Required: true}}}, "not required": {Kubernetes: []config.Kubernetes{{InCluster: true}}},
	} {
		if sources.Same(a, b) {
			t.Errorf("%s counts as the same", name)
		}
	}
	if !sources.Same(a, a) {
		t.Error("a configuration differs from itself")
	}
}

func TestExplainWithASourceThatIsNotRequired(t *testing.T) {
	s := newSetting(t, parse(t, usedWorld), strings.Replace(usedRules, "serverless: true", "serverless: {required: false}", 1), 4)
	u := sources.New(s.planner.Config, nil, []uses.Source{answers("one", "fail")}, kube.Options{})
	explain := func(ref string) (runs.Answer, error) {
		return s.planner.Explain(t.Context(), intake.WithUses(t.Context(), u, func() intake.Feed { return s.scan(t, 4) }), mustName(t, s.planner, ref))
	}
	a, err := explain("rg.fr-par.scw.cloud/prod/api:pr-1")
	check(t, err)
	var text bytes.Buffer
	check(t, report.Explain(&text, a.Explanations[0], report.TextOptions{}))
	if !strings.Contains(text.String(), "warn: protect/required: one: could not be read") {
		t.Error(text.String())
	}
	if _, err := explain("rg.fr-par.scw.cloud/prod/nothing:pr-1"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a missing image: %v", err)
	}
}
