package scaleway

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/registry-janitor/registry-janitor/registry"
)

const (
	testAccessKey = "SCWAAAAAAAAAAAAAAAAA"
	testSecretKey = "5ec4e75e-c4e7-4a11-9a11-0123456789ab"
	testRegion    = registry.Region("fr-par")
	testImage     = "11111111-0000-4000-8000-000000000001"
	testNamespace = "22222222-0000-4000-8000-000000000001"
)

// roundTrip is a Base that answers without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// setenv sets the credentials of a test, and removes those of the machine.
func setenv(t *testing.T, extra ...string) {
	t.Helper()
	for _, name := range []string{
		"SCW_PROFILE", "SCW_CONFIG_PATH", "SCW_API_URL", "SCW_INSECURE", "SCW_USER_AGENT", "XDG_CONFIG_HOME",
		"SCW_TOKEN", "SCW_TLSVERIFY", "SCALEWAY_TOKEN", "SCALEWAY_ACCESS_KEY", "SCW_ACCESS_KEY", "SCW_SECRET_KEY",
	} {
		unset(t, name)
	}
	t.Setenv("HOME", t.TempDir())
	for i := 0; i < len(extra); i += 2 {
		t.Setenv(extra[i], extra[i+1])
	}
}

func withKeys(extra ...string) []string {
	return append([]string{"SCW_ACCESS_KEY", testAccessKey, "SCW_SECRET_KEY", testSecretKey, "SCW_API_URL", "http://127.0.0.1:1"}, extra...)
}

func newTestReader(t *testing.T, base http.RoundTripper, change ...func(*Options)) *Reader {
	t.Helper()
	setenv(t, withKeys()...)
	o := Options{Base: base}
	for _, f := range change {
		f(&o)
	}
	r, err := NewReader(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answer makes a response of the API.
func answer(req *http.Request, code int, body string, header ...string) *http.Response {
	resp := &http.Response{
		StatusCode: code, Status: fmt.Sprint(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

func pageOf(req *http.Request) int {
	n, _ := strconv.Atoi(req.URL.Query().Get("page"))
	return n
}

// tagsPage is one page of the tags of an image with total tags.
func tagsPage(total, number int) string {
	var rows []string
	for i := (number-1)*pageSize + 1; i <= min(total, number*pageSize); i++ {
		rows = append(rows, tagRow(i))
	}
	return fmt.Sprintf(`{"tags":[%s],"total_count":%d}`, strings.Join(rows, ","), total)
}

func tagRow(i int) string {
	return fmt.Sprintf(`{"id":"33333333-0000-4000-8000-%012d","name":"t%d","image_id":"%s","status":"ready","digest":"sha256:%064x","created_at":"2026-01-02T03:04:05.000000Z","updated_at":"2026-01-02T03:04:05.%06dZ"}`,
		i, i, testImage, i, i)
}

func imageRow(i int) string {
	return fmt.Sprintf(`{"id":"11111111-0000-4000-8000-%012d","name":"i%d","namespace_id":"%s","status":"ready","status_message":"","visibility":"inherit","size":1,"created_at":"2026-01-02T03:04:05.000000Z","updated_at":"2026-01-02T03:04:05.000000Z","tags":["a"]}`,
		i, i, testNamespace)
}

func imagesPage(total, number int) string {
	var rows []string
	for i := (number-1)*pageSize + 1; i <= min(total, number*pageSize); i++ {
		rows = append(rows, imageRow(i))
	}
	return fmt.Sprintf(`{"images":[%s],"total_count":%d}`, strings.Join(rows, ","), total)
}

func namespaceRow(id, name, region string) string {
	return fmt.Sprintf(`{"id":"%s","name":"%s","description":"","organization_id":"44444444-0000-4000-8000-000000000001","project_id":"55555555-0000-4000-8000-000000000001","status":"ready","status_message":"","endpoint":"","is_public":false,"size":1,"created_at":"2026-01-02T03:04:05.000000Z","updated_at":"2026-01-02T03:04:05.000000Z","image_count":1,"region":"%s"}`,
		id, name, region)
}

// counted counts the requests that reach the base.
func counted(n *atomic.Int64, next roundTrip) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		n.Add(1)
		return next(req)
	}
}

// logBuffer collects what is logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustNotLeak fails when the secret key, or a good part of it, is in a text.
func mustNotLeak(t *testing.T, where, text string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, part := range []string{testSecretKey[:12], testSecretKey[20:], strings.ReplaceAll(testSecretKey, "-", "")} {
		if strings.Contains(text, part) {
			t.Errorf("the secret key is in %s: %s", where, text)
		}
	}
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in: %s", part, text)
		}
	}
}
