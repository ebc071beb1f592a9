package prometheus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/e2e/program"
)

// promtool and amtool accept the examples, and the tests of the rules pass.
func TestTheExamplesPassTheToolsOfPrometheus(t *testing.T) {
	promtool, amtool := find(t, "promtool"), find(t, "amtool")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(program.Root(t), "examples", "prometheus"))); err != nil {
		t.Fatal(err)
	}
	secure(t, dir) // the files that the configuration names, and that are secret
	for _, command := range [][]string{
		{promtool, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"},
		{promtool, "check", "config", "--lint=all", "--lint-fatal", "prometheus.yaml"},
		{promtool, "test", "rules", "rules_test.yaml"},
		{amtool, "check-config", "alertmanager.yaml"},
	} {
		t.Run(strings.Join(command[1:3], " "), func(t *testing.T) {
			if text, err := run(t, dir, nil, command[0], command[1:]...); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

// A broken rule fails the tests of the rules.
func TestTheTestsOfTheRulesCanFail(t *testing.T) {
	promtool := find(t, "promtool")
	dir, text := t.TempDir(), example(t, "prometheus/rules.yaml")
	spoilt := strings.Replace(text, "time() - 26 * 3600", "time() - 60 * 3600", 1)
	spoilt = strings.Replace(spoilt, "[26h]", "[60h]", 1)
	if spoilt == text {
		t.Fatal("the replacement broke no rule")
	}
	write(t, dir, "rules.yaml", spoilt)
	write(t, dir, "rules_test.yaml", example(t, "prometheus/rules_test.yaml"))
	if output, err := run(t, dir, nil, promtool, "test", "rules", "rules_test.yaml"); err == nil {
		t.Errorf("the tests of the rules pass without the rule: %s", output)
	}
}
