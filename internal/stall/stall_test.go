package stall

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a body, or a server, that takes its time before each byte.
type slow struct {
	io.Reader
	pause time.Duration
}

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.Reader.Read(p[:1])
}

func (slow) Close() error { return nil }

// host takes each byte of a request, and sends each of its answer, after a pause.
type host struct {
	take, answer, send time.Duration
}

func (h host) RoundTrip(r *http.Request) (*http.Response, error) {
	wait := func(pause time.Duration) error {
		select {
		case <-time.After(pause):
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	for r.Body != nil {
		_, end := r.Body.Read(make([]byte, 1))
		if err := wait(h.take); err != nil {
			return nil, err
		}
		if end != nil {
			break
		}
	}
	if err := wait(h.answer); err != nil {
		return nil, err
	}
	body := readFunc(func(p []byte) (int, error) {
		if err := wait(h.send); err != nil {
			return 0, err
		}
		return 0, io.EOF
	})
	return &http.Response{Body: io.NopCloser(io.MultiReader(slow{strings.NewReader("abc"), 0}, body)), Request: r}, nil
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestOnlyTheOtherSideMayNotStop(t *testing.T) {
	const long, short = 2 * Limit, Limit / 3
	for name, row := range map[string]struct {
		host                 host
		source, reader       time.Duration // pauses of ours
		stopsBefore, stopsIn bool          // the answer; its body
	}{
		"nothing is slow":                      {},
		"all is slow, but moves":               {host: host{short, short, short}, source: short, reader: short},
		"the source of the body is very slow":  {source: long},
		"the caller reads very slowly":         {reader: long},
		"the other side takes nothing":         {host: host{take: long}, stopsBefore: true},
		"the other side works on what it has":  {host: host{answer: long}},
		"the other side does not answer":       {host: host{answer: 2 * LongLimit}, stopsBefore: true},
		"the other side stops within its body": {host: host{send: long}, stopsIn: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://registry.example.com/v2/", slow{strings.NewReader("ab"), row.source})
				if err != nil {
					t.Fatal(err)
				}
				resp, err := (&Transport{row.host}).RoundTrip(r)
				if stopped := errors.As(err, new(*Error)); stopped != row.stopsBefore || (err != nil) != stopped {
					t.Fatal(err)
				}
				if err != nil {
					return
				}
				read, err := io.ReadAll(slow{resp.Body, row.reader})
				if stopped := errors.As(err, new(*Error)); stopped != row.stopsIn || (err != nil) != stopped || string(read) != "abc" {
					t.Errorf("%q, %v", read, err)
				}
				if err := resp.Body.Close(); err != nil || r.Context().Err() != nil {
					t.Error(err, r.Context().Err())
				}
			})
		})
	}
}

func TestReadsAreAnsweredSoon(t *testing.T) {
	for method, limit := range map[string]time.Duration{http.MethodGet: Limit, http.MethodHead: Limit, http.MethodPut: LongLimit, http.MethodPost: LongLimit} {
		synctest.Test(t, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://registry.example.com/v2/", nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := (&Transport{host{answer: 2 * LongLimit}}).RoundTrip(r); !errors.As(err, new(*Error)) || time.Since(began) != limit {
				t.Errorf("%s: after %s: %v", method, time.Since(began), err)
			}
		})
	}
}

// A connection may break before anything was taken: net/http sends the body again.
func TestABodyThatIsSentAgainIsWatchedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func() io.ReadCloser { return slow{strings.NewReader("abcdef"), Limit / 3} }
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://registry.example.com/v2/", body())
		if err != nil {
			t.Fatal(err)
		}
		r.GetBody = func() (io.ReadCloser, error) { return body(), nil }
		again := roundTrip(func(r *http.Request) (*http.Response, error) {
			var err error
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
			return host{take: Limit / 3}.RoundTrip(r)
		})
		resp, err := (&Transport{again}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
