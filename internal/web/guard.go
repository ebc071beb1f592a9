package web

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// maxBody bounds the body of a request in bytes: no request needs more.
const maxBody = 64 << 10

// policy is what a page of the daemon may do: load its own style and script, and
// post to its own host. No other page may frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard refuses what other sites make browsers send, and bounds what is read.
func guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "another site sent this request")
	}))
	next = http.MaxBytesHandler(sameOrigin.Handler(next), maxBody)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// knownHosts refuses requests to other host names than this machine's and the given
// ones; nil allows all.
func knownHosts(next http.Handler, hosts []string) http.Handler {
	if hosts == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() && !slices.Contains(hosts, host) {
			writeError(w, http.StatusMisdirectedRequest, "the daemon does not answer under this host name: allow it with --web.allowed-host")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf is a Host header without its port.
func hostOf(text string) string {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		host = strings.Trim(text, "[]")
	}
	return strings.ToLower(host)
}
