package notify

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// A notifier that takes over does not send again what the one before it has sent.
func TestANotifierTakesOver(t *testing.T) {
	s := newServices(t)
	spec := Notification{Repeat: 24 * time.Hour, On: []Occasion{OnGap}}
	first, second := notifier(t, "https://hooks.test/in", spec), notifier(t, "https://hooks.test/in", spec)
	run := quiet()
	run.Plan.Gaps = []registry.Gap{{Subject: "a", Error: "e"}}
	if err := first.Send(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	recorded, err := json.Marshal(first.Sent())
	if err != nil {
		t.Fatal(err)
	}
	var sent Sent
	if err := json.Unmarshal(recorded, &sent); err != nil {
		t.Fatal(err)
	}
	second.Resume(sent)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{time.Hour, 1}, {24 * time.Hour, 2}} {
		later := run
		later.Started = run.Started.Add(c.after)
		if err := second.Send(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		if got := len(s.received()); got != c.want {
			t.Errorf("after %s, %d messages were sent, want %d", c.after, got, c.want)
		}
	}
	var none *Notifier
	none.Resume(sent)
	if len(none.Sent()) != 0 {
		t.Error("no notifier has sent something")
	}
}
