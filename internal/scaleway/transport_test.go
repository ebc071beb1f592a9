package scaleway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"

	"github.com/registry-janitor/registry-janitor/registry"
)

func status(code int, body string, header ...string) roundTrip {
	return func(req *http.Request) (*http.Response, error) { return answer(req, code, body, header...), nil }
}

func hang(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func hangInBody(req *http.Request) (*http.Response, error) {
	resp := answer(req, 200, "")
	resp.ContentLength = -1
	resp.Body = &stuckBody{req.Context()}
	return resp, nil
}

// stuckBody is a body that never arrives.
type stuckBody struct{ ctx context.Context }

func (b *stuckBody) Read([]byte) (int, error) { <-b.ctx.Done(); return 0, b.ctx.Err() }
func (b *stuckBody) Close() error             { return nil }

func reset(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("read tcp: %w", syscall.ECONNRESET)
}

func refuse429(req *http.Request) (*http.Response, error) {
	return status(429, "", "X-Envoy-Ratelimited", "true", "Content-Type", "")(req)
}

func TestFaultsAreTriedAgainAndReported(t *testing.T) {
	html := status(200, "<html>maintenance</html>", "Content-Type", "text/html; charset=utf-8")
	tests := []struct {
		name  string
		fault roundTrip
		// tries until the call is given up
		tries    int64
		kind     error
		want     string
		min, max time.Duration // waited, when the fault stays
	}{
		{"500", status(500, `{"message":"upstream request timeout"}`), 5, nil, "500 Internal Server Error: upstream request timeout (after 5 tries)", 3 * time.Second, 8 * time.Second},
		{"500 in plain text", status(500, "no healthy\n upstream", "Content-Type", "text/plain"), 5, nil, "500 Internal Server Error: no healthy upstream (", 3 * time.Second, 8 * time.Second},
		{"500 with broken JSON", status(500, `{"message":`), 5, nil, "500 Internal Server Error (", 3 * time.Second, 8 * time.Second},
		{"502 with a page", status(502, "<html>", "Content-Type", "text/html"), 5, nil, "502 Bad Gateway (", 3 * time.Second, 8 * time.Second},
		{"503 that asks to wait", status(503, "", "Retry-After", "2"), 5, nil, "503 Service Unavailable (", 8 * time.Second, 10 * time.Second},
		{"503 that asks to wait for long", status(503, "", "Retry-After", "120"), 1, nil, "503 Service Unavailable", 0, 0},
		{"429", refuse429, 5, nil, "429 Too Many Requests (after 5 tries)", 5 * time.Second, 10 * time.Second},
		{"429 that asks to wait", status(429, "", "Retry-After", "3"), 5, nil, "429 Too Many Requests", 12 * time.Second, 13 * time.Second},
		{"429 that asks to wait for an hour", status(429, "", "Retry-After", "3600"), 1, nil, "asks to wait another 1h0m0s", 0, 0},
		{"empty 200", status(200, ""), 5, nil, "200 OK, but its body is empty", 3 * time.Second, 8 * time.Second},
		{"blank 200", status(200, " \n"), 5, nil, "200 OK, but its body is empty", 3 * time.Second, 8 * time.Second},
		{"HTML 200", html, 5, nil, `it is not JSON (Content-Type "text/html; charset=utf-8")`, 3 * time.Second, 8 * time.Second},
		{"truncated JSON", status(200, tagsPage(3, 1)[:400]), 5, nil, "not a complete JSON object", 3 * time.Second, 8 * time.Second},
		{"two documents", status(200, tagsPage(1, 1)+tagsPage(1, 1)), 5, nil, "not a complete JSON object", 3 * time.Second, 8 * time.Second},
		{"null", status(200, "null"), 5, nil, "not a complete JSON object", 3 * time.Second, 8 * time.Second},
		{"an array", status(200, "[]"), 5, nil, "not a complete JSON object", 3 * time.Second, 8 * time.Second},
		{"a listing without a total", status(200, `{"tags":[]}`), 5, nil, "has no total_count", 3 * time.Second, 8 * time.Second},
		{"a listing without a list", status(200, `{"total_count":0}`), 1, nil, "the answer holds no list", 0, 0},
		{"a null list", status(200, `{"tags":null,"total_count":0}`), 1, nil, "the answer holds no list", 0, 0},
		{"a list of another type", status(200, `{"tags":{},"total_count":0}`), 1, nil, "could not parse", 0, 0},
		{"a bad timestamp", status(200, strings.Replace(tagsPage(1, 1), "2026-01-02T", "yesterday ", 1)), 1, nil, "could not parse", 0, 0},
		{"no answer", hang, 5, nil, "no complete answer within 30s (after 5 tries)", 153 * time.Second, 158 * time.Second},
		{"half an answer", hangInBody, 5, nil, "no complete answer within 30s (after 5 tries)", 153 * time.Second, 158 * time.Second},
		{"a reset connection", reset, 5, nil, "connection reset by peer (after 5 tries)", 3 * time.Second, 8 * time.Second},
		{"401", status(401, `{"message":"authentication is denied","method":"api_key","reason":"not_found","type":"denied_authentication"}`), 1, registry.ErrUnauthenticated, "401 Unauthorized: authentication is denied", 0, 0},
		{"403", status(403, `{"details":[{"action":"read","resource":"registry_image"}],"message":"insufficient permissions","type":"permissions_denied"}`), 1, registry.ErrDenied, "403 Forbidden: insufficient permissions: read registry_image", 0, 0},
		{"404", status(404, `{"message":"Image was not found"}`), 1, registry.ErrNotFound, "404 Not Found: Image was not found", 0, 0},
		{"400", status(400, `{"details":[{"argument_name":"page_size","help_message":"at most 100","reason":"format"}],"message":"invalid argument(s)","type":"invalid_arguments"}`), 1, nil, "400 Bad Request: invalid argument(s): page_size at most 100", 0, 0},
		{"204", status(204, ""), 1, nil, "204 No Content", 0, 0},
		{"a redirect", status(307, "", "Location", "https://evil.example.com/"), 1, nil, "redirects are not followed", 0, 0},
		{"a redirect without a place", status(302, ""), 1, nil, "redirects are not followed", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name+" forever", func(t *testing.T) {
			var sent atomic.Int64
			r := newTestReader(t, counted(&sent, tt.fault))
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := r.Tags(t.Context(), testRegion, testImage)
				if err == nil {
					t.Fatal("no error")
				}
				doing := "list tags of image " + testImage + " in fr-par: page 1: "
				if errors.Is(err, registry.ErrUnauthenticated) { // whatever the request, the key is wrong
					doing = "the API refuses the access key SCWAAAAAAAAAAAAAAAAA (from SCW_ACCESS_KEY, with SCW_SECRET_KEY): "
				}
				mustContain(t, err.Error(), doing, tt.want)
				if strings.Contains(err.Error(), "scaleway-sdk-go") || strings.Contains(err.Error(), "http://") {
					t.Errorf("the error shows the machinery: %v", err)
				}
				for _, kind := range []error{registry.ErrDenied, registry.ErrUnauthenticated, registry.ErrNotFound, registry.ErrIncomplete, context.DeadlineExceeded, context.Canceled} {
					want := kind == tt.kind || kind == registry.ErrDenied && tt.kind == registry.ErrUnauthenticated //nolint:errorlint // which row of the table it is
					if errors.Is(err, kind) != want {
						t.Errorf("errors.Is(%v, %v) is %v", err, kind, errors.Is(err, kind))
					}
				}
				if sent.Load() != tt.tries {
					t.Errorf("sent %d requests, want %d", sent.Load(), tt.tries)
				}
				if waited := time.Since(start); waited < tt.min || waited > tt.max {
					t.Errorf("waited %s, want %s to %s", waited, tt.min, tt.max)
				}
			})
		})
		if tt.tries != 5 {
			continue
		}
		t.Run(tt.name+" once", func(t *testing.T) {
			var sent atomic.Int64
			r := newTestReader(t, counted(&sent, func(req *http.Request) (*http.Response, error) {
				if sent.Load() == 1 {
					return tt.fault(req)
				}
				return answer(req, 200, tagsPage(2, 1)), nil
			}))
			synctest.Test(t, func(t *testing.T) {
				tags, err := r.Tags(t.Context(), testRegion, testImage)
				if err != nil || len(tags) != 2 || sent.Load() != 2 {
					t.Errorf("got %d tags, %v with %d requests", len(tags), err, sent.Load())
				}
			})
		})
	}
}

func TestFaultsThatDoNotPassAreNotTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"an unknown host":            {&net.DNSError{IsNotFound: true}, false},
		"a busy name server":         {&net.DNSError{IsTemporary: true}, true},
		"a bad certificate":          {fmt.Errorf("dial: %w", &tls.CertificateVerificationError{Err: errors.New("expired")}), false},
		"a refused connection":       {syscall.ECONNREFUSED, true},
		"an answer that is not JSON": {&answerError{}, true},
		"an answer that is too big":  {&terminalError{errors.New("big")}, false},
	} {
		if got := passing(tt.err); got != tt.want {
			t.Errorf("%s may pass: %v", name, got)
		}
	}
}

func TestCallerCanStopAnyWait(t *testing.T) {
	for name, f := range map[string]roundTrip{"between tries": status(500, ""), "held back": refuse429, "unanswered": hang} {
		t.Run(name, func(t *testing.T) {
			r := newTestReader(t, f)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				start := time.Now()
				_, err := r.Tags(ctx, testRegion, testImage)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
			})
		})
	}
}

func TestOnlyGETToTheAPIHostIsSent(t *testing.T) {
	var sent atomic.Int64
	r := newTestReader(t, counted(&sent, status(200, "{}")))
	_, createErr := r.api.CreateNamespace(&sdk.CreateNamespaceRequest{Region: "fr-par", Name: "x", ProjectID: new("p")})
	_, patchErr := r.api.UpdateImage(&sdk.UpdateImageRequest{Region: "fr-par", ImageID: testImage})
	_, deleteErr := r.api.DeleteTag(&sdk.DeleteTagRequest{Region: "fr-par", TagID: testImage})
	for method, err := range map[string]error{"POST": createErr, "PATCH": patchErr, "DELETE": deleteErr} {
		if err == nil || !strings.Contains(err.Error(), "refused to send a "+method) {
			t.Errorf("%s: %v", method, err)
		}
	}
	guard := &guard{host: "api.example.com", allow: readOnly, next: counted(&sent, status(200, "{}"))}
	_, err := guard.RoundTrip(httptest.NewRequest("GET", "https://other.example.com/", strings.NewReader("x")))
	if err == nil || sent.Load() != 0 {
		t.Errorf("%v, and %d requests were sent", err, sent.Load())
	}
}

func TestRedirectsDoNotSendTheSecretKeyElsewhere(t *testing.T) {
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stolen.Add(1)
		fmt.Fprint(w, tagsPage(0, 1))
	}))
	defer thief.Close()
	api := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusFound))
	defer api.Close()
	setenv(t, withKeys("SCW_API_URL", api.URL)...)
	r, err := NewReader(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Tags(t.Context(), testRegion, testImage); err == nil || stolen.Load() != 0 {
		t.Errorf("%v, and %d requests reached the other host", err, stolen.Load())
	}
}

func TestBodiesAreBounded(t *testing.T) {
	var read atomic.Int64
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, 200, "")
		resp.ContentLength = 1 << 40
		resp.Body = io.NopCloser(io.TeeReader(endless{}, counter{&read}))
		return resp, nil
	}))
	_, err := r.Tags(t.Context(), testRegion, testImage)
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") || read.Load() > maxBody+(1<<20) {
		t.Errorf("read %d bytes: %v", read.Load(), err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

func TestAServerThatEchoesTheSecretKeyCannotPublishIt(t *testing.T) {
	upper := strings.ToUpper(testSecretKey)
	long := strings.Repeat("x", maxMessage-10) + testSecretKey // would be cut in the middle
	for name, f := range map[string]roundTrip{
		"in the message":    status(400, `{"message":"`+testSecretKey+`"}`),
		"in capitals":       status(403, `{"message":"`+upper+`"}`),
		"without dashes":    status(500, strings.ReplaceAll(testSecretKey, "-", ""), "Content-Type", "text/plain"),
		"where text is cut": status(400, `{"message":"`+long+`"}`),
		"in details":        status(400, `{"details":[{"argument_name":"`+testSecretKey+`","help_message":"`+testSecretKey+`"}]}`),
		"as a content type": status(200, `{}`, "Content-Type", testSecretKey),
		"as a location":     status(302, ``, "Location", "http://x/"+testSecretKey+"\x7f%"),
		"as a retry time":   status(429, ``, "Retry-After", testSecretKey),
		"as a timestamp":    status(200, strings.Replace(tagsPage(1, 1), "2026-01-02T03:04:05.000000Z", testSecretKey, 1)),
		"as an ID":          status(200, strings.Replace(tagsPage(1, 1), "33333333-0000-4000-8000-000000000001", testSecretKey+"0", 1)),
		"as an image ID":    status(200, strings.ReplaceAll(tagsPage(1, 1), testImage, testSecretKey)),
		"in a network error": func(req *http.Request) (*http.Response, error) {
			return nil, errors.New(req.Header.Get("X-Auth-Token"))
		},
		"in the status line": func(req *http.Request) (*http.Response, error) {
			r := answer(req, 418, "")
			r.Status = testSecretKey
			return r, nil
		},
		"in a field's number": status(200, `{"tags":[],"total_count":"`+testSecretKey+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			r := newTestReader(t, f, func(o *Options) { o.Logger = log.logger() })
			synctest.Test(t, func(t *testing.T) {
				_, err := r.Tags(t.Context(), testRegion, testImage)
				if err == nil {
					t.Fatal("no error")
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					mustNotLeak(t, "the error", fmt.Sprintf("%v %+v %#v", e, e, e))
				}
				mustNotLeak(t, "the log", log.String())
				if strings.Contains(log.String(), base64.StdEncoding.EncodeToString([]byte(testSecretKey))) {
					t.Error("the secret key is in the log, encoded")
				}
			})
		})
	}
}

func TestObserverSeesEveryTry(t *testing.T) {
	var seen atomic.Int64
	r := newTestReader(t, status(500, ""), func(o *Options) {
		o.Observer = func(next http.RoundTripper) http.RoundTripper { return counted(&seen, next.RoundTrip) }
	})
	synctest.Test(t, func(t *testing.T) {
		if _, err := r.Tags(t.Context(), testRegion, testImage); err == nil || seen.Load() != 5 {
			t.Errorf("saw %d tries: %v", seen.Load(), err)
		}
	})
}

func TestSkewIsTheLargestSeen(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 900e6, time.UTC)
	dates := []time.Duration{0, -7 * time.Minute, 2 * time.Minute}
	var at int
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		date := now.Add(dates[at%len(dates)]).Format(http.TimeFormat)
		at++
		return answer(req, 200, tagsPage(1, 1), "Date", date), nil
	}), func(o *Options) { o.Now = func() time.Time { return now } })
	if _, known := r.Skew(); known {
		t.Error("skew is known before any answer")
	}
	for _, want := range []time.Duration{0, 7 * time.Minute, 7 * time.Minute} {
		if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
			t.Fatal(err)
		}
		if got, known := r.Skew(); got != want || !known || r.Undated() {
			t.Errorf("skew is %s, %v; want %s", got, known, want)
		}
	}
}

func TestSkewIsUnknownWithoutADate(t *testing.T) {
	r := newTestReader(t, status(200, tagsPage(1, 1), "Date", "today"))
	if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
		t.Fatal(err)
	}
	if skew, known := r.Skew(); known || !r.Undated() {
		t.Errorf("skew %s, undated %v", skew, r.Undated())
	}
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	var inFlight, most atomic.Int64
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		n := inFlight.Add(1)
		defer inFlight.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		return answer(req, 200, tagsPage(10_000, pageOf(req))), nil
	}), func(o *Options) { o.Concurrency = 7 })
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if most.Load() != 7 {
			t.Errorf("%d requests were in flight, want 7", most.Load())
		}
		if took, ideal := time.Since(start), 300*20*time.Millisecond/7; took > ideal*11/10 {
			t.Errorf("300 pages took %s, ideally %s", took, ideal)
		}
	})
}

// The limiter finds the limit of a host that allows 100 requests a second, and
// uses it well. It notices when the limit goes away.
func TestLimiterFindsTheRateAndRecovers(t *testing.T) {
	var mu sync.Mutex
	var accepted []time.Time
	refused, limited := 0, true
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		time.Sleep(20 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		old, _ := slices.BinarySearchFunc(accepted, now.Add(-time.Second), time.Time.Compare)
		if limited && len(accepted)-old >= 100 {
			refused++
			return refuse429(req)
		}
		accepted = append(accepted, now)
		return answer(req, 200, tagsPage(1, 1)), nil
	}))
	synctest.Test(t, func(t *testing.T) {
		read := func(calls int) time.Duration {
			start := time.Now()
			var group sync.WaitGroup
			work := make(chan int)
			for range 32 {
				group.Go(func() {
					for range work {
						if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for i := range calls {
				work <- i
			}
			close(work)
			group.Wait()
			return time.Since(start)
		}
		if took := read(6000); took > 90*time.Second {
			t.Errorf("6000 calls at 100 a second took %s", took)
		}
		if refused > 600 {
			t.Errorf("%d of 6600 requests were refused", refused)
		}
		limited = false
		read(12_000) // long enough for a minute without a refusal
		if took, ideal := read(4000), 4000*20*time.Millisecond/16; took > ideal*11/10 {
			t.Errorf("without a limit 4000 calls took %s, ideally %s", took, ideal)
		}
	})
}

func TestWaitingIsNotPartOfTheRequestTimeout(t *testing.T) {
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		time.Sleep(25 * time.Second)
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return answer(req, 200, tagsPage(1, 1)), nil
	}), func(o *Options) { o.Concurrency = 1 })
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		for range 4 { // the last one waits for 75 s
			group.Go(func() {
				if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

func TestBrokenConnectionsAreTriedAgain(t *testing.T) {
	var calls atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch calls.Add(1) {
		case 1: // hang up at once
			panic(http.ErrAbortHandler)
		case 2: // hang up in the middle
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(bytes.Repeat([]byte(" "), 100))
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, tagsPage(3, 1))
	}))
	api.Config.ErrorLog = nil
	defer api.Close()
	setenv(t, withKeys("SCW_API_URL", api.URL)...)
	r, err := NewReader(Options{})
	if err != nil {
		t.Fatal(err)
	}
	tags, err := r.Tags(t.Context(), testRegion, testImage)
	if err != nil || len(tags) != 3 || calls.Load() != 3 {
		t.Errorf("%d tags after %d calls: %v", len(tags), calls.Load(), err)
	}
	if skew, known := r.Skew(); !known || skew > 2*time.Second {
		t.Errorf("skew %s, %v", skew, known)
	}
}
