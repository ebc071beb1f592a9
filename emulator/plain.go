package emulator

import "net/http"

// Plain answers as the server does when nothing goes wrong: at once, without limits
// and faults. Its requests are not in the log. Tests compare what was said with it.
func (s *Server) Plain() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{http: r, route: parseRoute(r.URL.Path), received: s.now()}
		var err error
		if c.body, err = readBody(w, r); err != nil {
			s.respond(w, c, s.invalidArgument("body", reasonFormat, err.Error()))
			return
		}
		s.respond(w, c, s.act(c))
	})
}
