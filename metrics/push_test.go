package metrics

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

const password = "hunter2secret"

// gateway is a Pushgateway that answers with one status.
func gateway(t *testing.T, status int, body string) (url string, got *http.Request, text *string) {
	t.Helper()
	got, text = new(http.Request), new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		*got, *text = *r, string(raw)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, got, text
}

func withUser(url string) string {
	return strings.Replace(url, "://", "://janitor:"+password+"@", 1)
}

func TestAPushReplacesWhatTheSameCommandPushed(t *testing.T) {
	url, got, text := gateway(t, 200, "")
	m := New("v1")
	m.Set(runs.Run{Kind: "apply", Plan: quiet()})
	if err := m.Push(t.Context(), withUser(url), "registry-janitor"); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPut || got.URL.Path != "/metrics/job/registry-janitor/command/apply" {
		t.Errorf("%s %s", got.Method, got.URL.Path)
	}
	if user, pass, ok := got.BasicAuth(); !ok || user != "janitor" || pass != password {
		t.Errorf("the credentials are %q %q", user, pass)
	}
	if !strings.Contains(*text, "registry_janitor_scanned_tags") || strings.Contains(*text, "go_goroutines") {
		t.Errorf("pushed %q", *text)
	}
}

func TestAPushThatFailsSaysWhyWithoutTheCredentials(t *testing.T) {
	m := New("v1")
	m.Set(runs.Run{Plan: quiet()})
	refused, _, _ := gateway(t, 401, "no, "+password+" is wrong "+strings.Repeat("x", 1<<20))
	moved, _, _ := gateway(t, 302, "")
	gone := httptest.NewServer(nil)
	gone.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx       context.Context
		url, want string
	}{
		"refused":         {t.Context(), withUser(refused), "status code 401"},
		"a redirect":      {t.Context(), withUser(moved), "status code 302"},
		"an unused port":  {t.Context(), withUser(gone.URL), "refused"},
		"canceled":        {canceled, withUser(refused), "canceled"},
		"no URL":          {t.Context(), "http://janitor:" + password + "@[::1", "must be http://"},
		"no scheme":       {t.Context(), "janitor:" + password + "@gateway:9091", "must be http://"},
		"another scheme":  {t.Context(), "ftp://janitor:" + password + "@gateway", "must be http://"},
		"control letters": {t.Context(), "http://a:" + password + "\x7f@b", "must be http://"},
		"a query":         {t.Context(), refused + "/?token=" + password, "must have no query"},
		"a fragment":      {t.Context(), refused + "/#" + password, "must have no query"},
	} {
		err := m.Push(tt.ctx, tt.url, "registry-janitor")
		switch {
		case err == nil || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		case strings.Contains(err.Error(), password):
			t.Errorf("%s: the error shows the password: %v", name, err)
		case len(err.Error()) > 2*maxAnswer:
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
	if err := m.Push(t.Context(), refused, ""); err == nil {
		t.Error("a push without a job is taken")
	}
}
