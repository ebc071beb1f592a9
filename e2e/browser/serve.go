package browser

import (
	"net/http"

	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Policy is the content security policy of a daemon's page.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Page serves the page of a daemon at / with its assets, and receives its forms.
func Page(d runs.Daemon, latest *runs.Run, posted func(*http.Request)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", Policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Daemon(w, d, latest, "/assets/"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(page.Assets())))
	mux.HandleFunc("POST /api/v1/", func(w http.ResponseWriter, r *http.Request) {
		if posted != nil {
			posted(r)
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return mux
}
