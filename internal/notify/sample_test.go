package notify

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Every receiver gets a sample that cannot be taken for a run, also one whose occasions
// are rare, and a failure of one is only its own.
func TestSamples(t *testing.T) {
	s := newServices(t)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	urls := map[string]string{"SLACK": "https://hooks.slack.com/services/" + slackToken, "FLOW": workflow, "BAD": "gopher://" + slackToken}
	got := SendSamples(t.Context(), Options{
		LookupEnv: func(name string) (string, bool) { return urls[name], urls[name] != "" },
		Notifications: []Notification{
			{Name: "slack", URLEnv: "SLACK", On: []Occasion{OnRefused}}, {Name: "bad", URLEnv: "BAD"},
			{Name: "flow", URLEnv: "FLOW"}, {Name: "none", URLEnv: "NONE"},
		},
	}, at, "ana@laptop")
	if len(got) != 4 || got[0].Err != nil || got[2].Err != nil || got[1].Err == nil || !errors.Is(got[3].Err, ErrNoURL) || got[3].Name != "none" {
		t.Errorf("%+v", got)
	}
	for _, sample := range got {
		if sample.Err != nil && strings.Contains(sample.Err.Error(), slackToken) {
			t.Errorf("a secret is in %v", sample.Err)
		}
	}
	received := s.received()
	if len(received) != 2 {
		t.Fatalf("%d messages", len(received))
	}
	for _, r := range received {
		for _, want := range []string{"SAMPLE, nothing has happened", "a sample of something that could not be read", "started by ana@laptop, 2026-11-22 12:00 UTC"} {
			if !strings.Contains(r.Body, want) {
				t.Errorf("%s lacks %q: %s", r.Host, want, r.Body)
			}
		}
	}
}
