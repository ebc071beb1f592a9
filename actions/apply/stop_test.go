package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/registry"
)

// many is an image with so many marked tags.
func many(settings, faults string, tags int) string {
	return fmt.Sprintf(`{settings: {latency: 20ms, %s}, faults: [%s], namespaces: [{name: prod, age: 400d, images: [
		{name: api, tags: [{name: "pr-{n}", count: %d, age: 20d}, {name: latest, age: 1d}]}]}]}`, settings, faults, tags)
}

func TestTheBreaker(t *testing.T) {
	for _, tt := range []struct {
		name, fault string
		breaker     int
		want        actions.Outcome // counts
		reason      string
	}{
		{"ten failures in a row skip the rest", `method: DELETE, status: 500`, 0, actions.Outcome{Failed: 10, Skipped: 20}, "10 steps in a row failed"},
		{"three do where three are set", `method: DELETE, status: 400`, 3, actions.Outcome{Failed: 3, Skipped: 27}, "3 steps in a row failed"},
		{"a listing that fails is one failure of many steps", `method: GET, path: "/images/*/tags", status: 500`, 2, actions.Outcome{Failed: 30}, ""},
		{"what the API refuses as things stand is blocked, and does not count", `method: DELETE, status: 409`, 3, actions.Outcome{Blocked: 30}, ""},
		{"a namespace that is denied is left after three tries", `method: DELETE, status: 403`, 0, actions.Outcome{Failed: 3, Skipped: 27}, ""},
		{"refused credentials skip the rest at once", `method: DELETE, status: 401`, 0, actions.Outcome{Failed: 1, Skipped: 29}, "refuses the credentials"},
		{"failures between successes do not", `method: DELETE, every: 2, status: 400`, 2, actions.Outcome{Done: 15, Failed: 15}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, many("", "{"+tt.fault+"}", 30))
				p := s.markTags(plan.Options{})
				o, err := s.apply(p, Options{Breaker: tt.breaker, Canary: 100}) // one after the other
				got := *o
				got.Results, got.Stopped = nil, ""
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				if errors.Is(err, ErrStopped) != (tt.reason != "") || !strings.Contains(o.Stopped, tt.reason) || o.Incomplete() != (tt.want.Failed > 0) {
					t.Errorf("error %v, stopped %q", err, o.Stopped)
				}
			})
		})
	}
}

func TestTheCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, many("delete_delay: 1s", "", 60))
		p := s.markTags(plan.Options{})
		sent := make(map[string]time.Time)
		var order []string
		s.before = func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				sent[r.URL.Path] = time.Now()
				order = append(order, r.URL.Path)
			}
			return nil, nil
		}
		o, err := s.audited(p, Options{Concurrency: 1})
		if err != nil || o.Done != 60 {
			t.Fatal(err, resultsOf(o))
		}
		for i := 1; i <= 5; i++ {
			if apart := sent[order[i]].Sub(sent[order[i-1]]); apart < time.Second {
				t.Errorf("deletions %d and %d of the canary are only %s apart", i, i+1, apart)
			}
		}
		// With one slot and a second to wait for each, the others take about 60 ms each.
		if all := sent[order[59]].Sub(sent[order[6]]); all > 53*200*time.Millisecond {
			t.Errorf("watching occupies the only slot: the deletions after the canary are sent over %s", all)
		}
	})
}

func TestTheCanaryFindsWhatIsLost(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(s *site)
		tags int
		lost []string
		want string
	}{
		{"a tag that stays vanishes, and the plan has no more steps than the canary", func(s *site) { s.deleteTag("prod/api:latest") }, 4, []string{"rg.fr-par.scw.cloud/prod/api:latest"}, "gone after deletions in the image"},
		{"a tag that stays vanishes", func(s *site) { s.deleteTag("prod/api:latest") }, 30, []string{"rg.fr-par.scw.cloud/prod/api:latest"}, "gone after deletions in the image"},
		{"a tag that is kept moves, and the image is judged again", func(s *site) { s.push("latest", "other") }, 30, nil, "<nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, many("", "", tt.tags))
				p := s.markTags(plan.Options{})
				n := 0
				s.before = func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodDelete {
						if n++; n == 3 {
							s.before = nil
							tt.act(s)
						}
					}
					return nil, nil
				}
				o, err := s.apply(p, Options{})
				done := tt.tags
				if tt.lost != nil {
					done = 3
				}
				if o.Done != done || o.Skipped != tt.tags-done || !slices.Equal(o.Lost, tt.lost) || errors.Is(err, ErrLost) != (tt.lost != nil) || !strings.Contains(fmt.Sprint(err), tt.want) {
					t.Errorf("done %d, skipped %d, lost %q, error %v", o.Done, o.Skipped, o.Lost, err)
				}
			})
		})
	}
}

func TestAnInterruptionFinishesWhatIsInFlight(t *testing.T) {
	for _, tt := range []struct {
		name, settings string
		within         time.Duration
		failed         int
	}{
		{"that is soon done", "delete_delay: 3s", 4 * time.Second, 0},
		{"that takes longer than the grace", "delete_delay: 1h", 8*time.Second + time.Millisecond, 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, many(tt.settings, "", 200))
				p := s.markTags(plan.Options{})
				ctx, interrupt := context.WithCancel(t.Context())
				var began time.Time
				var deletions atomic.Int64
				s.before = func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodDelete && deletions.Add(1) == 32 {
						began = time.Now()
						interrupt()
					}
					return nil, nil
				}
				j := newMemoryJournal(t)
				o, err := Apply(ctx, p, s.environment(j), Options{Canary: -1})
				if took := time.Since(began); took > tt.within {
					t.Errorf("it took %s to end", took)
				}
				if !errors.Is(err, ErrStopped) || o.Failed < tt.failed || o.Skipped < 200-64 || o.Done+o.Failed+o.Skipped != 200 || tt.failed == 0 && o.Failed > 0 {
					t.Errorf("%v: done %d, failed %d, skipped %d", err, o.Done, o.Failed, o.Skipped)
				}
				if len(j.intended) != len(j.done) {
					t.Errorf("%d intents, %d results", len(j.intended), len(j.done))
				}
				if n := int(deletions.Load()); n > 48 {
					t.Errorf("%d deletions were sent", n)
				}
			})
		})
	}
}

func TestAJournalThatCannotBeWrittenStopsTheRun(t *testing.T) {
	full := errors.New("disk full")
	for _, event := range []string{"intend", "done"} {
		t.Run(event, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, many("", "", 100))
				p := s.markTags(plan.Options{})
				j := newMemoryJournal(t)
				var records, after atomic.Int64
				j.fail = func(e, _ string) error {
					if e == event && records.Add(1) >= 20 {
						return full
					}
					return nil
				}
				s.before = func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodDelete && records.Load() >= 20 {
						after.Add(1)
					}
					return nil, nil
				}
				before := s.snapshot()
				o, err := Apply(t.Context(), p, s.environment(j), Options{})
				if !errors.Is(err, ErrStopped) || !errors.Is(err, full) || o.Done == 0 || event == "intend" && o.Skipped < 30 || o.Failed > 0 {
					t.Errorf("%v: done %d, failed %d, skipped %d", err, o.Done, o.Failed, o.Skipped)
				}
				if after.Load() > 16 { // those that were in flight
					t.Errorf("%d deletions were sent after the journal had failed", after.Load())
				}
				s.compare(p, o, before)
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	now := scanTime.Add(time.Hour)
	for _, tt := range []struct {
		name string
		edit func(*actions.Plan)
		is   error
		want string
	}{
		{"nothing", func(*actions.Plan) {}, nil, ""},
		{"a forecast", func(p *actions.Plan) { p.Forecast = true }, actions.ErrNotApplicable, "it is a forecast"},
		{"a scan in the future", func(p *actions.Plan) { p.TakenAt = now.Add(time.Second) }, actions.ErrNotApplicable, "in the future"},
		{"an old scan", func(p *actions.Plan) { p.TakenAt = now.Add(-24*time.Hour - time.Second) }, actions.ErrNotApplicable, "its scan is 24h old, older than the 1d of max_plan_age"},
		{"a limit", func(p *actions.Plan) {
			p.Refusals = []actions.Refusal{{Limit: "max_deletions", Detail: "5 deletions planned, 1 over"}}
		}, actions.ErrLimit, "a limit refuses the plan: 5 deletions planned"},
		{"an edited plan", func(p *actions.Plan) { p.Steps[0].ID += "0" }, actions.ErrEdited, "the plan was changed after it was made"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := story(t)
			p.Forecast, p.Refusals = false, nil
			tt.edit(p)
			if !errors.Is(tt.is, actions.ErrEdited) {
				p.Seal()
			}
			err := p.Applicable(now, 0)
			if !errors.Is(err, tt.is) || tt.is != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
			if tt.is == nil {
				return
			}
			// Neither the registry nor the journal may be touched: there are none.
			if o, err := Apply(t.Context(), p, Environment{}, Options{Now: func() time.Time { return now }}); o != nil || !errors.Is(err, tt.is) {
				t.Errorf("%v, %v", o, err)
			}
		})
	}
}

func TestAnEmptyPlanIsDone(t *testing.T) {
	p := plan.NewBuilder(plan.Options{TakenAt: scanTime}).Plan()
	o, err := Apply(t.Context(), p, Environment{}, Options{Now: func() time.Time { return scanTime }})
	if err != nil || len(o.Results) != 0 || o.Incomplete() {
		t.Errorf("%+v, %v", o, err)
	}
}

// Nothing of the API's answers may unsettle a run; the key must not leave it.
func TestTheSecretKeyIsInNoDetail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, many("", "", 3))
		p := s.markTags(plan.Options{})
		s.before = func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodDelete {
				return nil, nil
			}
			body := `{"message":"bad token ` + testCredentials.SecretKey + `","type":"invalid"}`
			return &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
		o, _ := s.apply(p, Options{})
		if o.Failed != 3 || !strings.Contains(o.Results[0].Detail, "bad token [secret key]") || strings.Contains(fmt.Sprint(o), testCredentials.SecretKey) {
			t.Errorf("%+v", o)
		}
	})
}

func TestADeletionThatDoesNotEndIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, many("delete_delay: 1h", "", 3))
		p := s.markTags(plan.Options{})
		start := time.Now()
		o, err := Apply(t.Context(), p, s.environment(newMemoryJournal(t)), Options{Canary: -1, ConfirmTimeout: time.Minute})
		if err != nil || o.Failed != 3 || !strings.HasSuffix(o.Results[0].Detail, "it is still being deleted") {
			t.Errorf("%v: %+v", err, o)
		}
		if took := time.Since(start); took > 65*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestImagesThatCannotBeLookedAtTripTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const images = `namespaces: [{name: prod, age: 400d, images: [{name: "api-{n}", count: 12, tags: [{name: pr-1, age: 20d}, {name: pr-2, age: 20d}, {name: latest, age: 1d}]}]}]`
		s := newSite(t, `{faults: [{method: GET, path: "/images/*/tags", status: 500}], `+images+`}`)
		p := s.markTags(plan.Options{})
		o, err := s.apply(p, Options{})
		if !errors.Is(err, ErrStopped) || o.Failed != 20 || o.Skipped != 4 {
			t.Errorf("%v: failed %d, skipped %d", err, o.Failed, o.Skipped)
		}
	})
}

func TestAttachmentsComeAfterTheirSubjectsWhateverTheirNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, `{settings: {latency: 20ms, delete_delay: 2s}, namespaces: [{name: prod, age: 400d, images: [
			{name: api, tags: [{name: zz, digest: A, age: 20d}, {name: sha256-`+a+`.sig, age: 20d}, {name: latest, age: 1d}]}]}]}`)
		p := s.plan(unlimited(), func(v *registry.Verdict) {
			for i := range v.Tags {
				if v.Image.Tags[i].Name == "zz" {
					v.Tags[i].Delete = markedBy
				}
			}
		})
		var order []string
		s.before = func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				order = append(order, r.URL.Path[len(r.URL.Path)-36:])
			}
			return nil, nil
		}
		o, err := s.audited(p, Options{Canary: -1})
		if want := []string{p.Steps[1].ID, p.Steps[0].ID}; err != nil || o.Done != 2 || !slices.Equal(order, want) {
			t.Errorf("%v: %+v in the order %q", err, o.Results, order)
		}
	})
}

// A tag that goes with another of its digest changes nothing of what the policies mark: an
// attachment whose subject this run has deleted still follows it.
func TestAnAttachmentGoesAlsoWhereTagsGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, `{settings: {latency: 20ms, delete_delay: 2s, shared_digest: cascade}, namespaces: [{name: prod, age: 400d, images: [
			{name: api, tags: [{name: old, digest: A, age: 20d}, {name: pr-2, digest: S, age: 20d}, {name: pr-3, digest: S, age: 20d}, {name: sha256-`+a+`.sig, age: 20d}, {name: latest, age: 1d}]}]}]}`)
		p := s.plan(unlimited(), func(v *registry.Verdict) {
			for i := range v.Tags {
				if name := v.Image.Tags[i].Name; name == "old" || strings.HasPrefix(name, "pr-") {
					v.Tags[i].Delete = markedBy
				}
			}
		})
		o, err := s.audited(p, Options{})
		if err != nil || len(p.Steps) != 4 || o.Done+o.Gone != 4 {
			t.Errorf("%v: %+v", err, o.Results)
		}
	})
}

func TestAnInterruptionBeforeTheBeginningChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, many("", "", 10))
		p := s.markTags(plan.Options{})
		sent := len(s.server.Requests())
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		o, err := Apply(ctx, p, s.environment(newMemoryJournal(t)), Options{})
		if !errors.Is(err, ErrStopped) || !errors.Is(err, context.Canceled) || o.Skipped != 10 || len(s.server.Requests()) != sent {
			t.Errorf("%v: %+v", err, o)
		}
	})
}
