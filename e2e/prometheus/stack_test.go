package prometheus

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

const world = `
namespaces:
  - {name: prod, region: fr-par, age: 400d, images: [{name: api, tags: [
      {name: latest, age: 2h}, {name: pr-1, age: 40d}, {name: pr-2, age: 41d}, {name: pr-3, age: 42d}]}]}
  - {name: oss, region: nl-ams, age: 400d, is_public: true, images: [{name: tools, tags: [{name: v1.0.0, age: 100d}]}]}
`

// The daemon can delete at most one tag, so a limit refuses its plans.
const daemonConfig = `
retention: [{name: pull requests, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletions: 1, max_deletion_percent: 100}
cost: {per_gb_month: 2, currency: CHF}
protect: {serverless: true}
schedules: [{cron: "0 3 * * *", do: plan}]
`

// The CronJob has no such limit.
const cronConfig = `
retention: [{name: pull requests, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 90}
`

// stack has the running programs.
type stack struct {
	dir                               string
	env                               []string
	binary                            string
	client                            *http.Client // has the password and the certificate of the daemon
	daemon                            string
	prometheus, alertmanager, gateway string
}

// Prometheus scrapes the daemon over TLS and basic auth, with the example configuration
// and the example rules. An alert fires and reaches an Alertmanager, and the metrics of a
// CronJob come through a Pushgateway. Only hosts and intervals differ from the examples.
func TestPrometheusSeesTheDaemonAndTheCronJob(t *testing.T) {
	for _, name := range []string{"prometheus", "promtool", "prometheus-alertmanager", "prometheus-pushgateway"} {
		find(t, name)
	}
	s := newStack(t)
	s.startDaemon(t)
	s.startGateway(t)
	s.startAlertmanager(t)
	s.startPrometheus(t)
	s.cronJob(t)

	for query, want := range map[string]float64{
		`count(registry_janitor_use_source_last_read_success{command=""} == 1)`:        7, // containers in four regions, jobs in three
		`count(time() - registry_janitor_use_source_last_read_timestamp_seconds < 60)`: 7,
		`count(registry_janitor_last_run_api_requests{command=""} > 0)`:                1,
		`count(registry_janitor_last_run_policy_evaluation_seconds{command=""} > 0)`:   1,
		`up{job="registry-janitor"}`:                                                                                                   1,
		`registry_janitor_scanned_tags{job="registry-janitor", command=""}`:                                                            5,
		`sum(registry_janitor_public_images{job="registry-janitor", command=""})`:                                                      1,
		`sum(registry_janitor_limits_refused{job="registry-janitor", limit="max_deletions", command=""})`:                              1,
		`registry_janitor_config_last_reload_success`:                                                                                  1,
		`count(registry_janitor_estimated_storage_cost_per_month{currency="CHF"})`:                                                     2,
		`registry_janitor_applied_steps{job="registry-janitor", command="apply", region="fr-par", action="delete_tag", result="done"}`: 3,
		`registry_janitor_last_run_success{command="apply"}`:                                                                           1,
		`registry_janitor_api_requests_total{command="apply", operation="DeleteTag", code="200"}`:                                      3,
		`registry_janitor:planned_deletions:sum{job="registry-janitor"}`:                                                               3,
		`registry_janitor:done_deletions:sum{job="registry-janitor"}`:                                                                  3,
	} {
		var got string
		poll(t, query+" is "+fmt.Sprint(want), func() bool {
			got = s.query(t, query)
			value, err := strconv.ParseFloat(got, 64)
			return err == nil && value == want
		})
	}
	s.alertArrives(t, "RegistryJanitorLimitRefused", map[string]string{"job": "registry-janitor", "limit": "max_deletions", "severity": "warning"})
	s.lintsClean(t)
	s.refusesStrangers(t)
}

func newStack(t *testing.T) *stack {
	t.Helper()
	dir := t.TempDir()
	s := &stack{dir: dir, binary: program.Build(t), client: secure(t, dir)}
	write(t, dir, "world.yaml", world)
	write(t, dir, "daemon.yaml", daemonConfig)
	write(t, dir, "cron.yaml", cronConfig)
	write(t, dir, "rules.yaml", example(t, "prometheus/rules.yaml"))
	emulator := start(t, dir, nil, s.binary, "emulator", "--listen", "127.0.0.1:0", "--world", "world.yaml")
	s.env = []string{
		"HOME=" + dir, "XDG_STATE_HOME=" + dir, "XDG_CONFIG_HOME=" + dir,
		"SCW_API_URL=" + emulator.says(t, `(http://127\.0\.0\.1:\d+)`),
		"SCW_ACCESS_KEY=SCWAAAAAAAAAAAAAAAAA", "SCW_SECRET_KEY=11111111-1111-4111-8111-111111111111",
	}
	return s
}

func (s *stack) startDaemon(t *testing.T) {
	t.Helper()
	daemon := start(t, s.dir, s.env, s.binary, "serve", "-c", "daemon.yaml", "--run-at-start",
		"--web.listen-address", "127.0.0.1:0", "--web.config.file", "web.yaml")
	s.daemon = daemon.says(t, `listening address=(127\.0\.0\.1:\d+)`)
}

func (s *stack) startGateway(t *testing.T) {
	t.Helper()
	s.gateway = listen(t, isUp("/-/ready"), func(address string) *process {
		return start(t, s.dir, nil, find(t, "prometheus-pushgateway"),
			"--web.listen-address="+address, "--persistence.file=") // Debian's default file is shared by the whole machine
	})
}

func (s *stack) startAlertmanager(t *testing.T) {
	t.Helper()
	text := example(t, "prometheus/alertmanager.yaml")
	text = strings.ReplaceAll(text, "group_wait: 30s", "group_wait: 1s")
	text = strings.ReplaceAll(text, "https://chat.example.org", "http://127.0.0.1:1") // send no messages
	text = strings.ReplaceAll(text, "https://pager.example.org", "http://127.0.0.1:1")
	write(t, s.dir, "alertmanager.yaml", text)
	s.alertmanager = listen(t, isUp("/-/ready"), func(address string) *process {
		return start(t, s.dir, nil, find(t, "prometheus-alertmanager"), "--config.file=alertmanager.yaml",
			"--storage.path=alertmanager", "--web.listen-address="+address, "--cluster.listen-address=")
	})
}

func (s *stack) startPrometheus(t *testing.T) {
	t.Helper()
	text := example(t, "prometheus/prometheus.yaml")
	text = regexp.MustCompile(`(scrape|evaluation)_interval: \w+`).ReplaceAllString(text, "${1}_interval: 1s")
	for from, to := range map[string]string{
		"janitor.example.org:9095":      s.daemon,
		"alertmanager.example.org:9093": s.alertmanager,
		"pushgateway.example.org:9091":  s.gateway,
	} {
		if !strings.Contains(text, from) {
			t.Fatalf("the example configuration lacks %s", from)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	write(t, s.dir, "prometheus.yaml", text)
	s.prometheus = listen(t, isUp("/-/ready"), func(address string) *process {
		return start(t, s.dir, nil, find(t, "prometheus"), "--config.file=prometheus.yaml", "--storage.tsdb.path=tsdb",
			"--web.listen-address="+address, "--log.level=warn")
	})
}

// isUp reports whether a server answers at a path.
func isUp(path string) func(address string) bool {
	return func(address string) bool {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
}

// cronJob does what a CronJob does: apply, and push the metrics.
func (s *stack) cronJob(t *testing.T) {
	t.Helper()
	text, err := run(t, s.dir, s.env, s.binary, "apply", "-c", "cron.yaml", "--yes",
		"--metrics.push-url", "http://"+s.gateway, "--metrics.textfile", "janitor.prom")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// query returns the value of a query, or "" without a value.
func (s *stack) query(t *testing.T, query string) string {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any
			}
		}
	}
	s.get(t, "http://"+s.prometheus+"/api/v1/query?query="+url.QueryEscape(query), &answer)
	if len(answer.Data.Result) != 1 {
		return ""
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

// alertArrives waits for an alert with these labels, and checks its annotations.
func (s *stack) alertArrives(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	poll(t, name+" reaches Alertmanager", func() bool {
		var alerts []struct{ Labels, Annotations map[string]string }
		s.get(t, "http://"+s.alertmanager+"/api/v2/alerts", &alerts)
		for _, a := range alerts {
			if a.Labels["alertname"] != name {
				continue
			}
			for label, want := range labels {
				if a.Labels[label] != want {
					t.Errorf("the alert has %s=%q, want %q", label, a.Labels[label], want)
				}
			}
			if a.Annotations["summary"] != "max_deletions refuses the plan of registry-janitor" || a.Annotations["runbook_url"] == "" {
				t.Errorf("the annotations of the alert are %v", a.Annotations)
			}
			return true
		}
		return false
	})
}

// lintsClean checks the metrics of the daemon and of the CronJob with promtool.
func (s *stack) lintsClean(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.daemon+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(scrapeUser, scrapePassword)
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	scraped, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v: %d", err, resp.StatusCode)
	}
	for name, text := range map[string]string{"the daemon": string(scraped), "the CronJob": read(t, s.dir+"/janitor.prom")} {
		if strings.Count(text, "registry_janitor_") < 50 {
			t.Errorf("%s exposes too few metrics:\n%s", name, text)
		}
		check := exec.CommandContext(t.Context(), find(t, "promtool"), "check", "metrics")
		check.Stdin = strings.NewReader(text)
		if output, err := check.CombinedOutput(); err != nil || len(output) > 0 {
			t.Errorf("promtool on the metrics of %s: %v: %s", name, err, output)
		}
	}
}

// refusesStrangers checks that the daemon shows no metrics without the password.
func (s *stack) refusesStrangers(t *testing.T) {
	t.Helper()
	resp, err := s.client.Get("https://" + s.daemon + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a password the daemon answers %d", resp.StatusCode)
	}
}

func (s *stack) get(t *testing.T, address string, into any) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}
