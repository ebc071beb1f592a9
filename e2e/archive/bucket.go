package archive

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bucket is a bucket of versitygw behind a proxy, which notes the requests and can do
// something else with them.
type bucket struct {
	url     string // of the proxy
	objects string // the folder of the objects

	mu       sync.Mutex
	requests []string // "PUT blobs/sha256/…", without the prefix
	// fault answers instead of the server, and reports whether it did; may be nil.
	fault func(w http.ResponseWriter, r *http.Request) bool
}

// The credentials of the bucket.
const (
	accessKey = "archivist"
	secret    = "not-a-secret-of-anything"
)

// startBucket starts a server, which is versitygw, with an empty bucket for one test.
func startBucket(t *testing.T, server string) *bucket {
	t.Helper()
	data, socket := t.TempDir(), filepath.Join(t.TempDir(), "s3")
	b := &bucket{objects: filepath.Join(data, "backups")}
	if err := os.Mkdir(b.objects, 0o700); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(server, "--access", accessKey, "--secret", secret, "--region", "fr-par", "--port", socket, "posix", data)
	serve(t, command, "listening on")
	proxy := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // of clients that have gone
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "bucket"})
			r.Out.Host = r.In.Host // is signed
		},
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, socket) }},
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		_, object, _ := strings.Cut(r.URL.Path, "/registry/")
		b.requests = append(b.requests, r.Method+" "+object)
		fault := b.fault
		b.mu.Unlock()
		if fault == nil || !fault(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	b.url = front.URL
	return b
}

// dial waits until the server has made its socket, at most until ctx is done.
func dial(ctx context.Context, socket string) (net.Conn, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err == nil {
			return c, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// serve starts a server, and waits until its output has some words. It ends with the test.
func serve(t *testing.T, command *exec.Cmd, words string) {
	t.Helper()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if strings.Contains(lines.Text(), words) {
			go func() { _, _ = io.Copy(io.Discard, output) }()
			return
		}
	}
	t.Fatalf("%s ended", command.Path)
}

// to is the address of the bucket, as a configuration has it.
func (b *bucket) to() string {
	return "s3://backups/registry?endpoint=" + b.url + "&region=fr-par"
}

// answer sets what may answer instead of the server.
func (b *bucket) answer(fault func(http.ResponseWriter, *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = fault
}

// breakWith answers with a fault to requests of a method for blobs: to the first times of
// them, or to all if that is negative.
func (b *bucket) breakWith(method string, times int, fault http.HandlerFunc) {
	var left atomic.Int64
	left.Store(int64(times))
	b.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || !strings.Contains(r.URL.Path, "/blobs/") || times >= 0 && left.Add(-1) < 0 {
			return false
		}
		fault(w, r)
		return true
	})
}

// count is the number of requests that begin so.
func (b *bucket) count(beginning string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, r := range b.requests {
		if strings.HasPrefix(r, beginning) {
			n++
		}
	}
	return n
}

// fail answers as S3 does.
func fail(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>as the test wants it</Message></Error>")
	}
}

// cut ends the connection in the middle of the request.
func cut(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, 100)
	panic(http.ErrAbortHandler)
}
