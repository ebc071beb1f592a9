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
		"the other side does not answer":       {host: host{answer: long}, stopsBefore: true},
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
