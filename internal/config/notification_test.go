package config

import (
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

func TestNotificationsAreRead(t *testing.T) {
	c, err := Load("testdata/everything.yaml", "policies", "policy", "protect", "ledger")
	if err != nil {
		t.Fatal(err)
	}
	want := []Notification{
		{Name: "ops", URLEnv: "SLACK_URL", On: []string{"failure", "refused", "gap", "violation", "waiver", "deleted", "visibility"}, Repeat: strictyaml.MustDuration("24h")},
		{
			Name: "managers", URLFile: "secrets/mail", On: []string{"deleted", "planned"}, Template: "{{.Headline}}\n\t{{range .Rules}}{{.Rule}} {{end}}\n",
			Link: "https://janitor.example.com/", Repeat: strictyaml.MustDuration("0s"),
		},
	}
	if diff := cmp.Diff(want, c.Notifications); diff != "" {
		t.Errorf("notifications (-want +got):\n%s", diff)
	}
	for i, want := range []string{"", filepath.FromSlash("testdata/secrets/mail")} {
		if got := c.Resolve(c.Notifications[i].URLFile); got != want {
			t.Errorf("the URL of %s is in the file %q, want %q", c.Notifications[i].Name, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{{.Headline}}", "{{range .Gaps}}{{.}}\n{{end}}", "{{", "}}", "{{nil}}", "{{template \"x\"}}", "{{define \"x\"}}", "{{/*", "a: b"} {
		f.Add(s)
	}
	fuzzCheck(f, checkTemplate, func(t *testing.T, s string) {
		if _, err := template.New("").Parse(s); err != nil {
			t.Errorf("%q passes, but is not a template: %v", s, err)
		}
	})
}

// No message repeats a secret that is in the wrong place.
func FuzzNoURLIsRepeated(f *testing.F) {
	for _, s := range []string{"slack://hook:SECRET@webhook", "smtp://u:SECRET@host/", "SECRET://SECRET", "https://u:SECRET@h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		scheme, rest, ok := strings.Cut(s, "://")
		if !ok || len(rest) < 8 || strings.Contains(scheme, rest) {
			return
		}
		for name, check := range map[string]func(string) (string, string){"url_env": variableOf(urlHint), "url_file": fileOf(urlHint), "link": checkLink, "on": checkOccasion} {
			message, hint := check(s)
			if strings.Contains(message, rest) || strings.Contains(message, "did you mean \""+rest) || strings.HasSuffix(hint, rest) {
				t.Errorf("%s: %s (%s)", name, message, hint)
			}
		}
		if got := strictyaml.Clip(s); strings.Contains(got, rest) {
			t.Errorf("strictyaml.Clip(%q) is %q", s, got)
		}
	})
}
