package notify

import (
	"fmt"
	"math/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"text/template"
	"unicode/utf8"
)

// secretURLs are URLs of services, and what of each is a secret.
func secretURLs(random *rand.Rand) map[string][]string {
	word := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[random.Intn(len(alphabet))]
		}
		return string(b)
	}
	const upper, lower, hex = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "abcdefghijklmnopqrstuvwxyzABCDEF0123456789", "0123456789abcdef"
	uuid := func() string {
		return word(hex, 8) + "-" + word(hex, 4) + "-" + word(hex, 4) + "-" + word(hex, 4) + "-" + word(hex, 12)
	}
	a, b, c := word(upper, 9), word(upper, 9), word(lower, 24)
	group, tenant, alt, owner, extra := uuid(), uuid(), word(hex, 32), uuid(), word(lower, 40)
	password := word(lower+"!#$%&/@:? +", 16)
	token := word(lower, 32)
	return map[string][]string{
		"https://hooks.slack.com/services/" + a + "/" + b + "/" + c: {a, b, c},
		"slack://hook:" + a + "-" + b + "-" + c + "@webhook":        {a, b, c},
		"slack://xoxb:" + a + "-" + b + "-" + c + "@C123":           {a, b, c},
		"slack://" + a + "/" + b + "/" + c:                          {a, b, c},
		"slack://hook:" + token + "@webhook":                        {token}, // no valid token
		"https://acme.webhook.office.com/webhookb2/" + group + "@" + tenant + "/IncomingWebhook/" + alt + "/" + owner + "/" + extra:     {group, tenant, alt, owner, extra},
		"teams://" + group + "@" + tenant + "/" + alt + "/" + owner + "/" + extra + "?host=acme.webhook.office.com":                     {group, tenant, alt, owner, extra},
		"https://prod-1.westeurope.logic.azure.com/workflows/" + alt + "/triggers/manual/paths/invoke?sig=" + url.QueryEscape(password): {alt, password},
		"smtp://janitor:" + url.QueryEscape(password) + "@127.0.0.1:1/?from=a@b.test&to=c@d.test":                                       {password},
		"discord://" + token + "@123456789012345678":                 {token},
		"telegram://123456789:" + token + "@telegram?chats=@channel": {token},
		"generic://hooks.test/" + token + "?template=json":           {token},
		"https://user:" + token + "@hooks.test/in":                   {token},
		"https://hooks.test/in?key=" + token:                         {token},
		"ntfy://:" + token + "@ntfy.test/topic":                      {token},
		"gotify://gotify.test/" + token:                              {token},
		"pushover://shoutrrr:" + token + "@" + alt:                   {token, alt},
		"https://hooks.test/%zz" + token:                             {token},
		token + "://" + password:                                     {password},
	}
}

func checkHidden(t *testing.T, raw string, secrets []string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := strings.ToLower(fmt.Sprintf("%v %+v %#v", err, err, err))
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if strings.Contains(text, strings.ToLower(form)) {
				t.Errorf("%s: %q is in the error %v", raw, form, err)
			}
		}
	}
}

func TestNoSecretIsInAnError(t *testing.T) {
	seed := rand.Int63()
	t.Log("seed", seed)
	random := rand.New(rand.NewSource(seed))
	answers := map[string]roundTripper{
		"refuses the connection": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("dial tcp: %s: connection refused (%s)", r.URL, r.Header)
		},
		"answers with what it got": func(r *http.Request) (*http.Response, error) {
			status := r.URL.String() + " " + r.URL.Path + " " + strings.ToUpper(r.URL.RawQuery)
			return &http.Response{StatusCode: 400, Status: "400 " + status, Body: readCloser{strings.NewReader(`{"ok":false,"error":"` + status + `"}`)}, Request: r}, nil
		},
	}
	sent := 0
	for name, transport := range answers {
		through(t, roundTripper(func(r *http.Request) (*http.Response, error) { sent++; return transport(r) }))
		for range 5 {
			for raw, secrets := range secretURLs(random) {
				n, err := New(Options{Notifications: []Notification{{Name: "ops", URLEnv: "A"}}, LookupEnv: func(string) (string, bool) { return raw, true }})
				checkHidden(t, raw, secrets, err)
				if err != nil {
					continue
				}
				err = n.Send(t.Context(), eventful())
				if err == nil {
					t.Errorf("%s, and %s: no error", name, raw)
				}
				checkHidden(t, raw, secrets, err)
			}
		}
	}
	if sent < 50 {
		t.Errorf("only %d messages were sent", sent)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// A server that refuses the password in words that repeat it.
func TestNoPasswordOfMailIsInAnError(t *testing.T) {
	server := newMailServer(t, "535 no: s3cr3tPassword")
	n := notifier(t, "smtp://janitor:s3cr3tPassword@"+server.address+"/?from=a@b.test&to=c@d.test&starttls=no", Notification{})
	err := n.Send(t.Context(), eventful())
	if err == nil || !strings.Contains(err.Error(), "535") {
		t.Errorf("error %v", err)
	}
	checkHidden(t, "smtp", []string{"s3cr3tPassword"}, err)
}

func TestRedactionKeepsTheRest(t *testing.T) {
	for _, c := range []struct{ raw, text, want string }{
		{"https://hooks.slack.com/services/T0000AAAA/B0000BBBB/cccc", `Post "https://hooks.slack.com/services/T0000AAAA/B0000BBBB/cccc": dial tcp: lookup hooks.slack.com: no such host`, `Post "***": dial tcp: lookup hooks.slack.com: no such host`},
		{"smtp://u:pazzw0rt@mail.test/?to=a@b.example", "dial tcp: lookup mail.test: no such host", "dial tcp: lookup mail.test: no such host"},
		{"slack://hook:sEcReT@id12345", "401 Unauthorized for secret at ID12345", "401 Unauthorized for *** at ***"},
		{"https://h.test/in", "two\nlines\x1b[2J", `two\nlines\x1b[2J`},
	} {
		if got := newRedactor(c.raw).text(c.text); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func FuzzNew(f *testing.F) {
	random := rand.New(rand.NewSource(1))
	for raw := range secretURLs(random) {
		f.Add(raw)
	}
	f.Add("teams+https://bad")
	f.Add("generic+https://h/?@a=b&$c=d")
	f.Add("://")
	f.Fuzz(func(t *testing.T, raw string) {
		n, err := New(Options{Notifications: []Notification{{Name: "ops", URLEnv: "A"}}, LookupEnv: func(string) (string, bool) { return raw, true }})
		if err != nil {
			if _, rest, ok := strings.Cut(raw, "://"); ok && len(rest) > 12 && strings.Contains(err.Error(), rest) {
				t.Errorf("%q is in %v", rest, err)
			}
			return
		}
		if text, params, err := n.targets[0].service.format("title", "text"); err != nil || text == "" && len(params) == 0 {
			t.Errorf("%q takes no message: %v", raw, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add("a")
	f.Add("@everyone <!here>")
	f.Add("\x1b[2J\xff\n{{.Name}}")
	var templates []*template.Template
	for _, text := range []string{"", "{{.Headline}} {{.Error}}", "{{range .Gaps.Items}}{{.}}\n{{end}}{{.Gaps.More}}"} {
		parsed, err := parseTemplate(text)
		if err != nil {
			f.Fatal(err)
		}
		templates = append(templates, parsed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		run := eventful()
		run.Error, run.Plan.Gaps[0].Error = word, word
		for i, parsed := range templates {
			out, err := (&target{template: parsed}).render(newMessage(Notification{}, run, nil))
			if err != nil || len(out) > textMax || (strings.ContainsAny(out, "\x1b\x00\r") || !utf8.ValidString(out)) {
				t.Errorf("template %d, error %v: %q", i, err, out)
			}
			if i == 0 && !strings.Contains(out, strings.TrimSpace(line(word))) {
				t.Errorf("%q is not in %q", word, out)
			}
		}
	})
}
