package web

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// staysClosed refuses what only a change of the web configuration has let in: a daemon
// that was started with authentication never serves without it. Exporter-toolkit reads
// the file for each request, and checks the passwords that it finds.
func (s *Server) staysClosed(next http.Handler) http.Handler {
	if !s.authenticated {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		configured, err := readSettings(s.o.ConfigFile)
		hasPassword := err == nil && configured.passwords()
		hasCertificate := r.TLS != nil && len(r.TLS.VerifiedChains) > 0
		if !hasPassword && !hasCertificate {
			writeError(w, http.StatusServiceUnavailable, "the web configuration requires neither a password nor a client certificate any more, but the daemon was started with one: restore basic_auth_users or client_auth_type, or restart the daemon")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readable refuses requests while the web configuration cannot be read: exporter-toolkit
// opens it for each request, and would wait for a named pipe in its place.
func (s *Server) readable(next http.Handler) http.Handler {
	if s.o.ConfigFile == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := readSettings(s.o.ConfigFile); err != nil {
			s.o.Log.Error("the web configuration cannot be read, so requests are refused", "error", err)
			writeError(w, http.StatusInternalServerError, "the web configuration cannot be read: see the log of the daemon")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// The answer to a failed login takes a second. If more than one fails a second, all of
// their answers take longer, up to slowest.
const (
	slow    = time.Second
	slowest = 5 * time.Second
)

// slowLogins delays the answers to failed logins, so that passwords cannot be guessed
// quickly.
func slowLogins(next http.Handler) http.Handler {
	failures := rate.NewLimiter(rate.Every(slow), 1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); ok {
			w = &loginWriter{w, func() { _ = clock.Sleep(r.Context(), pause(failures)) }}
		}
		next.ServeHTTP(w, r)
	})
}

// pause is how long the answer to the next failed login takes.
func pause(failures *rate.Limiter) time.Duration {
	next := failures.Reserve()
	if d := slow + next.Delay(); d <= slowest {
		return d
	}
	next.Cancel()
	return slowest
}

// loginWriter calls failed before it answers that a login has failed.
type loginWriter struct {
	http.ResponseWriter
	failed func()
}

func (w *loginWriter) WriteHeader(status int) {
	if status == http.StatusUnauthorized {
		w.failed()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *loginWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// outermost wraps the handler of a server at the first Accept. Exporter-toolkit wraps
// it too, and then calls Accept: so this wrapper also sees the answers of the toolkit.
func outermost(l net.Listener, server *http.Server, wrap func(http.Handler) http.Handler) net.Listener {
	return &firstAccept{Listener: l, first: sync.OnceFunc(func() { server.Handler = wrap(server.Handler) })}
}

type firstAccept struct {
	net.Listener
	first func()
}

func (l *firstAccept) Accept() (net.Conn, error) {
	l.first()
	return l.Listener.Accept()
}
