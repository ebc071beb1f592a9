package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	slackToken = "T0000AAAA/B0000BBBB/cccccccccccccccccccccccc"
	connector  = "https://acme.webhook.office.com/webhookb2/11111111-2222-3333-4444-555555555555@66666666-7777-8888-9999-000000000000/IncomingWebhook/0123456789abcdef0123456789abcdef/11111111-2222-3333-4444-555555555555/V2secretExtra"
	workflow   = "https://prod-12.westeurope.logic.azure.com:443/workflows/0123456789/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=Zs3cr3tSignature"
)

func TestSlack(t *testing.T) {
	for _, raw := range []string{"https://hooks.slack.com/services/" + slackToken, "slack://hook:" + strings.ReplaceAll(slackToken, "/", "-") + "@webhook"} {
		s := newServices(t)
		if err := notifier(t, raw, Notification{Link: "https://janitor.example.com/?a=1&b=2"}).Send(t.Context(), eventful()); err != nil {
			t.Fatal(err)
		}
		got := s.received()
		if len(got) != 1 || got[0].Host != "hooks.slack.com" || got[0].Path != "/services/"+slackToken {
			t.Fatalf("requests %+v", got)
		}
		body := decoded(t, got[0].Body)
		if want := "registry-janitor: apply: 3 done, 1 failed, 1 skipped, 1 deny, 1 gap"; body["text"] != want {
			t.Errorf("the title is %v, want %s", body["text"], want)
		}
		var lines []string
		for _, a := range body["attachments"].([]any) {
			lines = append(lines, a.(map[string]any)["text"].(string))
		}
		want := []string{
			"https://janitor.example.com/?a=1&amp;b=2",
			"failed: delete_tag rg.fr-par.scw.cloud/prod/api:pr-3: detail of failed",
			"failed: delete_tag rg.fr-par.scw.cloud/prod/api:pr-4: detail of skipped",
			"gap: rg.nl-ams.scw.cloud/prod/api: page 3 of its tags: 500 &lt;!channel&gt; @everyone",
			"deny: rg.fr-par.scw.cloud/prod/web: visibility/x: is public",
			"done: 2 by retention/pull request builds, 1 by visibility/private",
			"judged: 2 namespaces, 3 images, 40 tags; 1 held",
			"run: apply, started by nightly, 2026-11-22 03:00 UTC, took 3s",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	}
}

func TestTeamsConnector(t *testing.T) {
	s := newServices(t)
	if err := notifier(t, connector, Notification{}).Send(t.Context(), eventful()); err != nil {
		t.Fatal(err)
	}
	got := s.received()
	if len(got) != 1 || got[0].Host != "acme.webhook.office.com" || !strings.HasSuffix(got[0].Path, "/V2secretExtra") {
		t.Fatalf("requests %+v", got)
	}
	body := decoded(t, got[0].Body)
	if title, _ := body["title"].(string); !strings.HasPrefix(title, "registry-janitor: apply: 3 done") || !strings.Contains(got[0].Body, "pr-3") {
		t.Errorf("body %s", got[0].Body)
	}
	if strings.Contains(got[0].Body, "@everyone") {
		t.Errorf("a channel is mentioned: %s", got[0].Body)
	}
}

func TestTeamsWorkflow(t *testing.T) {
	s := newServices(t)
	if err := notifier(t, workflow, Notification{Template: "a *b* {{.Headline}}\n\nhttps://x.test/a_b"}).Send(t.Context(), eventful()); err != nil {
		t.Fatal(err)
	}
	got := s.received()
	if len(got) != 1 || got[0].Host != "prod-12.westeurope.logic.azure.com:443" || got[0].ContentType != "application/json" {
		t.Fatalf("requests %+v", got)
	}
	for _, want := range []string{"api-version=2016-06-01", "sig=Zs3cr3tSignature", "sp=%2Ftriggers%2Fmanual%2Frun", "sv=1.0"} {
		if !strings.Contains(got[0].Query, want) {
			t.Errorf("the query is %s, and lacks %s", got[0].Query, want)
		}
	}
	content := decoded(t, got[0].Body)["attachments"].([]any)[0].(map[string]any)
	if content["contentType"] != "application/vnd.microsoft.card.adaptive" {
		t.Errorf("the attachment is %v", content["contentType"])
	}
	var texts []string
	for _, b := range content["content"].(map[string]any)["body"].([]any) {
		texts = append(texts, b.(map[string]any)["text"].(string))
	}
	want := []string{
		"registry-janitor: apply: 3 done, 1 failed, 1 skipped, 1 deny, 1 gap",
		`a \*b\* registry-janitor: apply: 3 done, 1 failed, 1 skipped, 1 deny, 1 gap`, "https://x.test/a_b",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

func TestWebhook(t *testing.T) {
	s := newServices(t)
	if err := notifier(t, "http://hooks.internal:8080/in?title=kept&key=abc", Notification{}).Send(t.Context(), refused()); err != nil {
		t.Fatal(err)
	}
	got := s.received()
	if len(got) != 1 || got[0].Host != "hooks.internal:8080" || got[0].Path != "/in" || got[0].Query != "key=abc&title=kept" {
		t.Fatalf("requests %+v", got)
	}
	want := map[string]any{
		"title":   "registry-janitor: plan refused by its limits: 0 to delete, 0 to change",
		"message": "REFUSED: max_deletions: 1,200 deletions planned, 200 over the limit of 1,000\nplanned: nothing\njudged: 2 namespaces, 3 images, 40 tags; 1 held\nrun: plan, started by nightly, 2026-11-22 03:00 UTC",
	}
	if diff := cmp.Diff(want, decoded(t, got[0].Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestMail(t *testing.T) {
	server := newMailServer(t, "235 welcome")
	raw := "smtp://janitor:s3cr3t@" + server.address + "/?from=janitor@example.com&to=ops@example.com,cto@example.com&starttls=no"
	run := eventful()
	run.Kind = "äpply"
	if err := notifier(t, raw, Notification{}).Send(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	mails := server.received()
	if len(mails) != 2 {
		t.Fatalf("%d mails, want one for each", len(mails))
	}
	if !strings.Contains(mails[0], "Subject: =?utf-8?q?registry-janitor:_=C3=A4pply") || !strings.Contains(mails[0], "\r\nfailed: delete_tag") || !strings.Contains(mails[0], "To: ops@example.com") {
		t.Errorf("mail\n%s", mails[0])
	}
}

func TestOnlyConfiguredOccasionsCauseAMessage(t *testing.T) {
	broken := quiet()
	broken.Plan.Held = []actions.Held{{Action: actions.DeleteTag, Ref: "rg.fr-par.scw.cloud/prod/api:a", Guard: actions.GuardPolicyError}}
	plan := refused()
	plan.Plan.Refusals = nil
	failed := runs.Run{Kind: "plan", Started: started, Error: "401"}
	lost := quiet()
	lost.Plan.Outcome.Lost = []string{"rg.fr-par.scw.cloud/prod/api:latest"}
	late := quiet()
	late.Error = "recording the run: disk full"
	for name, c := range map[string]struct {
		run  runs.Run
		want []Occasion
	}{
		"a run without occasions": {quiet(), nil},
		"a run with everything":   {eventful(), []Occasion{OnFailure, OnGap, OnViolation, OnDeleted, OnVisibility}},
		"a refused plan":          {refused(), []Occasion{OnRefused, OnPlanned}},
		"a plan with steps":       {plan, []Occasion{OnPlanned}},
		"a policy that failed":    {broken, []Occasion{OnGap}},
		"a run without a plan":    {failed, []Occasion{OnFailure}},
		"a tag that was lost":     {lost, []Occasion{OnFailure}},
		"an error after the work": {late, []Occasion{OnFailure}},
	} {
		for _, on := range Occasions() {
			s := newServices(t)
			if err := notifier(t, "https://hooks.test/in", Notification{On: []Occasion{on}}).Send(t.Context(), c.run); err != nil {
				t.Fatal(err)
			}
			asked := false
			for _, w := range c.want {
				asked = asked || w == on
			}
			if told := len(s.received()) == 1; told != asked {
				t.Errorf("%s, on %s: sent is %v", name, on, told)
			}
		}
	}
}

func TestAPersistentProblemIsRepeatedOnlyAfterAWhile(t *testing.T) {
	s := newServices(t)
	n := notifier(t, "https://hooks.test/in", Notification{Repeat: 24 * time.Hour, On: []Occasion{OnGap, OnDeleted, OnFailure}})
	at := started
	send := func(why string, change func(*runs.Run), want bool) {
		t.Helper()
		run := quiet()
		run.Started = at
		change(&run)
		before := len(s.received())
		if err := n.Send(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if got := len(s.received()) > before; got != want {
			t.Errorf("%s: sent is %v", why, got)
		}
		at = at.Add(30 * time.Minute)
	}
	gaps := func(subjects ...string) func(*runs.Run) {
		return func(r *runs.Run) {
			for _, g := range subjects {
				r.Plan.Gaps = append(r.Plan.Gaps, registry.Gap{Subject: g, Error: "request " + at.String()})
			}
		}
	}
	nothing := func(*runs.Run) {}
	noPlan := func(r *runs.Run) { r.Plan, r.Error = nil, "401" }
	send("a gap", gaps("a"), true)
	send("the same gap", gaps("a"), false)
	send("another one beside it", gaps("a", "b"), true)
	send("one of the two", gaps("b"), false)
	send("the other one is back", gaps("a", "b"), true)
	send("a run that saw nothing", noPlan, true)
	send("and another one", noPlan, false)
	send("the same gaps after that", gaps("a", "b"), false)
	send("no gap", nothing, false)
	send("a gap again", gaps("a"), true)
	at = at.Add(23 * time.Hour)
	send("the same gap, nearly a day later", gaps("a"), false)
	send("a day later", gaps("a"), true)
	deleted := func(r *runs.Run) {
		r.Plan.Outcome.Results = []actions.StepResult{{Action: actions.DeleteTag, Result: actions.ResultDone}}
	}
	send("a deletion", deleted, true)
	send("another deletion", deleted, true)
}

func TestTheNextRunSendsAMessageThatFailed(t *testing.T) {
	s := newServices(t)
	s.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	n := notifier(t, "https://hooks.test/in", Notification{Repeat: 24 * time.Hour, On: []Occasion{OnViolation}})
	if err := n.Send(t.Context(), eventful()); err == nil || !strings.Contains(err.Error(), `notification "ops"`) || !strings.Contains(err.Error(), "502") {
		t.Errorf("error %v", err)
	}
	if got := len(s.received()); got != 1 {
		t.Errorf("%d requests: nothing may be tried twice", got)
	}
	s.mu.Lock()
	s.answer = nil
	s.mu.Unlock()
	for range 2 {
		if err := n.Send(t.Context(), eventful()); err != nil {
			t.Error(err)
		}
	}
	if got := len(s.received()); got != 2 {
		t.Errorf("%d requests in total, want 2", got)
	}
}

func TestAServiceThatHangsDoesNotDelayTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		told := 0
		through(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "hangs.test" {
				<-release
				return nil, errors.New("closed")
			}
			told++
			return &http.Response{StatusCode: 200, Status: "200 OK", Body: http.NoBody, Request: r}, nil
		}))
		n, err := New(Options{
			Notifications: []Notification{{Name: "stuck", URLEnv: "https://hangs.test/s3cr3t"}, {Name: "ops", URLEnv: "https://works.test/in"}},
			LookupEnv:     func(name string) (string, bool) { return name, true },
			Timeout:       5 * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range pendingMax + 2 {
			begin := time.Now()
			err := n.Send(t.Context(), eventful())
			took := time.Since(begin)
			if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), `"stuck"`) || strings.Contains(err.Error(), `"ops"`) {
				t.Errorf("error %v", err)
			}
			want, words := 5*time.Second, "the service did not answer: context deadline exceeded"
			if i >= pendingMax {
				want, words = 0, "4 earlier messages are still unanswered"
			}
			if took != want || !strings.Contains(err.Error(), words) {
				t.Errorf("message %d took %s: %v", i, took, err)
			}
		}
		if told != pendingMax+2 {
			t.Errorf("the other receiver got %d messages", told)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.Send(ctx, eventful()); err == nil {
			t.Error("a cancelled run sends a message")
		}
		close(release)
		synctest.Wait()
		if pending := len(n.targets[0].service.sends); pending != 0 {
			t.Errorf("%d messages are still pending", pending)
		}
	})
}

func TestNewNamesTheProblem(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const good = "https://hooks.test/in"
	for name, c := range map[string]struct {
		raw  string
		spec Notification
		want string
		no   bool // URL
	}{
		"a missing variable":    {"", Notification{URLEnv: "A"}, `notification "ops": it has no URL: the environment variable A is not set`, true},
		"a missing file":        {"", Notification{URLFile: "/nowhere/url"}, `notification "ops": it has no URL: reading the file /nowhere/url: open /nowhere/url: no such file or directory`, true},
		"an empty file":         {"", Notification{URLFile: empty}, `notification "ops": it has no URL: the file ` + empty + ` is empty`, true},
		"a token alone":         {"T0000AAAA/B0000", Notification{URLEnv: "A"}, `notification "ops": the URL in the environment variable A: it has no scheme, such as slack:// or https://`, false},
		"no URL":                {"https://[s3cr3t", Notification{URLEnv: "A"}, `notification "ops": the URL in the environment variable A: it is not a URL`, false},
		"an unknown service":    {"slck://hook:x@y", Notification{URLEnv: "A"}, `notification "ops": the URL in the environment variable A: its service is not supported: use slack, teams, smtp, generic, or the https URL of a webhook`, false},
		"a bad token":           {"slack://hook:s3cr3t@webhook", Notification{URLEnv: "A"}, `notification "ops": the URL in the environment variable A: it cannot be parsed: invalid slack token format`, false},
		"mail without receiver": {"smtp://u:s3cr3t@mail.test/?from=a@b.test", Notification{URLEnv: "A"}, `notification "ops": the URL in the environment variable A: it cannot be parsed: toAddress missing from config URL`, false},
		"an unknown occasion":   {good, Notification{URLEnv: "A", On: []Occasion{"often"}}, `notification "ops": on: "often" is not one of ["failure" "refused" "gap" "violation" "waiver" "deleted" "visibility" "planned"]`, false},
		"a template that stops": {good, Notification{URLEnv: "A", Template: "a\n{{if}}"}, `notification "ops": template: template:2: missing value for if`, false},
		"an unknown field":      {good, Notification{URLEnv: "A", Template: "a\nb\n{{range .Gaps.Items}}{{.Nmae}}{{end}}"}, `notification "ops": template: template:3:23: executing "template" at <.Nmae>: can't evaluate field Nmae in type string`, false},
	} {
		c.spec.Name = "ops"
		_, err := New(Options{Notifications: []Notification{c.spec}, LookupEnv: func(string) (string, bool) { return c.raw, c.raw != "" }})
		if err == nil || err.Error() != c.want || errors.Is(err, ErrNoURL) != c.no {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
	_, err := New(Options{Notifications: []Notification{{Name: "a", URLEnv: "A"}, {Name: "b", URLEnv: "B"}}, LookupEnv: func(string) (string, bool) { return "", false }})
	if err == nil || strings.Count(err.Error(), "is not set") != 2 {
		t.Errorf("not every problem is named: %v", err)
	}
}

func TestCheckSeparatesMissingURLsFromOtherProblems(t *testing.T) {
	missing, wrong := Check(Options{
		Notifications: []Notification{{Name: "a", URLEnv: "A"}, {Name: "b", URLEnv: "B"}, {Name: "c", URLEnv: "A", Template: "{{.Nothing}}"}, {Name: "d", URLEnv: "D"}},
		LookupEnv: func(name string) (string, bool) {
			return map[string]string{"B": "slck://x", "D": "https://hooks.test/in"}[name], name != "A"
		},
	})
	if missing == nil || !strings.Contains(missing.Error(), `"a"`) || strings.Contains(missing.Error(), "\n") {
		t.Errorf("missing: %v", missing)
	}
	if wrong == nil || !strings.Contains(wrong.Error(), `"b"`) || !strings.Contains(wrong.Error(), `"c"`) || strings.Contains(wrong.Error(), `"d"`) {
		t.Errorf("wrong: %v", wrong)
	}
	if missing, wrong := Check(Options{}); missing != nil || wrong != nil {
		t.Errorf("nothing: %v, %v", missing, wrong)
	}
}

func TestAURLFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("https://hooks.test/in\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServices(t)
	n, err := New(Options{Notifications: []Notification{{Name: "ops", URLFile: file}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Send(t.Context(), eventful()); err != nil || len(s.received()) != 1 {
		t.Errorf("error %v, %d requests", err, len(s.received()))
	}
}

func TestANilNotifierSendsNothing(t *testing.T) {
	var n *Notifier
	if err := n.Send(t.Context(), eventful()); err != nil {
		t.Error(err)
	}
	if n, err := New(Options{}); err != nil || n.Send(t.Context(), eventful()) != nil {
		t.Error("a notifier without notifications fails")
	}
}

func TestAMessageHasALimitedLength(t *testing.T) {
	run := eventful()
	for i := range 5000 {
		run.Plan.Gaps = append(run.Plan.Gaps, registry.Gap{Subject: fmt.Sprint("subject ", i), Error: strings.Repeat("ö", 5000)})
		run.Plan.Violations = append(run.Plan.Violations, registry.Violation{Ref: strings.Repeat("日", 300), Severity: registry.Deny, Reason: registry.Reason{Text: strings.Repeat("b", 1000)}})
	}
	run.Error = strings.Repeat("e\n", 4000)
	for _, text := range []string{"", "{{range .Gaps.Items}}{{printf \"%9000s\" .}}{{end}}", strings.Repeat("{{.Error}}", 500), strings.Repeat("日", 3000)} {
		s := newServices(t)
		if err := notifier(t, "https://hooks.test/in", Notification{Template: text}).Send(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		message, _ := decoded(t, s.received()[0].Body)["message"].(string)
		if len(message) > textMax || strings.Contains(message, "\ufffd") || !strings.HasSuffix(message, "… (the message is cut)") {
			t.Errorf("the message has %d bytes, and ends with %q", len(message), message[max(0, len(message)-60):])
		}
	}
}

func TestSentIsCalledOnceForEachMessage(t *testing.T) {
	s := newServices(t)
	n := notifier(t, "https://hooks.test/in", Notification{On: []Occasion{OnDeleted}})
	var told []error
	n.sent = func(err error) { told = append(told, err) }
	send := func(run runs.Run, want int, fails bool) {
		t.Helper()
		told = nil
		_ = n.Send(t.Context(), run)
		if len(told) != want || want == 1 && (told[0] != nil) != fails {
			t.Errorf("sent %v, want %d, failing %v", told, want, fails)
		}
	}
	send(quiet(), 0, false)
	send(eventful(), 1, false)
	s.mu.Lock()
	s.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	s.mu.Unlock()
	send(eventful(), 1, true)
}
