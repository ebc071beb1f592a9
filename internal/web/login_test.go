//go:build unix

package web

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, so that time can be faked.
type pipes struct {
	waiting  chan net.Conn
	accepted atomic.Int64
	closed   chan struct{}
}

func newPipes() *pipes {
	return &pipes{waiting: make(chan net.Conn, 2*maxConnections), closed: make(chan struct{})}
}

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.waiting <- there
	return here
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.waiting:
		p.accepted.Add(1)
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// over serves on pipes while test runs.
func over(t *testing.T, config string, test func(*testing.T, *pipes)) {
	file := ""
	if config != "" {
		file = filepath.Join(t.TempDir(), "web.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := &Server{o: ServeOptions{ConfigFile: file, Log: slog.New(slog.DiscardHandler)}, listeners: []net.Listener{p}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, http.NotFoundHandler()) }()
		test(t, p)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestFailedLoginsAreSlow(t *testing.T) {
	// The password is "secret", at the least cost.
	const config = "basic_auth_users: {operator: $2a$04$43LcSr8DZJ9yzNyFElD9NetBB/iSk6ly47GsBtPlzviKzoi7G8JWS}\n"
	login := func(t *testing.T, p *pipes, password string) (status int, took time.Duration) {
		conn := p.dial()
		defer conn.Close()
		request, err := http.NewRequestWithContext(t.Context(), "GET", "http://memory/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			request.SetBasicAuth("operator", password)
		}
		began := time.Now()
		if err := request.Write(conn); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode, time.Since(began)
	}
	t.Run("one after the other", func(t *testing.T) {
		over(t, config, func(t *testing.T, p *pipes) {
			for _, tt := range []struct {
				name, password string
				status         int
				took           time.Duration
			}{
				{"a right password is answered at once", "secret", 404, 0},
				{"a wrong password takes a second", "guess", 401, slow},
				{"so does the next", "another guess", 401, slow},
				{"a right password between wrong ones is answered at once", "secret", 404, 0},
				{"no password is answered at once: a browser asks for it then", "", 401, 0},
			} {
				if status, took := login(t, p, tt.password); status != tt.status || took != tt.took {
					t.Errorf("%s: %d after %s, want %d after %s", tt.name, status, took, tt.status, tt.took)
				}
			}
		})
	})
	t.Run("many at once", func(t *testing.T) {
		over(t, config, func(t *testing.T, p *pipes) {
			took := make(chan time.Duration)
			for range 20 {
				go func() {
					_, d := login(t, p, "guess")
					took <- d
				}()
			}
			var longest, sum time.Duration
			for range 20 {
				d := <-took
				longest, sum = max(longest, d), sum+d
			}
			if longest != slowest || sum < 19*slowest-15*time.Second {
				t.Errorf("20 guesses at once take up to %s, together %s", longest, sum)
			}
			if _, d := login(t, p, "guess"); d > slow {
				t.Errorf("a mistake after them takes %s", d)
			}
		})
	})
}

// Someone who opened the pipe would wait for ever.
func TestAWebConfigurationThatBecomesAPipeIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{o: ServeOptions{ConfigFile: file, Log: slog.New(slog.DiscardHandler)}}
	w := httptest.NewRecorder()
	s.readable(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("it answers %d", w.Code)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	over(t, "", func(t *testing.T, p *pipes) {
		var open []net.Conn
		for range maxConnections + 10 {
			open = append(open, p.dial())
		}
		synctest.Wait()
		if got := p.accepted.Load(); got != maxConnections {
			t.Errorf("%d connections are open, want %d", got, maxConnections)
		}
		_ = open[0].Close()
		synctest.Wait()
		if got := p.accepted.Load(); got != maxConnections+1 {
			t.Errorf("%d connections were taken after one ended, want one more than %d", got, maxConnections)
		}
		for _, c := range open[1:] {
			_ = c.Close()
		}
		synctest.Wait()
	})
}
