package kube

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/registry-janitor/registry-janitor/registry"
)

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// secure is a fake that refuses every request that check does not accept.
func secure(t *testing.T, check func(r *http.Request) bool) *fake {
	t.Helper()
	f := &fake{objects: map[string][]string{"deployments": {deployment("shop", "api", ours("api:v1"))}}}
	f.before(func(w http.ResponseWriter, r *http.Request) bool {
		if check(r) {
			return false
		}
		refuse(401, "Unauthorized", "Unauthorized").write(w)
		return true
	})
	f.start(t)
	return f
}

func (f *fake) over(t *testing.T, user string) *Cluster {
	t.Helper()
	c := New(Options{Kubeconfig: kubeconfig(t, f.settings(), user), UserAgent: "registry-janitor/test"})
	c.limits = quick()
	return c
}

func TestWaysToLogIn(t *testing.T) {
	bearer := func(token string) func(r *http.Request) bool {
		return func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }
	}
	cert, key := clientCertificate(t)
	tokenFile := write(t, "token", "from-a-file\n")
	for name, row := range map[string]struct {
		user  string
		check func(r *http.Request) bool
	}{
		"a token":              {`{token: a-token}`, bearer("a-token")},
		"a token in a file":    {`{tokenFile: ` + tokenFile + `}`, bearer("from-a-file")},
		"a client certificate": {fmt.Sprintf(`{client-certificate-data: %s, client-key-data: %s}`, cert, key), func(r *http.Request) bool { return len(r.TLS.PeerCertificates) == 1 }},
		"a password": {`{username: u, password: p4ssword}`, func(r *http.Request) bool {
			_, password, _ := r.BasicAuth()
			return password == "p4ssword"
		}},
		"a plugin": {plugin(t, `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"from-a-plugin"}}'`), bearer("from-a-plugin")},
	} {
		t.Run(name, func(t *testing.T) {
			f := secure(t, row.check)
			got, err := f.over(t, row.user).Uses(t.Context())
			if err != nil || len(got) != 1 || got[0].By != "kubernetes prod: Deployment shop/api" {
				t.Errorf("%v, %v", got, err)
			}
			if agent := f.seen()[0].UserAgent(); agent != "registry-janitor/test" {
				t.Errorf("called itself %q", agent)
			}
		})
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// plugin is a user of a kubeconfig that gets its credentials from a script.
func plugin(t *testing.T, script string) string {
	path := write(t, "plugin", "#!/bin/sh\n"+script+"\n")
	return fmt.Sprintf(`{exec: {apiVersion: client.authentication.k8s.io/v1, command: %s, interactiveMode: IfAvailable}}`, path)
}

func clientCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "janitor"}, NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return encode("CERTIFICATE", raw), encode("EC PRIVATE KEY", secret)
}

func TestAPluginRenewsAnExpiredToken(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	user := plugin(t, `n=$(cat `+count+` 2>/dev/null || echo 0); n=$((n+1)); echo $n > `+count+`
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"token-'$n'"}}'`)
	f := secure(t, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer token-2" })
	c := f.over(t, user)
	c.limits.parallel = 1
	if got, err := c.Uses(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// A pod knows its cluster from environment variables and files. No test may write
// the files that client-go reads, so the test replaces what client-go makes of them.
func TestInTheCluster(t *testing.T) {
	f := secure(t, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer mounted-token" })
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	token, file := write(t, "token", "mounted-token"), write(t, "ca.crt", string(authority))
	c := New(Options{InCluster: true})
	c.limits = quick()
	c.inCluster = func() (*rest.Config, error) {
		return &rest.Config{Host: f.URL, TLSClientConfig: rest.TLSClientConfig{CAFile: file}, BearerToken: "mounted-token", BearerTokenFile: token}, nil
	}
	got, err := c.Uses(t.Context())
	if err != nil || len(got) != 1 || got[0].By != "kubernetes in-cluster: Deployment shop/api" {
		t.Errorf("%v, %v", got, err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if _, err := New(Options{InCluster: true}).Uses(t.Context()); err == nil || !strings.Contains(err.Error(), "the program does not run in a pod of a cluster") {
		t.Errorf("outside: %v", err)
	}
	c.inCluster = func() (*rest.Config, error) { return nil, os.ErrNotExist }
	if _, err := c.Uses(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "automountServiceAccountToken") {
		t.Errorf("without a token: %v", err)
	}
}

func TestAMistakeInAKubeconfigIsExplained(t *testing.T) {
	good := kubeconfig(t, `{server: "https://127.0.0.1:1"}`, `{token: s3cret-token}`)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	edited := func(old, new string) string {
		return write(t, "kubeconfig", strings.ReplaceAll(string(text), old, new))
	}
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	for name, row := range map[string]struct {
		o    Options
		want []string
	}{
		"it does not exist":          {Options{Kubeconfig: "/nowhere/k.yaml"}, []string{"the kubeconfig /nowhere/k.yaml does not exist"}},
		"no default exists":          {Options{Context: "prod"}, []string{"the default kubeconfig has no context"}},
		"no such context":            {Options{Kubeconfig: good, Context: "pord"}, []string{`has no context "pord" (it has: prod)`}},
		"no current context":         {Options{Kubeconfig: edited("current-context: prod", "")}, []string{"has no current context", "prod)"}},
		"not YAML":                   {Options{Kubeconfig: write(t, "k", "a: [")}, []string{"reading the kubeconfig"}},
		"empty":                      {Options{Kubeconfig: write(t, "k", "")}, []string{"has no context"}},
		"no such cluster":            {Options{Kubeconfig: edited("cluster: c,", "cluster: d,")}, []string{`its context "prod" names the cluster "d", which does not exist`}},
		"no such certificate":        {Options{Kubeconfig: edited("{token: s3cret-token}", "{client-certificate: nowhere.crt, client-key: nowhere.key}")}, []string{"unable to read client-cert", "nowhere.crt"}},
		"no such plugin":             {Options{Kubeconfig: edited("{token: s3cret-token}", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never}}")}, []string{"no credentials for the cluster", "no-such-plugin", "by hand"}},
		"a plugin that fails":        {Options{Kubeconfig: edited("{token: s3cret-token}", plugin(t, "echo s3cret-token >&2; exit 3"))}, []string{"no credentials for the cluster", "exit code 3"}},
		"a plugin without JSON":      {Options{Kubeconfig: edited("{token: s3cret-token}", plugin(t, "echo s3cret-token"))}, []string{"no credentials for the cluster"}},
		"an interactive plugin":      {Options{Kubeconfig: edited("{token: s3cret-token}", strings.Replace(plugin(t, "cat"), "IfAvailable", "Always", 1))}, []string{"interactive mode", "must not prompt"}},
		"a server that is not a URL": {Options{Kubeconfig: edited("https://127.0.0.1:1", "https://[")}, []string{"server"}},
	} {
		c := New(row.o)
		c.limits = quick()
		got, err := c.Uses(t.Context())
		if err == nil || len(got) > 0 {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", name, want, err)
			}
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: a secret is in: %v", name, err)
		}
	}
}

// The program continues although a plugin never ends.
func TestAPluginThatNeverEndsDoesNotBlock(t *testing.T) {
	c := New(Options{Kubeconfig: kubeconfig(t, `{server: "https://127.0.0.1:1"}`, plugin(t, "exec sleep 5 >&- 2>&-"))})
	c.limits = quick()
	c.limits.request, c.limits.tries = 50*time.Millisecond, 1
	started := time.Now()
	_, err := c.Uses(t.Context())
	if !errors.Is(err, errUnreachable) || time.Since(started) > 4*time.Second {
		t.Errorf("%v after %s", err, time.Since(started))
	}
}

func TestNames(t *testing.T) {
	file := kubeconfig(t, `{server: "https://127.0.0.1:1"}`, `{token: t}`)
	t.Setenv("KUBECONFIG", file)
	for want, o := range map[string]Options{
		"kubernetes prod-eu":        {Name: "prod-eu", Kubeconfig: file, Context: "prod"},
		"kubernetes staging":        {Context: "staging"},
		"kubernetes prod":           {Kubeconfig: file},
		"kubernetes in-cluster":     {InCluster: true},
		"kubernetes here":           {InCluster: true, Name: "here"},
		"kubernetes /nowhere/k.yml": {Kubeconfig: "/nowhere/k.yml"},
	} {
		if got := New(o).Name(); got != want {
			t.Errorf("%+v is %q, want %q", o, got, want)
		}
	}
	if got := New(Options{}).Name(); got != "kubernetes prod" {
		t.Errorf("the default is %q", got)
	}
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", t.TempDir())
	if got := New(Options{}).Name(); got != "kubernetes of the default kubeconfig" {
		t.Errorf("none is %q", got)
	}
}

// Switching contexts while the program runs does not change which cluster it reads.
func TestTheContextIsPinned(t *testing.T) {
	one, two := serve(t, nil), serve(t, nil)
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, clusters: [{name: a, cluster: %s}, {name: b, cluster: %s}],
users: [{name: u, user: {token: ttttttt}}], contexts: [{name: a, context: {cluster: a, user: u}}, {name: b, context: {cluster: b, user: u}}], current-context: a}`, one.settings(), two.settings())
	file := write(t, "k", text)
	c := New(Options{Kubeconfig: file})
	if err := os.WriteFile(file, []byte(strings.Replace(text, "current-context: a", "current-context: b", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Uses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(two.seen()) > 0 || len(one.seen()) == 0 {
		t.Errorf("%d requests to a, %d to b", len(one.seen()), len(two.seen()))
	}
}

// No error and no log shows a credential, even if the cluster repeats it.
func TestNoCredentialIsShown(t *testing.T) {
	f := serve(t, nil)
	for _, code := range []int{401, 403, 404, 410, 429, 500} {
		f.before(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Retry-After", "0")
			refuse(code, "Mirror", "you sent "+r.Header.Get("Authorization")+strings.Repeat(" and\nmore", 1000)).write(w)
			return true
		})
		var log bytes.Buffer
		c := f.cluster(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		_, err := c.Uses(t.Context())
		if err == nil || strings.Contains(err.Error()+log.String(), "s3cret") || strings.Contains(err.Error(), "\nmore") || len(err.Error()) > 20_000 {
			t.Errorf("%d: %v\n%s", code, err, log.String())
		}
	}
}

func TestTheGuardPassesOnlyGETToTheCluster(t *testing.T) {
	sent := 0
	g := newGuard(mustURL(t, "https://c:6443"), &rest.Config{}, func(s string) string { return s })
	through := g.wrap(transport(func(*http.Request) (*http.Response, error) { sent++; return nil, errors.New("sent") }))
	for _, row := range []struct {
		method, url string
		want        int
	}{
		{"GET", "https://c:6443/api/v1/pods", 1}, {"DELETE", "https://c:6443/api/v1/pods", 0}, {"POST", "https://c:6443/", 0},
		{"GET", "http://c:6443/", 0}, {"GET", "https://c/", 0}, {"GET", "https://elsewhere:6443/", 0},
	} {
		sent = 0
		req, err := http.NewRequestWithContext(t.Context(), row.method, row.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := through.RoundTrip(req); err == nil || sent != row.want {
			t.Errorf("%s %s: sent %d", row.method, row.url, sent)
		}
	}
}

func TestRefusalsAreErrorsOfTheRegistryPackage(t *testing.T) {
	for code, want := range map[int]error{401: registry.ErrDenied, 403: registry.ErrDenied, 404: registry.ErrNotFound, 429: registry.ErrThrottled} {
		if err := error(&refusal{code: code}); !errors.Is(err, want) {
			t.Errorf("%d is not %v", code, want)
		}
	}
}

// A cluster whose address and token another API knows is read with those, asked for
// anew, and its texts are cleaned of what that API must keep secret.
func TestAccessInsteadOfAKubeconfig(t *testing.T) {
	f := secure(t, func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer token-1" })
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
	token, failed := "token-1", error(nil)
	c := New(Options{Name: "prod", Redact: func(s string) string { return strings.ReplaceAll(s, "Unauthorized", "…") },
		Access: func(context.Context) (string, []byte, string, error) { return f.URL, ca, token, failed }})
	c.limits = quick()
	if uses, err := c.Uses(t.Context()); len(uses) != 1 || err != nil || c.Name() != "kubernetes prod" {
		t.Errorf("%s: %v, %v", c.Name(), uses, err)
	}
	token = "token-2"
	if _, err := c.Uses(t.Context()); err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "Unauthorized") || strings.Contains(err.Error(), token) {
		t.Errorf("another token: %v", err)
	}
	failed = errors.New("no kubeconfig")
	if _, err := c.Uses(t.Context()); !errors.Is(err, failed) {
		t.Errorf("without access: %v", err)
	}
}
