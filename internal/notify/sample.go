package notify

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
)

// Sample is what became of a sample message.
type Sample struct {
	Name string // of the notification
	Err  error  // why it was not sent; contains no part of the URL
}

// SendSamples sends a sample message to every receiver, whatever its occasions, with
// its own template, at the same time. A receiver whose URL is missing or wrong does not
// keep the others from theirs.
func SendSamples(ctx context.Context, o Options, at time.Time, by string) []Sample {
	samples := make([]Sample, len(o.Notifications))
	var all sync.WaitGroup
	for i, spec := range o.Notifications {
		samples[i].Name = spec.Name
		all.Go(func() {
			t, err := newTarget(spec, o)
			if err == nil {
				err = t.sendSample(ctx, at, by, cmp.Or(o.Timeout, DefaultTimeout))
			}
			samples[i].Err = err
		})
	}
	all.Wait()
	return samples
}

func (t *target) sendSample(ctx context.Context, at time.Time, by string, timeout time.Duration) error {
	m := sampleOf(t.Notification, at, by)
	text, err := t.render(m)
	if err != nil {
		return fmt.Errorf("notification %q: %w", t.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := t.service.send(ctx, m.Headline, text); err != nil {
		return fmt.Errorf("notification %q: %w", t.Name, err)
	}
	return nil
}

// sampleOf is a message like the one of a run. Every line says that it is a sample.
func sampleOf(n Notification, at time.Time, by string) Message {
	m := Message{
		Name: n.Name, Kind: "sample", Trigger: line(by), Started: at, Link: n.Link,
		Headline:   "registry-janitor: SAMPLE, nothing has happened: 3 done, 1 deny, 1 gap",
		Namespaces: 1, Images: 2, Tags: 40, ToDelete: 3, Deny: 1, Held: 1,
		Applied: true, Done: 3, Rules: []Rule{{"retention/sample", 3}},
	}
	for _, on := range n.On {
		m.Occasions = append(m.Occasions, string(on))
	}
	m.Gaps.add("rg.fr-par.scw.cloud/sample/api: a sample of something that could not be read")
	m.Violations.add("rg.fr-par.scw.cloud/sample/web: naming/sample: a sample of a violation")
	return m
}
