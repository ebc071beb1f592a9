package prometheus

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// known has the labels of every series that a query can use, by name.
type known map[string]map[string]bool

var documented = regexp.MustCompile("(?m)^\\| `(registry_janitor_[a-z_]+)` \\| (gauge|counter|histogram) \\| ([^|]*)\\|")

// everything has the metrics of docs/metrics.md, which a test of package metrics
// compares with the exported ones, those that the Go client exports about any process,
// and those that the example rules record.
func everything(t *testing.T) known {
	t.Helper()
	k := known{}
	for _, row := range documented.FindAllStringSubmatch(read(t, filepath.Join(program.Root(t), "docs", "metrics.md")), -1) {
		own := scraped()
		for _, l := range strings.Split(row[3], ",") {
			if l = strings.Trim(strings.TrimSpace(l), "`"); l != "" {
				own[l] = true
			}
		}
		if row[2] != "histogram" {
			k[row[1]] = own
			continue
		}
		k[row[1]+"_sum"], k[row[1]+"_count"] = own, own
		k[row[1]+"_bucket"] = maps.Clone(own)
		k[row[1]+"_bucket"]["le"] = true
	}
	if len(k) < 40 {
		t.Fatalf("docs/metrics.md documents only %d metrics", len(k))
	}
	for _, name := range []string{"process_resident_memory_bytes", "process_cpu_seconds_total", "go_memstats_heap_alloc_bytes"} {
		k[name] = scraped()
	}
	for _, r := range rules(t) {
		if r.Record != "" {
			out, problems := k.check(r.Expr)
			for _, p := range problems {
				t.Errorf("%s: %s", r.Record, p)
			}
			k[r.Record] = out
		}
	}
	return k
}

// scraped are the labels that a scrape or a push adds.
func scraped() map[string]bool {
	return map[string]bool{"job": true, "instance": true, "command": true}
}

// check parses an expression. It returns the labels that its result can have, and the
// problems: names and labels that are not exported.
func (k known) check(expr string) (map[string]bool, []string) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return nil, []string{err.Error()}
	}
	w := &walk{known: k}
	return w.of(parsed), w.problems
}

// walk visits the nodes of an expression.
type walk struct {
	known    known
	problems []string
}

func (w *walk) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// of returns the labels that the value of a node can have.
func (w *walk) of(node parser.Node) map[string]bool {
	switch n := node.(type) {
	case *parser.VectorSelector:
		return w.selector(n)
	case *parser.AggregateExpr:
		return w.aggregation(n)
	case *parser.BinaryExpr:
		return w.binary(n)
	}
	all := map[string]bool{}
	for child := range parser.ChildrenIter(node) {
		maps.Copy(all, w.of(child))
	}
	if call, ok := node.(*parser.Call); ok && call.Func.Name == "histogram_quantile" {
		if !all["le"] {
			w.problem("%s: no bucket in it", node)
		}
		delete(all, "le")
	}
	return all
}

func (w *walk) selector(n *parser.VectorSelector) map[string]bool {
	own, ok := w.known[n.Name]
	if !ok {
		w.problem("%s: %q is not exported", n, n.Name)
		return nil
	}
	for _, m := range n.LabelMatchers {
		if m.Name != model.MetricNameLabel && !own[m.Name] {
			w.problem("%s: %s has no label %q", n, n.Name, m.Name)
		}
	}
	return maps.Clone(own)
}

func (w *walk) aggregation(n *parser.AggregateExpr) map[string]bool {
	inner := w.of(n.Expr)
	w.labeled(n, n.Grouping, inner)
	switch n.Op {
	case parser.TOPK, parser.BOTTOMK:
		return inner
	}
	out := map[string]bool{}
	for label := range inner {
		if slices.Contains(n.Grouping, label) != n.Without {
			out[label] = true
		}
	}
	return out
}

func (w *walk) binary(n *parser.BinaryExpr) map[string]bool {
	left, right := w.of(n.LHS), w.of(n.RHS)
	if m := n.VectorMatching; m != nil {
		w.labeled(n, m.MatchingLabels, left)
		w.labeled(n, m.MatchingLabels, right)
		w.labeled(n, m.Include, right)
	}
	if n.Op == parser.LUNLESS || n.Op == parser.LAND {
		return left
	}
	all := maps.Clone(left)
	if all == nil {
		all = map[string]bool{}
	}
	maps.Copy(all, right)
	return all
}

func (w *walk) labeled(n parser.Node, wanted []string, have map[string]bool) {
	for _, l := range wanted {
		if !have[l] {
			w.problem("%s: nothing in it has the label %q", n, l)
		}
	}
}

// rule is one rule of the example file.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(example(t, "prometheus/rules.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

var inTemplate = regexp.MustCompile(`\$labels\.(\w+)`)

func TestTheRulesUseExportedMetrics(t *testing.T) {
	k := everything(t)
	alerts := 0
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		alerts++
		out, problems := k.check(r.Expr)
		for _, p := range problems {
			t.Errorf("%s: %s", r.Alert, p)
		}
		for key, text := range r.Annotations {
			for _, used := range inTemplate.FindAllStringSubmatch(text, -1) {
				if !out[used[1]] {
					t.Errorf("%s: the %s uses the label %s, which the alert does not have", r.Alert, key, used[1])
				}
			}
		}
		for _, key := range []string{"summary", "description", "runbook_url"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", r.Alert, key)
			}
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
		}
	}
	if alerts < 12 {
		t.Errorf("only %d alerts", alerts)
	}
}

// Every alert has a section, to which its runbook_url leads, every section has an
// alert, and every alert has a test in which it fires.
func TestEveryAlertIsExplainedAndTested(t *testing.T) {
	var tests struct {
		Tests []struct {
			Alerts []struct {
				Name string           `json:"alertname"`
				Exp  []map[string]any `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(example(t, "prometheus/rules_test.yaml")), &tests); err != nil {
		t.Fatal(err)
	}
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, a := range test.Alerts {
			fires[a.Name] = fires[a.Name] || len(a.Exp) > 0
			rests[a.Name] = rests[a.Name] || len(a.Exp) == 0
		}
	}
	var names []string
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		names = append(names, r.Alert)
		if !fires[r.Alert] || !rests[r.Alert] {
			t.Errorf("%s: fires in a test: %v; does not fire in a test: %v", r.Alert, fires[r.Alert], rests[r.Alert])
		}
		want := "https://github.com/registry-janitor/registry-janitor/blob/main/docs/alerts.md#" + strings.ToLower(r.Alert)
		if got := r.Annotations["runbook_url"]; got != want {
			t.Errorf("%s leads to %s, want %s", r.Alert, got, want)
		}
	}
	var sections []string
	for _, m := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(read(t, filepath.Join(program.Root(t), "docs", "alerts.md")), -1) {
		sections = append(sections, m[1])
	}
	if !slices.Equal(names, sections) {
		t.Errorf("alerts   %v\nsections %v", names, sections)
	}
}

// dashboard has the parts of the example dashboard that the tests need.
type dashboard struct {
	SchemaVersion int
	UID           string
	Templating    struct {
		List []struct {
			Name, Type, Definition string
			Datasource             struct{ UID string }
			Query                  any
		}
	}
	Annotations struct {
		List []struct{ Name, Expr, TitleFormat string }
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		Expr, LegendFormat, RefID string
		Datasource                struct{ Type, UID string }
	}
	Panels []panel
}

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(example(t, "grafana/registry-janitor.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// plain replaces Grafana's variables by values.
func plain(expr string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$__interval", "5m", "$__range", "7d").Replace(expr)
}

var (
	inLegend  = regexp.MustCompile(`{{(\w+)}}`)
	inValues  = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	variables = regexp.MustCompile(`\$(\w+)`)
)

func TestTheDashboardUsesExportedMetrics(t *testing.T) {
	k, d := everything(t), loadDashboard(t)
	queries, names := 0, map[string]bool{"__rate_interval": true, "__interval": true, "__range": true}
	for _, v := range d.Templating.List {
		names[v.Name] = true
	}
	check := func(where, expr, legend string) {
		t.Helper()
		queries++
		out, problems := k.check(plain(expr))
		for _, p := range problems {
			t.Errorf("%s: %s", where, p)
		}
		for _, used := range inLegend.FindAllStringSubmatch(legend, -1) {
			if !out[used[1]] {
				t.Errorf("%s: the legend uses the label %s, which %s does not have", where, used[1], expr)
			}
		}
		for _, used := range variables.FindAllStringSubmatch(expr, -1) {
			if !names[used[1]] {
				t.Errorf("%s: the variable $%s does not exist", where, used[1])
			}
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr, target.LegendFormat)
		}
	}
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			check("annotation "+a.Name, a.Expr, a.TitleFormat)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := inValues.FindStringSubmatch(v.Definition)
		if m == nil {
			t.Errorf("the variable %s queries %s", v.Name, v.Definition)
			continue
		}
		check("variable "+v.Name, m[1], "{{"+m[2]+"}}")
	}
	if queries < 50 {
		t.Errorf("only %d queries", queries)
	}
}

// Grafana reports no error for panels that overlap, a fixed data source, or a panel
// without a description.
func TestTheDashboardIsWellFormed(t *testing.T) {
	d := loadDashboard(t)
	if d.SchemaVersion < 39 || d.UID == "" || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" {
		t.Errorf("schema %d, uid %q, variables %v", d.SchemaVersion, d.UID, d.Templating.List)
	}
	seen, taken, rows := map[int]bool{}, map[[2]int]string{}, 0
	for _, p := range d.Panels {
		if seen[p.ID] {
			t.Errorf("%s: two panels have the id %d", p.Title, p.ID)
		}
		seen[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s overlaps %s or the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows++
			continue
		}
		if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("%s has %d queries to %q", p.Title, len(p.Targets), p.Datasource.UID)
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.Datasource.UID != "${datasource}" {
				t.Errorf("%s: query %s to %q", p.Title, target.RefID, target.Datasource.UID)
			}
			refs[target.RefID] = true
		}
	}
	if rows != 6 {
		t.Errorf("%d rows", rows)
	}
}

// Every exported metric is on the dashboard or in an alert.
func TestEveryMetricIsUsed(t *testing.T) {
	var text strings.Builder
	text.WriteString(example(t, "prometheus/rules.yaml"))
	text.WriteString(example(t, "grafana/registry-janitor.json"))
	for name := range everything(t) {
		if !strings.Contains(text.String(), name) && !slices.Contains(unseen(), name) {
			t.Errorf("%s is on no panel and in no rule", name)
		}
	}
}

// unseen are metrics for ad-hoc queries: others show the same, by namespace or
// schedule.
func unseen() []string {
	return []string{
		"registry_janitor_last_run_timestamp_seconds", "registry_janitor_last_run_duration_seconds", "registry_janitor_last_run_api_requests",
		"registry_janitor_scanned_namespaces", "registry_janitor_scanned_images", "registry_janitor_scanned_tags", "registry_janitor_scanned_image_bytes",
		"registry_janitor_config_last_reload_success_timestamp_seconds", "registry_janitor_steps_total",
	}
}

func TestTheCheckFindsUnknownMetricsAndLabels(t *testing.T) {
	k := known{
		"a":        {"job": true, "x": true},
		"h_bucket": {"job": true, "le": true},
	}
	for expr, want := range map[string]string{
		`sum by (x) (a{job="j"})`:                                   "",
		`histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))`: "",
		`max_over_time(a[1h] offset 5m) unless on (job) a > time()`: "",
		`topk(3, a) or vector(0)`:                                   "",
		`b`:                                                         "is not exported",
		`rate(b_total[5m])`:                                         "is not exported",
		`a{y="1"}`:                                                  `no label "y"`,
		`sum by (y) (a)`:                                            `the label "y"`,
		`sum by (x) (sum without (x) (a))`:                          `the label "x"`,
		`a and on (y) a`:                                            `the label "y"`,
		`max_over_time((a or c)[1h:5m])`:                            "is not exported",
		`histogram_quantile(0.9, sum by (job) (rate(h_bucket[5m])))`: "no bucket",
		`absent(c)`: "is not exported",
		`sum(`:      "parse error",
	} {
		_, problems := k.check(expr)
		if got := strings.Join(problems, "; "); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}
